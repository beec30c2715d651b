import { registerRoot } from "remotion";
import { failOnUncaughtErrors } from "./fail-on-error.js";
import { Root } from "./Root.jsx";

failOnUncaughtErrors();
registerRoot(Root);
