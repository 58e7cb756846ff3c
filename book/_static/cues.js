// The sliders of "One cue at a time": the synthesiser of serlab/corpora/synthesis.py, made smaller for the page.
// What is spoken when, the voice and the presets come from Python, as JSON in the page (book/_ext/book_listening.py).

export const RATE = 16000; // samples a second
const FRAME = 128; // samples of a piece of sound whose spectrum is taken: short, so that single harmonics blur
const LEVEL = 0.08; // root mean square of the neutral voice
const VOICED = 0.3; // amplitude above which the vocal folds sound

// Cue, its name, and how far its slider goes: a ratio to neutral, up and down.
export const SLIDERS = [
  ["f0", "Pitch", 1.75],
  ["f0_range", "Pitch range", 3],
  ["rate", "Rate", 1.75],
  ["loudness", "Loudness", 2.5],
  ["tilt", "Spectral tilt", 3],
  ["breathiness", "Breathiness", 5],
];

// Value of an evenly spaced track at a place between 0 and 1.
function at(track, place) {
  const where = place * (track.length - 1);
  const before = Math.min(Math.floor(where), track.length - 2);
  return track[before] + (where - before) * (track[before + 1] - track[before]);
}

// Numbers with mean 0 and standard deviation 1, the same at every call: only the cues may change the sound.
function noise(seed) {
  return () => {
    seed = (seed * 1664525 + 1013904223) >>> 0;
    return (seed / 2 ** 31 - 1) * Math.sqrt(3);
  };
}

// Coefficients of y[n] = a x[n] + b y[n-1] + c y[n-2], which rings at a frequency (Klatt 1980).
function resonator(frequency, bandwidth) {
  const radius = Math.exp((-Math.PI * bandwidth) / RATE);
  const b = 2 * radius * Math.cos((2 * Math.PI * frequency) / RATE);
  return [1 - b + radius ** 2, b, -(radius ** 2)];
}

function rms(samples, chosen) {
  let sum = 0;
  let count = 0;
  samples.forEach((value, n) => {
    if (chosen(n)) {
      sum += value ** 2;
      count += 1;
    }
  });
  return Math.sqrt(sum / count);
}

/** Pitch in Hz at a place of the phrase between 0 and 1. */
export function pitch(voice, cues, place) {
  return voice.f0 * cues.f0 * 2 ** ((cues.f0_range * at(voice.semitones, place)) / 12);
}

/** Speak the phrase: samples between -1 and 1, at RATE. Cues are ratios to neutral, by name. */
export function speak(voice, cues) {
  const length = Math.round((voice.seconds / cues.rate) * RATE);
  const amplitude = (n) => at(voice.amplitude, n / length);
  const breath = voice.habits.breathiness * cues.breathiness;
  const white = noise(1);

  // The vocal folds: pulses, dulled by one pole that takes off so many dB at 3 kHz, and air that leaks.
  const open = Math.min(Math.max(0.62 * breath ** 0.2, 0.4), 0.9);
  const power = 10 ** (-0.7 * voice.habits.tilt * cues.tilt);
  const bend = 1 - power * Math.cos((2 * Math.PI * 3000) / (2 * RATE));
  const pole = (bend - Math.sqrt(bend ** 2 - (1 - power) ** 2)) / (1 - power);
  const out = new Float32Array(length);
  const states = voice.bandwidths.map(() => [0, 0]);
  let [phase, wobble, dulled, air] = [0, 1, 0, 0];
  for (let n = 0; n < length; n++) {
    const step = (wobble * pitch(voice, cues, n / length)) / (2 * RATE);
    let [pulse, x] = [0, 0];
    for (let half = 0; half < 2; half++) {
      // twice as many steps as samples: the pulses have corners
      phase += step;
      if (phase >= 1) {
        phase -= 1;
        wobble = 1 + 0.006 * white();
      }
      x = phase / open;
      dulled += (1 - pole) * ((x < 1 ? x * (2 - 3 * x) : 0) - dulled);
      pulse += dulled / 2;
    }
    const flow = x < 1 ? 6.75 * x ** 2 * (1 - x) : 0;
    const before = air;
    air = white();
    let y = (pulse + 0.012 * breath * (0.4 + flow) * (air - 0.7 * before)) * amplitude(n);
    // The mouth: one resonator for each formant, the first three of which move.
    for (let i = 0; i < states.length; i++) {
      const [a, b, c] = resonator(at(voice.formants[i], n / length), voice.bandwidths[i]);
      y = a * y + b * states[i][0] + c * states[i][1];
      states[i] = [y, states[i][0]];
    }
    out[n] = y;
  }
  const strength = rms(out, (n) => amplitude(n) > VOICED);

  // Consonants that hiss or burst: noise around one frequency.
  const hisses = new Float32Array(length);
  for (const { start, end, level, centre, bandwidth, burst } of voice.noises) {
    const [first, last] = [start, end].map((place) => Math.round(place * length));
    const [, b, c] = resonator(centre, bandwidth);
    const hiss = new Float32Array(last - first);
    const drawn = [0, 0];
    for (let n = 0; n < hiss.length; n++) {
      const now = white();
      hiss[n] = now - drawn[1] + b * (hiss[n - 1] ?? 0) + c * (hiss[n - 2] ?? 0);
      drawn.unshift(now);
    }
    const loud = level / rms(hiss, () => true);
    hiss.forEach((value, n) => {
      const place = n / hiss.length;
      hisses[first + n] += loud * value * (burst ? 1 - place : Math.min(1, 4 * place, 4 * (1 - place)));
    });
  }

  for (let n = 0; n < length; n++) out[n] = out[n] / strength + 0.5 * hisses[n];
  const gain = (LEVEL * cues.loudness) / rms(out, (n) => amplitude(n) > 0.1);
  const peak = out.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return out.map((value) => value * Math.min(gain, 0.95 / peak));
}

