// Every text of a question or an answer goes to the page by textContent: it is data, whatever it holds.
const STEP = 200; // entries of the list made at once: a filter answers in a few ms, however many fit

async function unpack() {
  const packed = Uint8Array.from(atob(find("data").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

const OUTCOMES = [["", "anything"], ["right", "right"], ["wrong", "wrong"]];
const STATUSES = ["ok", "no_answer", "ambiguous", "truncated", "refused", "engine_error"];

function fill(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => {
    const option = make("option", "", text);
    option.value = value;
    return option;
  }));
}

function start({ items, runs, lenses }) {
  const questions = items.map(([suite, id, question, options, gold], index) => ({
    index, suite, id, question, options, gold, answers: [], lenses: [],
  }));
  const labels = [...new Set(runs.map((run) => run.label))];
  for (const run of runs) {
    for (const [index, [letter, status, right, text, logprobs, draws]] of Object.entries(run.answers)) {
      questions[index].answers.push({ label: run.label, letter, status, right: right === 1, text, logprobs, draws });
    }
  }
  for (const { label, items: seen } of lenses) {
    for (const [index, [steps, blocks]] of Object.entries(seen)) questions[index].lenses.push({ label, steps, blocks });
  }
  for (const question of questions) {
    const parts = [question.id, question.question, ...Object.values(question.options)];
    question.searched = [...parts, ...question.answers.map((answer) => answer.text)].join("\n").toLowerCase();
  }
  const suites = [...new Set(questions.map((question) => question.suite))];
  const outcomes = [...OUTCOMES, ...STATUSES.map((status) => [status, status.replace("_", " ")])];
  fill(find("suite"), [["", "all"], ...suites.map((name) => [name, name])]);
  fill(find("system"), [["", "any"], ...labels.map((name) => [name, name])]);
  fill(find("other"), [["", "any"], ...labels.map((name) => [name, name])]);
  fill(find("outcome"), outcomes);
  fill(find("other-outcome"), outcomes);

  let fitting = [];
  let chosen = null;
  let listed = STEP;

  const fits = (question, label, outcome) => {
    if (!label && !outcome) return true;
    return question.answers.some((answer) => {
      if (label && answer.label !== label) return false;
      if (!outcome) return true;
      if (outcome === "right") return answer.right;
      return outcome === "wrong" ? !answer.right : answer.status === outcome;
    });
  };

  const FILTERS = ["suite", "system", "outcome", "other", "other-outcome", "text"];

  function filter() {
    const value = (id) => find(id).value;
    const [suite, text] = [value("suite"), value("text").trim().toLowerCase()];
    fitting = questions.filter((question) =>
      (!suite || question.suite === suite) &&
      fits(question, value("system"), value("outcome")) &&
      fits(question, value("other"), value("other-outcome")) &&
      (!text || question.searched.includes(text)));
    listed = STEP;
    if (!fitting.includes(chosen)) choose(fitting[0] ?? null);
    show();
  }

  function filterAnew() {
    filter();
    const values = FILTERS.map((id) => [id, encodeURIComponent(find(id).value)]);
    keep("answers", { ...Object.fromEntries(values), item: chosen && named(chosen) });
    link();
  }

  function show() {
    const shown = fitting.slice(0, listed);
    const rest = fitting.length > listed ? `, the first ${listed.toLocaleString("en")} listed` : "";
    find("more").hidden = !rest;
    find("count").textContent = `${fitting.length.toLocaleString("en")} of ${questions.length.toLocaleString("en")} questions${rest}`;
    find("list").replaceChildren(...shown.map((question) => {
      const entry = make("li");
      const button = make("button");
      button.type = "button";
      button.dataset.index = question.index;
      const right = question.answers.filter((answer) => answer.right).length;
      const where = make("span", "where");
      where.append(make("bdi", "", `${question.suite} ${question.id}`), `, ${right} of ${question.answers.length} right`);
      button.append(where, question.question.length > 120 ? `${question.question.slice(0, 120)}...` : question.question);
      button.addEventListener("click", () => openListed(question));
      entry.append(button);
      return entry;
    }));
    mark();
  }

  function mark() {
    const list = find("list");
    for (const button of list.querySelectorAll("button")) {
      const current = chosen !== null && Number(button.dataset.index) === chosen.index;
      button.setAttribute("aria-current", String(current));
      if (!current) continue;
      const [top, bottom] = [button.offsetTop, button.offsetTop + button.offsetHeight];
      if (top < list.scrollTop) list.scrollTop = top; // the list alone: scrollIntoView would move the page
      else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
    }
  }

  const named = (question) => `${encodeURIComponent(question.suite)}/${encodeURIComponent(question.id)}`;

  function choose(question) {
    chosen = question;
    if (!question) return find("item").replaceChildren();
    const head = make("h3");
    const name = make("a"); // bdi: a right-to-left mark in a name turns nothing around but the name
    name.append(make("bdi", "", `${question.suite} ${question.id}`));
    head.append(name);
    const options = make("dl");
    for (const [letter, text] of Object.entries(question.options)) {
      const row = make("div", letter === question.gold ? "right gold" : "");
      const shown = make("dd");
      shown.append(make("bdi", "", text), letter === question.gold ? " (gold)" : "");
      row.append(make("dt", "", letter), shown);
      options.append(row);
    }
    const systems = make("div", "systems");
    systems.append(...question.answers.map((answer) => card(question, answer)));
    const lenses = question.lenses.map(lensCard);
    find("item").replaceChildren(head, make("p", "question", question.question), options, systems, ...lenses);
    link();
  }

  function link() {
    if (chosen) document.querySelector("#item h3 a").href = address("", new Map(kept).set("item", named(chosen)));
  }

  function open(question) {
    choose(question);
    mark();
    keep("", { item: named(question) });
  }

  function openListed(question) {
    open(question);
    if (find("item").getBoundingClientRect().top > innerHeight * 0.7) find("steps").scrollIntoView();
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
        const share = Math.exp(logprob);
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

  function fromAddress() {
    const part = readAddress();
    sorts.forEach((sort) => sort());
    for (const id of FILTERS) {
      find(id).value = decode(kept.get(id));
      if (find(id).selectedIndex === -1) find(id).value = ""; // a name that is not in this report
    }
    filter();
    const [suite, id] = (kept.get("item") ?? "").split(/\/(.*)/, 2).map(decode);
    const question = questions.find((each) => each.suite === suite && each.id === id);
    if (question) choose(question);
    mark();
    link();
    const target = find(part) ?? (question && find("steps"));
    if (target) target.scrollIntoView();
  }

  function step(by) {
    const place = chosen ? fitting.indexOf(chosen) : -1;
    const next = Math.min(Math.max(place + by, 0), fitting.length - 1);
    if (next >= listed) more();
    if (fitting[next]) open(fitting[next]);
  }

  function more() {
    listed += STEP;
    show();
  }

  find("filters").addEventListener("input", filterAnew);
  find("filters").addEventListener("submit", (event) => event.preventDefault());
  find("more").addEventListener("click", more);
  find("back").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  addEventListener("hashchange", () => (location.hash.includes("=") ? fromAddress() : readAddress()));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "/") {
      event.preventDefault();
      find("text").focus();
    }
  });
  for (const id of ["filters", "browser", "keys"]) find(id).hidden = false;
  fromAddress();
  document.documentElement.dataset.ready = "true";
}

unpack().then(start, (error) => {
  find("count").textContent = `The answers cannot be read in this browser: ${error.message}`;
});
