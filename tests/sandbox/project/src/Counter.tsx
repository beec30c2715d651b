import { AbsoluteFill, useCurrentFrame } from "remotion";

export const Counter = () => <AbsoluteFill style={{ backgroundColor: "white", fontSize: 40 }}>{useCurrentFrame()}</AbsoluteFill>;
