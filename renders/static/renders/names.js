// Names for those who cannot see the page: of fields that select2 draws, and of signs in Django's list selector.
window.addEventListener("load", () => {
  // Once the scripts that draw them have run, which wait for the same event.
  setTimeout(() => {
    for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
      const label = document.querySelector(`label[for="${select.id}"]`);
      const drawn = select.nextElementSibling;
      if (!label || !drawn) {
        continue;
      }
      label.id ||= `${select.id}_label`;
      const value = drawn.querySelector(".select2-selection__rendered");
      drawn.querySelector(".select2-selection").setAttribute("aria-labelledby", `${label.id} ${value.id}`);
      for (const field of drawn.querySelectorAll("[role='textbox'], .select2-search__field")) {
        field.setAttribute("aria-labelledby", label.id);
      }
    }
    for (const sign of document.querySelectorAll("span.help-tooltip[aria-label]")) {
      sign.setAttribute("role", "img");
    }
  });
});
