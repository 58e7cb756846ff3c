// Runs the model beside the page, so that the page stays quick.
import * as ort from "./onnxruntime/ort.wasm.bundle.min.mjs";

let session;

async function load({ runtime, model }) {
  // Several threads would need headers that a plain web server does not send.
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = runtime;
  session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"] });
}

async function run({ samples, rate }) {
  const found = await session.run({
    samples: new ort.Tensor("float32", samples, [samples.length]),
    rate: new ort.Tensor("int64", BigInt64Array.of(BigInt(rate)), [1]),
  });
  return Object.fromEntries(Object.entries(found).map(([name, tensor]) => [name, tensor.data]));
}

// One after the other, in the order of asking.
let turn = Promise.resolve();
self.addEventListener("message", ({ data: { number, job } }) => {
  turn = turn.then(async () => {
    try {
      self.postMessage({ number, answer: await (job.model ? load(job) : run(job)) });
    } catch (error) {
      self.postMessage({ number, error: String(error?.message ?? error) });
    }
  });
});
