// Turns the list of questions into forms. An answer is a choice confirmed by a button, so that the arrow keys
// can walk through the options first.
(() => {
  const make = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };
  const shuffled = (list) => {
    const drawn = [...list];
    for (let i = drawn.length - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [drawn[i], drawn[j]] = [drawn[j], drawn[i]];
    }
    return drawn;
  };

  const start = (root) => {
    const coded = root.dataset.quiz.split(",")[1];
    root.removeAttribute("data-quiz");
    const bytes = Uint8Array.from(atob(coded), (character) => character.charCodeAt(0));
    const { page, questions } = JSON.parse(new TextDecoder().decode(bytes));

    // What was answered, in order: {text of a question: [texts of options]}. A question that was rewritten since
    // is a new one. A browser may forbid to keep anything: then the score lasts as long as the page.
    const key = `serlab-quiz-${page}`;
    let answers = {};
    try {
      answers = JSON.parse(localStorage.getItem(key)) ?? {};
    } catch {}
    const keep = () => {
      try {
        localStorage.setItem(key, JSON.stringify(answers));
      } catch {}
    };
    const isRight = (question, text) => question.options.some((o) => o.right && o.text === text);

    const score = make("p", { className: "serlab-score" });
    score.setAttribute("role", "status");
    const count = () => {
      const done = questions.filter((question) => answers[question.text]);
      const right = done.filter((question) => isRight(question, answers[question.text][0]));
      score.textContent =
        `Right at the first try: ${right.length} of ${questions.length}` +
        (done.length < questions.length ? `, ${questions.length - done.length} still to answer.` : ".");
    };

    const forms = questions.map((question, number) => {
      const inputs = new Map();
      const labels = shuffled(question.options).map((option) => {
        const input = make("input", { type: "radio", name: `${key}-${number}`, required: true });
        inputs.set(input, option);
        return make("label", {}, input, make("span", { innerHTML: option.text }));
      });
      const verdict = make("div", { className: "serlab-verdict" });
      verdict.setAttribute("role", "status");
      const others = make("ul", { hidden: true });
      const show = () => {
        const last = (answers[question.text] ?? []).at(-1);
        const chosen = question.options.find((option) => option.text === last);
        verdict.className = `serlab-verdict ${chosen ? (chosen.right ? "right" : "wrong") : ""}`;
        verdict.innerHTML = chosen
          ? `<strong>${chosen.right ? "✓ Right." : "✗ Not this one."}</strong> ${chosen.reason}`
          : "";
        others.hidden = !chosen?.right;
        others.replaceChildren();
        for (const [input, option] of inputs) {
          if (input.checked !== (option === chosen)) input.checked = option === chosen;
          if (chosen?.right && option !== chosen) {
            others.append(make("li", { innerHTML: `<em>${option.text}</em> ${option.reason}` }));
          }
        }
      };
      const legend = make("legend", { innerHTML: `${number + 1}. ${question.text}` });
      const check = make("button", { type: "submit", textContent: "Check" });
      const form = make("form", {}, make("fieldset", {}, legend, ...labels, check, verdict, others));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        const [, option] = [...inputs].find(([input]) => input.checked);
        (answers[question.text] ??= []).push(option.text);
        keep();
        show();
        count();
      });
      return { form, show };
    });

    const again = make("button", { type: "button", textContent: "Start again" });
    const refresh = () => {
      forms.forEach(({ show }) => show());
      count();
    };
    again.addEventListener("click", () => {
      answers = {};
      keep();
      refresh();
    });
    root.replaceChildren(...forms.map(({ form }) => form), score, again);
    // Otherwise JupyterLab takes the arrow keys for itself, and moves to another cell.
    for (const control of root.querySelectorAll("input, button")) control.dataset.lmSuppressShortcuts = "true";
    refresh();
  };

  document.querySelectorAll(".serlab-quiz[data-quiz]").forEach(start);
})();
