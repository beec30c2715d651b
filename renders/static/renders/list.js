// The first frame of a video is loaded when it comes into view, by requests for parts of its file.
const frames = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) {
        frames.unobserve(target);
        target.preload = "metadata";
        target.src = `${target.dataset.src}#t=0.001`; // without a time, Safari shows nothing
      }
    }
  },
  { rootMargin: "200px" },
);

document.addEventListener("DOMContentLoaded", () => {
  for (const video of document.querySelectorAll(".picture > video")) frames.observe(video);
});

// A picture that cannot be loaded gives way to the symbol under it.
document.addEventListener(
  "error",
  ({ target }) => {
    if (target.matches?.(".picture > :is(img, video)")) target.remove();
  },
  true,
);
