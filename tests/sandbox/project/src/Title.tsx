import { AbsoluteFill, Img, interpolate, staticFile, useCurrentFrame } from "remotion";
import { z } from "zod";
import { fontFamily } from "./font";

export const titleSchema = z.object({
  title: z.string().min(1),
  color: z.string(),
  showLogo: z.boolean(),
});

export const Title = ({ title, color, showLogo }: z.infer<typeof titleSchema>) => {
  const opacity = interpolate(useCurrentFrame(), [0, 20], [0, 1], { extrapolateRight: "clamp" });
  return (
    <AbsoluteFill style={{ backgroundColor: color, alignItems: "center", justifyContent: "center" }}>
      {showLogo ? <Img src={staticFile("logo.png")} style={{ width: 96, height: 96 }} /> : null}
      <h1 style={{ fontFamily, fontSize: 72, color: "white", margin: 0, opacity }}>{title}</h1>
    </AbsoluteFill>
  );
};
