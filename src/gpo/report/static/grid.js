// Examples by prompts, with filters; a cell opens the whole exchange.
const FILTERS = [
  ["all", "all"], ["right", "flipped to right"], ["wrong", "flipped to wrong"], ["never", "always wrong"],
];
const MOST_COLUMNS = 6;
const PAGE = 200;
const view = { split: null, filter: "all", columns: null, from: null, to: null, rows: PAGE };

const value = (row, column) => (row.cells[column] ? row.cells[column][0] : null);
const isRight = (share) => share !== null && share >= 0.5;

function passes(row) {
  const [before, now] = [value(row, view.from), value(row, view.to)];
  if (view.filter === "right") return before !== null && now !== null && now > before && isRight(now) !== isRight(before);
  if (view.filter === "wrong") return before !== null && now !== null && now < before && isRight(now) !== isRight(before);
  if (view.filter === "never") {
    const values = row.cells.map((cell) => cell && cell[0]).filter((share) => share !== null);
    return values.length > 0 && !values.some(isRight);
  }
  return true;
}

function drawGrid() {
  const { grid } = state.data;
  const root = $("grid");
  if (!grid.splits.length) return root.replaceChildren(h("p", { class: "soft" }, "No example is scored yet."));
  const last = grid.prompts.length - 1;
  view.split = grid.splits.find((part) => part.split === view.split) ? view.split : grid.splits[0].split;
  view.from = view.from ?? grid.initial;
  if (view.to === null || state.follows) { view.to = grid.best; state.follows = true; }
  const columns = view.columns || [...new Set([grid.initial, ...Array.from({ length: MOST_COLUMNS }, (_, i) => last - i).filter((i) => i > 0), grid.best])].sort((a, b) => a - b);
  const controls = h("div", { class: "controls" },
    choice("Split", grid.splits.map((part) => [part.split, `${part.split} (${part.rows.length})`]), view.split, (chosen) => { view.split = chosen; view.rows = PAGE; drawGrid(); }),
    choice("From", grid.prompts.map((prompt, i) => [String(i), prompt.name]), String(view.from), (chosen) => { view.from = Number(chosen); drawGrid(); }),
    choice("to", grid.prompts.map((prompt, i) => [String(i), prompt.name]), String(view.to), (chosen) => { view.to = Number(chosen); state.follows = false; drawGrid(); }),
    h("fieldset", {}, h("legend", {}, "Show"), FILTERS.map(([key, label]) => h("label", {},
      h("input", { type: "radio", name: "filter", value: key, checked: key === view.filter, onchange: () => { view.filter = key; view.rows = PAGE; drawGrid(); } }), label))));
  const shownColumns = [...new Set([...columns, view.from, view.to])].sort((a, b) => a - b);
  const picker = h("details", { open: root.querySelector("details[open]") !== null },
    h("summary", {}, `Prompts in the grid (${shownColumns.length} of ${grid.prompts.length})`),
    h("fieldset", {}, h("legend", { class: "hidden" }, "Prompts in the grid"), grid.prompts.map((prompt, i) => h("label", { title: prompt.text.slice(0, 400) },
      h("input", { type: "checkbox", name: "column", value: i, checked: shownColumns.includes(i), onchange: (event) => { view.columns = event.target.checked ? [...shownColumns, i] : shownColumns.filter((other) => other !== i); drawGrid(); } }), prompt.name))));
  const part = grid.splits.find((candidate) => candidate.split === view.split);
  const rows = part.rows.filter(passes);
  const kept = focusKey(root);
  root.replaceChildren(controls, picker,
    h("p", { class: "soft", id: "grid-count" }, `${rows.length} of ${part.rows.length} examples · ✓ right, ✗ wrong, ? no answer could be read, – not scored`),
    table(part, rows.slice(0, view.rows), shownColumns),
    rows.length > view.rows ? h("button", { type: "button", onclick: () => { view.rows += 5 * PAGE; drawGrid(); } }, `Show more (${rows.length - view.rows} left)`) : "");
  if (kept) root.querySelector(kept)?.focus();
}

