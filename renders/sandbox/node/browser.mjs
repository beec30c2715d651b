// Downloads the browser that Remotion is tested with, and writes its path: node browser.mjs <file>
import { writeFile } from "node:fs/promises";
import { ensureBrowser } from "@remotion/renderer";

const { path } = await ensureBrowser();
await writeFile(process.argv[2], JSON.stringify(path));
