// Collects fonts from npm's packages for fontconfig: node fonts.mjs <outDir> <folder of Chromium's own fonts>
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import wawoff2 from "wawoff2";

const [outDir, chromiumFonts] = process.argv.slice(2);
const packages = path.join(import.meta.dirname, "node_modules");

await copyFile(
  path.join(packages, "@expo-google-fonts/noto-color-emoji/400Regular/NotoColorEmoji_400Regular.ttf"),
  path.join(outDir, "NotoColorEmoji.ttf"),
);

// Chromium reads no WOFF2 files from fontconfig. A family comes in many files, each with some of its
// characters and, as a variable font, all of its weights.
const families = path.join(packages, "@fontsource-variable");
for (const family of await readdir(families)) {
  const files = path.join(families, family, "files");
  const names = (await readdir(files)).filter((name) => name.endsWith("-wght-normal.woff2"));
  for (const name of names) {
    const font = await wawoff2.decompress(await readFile(path.join(files, name)));
    await writeFile(path.join(outDir, `${path.basename(name, ".woff2")}.ttf`), font);
  }
}

// Names no absolute path of ours, so that the checkout can be moved. XDG_CACHE_HOME is the cache's folder.
await writeFile(
  path.join(outDir, "fonts.conf"),
  `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">${path.relative(outDir, chromiumFonts)}</dir>
  <dir prefix="relative">.</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`,
);
