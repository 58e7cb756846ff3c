// Larger models: where the page comes from `serlab serve`, models trained there answer, too.
import { Refusal, beside, place } from "./model.js";

async function ask(path, options) {
  const answer = await fetch(place + path, options);
  const found = await answer.json();
  if (!answer.ok) throw new Refusal(found.detail);
  return found;
}

/** List the models of the service but the one of this page: none without a service, or where it wants a token. */
export async function models() {
  if (!place) return [];
  const { card } = await beside;
  return ask("/models").then(({ trained }) => trained.filter(({ title }) => title !== card.title), () => []);
}

/** Give what the page says of a model, that of this page if none is named: its classes, words and card. */
export async function textsOf(name) {
  if (!name) return beside;
  const card = await ask(`/models/${encodeURIComponent(name)}`);
  return { ...(await beside), classes: card.classes, card };
}

/** Have a model of the service hear a recording; an answer as `listen` gives it, without what is drawn. */
export async function listenThere(blob, name, { classes }) {
  const hear = async (more) => {
    const path = `/predictions?model=${encodeURIComponent(name)}${more}`;
    const { answers } = await ask(path, { method: "POST", body: blob });
    return answers.map((one) => ({ ...one, probabilities: classes.map((emotion) => one.probabilities[emotion]) }));
  };
  const [[whole], timeline] = [await hear(""), await hear("&timeline=true")];
  return { ...whole, hints: whole.hints.split("; ").filter(Boolean), timeline, windows: timeline };
}
