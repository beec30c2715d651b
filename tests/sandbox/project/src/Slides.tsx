import { AbsoluteFill, CalculateMetadataFunction, Sequence, useVideoConfig } from "remotion";
import { z } from "zod";

export const slidesSchema = z.object({
  slides: z.array(z.string()).min(1),
  secondsPerSlide: z.number().positive(),
});

type SlidesProps = z.infer<typeof slidesSchema>;

/** As long as its slides: only Remotion knows the length, when it has the props. */
export const lengthOfSlides: CalculateMetadataFunction<SlidesProps> = ({ props }) => ({
  durationInFrames: Math.round(props.slides.length * props.secondsPerSlide * 30),
});

export const Slides = ({ slides, secondsPerSlide }: SlidesProps) => {
  const { fps } = useVideoConfig();
  const frames = Math.round(secondsPerSlide * fps);
  return (
    <AbsoluteFill style={{ backgroundColor: "white" }}>
      {slides.map((text, index) => (
        <Sequence key={index} from={index * frames} durationInFrames={frames}>
          <AbsoluteFill style={{ alignItems: "center", justifyContent: "center", fontSize: 80 }}>{text}</AbsoluteFill>
        </Sequence>
      ))}
    </AbsoluteFill>
  );
};
