// Keeps the labels and bars of renders up to date: one request for all that have not ended, none while nobody looks.
//
//   <div data-render="<id>" data-active>
//     <span data-live="label"></span> <progress data-live="bar" max="1"></progress>
//     <span data-live="percent"></span> <p data-live="note"></p>
//   </div>
//
// The script's own element says whom to ask: data-address="{% url 'admin:renders_render_live' %}".
// Before a label changes, the element dispatches "render:changes", which bubbles: whoever prevents it shows the change.
// When a render ends, data-active is removed and the element dispatches "render:ended", which bubbles.
//
// Ages count on by themselves: <time datetime="2026-03-04T05:06:07Z" data-age>3 min ago</time>
(() => {
  "use strict";

  const INTERVAL = 2000;
  const AGE_INTERVAL = 5000;
  const LONGEST_WAIT = 60000;
  const MAX_IDS = 100;
  const { address } = document.currentScript.dataset;
  let timer = null;
  let wait = INTERVAL;

  const active = () => [...document.querySelectorAll("[data-render][data-active]")];

  const percent = (progress) => `${Math.round(progress * 100)}%`;

  function dispatch(element, name, state) {
    return element.dispatchEvent(new CustomEvent(name, { bubbles: true, cancelable: true, detail: state }));
  }

  function show(element, state) {
    const label = element.querySelector("[data-live=label]")?.textContent.trim();
    if (label !== undefined && label !== state.label && !dispatch(element, "render:changes", state)) {
      return;
    }
    element.dataset.status = state.status;
    element.dataset.tone = state.tone;
    for (const part of element.querySelectorAll("[data-live]")) {
      const name = part.dataset.live;
      if (name === "bar") {
        part.value = state.progress;
      } else {
        const text = name === "percent" ? percent(state.progress) : state[name];
        if (text !== undefined && part.textContent !== text) {
          part.textContent = text;
        }
      }
    }
    if (!state.isActive) {
      element.removeAttribute("data-active");
      dispatch(element, "render:ended", state);
    }
  }

  async function ask() {
    const ids = [...new Set(active().map((element) => element.dataset.render))].slice(0, MAX_IDS);
    const response = await fetch(`${address}?ids=${ids.join(",")}`, {
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      redirect: "error", // to the sign-in page
    });
    if (!response.ok) {
      throw new Error(`${response.status}`);
    }
    const { renders } = await response.json();
    for (const element of active()) {
      const id = element.dataset.render;
      if (renders[id]) {
        show(element, renders[id]);
      } else if (ids.includes(id)) {
        element.removeAttribute("data-active"); // its row was deleted
      }
    }
  }

  async function tick() {
    timer = null;
    if (document.hidden || active().length === 0) {
      return;
    }
    try {
      await ask();
      wait = INTERVAL;
    } catch {
      wait = Math.min(wait * 2, LONGEST_WAIT);
    }
    start();
  }

  function start(after = wait) {
    if (timer === null && !document.hidden && active().length > 0) {
      timer = setTimeout(tick, after);
    }
  }

  // The words of display.brief_age.
  const UNITS = [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];

  function age(since) {
    const seconds = Math.max(1, Math.floor((Date.now() - since) / 1000));
    const [unit, length] = UNITS.find(([, length]) => seconds >= length);
    return `${Math.floor(seconds / length)}\u00a0${unit} ago`;
  }

  function countOn() {
    if (document.hidden) {
      return;
    }
    for (const time of document.querySelectorAll("time[data-age]")) {
      const told = age(Date.parse(time.dateTime));
      if (time.textContent !== told) {
        time.textContent = told;
      }
    }
  }

  setInterval(countOn, AGE_INTERVAL);
  document.addEventListener("visibilitychange", countOn);

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    timer = null;
    start(0);
  });
  document.addEventListener("DOMContentLoaded", () => start());
  window.addEventListener("pageshow", () => start(0));
})();
