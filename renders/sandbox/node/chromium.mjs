// Unpacks Chromium, its libraries and its fonts from @sparticuz/chromium into TMPDIR.
import { writeFile } from "node:fs/promises";

// The package unpacks its libraries only where it believes itself in Lambda's Amazon Linux.
process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs24.x";
const { default: chromium } = await import("@sparticuz/chromium");
await chromium.executablePath();

// Its own fonts.conf names Lambda's folders only; a machine's own fonts are welcome too.
const xml = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
const folder = xml(process.env.TMPDIR);
await writeFile(
  `${process.env.TMPDIR}/fonts/fonts.conf`,
  `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`,
);
