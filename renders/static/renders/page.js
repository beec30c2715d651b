// A render's page: copy buttons, the questions before what cannot be undone, and parts that are read anew when the
// render's status changes.
//
//   <button data-text="what is copied">            <button data-copies="id of the element whose text is copied">
//   <button data-link="address that answers a link to be copied, as JSON">
//   <button data-opens="id of a dialog">           <button data-closes> in the dialog
//   <section id="..." data-section> is replaced by what the page has under the same id by then
(() => {
  "use strict";

  const said = () => document.getElementById("page-said");
  const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

  function tell(sentence) {
    said().textContent = sentence;
  }

  async function copy(text) {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text); // there is none without https
      return;
    }
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    if (!isCopied) {
      throw new Error("The browser did not copy.");
    }
  }

  async function copyText(button) {
    const { text, copies } = button.dataset;
    try {
      await copy(text ?? document.getElementById(copies).textContent);
      mark(button);
      tell("Copied.");
    } catch {
      tell("The browser does not allow copying here: select the text, and copy it by the keyboard.");
    }
  }

  function mark(button) {
    const icon = button.querySelector(".material-symbols-outlined");
    icon.textContent = "check";
    setTimeout(() => {
      icon.textContent = "content_copy";
    }, 2000);
  }

  async function copyLink(button) {
    try {
      const response = await fetch(button.dataset.link, {
        method: "POST",
        headers: { "X-CSRFToken": token(), Accept: "application/json" },
        redirect: "error", // to the sign-in page
      });
      const answer = await response.json();
      if (!response.ok) {
        tell(answer.error);
        return;
      }
      const field = document.getElementById("link-field");
      field.value = answer.url;
      document.getElementById("link-shown").hidden = false;
      await copy(answer.url).then(
        () => tell(answer.said),
        () => tell("The browser does not allow copying here: copy the link below."),
      );
      field.select();
    } catch {
      tell("The link could not be made: reload the page.");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) {
      return;
    }
    const { opens, closes, text, copies, link } = button.dataset;
    if (opens !== undefined) {
      document.getElementById(opens).showModal();
    } else if (closes !== undefined) {
      button.closest("dialog").close();
    } else if (text !== undefined || copies !== undefined) {
      copyText(button);
    } else if (link !== undefined) {
      copyLink(button);
    }
  });

  // Whatever submits is disabled, so that a second click is no second request.
  const submits = (root) => root.querySelectorAll(".render-page button[type=submit]");

  document.addEventListener("submit", (event) => {
    for (const button of submits(event.target)) {
      button.disabled = true;
    }
  });

  window.addEventListener("pageshow", () => {
    for (const button of submits(document)) {
      button.disabled = false; // the page came back as it was left
    }
  });

  function replace(section, fresh) {
    const focused = section.contains(document.activeElement) ? document.activeElement.id : "";
    section.replaceChildren(...fresh.childNodes);
    if (focused) {
      (document.getElementById(focused) ?? section.querySelector("a, button"))?.focus();
    }
  }

  // A question that is open stays; what it is about is read when it is closed.
  const isAsking = () => document.querySelector("dialog[open]") !== null;

  async function readAnew() {
    const response = await fetch(window.location.href, { redirect: "error" });
    if (!response.ok) {
      return;
    }
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (isAsking()) {
      return;
    }
    for (const section of document.querySelectorAll("[data-section]")) {
      const fresh = page.getElementById(section.id);
      if (fresh) {
        replace(section, fresh);
      }
    }
    shown = label();
  }

  const label = () => document.querySelector("#page-head [data-live=label]")?.textContent.trim();
  let shown;
  let isReading = false;

  async function read() {
    if (isReading) {
      return;
    }
    isReading = true;
    try {
      await readAnew();
    } catch {
      // live.js goes on, and asks for the change again
    } finally {
      isReading = false;
    }
  }

  // The label changes with all that the page says about it, and not before.
  document.addEventListener("render:changes", (event) => {
    if (event.target.closest("#page-head") && !isAsking()) {
      event.preventDefault();
      read();
    }
  });

  function readChange() {
    if (label() !== shown && !isAsking()) {
      read();
    }
  }

  document.addEventListener("close", readChange, true);
  document.addEventListener("DOMContentLoaded", () => {
    shown = label();
  });
})();
