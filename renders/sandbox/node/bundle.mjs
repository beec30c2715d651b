// Bundles the site: node bundle.mjs <entry> <outDir> <publicPath>
import { bundle } from "@remotion/bundler";

const [entryPoint, outDir, publicPath] = process.argv.slice(2);
await bundle({ entryPoint, outDir, publicPath, rspack: true });
