// Keeps what the dashboard says about now up to date, and its charts readable in both themes.
const EVERY = 5000;
const dashboard = document.querySelector("[data-dashboard]");

async function update() {
  const response = await fetch(dashboard.dataset.dashboard, { credentials: "same-origin" });
  if (response.redirected) return false; // signed out
  if (!response.ok) return true;
  const answer = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of answer.querySelectorAll("[data-part]")) {
    const shown = dashboard.querySelector(`[data-part="${part.dataset.part}"]`);
    // What the keyboard is in stays as it is.
    if (shown && !shown.contains(document.activeElement)) shown.replaceWith(part);
  }
  return true;
}

async function keepUpdating() {
  let goesOn = true;
  try {
    if (!document.hidden) goesOn = await update();
  } catch {
    // The server is away: asked again.
  }
  if (goesOn) setTimeout(keepUpdating, EVERY);
}

function colourCharts() {
  const root = document.documentElement;
  const step = root.classList.contains("dark") ? 300 : 600;
  const colour = getComputedStyle(root).getPropertyValue(`--color-base-${step}`).trim();
  for (const canvas of dashboard.querySelectorAll("canvas.chart")) {
    const chart = window.Chart.getChart(canvas);
    if (!chart) continue;
    for (const scale of Object.values(chart.options.scales)) scale.ticks.color = colour;
    chart.options.plugins.legend.labels.color = colour;
    chart.update();
  }
}

if (dashboard) {
  setTimeout(keepUpdating, EVERY);
  window.addEventListener("load", () => {
    colourCharts();
    new MutationObserver(colourCharts).observe(document.documentElement, { attributeFilter: ["class"] });
  });
}
