import { Composition, Folder, Still } from "remotion";
import { Clip } from "./Clip";
import { Counter } from "./Counter";
import { Overlay } from "./Overlay";
import { Report } from "./Report";
import { Slides, lengthOfSlides, slidesSchema } from "./Slides";
import { Title, titleSchema } from "./Title";

const fps = 30;
const size = { width: 640, height: 360 };

export const Root = () => (
  <>
    <Composition
      id="Title"
      component={Title}
      schema={titleSchema}
      defaultProps={{ title: "Hello", color: "#0b84f3", showLogo: true }}
      durationInFrames={60}
      fps={fps}
      {...size}
    />
    <Composition
      id="Slides"
      component={Slides}
      schema={slidesSchema}
      defaultProps={{ slides: ["One", "Two", "Three"], secondsPerSlide: 1 }}
      calculateMetadata={lengthOfSlides}
      fps={fps}
      {...size}
    />
    <Composition id="Clip" component={Clip} durationInFrames={45} fps={fps} {...size} />
    <Folder name="Special">
      <Composition id="Overlay" component={Overlay} durationInFrames={30} fps={fps} {...size} />
      <Composition id="Report" component={Report} durationInFrames={30} fps={fps} {...size} />
      <Composition id="Long" component={Counter} durationInFrames={15000} fps={fps} width={160} height={90} />
      <Still id="Cover" component={Title} schema={titleSchema} defaultProps={{ title: "Cover", color: "#111", showLogo: false }} {...size} />
    </Folder>
  </>
);
