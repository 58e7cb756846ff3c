// The page: recording, choosing and dropping sound, and showing what comes of it.
import { beside, decide, decode, keep, listen, Refusal, start } from "./model.js";
import { finished, live } from "./pictures.js";
import { listenThere, models, textsOf } from "./service.js";

const LONGEST = 60; // s of recording
const LARGEST = 100e6; // bytes of a file
const box = document.getElementById("talk");
const part = (name) => box.querySelector(`[data-talk="${name}"]`);
const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;

function make(tag, text = "", attributes = {}) {
  const made = Object.assign(document.createElement(tag), { textContent: text });
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function say(text) {
  part("status").textContent = text;
}

// ---- hearing ----

// Whoever asks for another recording is not interested in the last one any more.
class Outdated extends Error {}
// A model of the service answers; the one of this page has drawn.
class Drawn extends Error {}
let latest = 0;

async function hear(blob, about = "") {
  const mine = ++latest;
  stop?.(false);
  const isLatest = () => {
    if (mine !== latest) throw new Outdated();
  };
  clear();
  show(blob);
  try {
    await ready;
    isLatest();
    const model = part("model").value;
    if (blob.size > LARGEST) throw new Refusal("It is larger than 100 MB.");
    say("Reading …");
    const { samples, rate } = await decode(await blob.arrayBuffer());
    isLatest();
    say("Loading the model …");
    await start((bytes) => mine === latest && say(`Loading the model, once: ${Math.round(bytes / 4e6) * 4} of 28 MB …`));
    isLatest();
    say("Listening …");
    let drawn = false;
    await listen(samples, rate, (answer) => {
      isLatest();
      if (!drawn) finished(part("picture"), answer);
      drawn = true;
      if (model) throw new Drawn();
      report(answer, about);
    }).catch((error) => {
      if (!(error instanceof Drawn)) throw error;
    });
    if (model) {
      const answer = await listenThere(blob, model, texts);
      isLatest();
      report(answer, about);
      return say(`Done. The recording was sent to ${location.host}, and nowhere else.`);
    }
    say("Done. Nothing has left this page.");
    keepOnce();
  } catch (error) {
    if (error instanceof Outdated) return;
    if (error instanceof Refusal) say(`No answer. ${error.message}`);
    else say(`Something went wrong. ${error.message ?? error}`);
  }
}

function keepOnce() {
  if ("kept" in box.dataset) return;
  box.dataset.kept = "soon";
  const kept = keep([...box.querySelectorAll("[data-voice]")].map(voice));
  // A browser that keeps nothing, as in private windows, needs a connection next time; no more is lost.
  kept.then(() => (box.dataset.kept = "yes"), () => (box.dataset.kept = "no"));
}

function clear() {
  for (const name of ["results", "short", "time", "picture", "player"]) part(name).hidden = true;
}

function show(blob) {
  const player = part("player");
  if (player.src) URL.revokeObjectURL(player.src);
  player.src = URL.createObjectURL(blob);
  player.hidden = false;
}

// ---- showing ----

// Of the model that is chosen: its classes, words and card. They are `texts` once they are ready.
let texts = await beside;
let ready = Promise.resolve();

function report(answer, about) {
  const { emotion, p, sure } = decide(answer.probabilities, texts);
  const verdict = sure ? `${emotion}, ${percent(p)}` : texts.not_sure;
  if (part("verdict").textContent !== verdict) part("verdict").textContent = verdict;
  part("nearest").textContent = sure ? "" : `Nearest is ${emotion}, with ${percent(p)}; below ${percent(texts.card.threshold)} it says "not sure".`;
  part("about").textContent = about;
  part("hints").replaceChildren(...answer.hints.map((hint) => make("li", hint)));
  part("careful").hidden = answer.hints.length === 0;
  part("bars").replaceChildren(...texts.classes.map((name, i) => bar(name, answer.probabilities[i])));
  timeline(answer);
  part("results").hidden = false;
}

function bar(name, p) {
  const row = make("tr");
  const cell = make("td", "", { class: "talk-bar" });
  cell.append(make("span", "", { style: `width: ${100 * p}%` }));
  row.append(make("th", name, { scope: "row" }), cell, make("td", percent(p)));
  return row;
}

function timeline({ timeline: windows, windows: all }) {
  part("short").hidden = all.length > 1;
  part("time").hidden = all.length < 2;
  const head = make("tr");
  head.append(make("th", "second", { scope: "col" }));
  head.append(...windows.map(({ start }) => make("th", start.toFixed(0), { scope: "col" })));
  const rows = texts.classes.map((name, i) => {
    const row = make("tr");
    row.append(make("th", name, { scope: "row" }));
    for (const { probabilities } of windows) {
      const p = probabilities[i];
      const mark = decide(probabilities, texts);
      const cell = make("td", (100 * p).toFixed(0), { style: `--p: ${100 * p}%` });
      if (mark.sure && mark.emotion === name) cell.className = "talk-sure";
      row.append(cell);
    }
    return row;
  });
  part("windows").replaceChildren(head, ...rows);
}

function honesty() {
  const { score, unheard_corpus, corpora, corpus, clips: taught } = texts.card;
  const recognised = (of) => `it recognises ${percent(score.uar)} [${(100 * score.low).toFixed(0)}, ${(100 * score.high).toFixed(0)}] (mean of the ${of}, UAR). Guessing reaches ${percent(1 / texts.classes.length)}.`;
  if (!unheard_corpus) {
    const known = score ? `Speakers whom it never met, in the corpus that it learned from: ${recognised("classes")}` : "Its card gives no score.";
    part("honest").replaceChildren(make("li", known), make("li", "You are a stranger to that corpus, so expect less."));
    part("taught").textContent = taught ? `Taught with ${taught.toLocaleString("en")} clips of ${corpus}.` : "";
    return;
  }
  const strangers = Object.values(unheard_corpus);
  const range = (name) => {
    const values = strangers.map((one) => one[name]);
    return `${(100 * Math.min(...values)).toFixed(0)} to ${percent(Math.max(...values))}`;
  };
  const clips = Object.values(corpora).reduce((a, b) => a + b);
  part("honest").replaceChildren(
    make("li", `Actors whom it never met, in the ${strangers.length} corpora that it learned from: ${recognised("emotions")}`),
    make("li", `A corpus that it never met, and that is what you are: ${range("uar")}.`),
    make("li", `Where it is sure, it is right in ${percent(score.accuracy_if_sure)} of the former, and in ${range("accuracy_if_sure")} of the latter.`),
  );
  part("taught").textContent = `Taught with ${clips.toLocaleString("en")} clips of ${texts.card.trained_on}.`;
}

// ---- sound from the microphone, from files, from the book ----

let stop;
let asking = false;

async function record() {
  if (stop) return stop();
  if (asking) return;
  if (!navigator.mediaDevices?.getUserMedia) {
    return say("A browser lends its microphone only to pages that come by https, or from this computer (localhost).");
  }
  latest++;
  let stream;
  asking = true;
  try {
    const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    stream = await navigator.mediaDevices.getUserMedia({ audio: raw });
  } catch (error) {
    const why = {
      NotAllowedError: "The microphone was not allowed, by you or by the settings of this browser.",
      NotFoundError: "No microphone was found.",
    };
    return say(`${why[error.name] ?? `The microphone cannot be used (${error.message}).`} Nothing was recorded; a file or one of the voices will do, too.`);
  } finally {
    asking = false;
  }
  start().catch(() => {}); // Meanwhile; whether it fails is said later.
  const context = new AudioContext();
  context.resume(); // Safari waits to be told.
  const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
  context.createMediaStreamSource(stream).connect(analyser);
  const recorder = new MediaRecorder(stream, { audioBitsPerSecond: 128000 });
  const chunks = [];
  recorder.addEventListener("dataavailable", ({ data }) => chunks.push(data));
  let wanted;
  recorder.addEventListener("stop", () => wanted && hear(new Blob(chunks, { type: recorder.mimeType })));
  clear();
  const still = live(part("picture"), analyser, (hertz) => {
    part("pitch").textContent = hertz ? `pitch ${hertz.toFixed(0)} Hz` : "no pitch";
  });
  recorder.start();
  const button = part("record");
  button.textContent = "Stop";
  button.classList.add("talk-recording");
  say(`Recording, for at most ${LONGEST} seconds. Speak, then press Stop.`);
  const timer = setTimeout(() => stop?.(), LONGEST * 1000);
  stop = (use = true) => {
    wanted = use;
    stop = undefined;
    clearTimeout(timer);
    still();
    recorder.stop();
    stream.getTracks().forEach((track) => track.stop());
    context.close();
    part("pitch").textContent = "";
    button.textContent = "Record";
    button.classList.remove("talk-recording");
  };
}

const voice = (button) => new URL(`../../_static/audio/voice_${button.dataset.voice}.flac`, import.meta.url).href;

async function chosen(button) {
  say("Fetching the voice …");
  await ready;
  const played = texts.voices[button.dataset.voice];
  const known = texts.classes.includes(played) ? "" : ", for which the model has no word";
  try {
    const mine = ++latest;
    const answer = await fetch(voice(button));
    if (!answer.ok) throw new Error(answer.status);
    if (mine !== latest) return;
    const learned = part("model").value ? "" : " The model has learned from this very corpus, so its answer proves nothing: try a voice of your own.";
    await hear(await answer.blob(), `The actor plays "${played}"${known}.${learned}`);
  } catch (error) {
    say(`The voice could not be loaded (${error.message}).`);
  }
}

function choose() {
  latest++;
  stop?.(false);
  clear();
  say("");
  ready = ready.then(async () => {
    try {
      texts = await textsOf(part("model").value);
    } catch (error) {
      part("model").value = "";
      texts = await beside;
      say(`That model cannot be asked (${error.message}).`);
    }
    honesty();
  });
}

part("record").addEventListener("click", record);
part("model").addEventListener("change", choose);
models().then((found) => {
  part("model").append(...found.map(({ name, title }) => make("option", `${name}, of the service: ${title}`, { value: name })));
  part("elsewhere").hidden = found.length === 0;
});
part("choose").addEventListener("click", () => part("file").click());
part("file").addEventListener("change", ({ target }) => {
  if (target.files[0]) hear(target.files[0]);
  target.value = "";
});
for (const button of box.querySelectorAll("[data-voice]")) button.addEventListener("click", () => chosen(button));
box.addEventListener("dragover", (event) => event.preventDefault());
box.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) hear(event.dataTransfer.files[0]);
});
honesty();
part("off").hidden = true;
part("on").hidden = false;
