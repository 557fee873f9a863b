// Examples: the initial prompt against the best one, with filters, search and order. What is chosen is in `view`.
const FILTERS = {
  all: ["all", () => true],
  fixed: ["fixed", (before, now) => !isRight(before) && isRight(now)],
  broken: ["broken", (before, now) => isRight(before) && !isRight(now)],
  never: ["never right", (before, now) => !isRight(before) && !isRight(now)],
  right: ["right both times", (before, now) => isRight(before) && isRight(now)],
  improved: ["improved", (before, now) => now > before],
  worse: ["worse", (before, now) => now < before],
  same: ["the same", (before, now) => now === before],
};
const BINARY = ["all", "fixed", "broken", "never", "right"];
const GRADED = ["all", "improved", "worse", "same"];
const view = { split: null, filter: "all", search: "", order: null, columns: [], from: null, to: null };

const value = (row, column) => (row.cells[column] ? row.cells[column][0] : null);
const isRight = (share) => share >= 0.5;
const currentPart = () => state.data.grid.splits.find((part) => part.split === view.split);
// Of the two prompts that are compared, as in the counts of what changed.
const isGraded = (part) => part.rows.some((row) => {
  const pair = [value(row, view.from), value(row, view.to)];
  return !pair.includes(null) && pair.some((share) => share !== 0 && share !== 1);
});

function passes(row) {
  const [before, now] = [value(row, view.from), value(row, view.to)];
  if (view.filter !== "all" && (before === null || now === null || !FILTERS[view.filter][1](before, now))) return false;
  if (!view.search) return true;
  const texts = [row.id, row.question, row.expected, ...view.columns.map((column) => row.cells[column] && row.cells[column][2])];
  return texts.some((text) => text && text.toLowerCase().includes(view.search));
}

// Numbers before texts, what is missing last; equal ones stay in the order of the data.
function ordered(rows) {
  if (!view.order) return rows;
  const { by, down } = view.order;
  const of = by === "question" ? (row) => row.question || row.id : by === "expected" ? (row) => row.expected : (row) => value(row, by);
  const keyed = rows.map((row) => [of(row), row]);
  const sign = down ? -1 : 1;
  keyed.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null)
    : typeof a === "number" ? sign * (a - b) : sign * a.localeCompare(b, undefined, { numeric: true })));
  return keyed.map(([, row]) => row);
}

function drawGrid() {
  const { grid } = state.data;
  const root = $("grid");
  if (!grid.splits.length) return root.replaceChildren(h("p", { class: "soft" }, "No example is scored yet."));
  const has = (split) => grid.splits.some((part) => part.split === split);
  if (!has(view.split)) view.split = has("test") ? "test" : grid.splits[0].split;
  if (view.from === null) view.from = grid.initial;
  if (view.to === null || state.follows) view.to = grid.best;
  const part = currentPart();
  const filters = isGraded(part) ? GRADED : BINARY;
  if (!filters.includes(view.filter)) view.filter = "all";
  part.rows.forEach((row, i) => { row.number = i + 1; });
  const prompts = grid.prompts.map((prompt, i) => [String(i), prompt.name]);
  const redraw = (change) => (chosen) => { change(chosen); drawGrid(); };
  const controls = h("div", { class: "controls" },
    choice("Rows", grid.splits.map(({ split, rows }) => [split, `${split === "test" ? "held-out test" : split} (${rows.length.toLocaleString("en")})`]), view.split, redraw((chosen) => { view.split = chosen; })),
    choice("Compare", prompts, String(view.from), redraw((chosen) => { view.from = Number(chosen); })),
    choice("with", prompts, String(view.to), redraw((chosen) => { view.to = Number(chosen); state.follows = false; })),
    h("label", {}, h("span", { class: "soft" }, "Search"), h("input", { type: "search", name: "search", value: view.search, oninput: (event) => { view.search = event.target.value.toLowerCase(); fillRows(); } })),
    h("fieldset", {}, h("legend", {}, "Show"), filters.map((key) => h("label", {},
      h("input", { type: "radio", name: "filter", value: key, checked: key === view.filter, onchange: redraw(() => { view.filter = key; }) }), FILTERS[key][0]))));
  const extra = view.columns.filter((column) => column !== view.from && column !== view.to && column < prompts.length);
  view.columns = [...new Set([view.from, ...extra.sort((a, b) => a - b), view.to])];
  const picker = grid.prompts.length < 3 ? null : h("details", { open: root.querySelector("details[open]") !== null },
    h("summary", {}, `More prompts beside them (${view.columns.length} of ${prompts.length} shown)`),
    h("fieldset", {}, h("legend", { class: "hidden" }, "Prompts in the table"), grid.prompts.map((prompt, i) => h("label", { title: prompt.text.slice(0, 400) },
      h("input", { type: "checkbox", name: "column", value: i, checked: view.columns.includes(i), disabled: i === view.from || i === view.to,
        onchange: redraw(() => { view.columns = view.columns.includes(i) ? view.columns.filter((other) => other !== i) : [...view.columns, i]; }) }), prompt.name))));
  const kept = focusKey(root);
  const before = root.querySelector(".gridbox");
  const at = before && before.dataset.split === part.split ? before.scrollTop : 0;
  put(root, controls, picker, h("p", { class: "soft", id: "grid-count", role: "status" }), makeTable(part));
  fillRows();
  root.querySelector(".gridbox").scrollTop = at;
  if (kept) root.querySelector(kept)?.focus();
}

function fillRows() {
  const part = currentPart();
  showRows(ordered(part.rows.filter(passes)));
  $("grid-count").textContent = `${rows.list.length.toLocaleString("en")} of ${part.rows.length.toLocaleString("en")} examples · ✓ right, ✗ wrong, ? no answer could be read, – not scored · a cell opens the whole exchange`;
}

function showFiltered(split, filter) {
  Object.assign(view, { split, filter, search: "", from: state.data.grid.initial, to: state.data.grid.best });
  drawGrid();
  $("examples").scrollIntoView();
  $("grid").querySelector(`input[name="filter"][value="${view.filter}"]`)?.focus({ preventScroll: true });
}

function focusKey(root) {
  const node = document.activeElement;
  if (!root.contains(node)) return null;
  if (node.name) return node.tagName === "SELECT" ? `select[name="${node.name}"]` : node.type === "search" ? 'input[type="search"]' : `input[name="${node.name}"][value="${node.value}"]`;
  const key = ["key", "sort"].find((name) => node.dataset[name]);
  return key ? `[data-${key}="${CSS.escape(node.dataset[key])}"]` : null;
}

function choice(label, options, chosen, onchange) {
  return h("label", {}, h("span", { class: "soft" }, label),
    h("select", { name: label, onchange: (event) => onchange(event.target.value) }, options.map(([key, text]) => h("option", { value: key, selected: key === chosen }, text))));
}
