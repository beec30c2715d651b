// AWS Lambda's Invoke API around worker.cjs, for one function on the loopback interface.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
// https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
// Prints one line of JSON, {"port": …}, when the first worker is warm.
const { fork } = require("node:child_process");
const { randomUUID } = require("node:crypto");
const { mkdirSync, rmSync } = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const zlib = require("node:zlib");

// `concurrency` is the account's quota, `warm` the number of workers to start at once, `folder` for
// their temporary files, `browser` a program, `browserLibraries` the folder of libraries that it needs or
// "", `nodeModules` and `fonts` are folders, `s3` is a URL.
const options = JSON.parse(process.argv[2]);
const { functionName, region, memorySizeInMb, timeoutInSeconds, concurrency } = options;
const { warm, folder, nodeModules, browser, browserLibraries, hasOldHeadless, fonts, s3 } = options;
const MAX_REQUEST_BYTES = { RequestResponse: 6 * 1024 * 1024, Event: 1024 * 1024 };

const workers = new Set();
const waitingEvents = [];
let workersStarted = 0;
let listening = null;
let isAnnounced = false;

const startWorker = () => {
  const tmp = path.join(folder, `renderhub-worker-${process.pid}-${++workersStarted}`);
  mkdirSync(tmp, { recursive: true });
  const child = fork(path.join(__dirname, "worker.cjs"), {
    serialization: "advanced",
    stdio: ["ignore", 2, 2, "ipc"],
    env: {
      PATH: process.env.PATH,
      HOME: tmp,
      TMPDIR: tmp,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: "sandbox",
      AWS_SECRET_ACCESS_KEY: "sandbox",
      AWS_LAMBDA_FUNCTION_NAME: functionName,
      AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memorySizeInMb),
      AWS_ENDPOINT_URL_S3: s3,
      AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${listening.port}`,
      SANDBOX_NODE_MODULES: nodeModules,
      SANDBOX_CHROMIUM: browser,
      SANDBOX_HEADLESS: hasOldHeadless ? "old" : "new",
      FONTCONFIG_PATH: fonts,
      XDG_CACHE_HOME: path.join(fonts, ".cache"),
      ...(browserLibraries && { LD_LIBRARY_PATH: browserLibraries }),
    },
  });
  const worker = { child, invocation: null, isWarm: false };
  workers.add(worker);
  child.on("error", console.error);
  child.on("message", (message) => onMessage(worker, message));
  child.on("exit", (code, signal) => {
    if (!isAnnounced) {
      console.error("A worker could not load Remotion's function; what it said is above.");
      process.exit(1);
    }
    workers.delete(worker);
    rmSync(tmp, { recursive: true, force: true });
    finish(worker, { errorType: "Runtime.ExitError", errorMessage: `Runtime exited: ${signal ?? `exit status ${code}`}` });
  });
  return worker;
};

const onMessage = (worker, { type, chunk, error }) => {
  if (type === "ready") {
    worker.isWarm = true;
    announce();
  } else if (type === "chunk") {
    worker.invocation?.onChunk(chunk);
  } else {
    finish(worker, error);
  }
};

/** Take the worker out of service: it ends, with its Chromium, when its channel closes, or is killed. */
const retire = (worker) => {
  workers.delete(worker);
  if (worker.child.connected) {
    worker.child.disconnect();
  }
  setTimeout(() => worker.child.kill("SIGKILL"), 2000);
};

/** Whether renderers of a render that has failed still send frames to the worker that launched it. */
const stillReceivesFrames = (worker, { type, renderId }) =>
  type === "launch" && [...workers].some((other) => other !== worker && other.invocation?.event.renderId === renderId);

const finish = (worker, error) => {
  const invocation = worker.invocation;
  worker.invocation = null;
  if (invocation) {
    clearTimeout(invocation.timer);
    invocation.onEnd(error);
    if (stillReceivesFrames(worker, invocation.event)) {
      retire(worker);
    }
  }
  const next = waitingEvents[0];
  if (next && invoke(next)) {
    waitingEvents.shift();
  }
};

/** Give the invocation to a free worker; return false if the account's quota is used up. */
const invoke = (invocation) => {
  const idle = [...workers].filter((worker) => !worker.invocation);
  let worker = idle.find((candidate) => candidate.isWarm) ?? idle[0];
  if (!worker && workers.size < concurrency) {
    worker = startWorker();
  }
  if (!worker) {
    return false;
  }
  worker.invocation = invocation;
  invocation.timer = setTimeout(() => {
    // Lambda stops a function at its time limit, whatever it is doing.
    worker.invocation = null;
    retire(worker);
    invocation.onEnd({ errorMessage: `${new Date().toISOString()} ${invocation.requestId} Task timed out after ${timeoutInSeconds}.00 seconds` });
  }, timeoutInSeconds * 1000);
  const { requestId, event } = invocation;
  worker.child.send({ requestId, event, deadline: Date.now() + timeoutInSeconds * 1000 });
  return true;
};

const answerError = (res, status, type, message) => {
  const body = JSON.stringify({ Type: "User", message, Message: message });
  res.writeHead(status, { "Content-Type": "application/json", "X-Amzn-ErrorType": type }).end(body);
};

const buffered = (res, requestId) => {
  const chunks = [];
  return {
    onChunk: (chunk) => chunks.push(chunk),
    onEnd: (error) => {
      const headers = { "Content-Type": "application/json", "X-Amzn-RequestId": requestId };
      if (error) {
        headers["X-Amz-Function-Error"] = "Unhandled";
      }
      res.writeHead(200, headers).end(error ? JSON.stringify(error) : Buffer.concat(chunks));
    },
  };
};

/** One message of application/vnd.amazon.eventstream; header values are strings (type 7). */
const eventMessage = (eventType, payload) => {
  const headers = Object.entries({ ":message-type": "event", ":event-type": eventType, ":content-type": "application/octet-stream" });
  const head = Buffer.concat(
    headers.flatMap(([name, value]) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(value.length);
      return [Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), length, Buffer.from(value)];
    }),
  );
  const message = Buffer.alloc(12 + head.length + payload.length + 4);
  message.writeUInt32BE(message.length, 0);
  message.writeUInt32BE(head.length, 4);
  message.writeUInt32BE(zlib.crc32(message.subarray(0, 8)), 8);
  head.copy(message, 12);
  payload.copy(message, 12 + head.length);
  message.writeUInt32BE(zlib.crc32(message.subarray(0, -4)), message.length - 4);
  return message;
};

const streamed = (res, requestId) => {
  res.writeHead(200, {
    "Content-Type": "application/vnd.amazon.eventstream",
    "X-Amzn-RequestId": requestId,
    "X-Amzn-Remapped-Content-Type": "application/octet-stream",
  });
  return {
    onChunk: (chunk) => res.write(eventMessage("PayloadChunk", Buffer.from(chunk))),
    onEnd: (error) => {
      const details = error ? { ErrorCode: error.errorType ?? "Unhandled", ErrorDetails: error.errorMessage } : {};
      res.end(eventMessage("InvokeComplete", Buffer.from(JSON.stringify(details))));
    },
  };
};

const route = /^\/(2015-03-31\/functions\/([^/]+)\/invocations|2021-11-15\/functions\/([^/]+)\/response-streaming-invocations)$/;

const onRequest = (req, res, body) => {
  const match = route.exec(new URL(req.url, "http://lambda").pathname);
  if (!match || req.method !== "POST") {
    return answerError(res, 404, "UnknownOperationException", "The sandbox knows Invoke and InvokeWithResponseStream only.");
  }
  const name = decodeURIComponent(match[2] ?? match[3]);
  if (name !== functionName) {
    const arn = `arn:aws:lambda:${region}:123456789012:function:${name}`;
    return answerError(res, 404, "ResourceNotFoundException", `Function not found: ${arn}`);
  }
  const invocationType = req.headers["x-amz-invocation-type"] ?? "RequestResponse";
  const limit = MAX_REQUEST_BYTES[invocationType];
  if (body.length > limit) {
    const message = `${body.length} byte payload is too large for the ${invocationType} invocation type (limit ${limit} bytes)`;
    return answerError(res, 413, "RequestTooLargeException", message);
  }
  let event;
  try {
    event = JSON.parse(body.toString() || "{}");
  } catch (err) {
    return answerError(res, 400, "InvalidRequestContentException", `Could not parse request body into json: ${err.message}`);
  }
  const requestId = randomUUID();
  if (invocationType === "Event") {
    // Lambda accepts every asynchronous event and runs it when a function is free.
    const invocation = { requestId, event, onChunk: () => {}, onEnd: (error) => error && console.error(error) };
    if (waitingEvents.length > 0 || !invoke(invocation)) {
      waitingEvents.push(invocation);
    }
    return res.writeHead(202, { "X-Amzn-RequestId": requestId }).end();
  }
  const isFree = workers.size < concurrency || [...workers].some((worker) => !worker.invocation);
  if (!isFree) {
    return answerError(res, 429, "TooManyRequestsException", "Rate Exceeded.");
  }
  return invoke({ requestId, event, ...(match[3] ? streamed : buffered)(res, requestId) });
};

const server = http.createServer((req, res) => {
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => onRequest(req, res, Buffer.concat(chunks)));
});

const announce = () => {
  if (!isAnnounced) {
    isAnnounced = true;
    process.stdout.write(`${JSON.stringify({ port: listening.port })}\n`);
  }
};

process.on("SIGTERM", () => process.exit(0));
server.requestTimeout = 0;
// An idle connection stays open: one that is closed while a client reuses it fails that client's call.
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
  listening = server.address();
  for (let i = 0; i < Math.min(warm, concurrency); i++) {
    startWorker();
  }
});