/** Average spectrum: pairs of kHz and dB, up to 6 kHz. */
export function spectrum(samples) {
  const points = [];
  for (let hertz = 125; hertz <= 6000; hertz += 125) {
    // The piece is faded in and out, so that its ends do not count as a click.
    const waves = Array.from({ length: FRAME }, (_, n) => {
      const fade = Math.sin((Math.PI * n) / FRAME) ** 2;
      const angle = (2 * Math.PI * hertz * n) / RATE;
      return [fade * Math.cos(angle), fade * Math.sin(angle)];
    });
    let sum = 0;
    for (let start = 0; start + FRAME <= samples.length; start += FRAME) {
      let [real, imaginary] = [0, 0];
      for (let n = 0; n < FRAME; n++) {
        real += samples[start + n] * waves[n][0];
        imaginary += samples[start + n] * waves[n][1];
      }
      sum += real ** 2 + imaginary ** 2;
    }
    points.push([hertz / 1000, 10 * Math.log10((sum * FRAME) / samples.length + 1e-12)]);
  }
  return points;
}

/** Pitch contour: pairs of seconds and Hz, in pieces, since there is no pitch where no voice sounds. */
export function contour(voice, cues) {
  const pieces = [[]];
  voice.amplitude.forEach((amplitude, frame) => {
    const place = frame / (voice.amplitude.length - 1);
    const piece = pieces[pieces.length - 1];
    if (amplitude > VOICED) piece.push([(place * voice.seconds) / cues.rate, pitch(voice, cues, place)]);
    else if (piece.length) pieces.push([]);
  });
  return pieces.filter((piece) => piece.length > 1);
}

