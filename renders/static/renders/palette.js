// In the command palette, Enter opens the first result if none is chosen: Unfold's script fails there.
window.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || event.target.id !== "search-input-command") {
      return;
    }
    const palette = window.Alpine.$data(event.target);
    if (!palette.items?.length) {
      event.preventDefault();
      event.stopPropagation();
    } else if (palette.currentIndex === 0) {
      palette.currentIndex = 1;
    }
  },
  { capture: true },
);
