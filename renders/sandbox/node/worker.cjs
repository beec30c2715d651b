// One execution environment of Lambda: loads Remotion's real function once, then runs one invocation
// at a time. Started by lambda.cjs, which makes its TMPDIR and removes it.
const childProcess = require("node:child_process");
const fs = require("node:fs");
const { createRequire, syncBuiltinESMExports } = require("node:module");
const path = require("node:path");
const { Writable } = require("node:stream");

const { TMPDIR, SANDBOX_CHROMIUM, SANDBOX_NODE_MODULES } = process.env;
const { AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_LAMBDA_FUNCTION_NAME } = process.env;
const HEADLESS = `--headless=${process.env.SANDBOX_HEADLESS}`;
if (!path.basename(TMPDIR ?? "").startsWith("renderhub-worker-")) {
  throw new Error("A worker must have a TMPDIR of its own: Remotion's function empties it.");
}

// Chromium runs in a process group of its own and would outlive this process: kill it at the end.
const children = new Set();
const spawn = childProcess.spawn;
childProcess.spawn = (command, args, options) => {
  // Remotion asks for the old headless mode, which only Chrome Headless Shell still has.
  const given = args?.map((arg) => (arg === "--headless=old" ? HEADLESS : arg));
  // Its compositor takes this for the memory of the machine. With more than that free, it concludes that no
  // memory is left, throws frames of an <OffthreadVideo> away and then misses them.
  const { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: _, ...env } = options?.env ?? process.env;
  const child = spawn(command, given, { ...options, env });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
};
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));
process.on("disconnect", () => process.exit(0));

// As deployed, the function empties the system's whole temporary folder before each invocation. What
// does that is replaced below; should another version do it in another way, this stops it.
const { readdir, rm } = fs.promises;
const refuseOthers = (module, name) => {
  const remove = module[name];
  module[name] = (file, ...args) => {
    const isOwn = !path.relative(TMPDIR, path.resolve(String(file))).startsWith("..");
    if (!isOwn) {
      throw new Error(`The sandbox does not let Remotion's function delete ${file}.`);
    }
    return remove(file, ...args);
  };
};
for (const name of ["rm", "rmdir", "unlink"]) {
  refuseOthers(fs.promises, name);
  refuseOthers(fs, name);
  refuseOthers(fs, `${name}Sync`);
}
syncBuiltinESMExports();

const replace = (object, name, replacement) => {
  if (typeof object?.[name] !== "function") {
    throw new Error(`This version of Remotion's function has no ${name}: the sandbox does not know how to run it.`);
  }
  object[name] = replacement;
};

const lambdaPackage = path.join(SANDBOX_NODE_MODULES, "@remotion/lambda/package.json");
const requireFromLambda = createRequire(lambdaPackage);
const functions = path.join(path.dirname(lambdaPackage), "dist/functions");
// As deployed, Chromium is in /opt.
const { LambdaClientInternals } = requireFromLambda("@remotion/lambda-client");
replace(LambdaClientInternals.awsImplementation, "getChromiumPath", () => SANDBOX_CHROMIUM);
// As deployed, a site's name stands for a URL on amazonaws.com, which is what `remotion lambda sites create` prints.
const ON_AWS = /^https:\/\/([^./]+)\.s3\.[^/]*amazonaws\.com(\/.*)$/;
LambdaClientInternals.awsImplementation.convertToServeUrl = ({ urlOrId, bucketName }) => {
  const [, bucket, file] = ON_AWS.exec(urlOrId) ?? [null, bucketName, `/sites/${urlOrId}/index.html`];
  return urlOrId.startsWith("http:") ? urlOrId : `${AWS_ENDPOINT_URL_S3}/${bucket}${file}`;
};
const { serverAwsImplementation } = require(path.join(functions, "aws-server-implementation.js"));
replace(serverAwsImplementation, "deleteTmpDir", async () => {
  const entries = await readdir(TMPDIR);
  // A browser that is ending may still write into a folder, so that removing it must be tried again.
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 };
  await Promise.all(entries.map((entry) => rm(path.join(TMPDIR, entry), options)));
});
globalThis.awslambda = { streamifyResponse: (handler) => handler };
const { handler } = require(path.join(functions, "index.js"));

process.on("message", async ({ requestId, event, deadline }) => {
  const stream = new Writable({
    write: (chunk, _encoding, done) => process.send({ type: "chunk", chunk }, (err) => done(err)),
  });
  // A cancelled renderer writes once more after its answer has ended. That is received by nobody; as an
  // error it would end this process, which may be running its next invocation by then.
  const write = stream.write.bind(stream);
  stream.write = (message, done) => (stream.writableEnded ? done() : write(message, done));
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
