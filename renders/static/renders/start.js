// The form that starts a render: what it would cost while it is filled in, only the options that apply, editors for code.

const form = document.getElementById("start-form");
const summary = document.getElementById("start-summary");
const QUIET_MS = 600;

// Slots, cost and warnings -----------------------------------------------------------------------

let timer = 0;
let asking = null;

async function updateSummary({ isUntouched = false } = {}) {
  asking?.abort();
  asking = new AbortController();
  const data = new FormData(form);
  data.append("_summary", "1");
  if (isUntouched) data.append("_untouched", "1");
  summary.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, signal: asking.signal });
    if (answer.redirected) summary.textContent = "You have been signed out: open this page in another tab, and sign in.";
    else if (answer.ok) summary.innerHTML = await answer.text(); // our own template, in which all text is escaped
    else summary.textContent = `The service answered ${answer.status}. Press Check to see why.`;
    summary.removeAttribute("aria-busy");
  } catch (error) {
    if (error.name === "AbortError") return;
    summary.textContent = "The service cannot be reached.";
    summary.removeAttribute("aria-busy");
  }
}

function updateSoon() {
  clearTimeout(timer);
  timer = setTimeout(updateSummary, QUIET_MS, {});
}

// Options that apply -----------------------------------------------------------------------------

function showWhatApplies() {
  const kind = form.elements.kind.value;
  const codecField = form.elements["options.codec"];
  const codec = codecField && (codecField.value || codecField.dataset.defaultCodec);
  for (const control of form.querySelectorAll("[data-kinds]")) {
    const { kinds, codecs } = control.dataset;
    const applies = kinds.split(" ").includes(kind)
      && (kind === "still" || !codecs || !codec || codecs.split(" ").includes(codec));
    const field = control.closest(".start-field");
    // One with a mistake stays, so that the mistake is seen.
    field.hidden = !applies && !field.classList.contains("errors");
    control.disabled = field.hidden;
  }
  for (const details of form.querySelectorAll(".start-details")) {
    details.hidden = !details.querySelector(".start-field:not([hidden])");
  }
}

// Editors ----------------------------------------------------------------------------------------

function keepIndentation(event) {
  const editor = event.target;
  if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const line = editor.value.slice(0, editor.selectionStart).split("\n").pop();
  const indentation = line.match(/^[ \t]*/)[0] + (/[{[(]\s*$/.test(line) ? "  " : "");
  if (!indentation) return;
  event.preventDefault();
  editor.setRangeText(`\n${indentation}`, editor.selectionStart, editor.selectionEnd, "end");
  editor.dispatchEvent(new Event("input", { bubbles: true }));
}

function problemOf(editor) {
  if (editor.dataset.editor !== "json" || !editor.value.trim()) return "";
  try {
    JSON.parse(editor.value);
    return "";
  } catch (error) {
    return error.message;
  }
}

function addEditor(editor) {
  const note = document.createElement("div");
  note.className = "start-editor-note start-note";
  const problem = document.createElement("span");
  problem.dataset.problem = "";
  const count = document.createElement("span");
  note.append(problem, count);
  editor.after(note);
  // What the service says of the field is there already.
  const isTold = Boolean(editor.closest(".start-field.errors"));
  const describe = () => {
    problem.textContent = isTold ? "" : problemOf(editor);
    const lines = editor.value.split("\n").length;
    count.textContent = `${editor.value.length.toLocaleString("en")} characters, ${lines.toLocaleString("en")} ${lines === 1 ? "line" : "lines"}`;
  };
  editor.addEventListener("keydown", keepIndentation);
  editor.addEventListener("input", describe);
  describe();
}

// Back after Start -------------------------------------------------------------------------------

const SAVED = "start-form";

function isOfForm({ name, type }) {
  return name && type !== "submit" && name !== "csrfmiddlewaretoken";
}

function saveWhatIsSent() {
  const fields = [...form.elements].filter(isOfForm).map((control) => ({
    name: control.name,
    value: control.value,
    isChecked: control.checked,
    shown: control.selectedOptions?.[0]?.text,
  }));
  try {
    sessionStorage.setItem(SAVED, JSON.stringify({ action: form.action, fields }));
  } catch {
    sessionStorage.removeItem(SAVED); // more than a browser keeps
  }
}

// The page is not kept by the browser, because the admin's pages are not to be stored.
function restoreAfterBack() {
  const saved = JSON.parse(sessionStorage.getItem(SAVED) ?? "null");
  if (performance.getEntriesByType("navigation")[0]?.type !== "back_forward" || saved?.action !== form.action) return;
  for (const { name, value, isChecked, shown } of saved.fields) {
    const control = form.elements[name];
    if (!control?.matches?.("input, select, textarea")) continue;
    if (control.type === "checkbox") {
      control.checked = isChecked;
      continue;
    }
    // A choice that was searched for is no option of the empty form.
    if (control.matches("select") && value && ![...control.options].some((option) => option.value === value)) {
      control.add(new Option(shown, value));
    }
    control.value = value;
  }
}

// ------------------------------------------------------------------------------------------------

restoreAfterBack();
for (const editor of form.querySelectorAll("[data-editor]")) addEditor(editor);
form.addEventListener("input", () => { showWhatApplies(); updateSoon(); });
form.addEventListener("change", () => { showWhatApplies(); updateSoon(); });
window.django?.jQuery?.(form).on("select2:select select2:clear", updateSoon);
form.addEventListener("submit", () => { clearTimeout(timer); asking?.abort(); saveWhatIsSent(); });
// After "back", the browser may show the page as it was left.
window.addEventListener("pageshow", (event) => { if (event.persisted) updateSoon(); });

showWhatApplies();
updateSummary({ isUntouched: !form.querySelector(".errors") });
form.querySelector("[aria-invalid='true']")?.focus();
