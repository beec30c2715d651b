// One execution environment of Lambda: loads Remotion's real function once, then runs one invocation
// at a time. Started by lambda.cjs, which makes its TMPDIR and removes it.
const childProcess = require("node:child_process");
const { readdir, rm } = require("node:fs/promises");
const path = require("node:path");
const { Writable } = require("node:stream");

const { TMPDIR, SANDBOX_CHROMIUM, AWS_REGION, AWS_LAMBDA_FUNCTION_NAME } = process.env;
if (!path.basename(TMPDIR ?? "").startsWith("renderhub-worker-")) {
  throw new Error("A worker must have a TMPDIR of its own: Remotion's function empties it.");
}

// Chromium runs in a process group of its own and would outlive this process: kill it at the end.
const children = new Set();
const spawn = childProcess.spawn;
childProcess.spawn = (...args) => {
  const child = spawn(...args);
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
};
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));
process.on("disconnect", () => process.exit(0));

// As deployed, the function finds Chromium in /opt and empties the system's whole temporary folder.
const { LambdaClientInternals } = require("@remotion/lambda-client");
LambdaClientInternals.awsImplementation.getChromiumPath = () => SANDBOX_CHROMIUM;
const functions = path.join(path.dirname(require.resolve("@remotion/lambda/package.json")), "dist/functions");
const { serverAwsImplementation } = require(path.join(functions, "aws-server-implementation.js"));
serverAwsImplementation.deleteTmpDir = async () => {
  const entries = await readdir(TMPDIR);
  // A browser that is ending may still write into a folder, so that removing it must be tried again.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 };
  await Promise.all(entries.map((entry) => rm(path.join(TMPDIR, entry), options)));
};
globalThis.awslambda = { streamifyResponse: (handler) => handler };
const { handler } = require(path.join(functions, "index.js"));

process.on("message", async ({ requestId, event, deadline }) => {
  const stream = new Writable({
    write: (chunk, _encoding, done) => process.send({ type: "chunk", chunk }, (err) => done(err)),
  });
  // A cancelled renderer writes once more after its answer has ended. Without a listener, that error
  // would end this process, which may be running its next invocation by then.
  stream.on("error", (err) => console.error(`${requestId}: ${err.message}`));
  const context = {
    awsRequestId: requestId,
    invokedFunctionArn: `arn:aws:lambda:${AWS_REGION}:123456789012:function:${AWS_LAMBDA_FUNCTION_NAME}`,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    await handler(event, stream, context);
    process.send({ type: "end" });
  } catch (err) {
    process.send({ type: "end", error: { errorType: err.name, errorMessage: err.message, trace: String(err.stack).split("\n") } });
  }
});
process.send({ type: "ready" });
