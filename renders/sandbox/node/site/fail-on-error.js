import { cancelRender, delayRender } from "remotion";

/** The lines of the stack that name places, without the message. */
const placesOf = (error) => String(error?.stack ?? "").match(/^ {4}at .*$/gm) ?? [];

/**
 * Fail the render, at once or as soon as Remotion looks at the page.
 *
 * cancelRender() stores the error where Remotion finds it. Remotion looks only while the page is
 * not ready, and it never is again, because nothing releases the handle of delayRender().
 */
const fail = (event, thrown, description) => {
  if (!(thrown instanceof Error)) {
    // Remotion's own listener crashes on `throw "text"` and `throw null`: keep them from it.
    event.preventDefault();
  }
  delayRender("This page has failed");
  try {
    const message = String(thrown?.message ?? thrown ?? description);
    cancelRender({ message, stack: `\n${placesOf(thrown).join("\n")}` });
  } catch {
    // cancelRender() throws what it has stored.
  }
};

/**
 * Fail the render on every error that nothing catches.
 *
 * Remotion listens for such errors only while it takes a frame. An error before the first frame, or
 * between two, would be lost: React has removed the component by then, so every frame is black and
 * the render succeeds.
 */
export const failOnUncaughtErrors = () => {
  window.addEventListener("error", (event) => {
    // This one is a warning of the browser: nothing was thrown.
    if (!event.message.startsWith("ResizeObserver loop")) {
      fail(event, event.error, event.message);
    }
  });
  window.addEventListener("unhandledrejection", (event) => {
    fail(event, event.reason, "A promise was rejected without a reason");
  });
};