function focusKey(root) {
  const node = document.activeElement;
  if (!root.contains(node)) return null;
  if (node.name) return node.tagName === "SELECT" ? `select[name="${node.name}"]` : `input[name="${node.name}"][value="${node.value}"]`;
  return node.dataset.key ? `[data-key="${CSS.escape(node.dataset.key)}"]` : null;
}

function choice(label, options, chosen, onchange) {
  return h("label", {}, h("span", { class: "soft" }, label),
    h("select", { name: label, onchange: (event) => onchange(event.target.value) }, options.map(([key, text]) => h("option", { value: key, selected: key === chosen }, text))));
}

function table(part, rows, columns) {
  const buttons = rows.map(() => []);
  const body = rows.map((row, r) => h("tr", {},
    h("th", { scope: "row", title: row.question || row.id }, row.question || row.id),
    columns.map((column) => {
      const cell = row.cells[column];
      const [sign, word, class_] = shownAs(cell);
      const key = `${part.split}/${row.id}/${column}`;
      const button = h("button", { type: "button", class: class_, tabindex: -1, "data-key": key, onclick: () => showExchange(part.split, row, column) },
        h("span", { "aria-hidden": "true" }, sign), h("span", { class: "hidden" }, word));
      buttons[r].push(button);
      return h("td", {}, cell ? button : "–");
    })));
  const node = h("table", { class: "cells" },
    h("caption", { class: "hidden" }, "Examples by prompts; the arrow keys move among the cells, Enter opens the exchange"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "question"), columns.map((column) => h("th", { scope: "col", title: state.data.grid.prompts[column].text.slice(0, 400) }, state.data.grid.prompts[column].name)))),
    h("tbody", {}, body));
  const onKey = roving(buttons.flat().filter((button) => button.isConnected || button.parentNode), (key, target) => {
    const r = buttons.findIndex((line) => line.includes(target));
    if (r < 0) return null;
    const c = buttons[r].indexOf(target);
    const moves = { ArrowUp: [r - 1, c], ArrowDown: [r + 1, c], ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1], Home: [r, 0], End: [r, columns.length - 1] };
    const next = moves[key] && buttons[moves[key][0]]?.[moves[key][1]];
    return next && next.parentNode ? next : null;
  });
  if (onKey) node.addEventListener("keydown", onKey);
  return h("div", { class: "gridbox", tabindex: 0, role: "region", "aria-label": "Examples by prompts" }, node);
}

function shownAs(cell) {
  if (!cell || cell[0] === null) return ["–", "not scored", ""];
  const [share, unreadable] = cell;
  if (unreadable) return ["?", "no answer could be read", "wrong"];
  if (share === 1) return ["✓", "right", "right"];
  if (share === 0) return ["✗", "wrong", "wrong"];
  return [(100 * share).toFixed(0), `${points(share)} of 100`, isRight(share) ? "right" : "wrong"];
}

async function showExchange(split, row, column) {
  const prompt = state.data.grid.prompts[column];
  const [, word] = shownAs(row.cells[column]);
  const read = row.cells[column][2];
  $("exchange-title").textContent = `${row.id} with the prompt of ${prompt.name}: ${word}`;
  const body = $("exchange-body");
  body.replaceChildren(h("p", { class: "soft" }, "Loading …"));
  $("exchange").showModal();
  const turns = await loadExchange(split, row.id, column);
  const facts = [
    row.expected === null ? null : h("p", {}, "Expected: ", h("b", {}, row.expected)),
    h("p", {}, "Read from the reply: ", h("b", {}, read === null ? "nothing" : read)),
  ];
  const text = (turns || []).map(([role, content]) => role === "reasoning"
    ? h("details", {}, h("summary", {}, "reasoning"), box(content, role))
    : [h("h3", {}, role), box(content, role)]);
  put(body, facts, ...(turns && turns.length ? text.flat()
    : [h("h3", {}, "prompt"), box(prompt.text, "prompt"), h("h3", {}, "question"), box(row.question || row.id, "question"),
      h("p", { class: "soft" }, "This file leaves the exchange out to stay small. `gpo view` shows every exchange.")]));
}
