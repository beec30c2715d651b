// Unpacks Chromium, its libraries and its fonts from @sparticuz/chromium into TMPDIR.
import { writeFile } from "node:fs/promises";

// The package unpacks its libraries only where it believes itself in Lambda's Amazon Linux.
process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs24.x";
const { default: chromium } = await import("@sparticuz/chromium");
await chromium.executablePath();

// Its own fonts.conf names folders of Lambda only. This one names those that came with Chromium,
// wherever they are, and the machine's. XDG_CACHE_HOME is the folder of the cache.
await writeFile(
  `${process.env.TMPDIR}/fonts/fonts.conf`,
  `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`,
);
