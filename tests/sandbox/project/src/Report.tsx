import { AbsoluteFill, Artifact, useCurrentFrame } from "remotion";

export const Report = () => {
  const frame = useCurrentFrame();
  return (
    <AbsoluteFill style={{ backgroundColor: "teal" }}>
      {frame === 0 ? <Artifact filename="report.txt" content="Rendered from frame 0" /> : null}
    </AbsoluteFill>
  );
};
