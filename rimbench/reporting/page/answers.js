const STEP = 200; // entries of the list made at once: a filter answers in a few ms, however many fit

async function unpack() {
  const packed = Uint8Array.from(atob(find("data").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

const OUTCOMES = [["", "anything"], ["right", "right"], ["wrong", "wrong"]];
const STATUSES = ["ok", "no_answer", "ambiguous", "truncated", "refused", "engine_error"];
const FILTERS = ["suite", "facet", "system", "outcome", "other", "other-outcome", "text"];
const DIFFER = "differ";
const inAlphabet = (a, b) => a.localeCompare(b, "en", { numeric: true });

function fill(select, entries) {
  select.replaceChildren(...entries.map(([value, text]) => {
    const option = make("option", "", text);
    option.value = value;
    return option;
  }));
}

// The values of each column of the source, as one choice; one value alone is no choice.
function facetChoices(questions) {
  const columns = new Map();
  for (const { facets } of questions) {
    for (const [column, value] of Object.entries(facets)) {
      if (!columns.has(column)) columns.set(column, new Map());
      const values = columns.get(column);
      values.set(value, (values.get(value) ?? 0) + 1);
    }
  }
  return [...columns].filter(([, values]) => values.size > 1).map(([column, values]) => {
    const group = make("optgroup");
    group.label = column;
    group.append(...[...values].sort(([a], [b]) => inAlphabet(a, b)).map(([value, count]) => {
      const choice = make("option", "", `${value} (${count.toLocaleString("en")})`);
      choice.value = facetKey(column, value);
      return choice;
    }));
    return group;
  });
}
const facetKey = (column, value) => `${encodeURIComponent(column)}=${encodeURIComponent(value)}`;

function start({ items, runs, lenses }) {
  const questions = items.map(([suite, id, question, options, gold, facets], index) => ({
    index, suite, id, question, options, gold, facets, answers: [], lenses: [],
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
  fill(find("system"), [["", "any system"], ...labels.map((name) => [name, name])]);
  fill(find("other"), [["", "any system"], ...labels.map((name) => [name, name])]);
  fill(find("outcome"), outcomes);
  fill(find("other-outcome"), outcomes);

  const facets = facetChoices(questions);
  find("facet").append(...facets);
  find("facet").parentElement.hidden = !facets.length;

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

  // Whether A and B gave other letters; for any A or B, whether one of those did.
  const differ = (question, a, b) => question.answers.some((one) =>
    (!a || one.label === a) &&
    question.answers.some((other) => (!b || other.label === b) && other.letter !== one.letter));

  function filter() {
    const value = (id) => find(id).value;
    const [suite, text] = [value("suite"), value("text").trim().toLowerCase()];
    const [column, group] = value("facet").split("=").map(decode);
    fitting = questions.filter((question) =>
      (!suite || question.suite === suite) &&
      (!column || question.facets[column] === group) &&
      (!find(DIFFER).checked || differ(question, value("system"), value("other"))) &&
      fits(question, value("system"), value("outcome")) &&
      fits(question, value("other"), value("other-outcome")) &&
      (!text || question.searched.includes(text)));
    listed = STEP;
    choose(fitting.includes(chosen) ? chosen : fitting[0] ?? null);
    show();
  }

  function filterAnew() {
    filter();
    const values = FILTERS.map((id) => [id, encodeURIComponent(find(id).value)]);
    const differs = find(DIFFER).checked ? "1" : "";
    keep("answers", { ...Object.fromEntries(values), [DIFFER]: differs, item: chosen && named(chosen) });
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
    const name = make("a");
    name.append(make("bdi", "", `${question.suite} ${question.id}`));
    head.append(name);
    const systems = make("div", question.answers.length > 12 ? "systems many" : "systems");
    if (systems.matches(".many")) systems.tabIndex = 0; // it scrolls by itself
    const place = ({ label }) => [find("system").value, find("other").value].indexOf(label) >>> 0; // those not chosen last
    const answers = [...question.answers].sort((one, other) => place(one) - place(other));
    systems.append(...answers.map((answer) => card(question, answer)));
    const facts = Object.entries(question.facets).map(([column, value]) => `${column}: ${value}`).join(" · ");
    const lenses = question.lenses.map(lensCard);
    const parts = [make("p", "remark facets", facts), make("p", "question", question.question), optionList(question)];
    find("item").replaceChildren(head, ...parts, systems, ...lenses);
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

  function fromAddress() {
    const part = readAddress();
    sorts.forEach((sort) => sort());
    for (const id of FILTERS) {
      find(id).value = decode(kept.get(id));
      if (find(id).selectedIndex === -1) find(id).value = ""; // a name that is not in this report
    }
    find(DIFFER).checked = kept.get(DIFFER) === "1";
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
  // A pair's link changes the filters, and leaves the tables in the order that they are in.
  find("tables").addEventListener("click", ({ target }) => {
    const link = target.closest("a.questions");
    if (!link) return;
    const sorted = [...kept].filter(([key]) => key.startsWith("table-"));
    link.dataset.filters ??= link.hash.slice(1);
    link.hash = address(link.dataset.filters, new Map(sorted));
    if (link.hash === location.hash) fromAddress();
  });
  addEventListener("hashchange", () => (location.hash.includes("=") ? fromAddress() : readAddress()));
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches?.("select, input:not([type=checkbox])")) return;
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
