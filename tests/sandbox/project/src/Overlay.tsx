import { AbsoluteFill, useCurrentFrame } from "remotion";

/** Nothing behind the bar: the background stays transparent. */
export const Overlay = () => (
  <AbsoluteFill style={{ justifyContent: "flex-end" }}>
    <div style={{ height: 60, width: `${(useCurrentFrame() + 1) * 3}%`, backgroundColor: "crimson" }} />
  </AbsoluteFill>
);
