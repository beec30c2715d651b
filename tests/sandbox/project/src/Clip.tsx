import { AbsoluteFill, OffthreadVideo, staticFile } from "remotion";

export const Clip = () => (
  <AbsoluteFill style={{ backgroundColor: "black" }}>
    <OffthreadVideo src={staticFile("clip.mp4")} />
  </AbsoluteFill>
);
