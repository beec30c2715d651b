// Unpacks Chromium, its libraries and its fonts from @sparticuz/chromium into TMPDIR.

// The package unpacks its libraries only where it believes itself in Lambda's Amazon Linux.
process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs24.x";
const { default: chromium } = await import("@sparticuz/chromium");
await chromium.executablePath();
