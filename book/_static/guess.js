// The game of "Listening": guesses for the eight voices, beside what listeners and recorded models said.
// Answers come from Python, as JSON in the page (book/_ext/book_listening.py); guesses stay in this browser.

const KEPT = "serlab-guesses";

function load() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // what is kept may be blocked, or broken
  }
}

function keep(state) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(state));
  } catch {
    // The game works without: guesses last as long as the page.
  }
}

/** How many of the guesses name the emotion. */
export function score(truth, said) {
  return truth.filter((emotion, n) => emotion === said[n]).length;
}

/** Confusion matrix: for each emotion (row) how often each was said (column). */
export function confusion(emotions, truth, said) {
  return emotions.map((meant) =>
    emotions.map((heard) => truth.filter((emotion, n) => emotion === meant && said[n] === heard).length),
  );
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A matrix as a small table; rows are what was meant. An unknown or empty cell stays blank.
function grid(title, emotions, counts) {
  const abbreviated = (emotion) => element("abbr", { title: emotion }, emotion.slice(0, 3));
  const head = element("tr", {}, element("td"), ...emotions.map((e) => element("th", { scope: "col" }, abbreviated(e))));
  const rows = counts.map((row, i) => {
    const cells = row.map((count, j) =>
      element("td", count ? { class: i === j ? "right" : "wrong" } : {}, count ? String(count) : ""),
    );
    return element("tr", {}, element("th", { scope: "row" }, emotions[i]), ...cells);
  });
  return element("table", {}, element("caption", {}, title), element("thead", {}, head), element("tbody", {}, ...rows));
}

// Who was right how often; the last column is the score on all clips of the corpus, where there is one.
function ranking(rows) {
  const head = ["", "of these 8", "UAR on all clips"].map((text) => element("th", { scope: "col" }, text));
  head[0] = element("td");
  const lines = rows.map(([who, right, uar]) =>
    element("tr", {}, element("th", { scope: "row" }, who), element("td", {}, right), element("td", {}, uar)),
  );
  return element(
    "table",
    { class: "ranking" },
    element("caption", {}, "Right answers"),
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...lines),
  );
}

/** Put the game into an element. */
export function mount(root, { emotions, voices, recognised, others }) {
  let state = { said: [], checked: false, ...load() };
  const result = element("div", { class: "result" });
  const status = element("p", { role: "status" });

  const choices = voices.map((_, n) => {
    const id = `serlab-guess-${n + 1}`;
    const empty = element("option", { value: "" }, "choose");
    const options = emotions.map((emotion) => element("option", { value: emotion }, emotion));
    const select = element("select", { id }, empty, ...options);
    select.addEventListener("change", () => {
      state.said[n] = select.value;
      keep(state);
      show();
    });
    return { select, row: element("div", {}, element("label", { for: id }, `Voice ${n + 1}`), select) };
  });
  const check = element("button", { type: "button", class: "play" }, "Check my guesses");
  check.addEventListener("click", () => {
    state.checked = true;
    keep(state);
    show();
  });
  const reset = element("button", { type: "button" }, "Start again");
  reset.addEventListener("click", () => {
    state = { said: [], checked: false };
    keep(state);
    show();
    choices[0].select.focus();
  });

  function show() {
    choices.forEach(({ select }, n) => {
      select.value = state.said[n] ?? "";
    });
    result.replaceChildren();
    const missing = voices.filter((_, n) => !state.said[n]).length;
    if (!state.checked) status.textContent = "";
    else if (missing) status.textContent = `Still without a guess: ${missing} of ${voices.length}.`;
    else {
      const right = score(voices, state.said);
      status.textContent = `You named ${right} of ${voices.length}.`;
      const heard = recognised.reduce((sum, share) => sum + share, 0);
      // Of the listeners only the share of right answers was published.
      const listeners = emotions.map((meant, i) =>
        emotions.map((_, j) =>
          i === j ? +recognised.reduce((sum, share, n) => sum + (voices[n] === meant ? share : 0), 0).toFixed(2) : 0,
        ),
      );
      const percent = (share) => `${(100 * share).toFixed(0)} %`;
      result.append(
        ranking([
          ["you", right, ""],
          ["a blind guess", (voices.length / emotions.length).toFixed(1), percent(1 / emotions.length)],
          ["EmoDB's listeners", heard.toFixed(1), ""],
          ...others.map(({ name, said, uar }) => [name, score(voices, said), percent(uar)]),
        ]),
        element(
          "div",
          { class: "matrices" },
          grid("You", emotions, confusion(emotions, voices, state.said)),
          grid("EmoDB's listeners (their mistakes are not published)", emotions, listeners),
          ...others.map(({ name, said }) => grid(name, emotions, confusion(emotions, voices, said))),
        ),
        element(
          "p",
          {},
          "Rows: what was meant. Columns: what was answered. The listeners heard the whole clips; the models were " +
            "trained on the other nine speakers. Eight easy clips cannot rank anybody: the last column counts all " +
            "clips of the corpus (UAR: the mean of the shares of each emotion that are recognised).",
        ),
      );
    }
  }

  root.replaceChildren(
    element("div", { class: "choices", role: "group", "aria-label": "Your guesses" }, ...choices.map(({ row }) => row)),
    element("div", { class: "presets" }, check, reset),
    status,
    result,
  );
  show();
}

const root = globalThis.document?.querySelector(".serlab-guess");
const data = globalThis.document?.getElementById("serlab-guess-data");
if (root && data) mount(root, JSON.parse(data.textContent));
