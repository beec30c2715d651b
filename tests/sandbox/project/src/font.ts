import fontUrl from "@fonts/bungee-latin-400-normal.woff2";
import { cancelRender, continueRender, delayRender } from "remotion";

export const fontFamily = "Bungee";

const handle = delayRender("Loading the font");
new FontFace(fontFamily, `url(${fontUrl})`)
  .load()
  .then((font) => {
    document.fonts.add(font);
    continueRender(handle);
  })
  .catch(cancelRender);
