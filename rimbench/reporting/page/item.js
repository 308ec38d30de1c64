// Every text of a question or an answer goes to the page by textContent: it is data, whatever it holds.
// bdi: a right-to-left mark in a name or a text turns nothing around but the name or the text.
function optionList(question) {
  const options = make("dl");
  for (const [letter, text] of Object.entries(question.options)) {
    const row = make("div", letter === question.gold ? "right gold" : "");
    const shown = make("dd");
    shown.append(make("bdi", "", text), letter === question.gold ? " (gold)" : "");
    row.append(make("dt", "", letter), shown);
    options.append(row);
  }
  return options;
}

function card(question, answer) {
  const element = make("section", "system");
  const verdict = answer.right ? "right" : "wrong";
  const head = make("h4");
  head.append(make("bdi", "", answer.label));
  const outcome = answer.status === "ok" ? verdict : answer.status.replace("_", " ");
  head.append(make("span", verdict, `${answer.letter ?? "no letter"}, ${outcome}`));
  element.append(head);
  if (answer.logprobs) {
    for (const [letter, logprob] of Object.entries(answer.logprobs)) {
      const share = logprob === null ? 0 : Math.exp(logprob); // the logarithm of 0 is null
      const row = make("div", "share");
      const bar = make("span", letter === question.gold ? "bar gold" : "bar");
      const inside = make("i");
      inside.style.width = `${100 * share}%`;
      bar.append(inside);
      row.append(make("span", letter === question.gold ? "right" : "", letter), bar, make("span", "", `${(100 * share).toFixed(1)}%`));
      element.append(row);
    }
  }
  const draws = Object.entries(answer.draws);
  if (draws.length) element.append(make("p", "remark", `drawn: ${draws.map(([letter, n]) => `${letter} ${n}`).join(", ")}`));
  if (answer.text) {
    const text = make("pre", "", answer.text);
    text.tabIndex = 0;
    element.append(text);
  }
  return element;
}

function lensCard({ label, steps, blocks }) {
  const element = make("section", "system lens");
  const head = make("h4");
  head.append(make("bdi", "", label), make("span", "", "memory lens"));
  const scroll = make("div", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", `Memory lens of ${label}`);
  const table = make("table");
  const titles = make("tr");
  for (const title of ["after", "text", ...steps.map((step, i) => `step ${i + 1}: ${step}`)]) {
    const cell = make("th", title.startsWith("step") ? "number" : "");
    cell.scope = "col";
    cell.append(make("bdi", "", title));
    titles.append(cell);
  }
  table.append(make("thead"), make("tbody"));
  table.tHead.append(titles);
  blocks.forEach(([text, begins, shares], block) => {
    const row = make("tr");
    const written = make("td", begins.length ? "right" : "");
    written.append(make("bdi", "", text));
    row.append(make("td", "", block ? `block ${block}` : "question"), written);
    row.append(...shares.map((share, i) => make("td", begins.includes(i) ? "number right" : "number", `${(100 * share).toFixed(1)}%`)));
    table.tBodies[0].append(row);
  });
  scroll.append(table);
  const told = steps.length ? "What is written after each block, and the probability of each step there; a step that is written is green and bold." : "What is written after each block; the steps of this item are not known.";
  element.append(head, scroll, make("p", "remark", told));
  return element;
}
