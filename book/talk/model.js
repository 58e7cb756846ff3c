// From the bytes of a sound file to an answer: decoding by the browser, all else by the model's graph.
const HERE = new URL("./", import.meta.url);
const FILES = { runtime: "onnxruntime/ort-wasm-simd-threaded.wasm", model: "model.onnx" };
const KEPT = ["model.js", "pictures.js", "service.js", "talk.js", "talk.css", "worker.js", "model.json"]
  .concat("onnxruntime/ort.wasm.bundle.min.mjs", Object.values(FILES))
  .map((name) => new URL(name, HERE).href);
const CACHE = "serlab-talk";
export const RATE = 16000;

/** What is wrong with a recording, in words for whoever made it. */
export class Refusal extends Error {}

const described = await fetch(new URL("model.json", HERE));
/** Names, limits, words and the model's card: see `beside` in browser_model.py. */
export const beside = described.json();
/** Where a service answers that has given out this page, such as "/v1"; null from a plain web server. */
export const place = described.headers.get("serlab-service");

// ---- the model, in a worker that is started when first needed ----

let started;
let asked = 0;
const waiting = new Map();

/** Start the model once; `told` hears how many bytes of how many have come. */
export function start(told = () => {}) {
  started ??= begin(told).catch((error) => {
    started = undefined;
    throw error;
  });
  return started;
}

async function begin(told) {
  const [runtime, model] = await download(Object.values(FILES), told);
  // A worker made of a blob obeys the page's rules on what may be reached.
  const code = `import ${JSON.stringify(new URL("worker.js", HERE).href)};`;
  const place = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(place, { type: "module" });
  worker.addEventListener("message", ({ data: { number, answer, error } }) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (error) reject(new Error(error));
    else resolve(answer);
  });
  const failed = new Promise((_, reject) => {
    worker.addEventListener("error", () => reject(new Error("This browser cannot start the model.")));
  });
  const ask = (job, moved = []) =>
    new Promise((resolve, reject) => {
      waiting.set(++asked, { resolve, reject });
      worker.postMessage({ number: asked, job }, moved);
    });
  await Promise.race([ask({ runtime, model }, [runtime, model]), failed]);
  return ask;
}

async function download(names, told) {
  const answers = await Promise.all(names.map((name) => fetch(new URL(name, HERE))));
  const bad = answers.find((answer) => !answer.ok);
  if (bad) throw new Error(`${bad.url} could not be loaded (${bad.status}).`);
  let bytes = 0;
  return Promise.all(
    answers.map(async (answer) => {
      const counted = new TransformStream({
        transform(chunk, next) {
          told((bytes += chunk.length));
          next.enqueue(chunk);
        },
      });
      return new Response(answer.body.pipeThrough(counted)).arrayBuffer();
    }),
  );
}

/** Keep the page, what it has loaded and what the model needs, for when there is no connection. */
export async function keep(more) {
  const worker = navigator.serviceWorker;
  if (!worker) return;
  await worker.register(new URL("../talk_offline.js", HERE), { scope: new URL("../talk", HERE).pathname });
  const loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  const mine = [...loaded, ...more].filter((url) => url.startsWith(location.origin));
  const cache = await caches.open(CACHE);
  // One that is missing must not cost the others.
  const all = new Set([location.href.split("#")[0], ...KEPT, ...mine]);
  await Promise.allSettled([...all].map((url) => cache.add(url)));
}

// ---- sound ----

/** Decode a sound file, at its own rate where that is known: mono samples and their rate in Hz. */
export async function decode(bytes) {
  const rate = rateOf(bytes);
  let sound;
  try {
    sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.slice(0));
  } catch {
    throw new Refusal("This browser cannot read it as sound. WAV, FLAC, MP3 and M4A are read by most.");
  }
  const samples = sound.getChannelData(0).slice();
  for (let channel = 1; channel < sound.numberOfChannels; channel++) {
    sound.getChannelData(channel).forEach((value, i) => (samples[i] += value));
  }
  if (sound.numberOfChannels > 1) samples.forEach((value, i) => (samples[i] = value / sound.numberOfChannels));
  if (!samples.every(Number.isFinite)) throw new Refusal("It holds values that are no numbers.");
  return { samples, rate };
}

// A browser changes the rate less well than the graph, so it shall decode at the rate of the file.
function rateOf(bytes) {
  const view = new DataView(bytes);
  const text = (place) => String.fromCharCode(...new Uint8Array(bytes, place, 4));
  let rate = 48000;
  if (bytes.byteLength > 44 && text(0) === "fLaC") rate = view.getUint32(18) >>> 12;
  if (bytes.byteLength > 44 && text(0) === "RIFF") {
    let place = 12;
    while (place + 24 < bytes.byteLength && text(place) !== "fmt ") {
      place += 8 + view.getUint32(place + 4, true) + (view.getUint32(place + 4, true) % 2);
    }
    if (place + 24 < bytes.byteLength) rate = view.getUint32(place + 12, true);
  }
  return rate >= 8000 && rate <= 96000 && rate % 25 === 0 ? rate : 48000;
}

// ---- answers ----

/** Hear a recording, and then each of its windows; `told` gets the answer so far, and may throw to end it. */
export async function listen(samples, rate, told = () => {}) {
  const { about: names, refusals, hints, window } = await beside;
  refuse({ duration: samples.length / rate }, refusals);
  const ask = await start();
  const heard = async (part, itsRate) => {
    const found = await ask({ samples: part, rate: itsRate });
    const about = Object.fromEntries(names.map((name, i) => [name, found.about[i]]));
    return { ...found, about, probabilities: [...found.probabilities], hints: words(about, hints) };
  };
  const whole = await heard(samples, rate);
  refuse(whole.about, refusals);
  whole.timeline = [];
  told(whole);
  for (const place of whole.windows) {
    const part = whole.sound.slice(Number(place), Number(place) + window * RATE);
    const { probabilities } = part.length === whole.sound.length ? whole : await heard(part, RATE);
    whole.timeline.push({ start: Number(place) / RATE, end: (Number(place) + part.length) / RATE, probabilities });
    told(whole);
  }
  return whole;
}

/** Which class is the most probable, and whether the model is sure of it. */
export function decide(probabilities, { classes, card }) {
  const p = Math.max(...probabilities);
  return { emotion: classes[probabilities.indexOf(p)], p, sure: p >= (card.threshold ?? 0) };
}

function refuse(about, refusals) {
  const [why] = words(about, refusals);
  if (why) throw new Refusal(why);
}

function words(about, limits) {
  return limits
    .filter(({ name, side, limit }) => name in about && side * about[name] > side * limit)
    .map(({ name, words, digits }) => words.replace("{value}", rounded(about[name], digits)));
}

// As Python rounds.
function rounded(value, digits = 0) {
  const how = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false };
  return new Intl.NumberFormat("en", { ...how, roundingMode: "halfEven" }).format(value);
}
