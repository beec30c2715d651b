// What the front end of Remotion's Next.js template does with the two endpoints: start, then ask until the end.
// Arguments: the service's address, the composition, its props. Prints the states that the page would show.
const [address, composition, inputProps] = process.argv.slice(2);

async function call(path, body) {
  const response = await fetch(address + path, {
    method: "post",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  // Like the template, it goes by the envelope alone: the status is never looked at.
  const answer = await response.json();
  if (answer.type === "error") throw new Error(answer.message);
  return answer.data;
}

const states = [{ status: "invoking" }];
try {
  const { renderId, bucketName } = await call("/api/lambda/render", {
    id: composition,
    inputProps: JSON.parse(inputProps),
  });
  states.push({ status: "rendering", progress: 0, renderId, bucketName });
  while (states.at(-1).status === "rendering") {
    const result = await call("/api/lambda/progress", { id: renderId, bucketName });
    if (result.type === "error") {
      states.push({ status: "error", renderId, error: result.message });
    } else if (result.type === "done") {
      states.push({ status: "done", url: result.url, size: result.size });
    } else if (result.type === "progress") {
      states.push({ status: "rendering", progress: result.progress, renderId, bucketName });
      await new Promise((resolve) => setTimeout(resolve, 1000));
    } else {
      throw new Error(`The template does not know the progress ${JSON.stringify(result)}.`);
    }
  }
} catch (error) {
  states.push({ status: "error", renderId: null, error: error.message });
}
console.log(JSON.stringify(states));
