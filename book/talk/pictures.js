// Waveform, spectrogram and pitch: while somebody speaks, and of a whole recording. Bands are those of the model.
import { RATE } from "./model.js";

const BANDS = 80;
const BANDS_PER_SECOND = 100;
const SHARES = { wave: 0.25, bands: 0.5 }; // of the height; the rest is for pitch
const LEFT = 52; // pixels for names
const SECONDS = 8; // fit into the picture of what is being said
const [LOWEST, HIGHEST] = [60, 500]; // Hz, of pitch
const PITCHES = [100, 200, 400]; // Hz, with lines
const BACKGROUND = [20, 20, 28];
const RAMP = [BACKGROUND, [84, 26, 110], [203, 65, 73], [250, 160, 40], [252, 245, 170]];
const INK = { wave: "#a9b8f5", pitch: "#7df0ff", text: "#e8e8f0", gap: "#14141c", line: "#45454f" };

// The mel scale of Slaney's Auditory Toolbox, as a share of the height from 0 to 8 kHz.
const TOP = mel(8000);
function mel(hertz) {
  return hertz < 1000 ? (hertz * 3) / 200 : 15 + (27 * Math.log(hertz / 1000)) / Math.log(6.4);
}
function hertz(share) {
  const value = share * TOP;
  return value < 15 ? (value * 200) / 3 : 1000 * Math.exp(((value - 15) * Math.log(6.4)) / 27);
}

/** Estimate pitch by autocorrelation, in Hz; 0 where a frame has none, or less than a mean square of `least`. */
export function pitch(frame, rate, least = 1e-6) {
  const [shortest, longest] = [Math.floor(rate / HIGHEST), Math.ceil(rate / LOWEST)];
  const size = frame.length - longest;
  const energy = (from) => {
    let sum = 0;
    for (let i = from; i < from + size; i++) sum += frame[i] * frame[i];
    return sum;
  };
  const own = energy(0);
  if (own / size < least) return 0;
  const alike = [];
  for (let lag = shortest; lag <= longest; lag++) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += frame[i] * frame[i + lag];
    alike.push(sum / Math.sqrt(own * energy(lag) + 1e-12));
  }
  const best = Math.max(...alike);
  if (best < 0.6) return 0;
  // The first peak that is nearly the highest: later ones are two periods and more.
  const i = alike.findIndex((r, i) => r > 0.9 * best && r > alike[i - 1] && r >= alike[i + 1]);
  return i < 0 ? 0 : rate / (shortest + i);
}

function colour(value) {
  const place = Math.min(Math.max(value, 0), 0.999) * (RAMP.length - 1);
  const [low, high, part] = [RAMP[Math.floor(place)], RAMP[Math.floor(place) + 1], place % 1];
  return low.map((one, i) => one + part * (high[i] - one));
}

/** A canvas as large as it is shown, empty. */
function clean(canvas) {
  canvas.hidden = false;
  const fine = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * fine);
  canvas.height = Math.round(canvas.clientHeight * fine);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillStyle = INK.gap;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  const top = Math.round(canvas.height * SHARES.wave);
  const height = Math.round(canvas.height * SHARES.bands);
  const left = Math.round(LEFT * fine);
  const place = { pen, fine, left, width: canvas.width - left, top, height, bottom: canvas.height };
  names(place);
  return place;
}

function names(place) {
  const { pen, fine, top, height } = place;
  pen.fillStyle = INK.text;
  pen.font = `${11 * fine}px sans-serif`;
  for (const [value, text] of [[1000, "1 kHz"], [4000, "4 kHz"]]) {
    pen.fillText(text, 4 * fine, top + height * (1 - mel(value) / TOP) + 4 * fine);
  }
  for (const value of PITCHES) pen.fillText(`${value} Hz`, 4 * fine, pitchAt(place, value) + 4 * fine);
}

function lines(place, x, width) {
  place.pen.fillStyle = INK.line;
  for (const value of PITCHES) place.pen.fillRect(place.left + x, pitchAt(place, value), width, 1);
}