// ---- the page ----

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  const made = ["svg", "path", "text"].includes(name)
    ? document.createElementNS(SVG, name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A picture of curves, each a list of pieces of points: the first dashed (neutral), the second solid.
function picture(title, text, { x, y, xTicks, yTicks }, curves) {
  const [left, right, top, bottom] = [32, 298, 22, 156];
  const across = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (right - left);
  const up = (value) => bottom - ((value - y[0]) / (y[1] - y[0])) * (bottom - top);
  const path = (pieces) =>
    pieces.map((piece) => "M" + piece.map((p) => `${across(p[0]).toFixed(1)} ${up(p[1]).toFixed(1)}`).join("L"));
  const svg = element("svg", { viewBox: "0 0 320 180", role: "img", "aria-label": text });
  svg.append(element("text", { x: 4, y: 14, class: "title" }, title));
  for (const [value, label] of xTicks)
    svg.append(element("text", { x: across(value), y: 172, "text-anchor": "middle" }, label));
  for (const [value, label] of yTicks) {
    svg.append(element("path", { class: "grid", d: `M${left} ${up(value)}H${right}` }));
    svg.append(element("text", { x: left - 4, y: up(value) + 4, "text-anchor": "end" }, label));
  }
  curves.forEach((pieces, number) => {
    svg.append(element("path", { class: number ? "now" : "neutral", d: path(pieces).join("") }));
  });
  return svg;
}

const octaves = (pieces) => pieces.map((piece) => piece.map(([t, hertz]) => [t, Math.log2(hertz)]));
const ticks = (values, unit) => values.map((value, i) => [value, i < values.length - 1 ? value : `${value} ${unit}`]);

/** Put sliders, presets and pictures into an element. */
export function mount(root, { voice, presets }) {
  const neutral = presets.neutral;
  let cues = { ...neutral };
  let samples = speak(voice, cues);
  let [context, playing, waiting] = [null, null, null];
  const before = { contour: octaves(contour(voice, neutral)), spectrum: spectrum(samples) };
  const loudest = Math.max(...before.spectrum.map(([, level]) => level));

  // A sound that is still playing goes on from the same place of the phrase.
  function play() {
    context ??= new AudioContext();
    context.resume();
    const buffer = context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const done = playing ? (context.currentTime - playing.begun) / playing.buffer.duration : 0;
    stop();
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    const offset = done < 1 ? done * buffer.duration : 0;
    source.start(0, offset);
    playing = { source, buffer, begun: context.currentTime - offset };
    source.onended = () => {
      if (playing?.source === source) playing = null;
    };
  }

  function stop() {
    playing?.source.stop();
    playing = null;
  }

  function draw() {
    const now = contour(voice, cues);
    const pitches = now.flat().map(([, hertz]) => hertz);
    const [low, high] = [Math.min(...pitches), Math.max(...pitches)].map(Math.round);
    const seconds = (voice.seconds / cues.rate).toFixed(1);
    const relative = (points) => [points.map(([f, level]) => [f, Math.max(level - loudest, -60)])];
    pictures.replaceChildren(
      picture(
        "Pitch (Hz) over time",
        `Pitch from ${low} to ${high} hertz; the phrase takes ${seconds} seconds.`,
        {
          x: [0, 3],
          y: [Math.log2(80), Math.log2(800)],
          xTicks: ticks([0, 1, 2, 3], "s"),
          yTicks: [100, 200, 400, 800].map((hertz) => [Math.log2(hertz), hertz]),
        },
        [before.contour, octaves(now)],
      ),
      picture(
        "Average spectrum (dB)",
        "Average spectrum: level by frequency, beside that of the neutral voice.",
        {
          x: [0, 6],
          y: [-60, 15],
          xTicks: ticks([0, 2, 4, 6], "kHz"),
          yTicks: [-60, -40, -20, 0].map((level) => [level, level]),
        },
        [relative(before.spectrum), relative(spectrum(samples))],
      ),
    );
  }

  function show() {
    for (const [name, , most] of SLIDERS) {
      const { slider, output } = rows[name];
      slider.value = Math.log(cues[name]) / Math.log(most);
      output.textContent = `× ${cues[name].toFixed(2)}`;
      slider.setAttribute("aria-valuetext", `${cues[name].toFixed(2)} times neutral`);
    }
    for (const button of chooser.querySelectorAll("button"))
      button.setAttribute("aria-pressed", SLIDERS.every(([name]) => cues[name] === presets[button.value][name]));
  }

  // While a slider moves there are many changes a second: what counts is where it pauses.
  function changed() {
    show();
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      samples = speak(voice, cues);
      draw();
      play();
    }, 80);
  }

  const rows = {};
  const sliders = element("div", { class: "sliders" });
  for (const [name, label, most] of SLIDERS) {
    const id = `serlab-cue-${name}`;
    const slider = element("input", { type: "range", id, min: -1, max: 1, step: 0.02 });
    const output = element("output", { for: id });
    rows[name] = { slider, output };
    slider.addEventListener("input", () => {
      cues[name] = most ** slider.value;
      changed();
    });
    sliders.append(element("label", { for: id }, label), slider, output);
  }
  const chooser = element("div", { class: "presets", role: "group", "aria-label": "Presets" });
  for (const emotion of Object.keys(presets)) {
    const button = element("button", { type: "button", value: emotion }, emotion);
    button.addEventListener("click", () => {
      cues = { ...presets[emotion] };
      changed();
    });
    chooser.append(button);
  }
  const player = element("button", { type: "button", class: "play" }, "Play");
  player.addEventListener("click", play);
  const stopper = element("button", { type: "button" }, "Stop");
  stopper.addEventListener("click", stop);
  const pictures = element("div", { class: "pictures" });
  const key = element("p", {}, "Dashed: neutral. Solid: what you hear.");
  root.replaceChildren(chooser, sliders, element("div", { class: "presets" }, player, stopper), pictures, key);
  show();
  draw();
}

const root = globalThis.document?.querySelector(".serlab-cues");
const data = globalThis.document?.getElementById("serlab-cues-data");
if (root && data) mount(root, JSON.parse(data.textContent));
