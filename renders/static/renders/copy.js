// Buttons that copy: <button type="button" data-copy="#id of what is copied"><span data-copy-said>Copy</span></button>
(() => {
  "use strict";

  const SHOWN = 2000;

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) {
      return;
    }
    const source = document.querySelector(button.dataset.copy);
    const said = button.querySelector("[data-copy-said]");
    const before = said.textContent;
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      said.textContent = "Copied";
    } catch {
      // Without HTTPS a browser gives no clipboard: select the text, so that Ctrl+C copies it.
      if (source.select) {
        source.select();
      } else {
        getSelection().selectAllChildren(source);
      }
      said.textContent = "Press Ctrl+C";
    }
    setTimeout(() => {
      said.textContent = before;
    }, SHOWN);
  });
})();
