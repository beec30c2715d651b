import React from "react";
import { Composition } from "remotion";
import { compile, isSource } from "./compile.js";
import { Title } from "./Title.jsx";

const DynamicComp = ({ code, ...props }) => {
  const Component = React.useMemo(() => (isSource(code) ? compile(code) : Title), [code]);
  return isSource(code) ? <Component {...props} /> : <Component title={code} />;
};

// Compile here too, so that source that does not compile fails before any frame is rendered.
const calculateMetadata = ({ props }) => {
  if (isSource(props.code)) {
    compile(props.code);
  }
  return { durationInFrames: props.durationInFrames, fps: props.fps };
};

export const Root = () => (
  <Composition
    id="DynamicComp"
    component={DynamicComp}
    width={1280}
    height={720}
    durationInFrames={150}
    fps={30}
    defaultProps={{ code: "Hello from Remotion", durationInFrames: 150, fps: 30 }}
    calculateMetadata={calculateMetadata}
  />
);