/** Where a pitch lies below the spectrogram, an octave as high as the next. */
function pitchAt({ top, height, bottom }, value) {
  const share = Math.log(value / LOWEST) / Math.log(HIGHEST / LOWEST);
  return bottom - (bottom - top - height) * share;
}

function wave({ pen, left, top }, x, width, samples) {
  let [low, high] = [0, 0];
  for (const value of samples) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  pen.fillStyle = INK.wave;
  pen.fillRect(left + x, (top / 2) * (1 - high), width, Math.max(1, (top / 2) * (high - low)));
}

/** Draw columns of the spectrogram; `loudness(share)` is from 0 to 1. */
function column({ pen, left, top, height }, x, width, loudness) {
  const image = pen.createImageData(width, height);
  for (let row = 0; row < height; row++) {
    const [red, green, blue] = colour(loudness(1 - (row + 0.5) / height));
    for (let i = 0; i < width; i++) image.data.set([red, green, blue, 255], 4 * (row * width + i));
  }
  pen.putImageData(image, left + x, top);
}

function dot(place, x, value) {
  const { pen, fine, left } = place;
  pen.fillStyle = INK.pitch;
  pen.beginPath();
  pen.arc(left + x, pitchAt(place, value), 1.6 * fine, 0, 2 * Math.PI);
  pen.fill();
}

/** Draw what an analyser hears until the function that is returned is called; `told` gets the pitch in Hz. */
export function live(canvas, analyser, told) {
  const place = clean(canvas);
  const { pen, left, width, bottom } = place;
  const rate = analyser.context.sampleRate;
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  const samples = new Float32Array(analyser.fftSize);
  const step = Math.max(1, Math.round(rate / RATE));
  const begun = performance.now();
  let [drawn, running] = [0, true];
  const draw = (now) => {
    if (!running) return;
    const until = Math.floor((Math.max(now - begun, 0) / 1000 / SECONDS) * width);
    const more = Math.min(until - drawn, width);
    if (more > 0) {
      analyser.getFloatFrequencyData(spectrum);
      analyser.getFloatTimeDomainData(samples);
      if (until > width) {
        const rest = width - more;
        pen.drawImage(canvas, left + more, 0, rest, bottom, left, 0, rest, bottom);
        pen.fillStyle = INK.gap;
        pen.fillRect(left + rest, 0, more, bottom);
      }
      const x = Math.min(drawn, width - more);
      const decibels = (share) => spectrum[Math.round((hertz(share) * 2 * spectrum.length) / rate)];
      lines(place, x, more);
      wave(place, x, more, samples.subarray(-Math.round(rate / 60)));
      column(place, x, more, (share) => (decibels(share) + 100) / 70);
      const found = pitch(samples.filter((_, i) => i % step === 0), rate / step);
      if (found) dot(place, x + more / 2, found);
      told(found);
      drawn = until;
    }
    requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
  return () => (running = false);
}

/** Draw a whole recording: its samples at `RATE`, and what Whisper is given of it. */
export function finished(canvas, { sound, mel: bands, about }) {
  const place = clean(canvas);
  const { width } = place;
  lines(place, 0, width);
  const loudest = bands.reduce((a, b) => Math.max(a, b), -Infinity);
  const per = sound.length / width;
  for (let x = 0; x < width; x++) {
    wave(place, x, 1, sound.subarray(Math.floor(x * per), Math.floor((x + 1) * per) + 1));
    const frame = Math.floor(((x * per) / RATE - about.begin) * BANDS_PER_SECOND) * BANDS;
    if (frame < 0 || frame >= bands.length) continue;
    // The model hears 80 dB, of which the upper 60 are drawn.
    column(place, x, 1, (share) => (bands[frame + Math.floor(share * BANDS)] - loudest + 1.5) / 1.5);
  }
  const size = 1024;
  const least = sound.reduce((sum, value) => sum + value * value, 0) / sound.length / 100;
  const step = Math.max(0.015 * RATE, sound.length / 600);
  for (let start = 0; start + size <= sound.length; start += step) {
    const found = pitch(sound.subarray(start, start + size), RATE, least);
    if (found) dot(place, (start + size / 2) / per, found);
  }
}
