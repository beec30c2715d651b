import React from "react";
import { AbsoluteFill, interpolate, spring, useCurrentFrame, useVideoConfig } from "remotion";

const fontSize = (title) => Math.max(28, Math.min(96, Math.floor(760 / Math.sqrt(title.length))));

/** An animated title: one word after the other springs in, above a progress bar. */
export const Title = ({ title }) => {
  const frame = useCurrentFrame();
  const { fps, durationInFrames } = useVideoConfig();
  const words = title.trim().split(/\s+/);
  const stagger = Math.min(5, (durationInFrames * 0.4) / words.length);
  const played = interpolate(frame, [0, Math.max(1, durationInFrames - 1)], [0, 100]);
  return (
    <AbsoluteFill
      style={{
        background: `linear-gradient(${120 + played}deg, #0b1f4b, #1d4ed8 60%, #38bdf8)`,
        alignItems: "center",
        justifyContent: "center",
        color: "white",
        fontFamily: "'Open Sans', 'Helvetica Neue', Arial, sans-serif",
        overflow: "hidden",
      }}
    >
      <div style={{ width: "84%", fontSize: fontSize(title), fontWeight: 700, lineHeight: 1.25, textAlign: "center" }}>
        {words.map((word, index) => {
          const entered = spring({ frame: frame - index * stagger, fps, config: { damping: 14 } });
          return (
            <span
              key={index}
              style={{
                display: "inline-block",
                margin: "0 0.14em",
                maxWidth: "100%",
                overflowWrap: "anywhere",
                opacity: interpolate(entered, [0, 1], [0.35, 1]),
                transform: `translateY(${interpolate(entered, [0, 1], [40, 0])}px)`,
              }}
            >
              {word}
            </span>
          );
        })}
      </div>
      <div style={{ position: "absolute", left: 0, bottom: 0, height: 10, width: `${played}%`, background: "#fbbf24" }} />
    </AbsoluteFill>
  );
};
