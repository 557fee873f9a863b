// The table of examples. Of thousands of rows those in sight are in the document, and a few around them.
const AROUND = 20;
const rows = { list: [], from: -1, to: -1, height: 0, row: 0, column: 0, box: null, body: null };

function makeTable(part) {
  const sorter = (by, label, title) => h("th", { scope: "col", title, "aria-sort": view.order && view.order.by === by ? (view.order.down ? "descending" : "ascending") : null },
    h("button", { type: "button", "data-sort": by, onclick: () => sortBy(by) }, label, h("span", { "aria-hidden": "true" }, view.order && view.order.by === by ? (view.order.down ? " ↓" : " ↑") : "")));
  const { prompts } = state.data.grid;
  rows.body = h("tbody");
  rows.box = h("div", { class: "gridbox", tabindex: 0, role: "region", "aria-label": "Examples by prompts", "data-split": part.split },
    h("table", { class: "cells", "aria-colcount": 2 + view.columns.length },
      h("caption", { class: "hidden" }, "Examples by prompts; the arrow keys move among the cells, Enter opens the exchange"),
      h("thead", {}, h("tr", { "aria-rowindex": 1 }, sorter("question", "question"), sorter("expected", "expected"),
        view.columns.map((column) => sorter(column, prompts[column].name, prompts[column].text.slice(0, 400))))),
      rows.body));
  rows.box.addEventListener("scroll", () => requestAnimationFrame(() => drawRows(false)));
  rows.body.addEventListener("keydown", moveCell);
  return rows.box;
}

// First up, then down, then the order of the data again.
function sortBy(by) {
  const same = view.order && view.order.by === by;
  view.order = same && view.order.down ? null : { by, down: Boolean(same) };
  drawGrid();
}

function showRows(list) {
  Object.assign(rows, { list, row: Math.min(rows.row, Math.max(0, list.length - 1)), column: Math.min(rows.column, view.columns.length - 1) });
  rows.box.querySelector("table").setAttribute("aria-rowcount", list.length + 1);
  rows.box.scrollTop = 0;
  drawRows(true);
}

function drawRows(fresh, whole = false) {
  if (!rows.height && rows.list.length) {
    const probe = rowNode(rows.list[0], 0);
    rows.body.replaceChildren(probe);
    rows.height = probe.getBoundingClientRect().height || 32;
  }
  const first = Math.floor(rows.box.scrollTop / rows.height);
  const seen = Math.ceil((rows.box.clientHeight || 600) / rows.height);
  const from = whole ? 0 : Math.max(0, Math.min(first, rows.list.length) - AROUND);
  const to = whole ? rows.list.length : Math.min(rows.list.length, first + seen + AROUND);
  if (!fresh && !whole && from <= rows.from + AROUND / 2 && from >= rows.from - AROUND / 2 && (first >= rows.from && first + seen <= rows.to || to === rows.to)) return;
  Object.assign(rows, { from, to });
  const active = document.activeElement;
  const key = rows.body.contains(active) ? active.dataset.key : null;
  rows.body.replaceChildren(gap(from), ...rows.list.slice(from, to).map((row, i) => rowNode(row, from + i)), gap(rows.list.length - to));
  if (!rows.body.querySelector('button[tabindex="0"]')) rows.body.querySelector("button")?.setAttribute("tabindex", "0");
  if (key) (rows.body.querySelector(`[data-key="${CSS.escape(key)}"]`) || rows.box).focus({ preventScroll: true });
}

function gap(count) {
  const cell = h("td", { colspan: 2 + view.columns.length });
  const node = h("tr", { class: "gap", "aria-hidden": "true" }, cell);
  node.hidden = !count;
  cell.style.height = `${count * rows.height}px`;
  return node;
}

function rowNode(row, r) {
  return h("tr", { "aria-rowindex": r + 2 },
    h("th", { scope: "row", title: row.question || row.id }, h("span", { class: "no" }, row.number), row.question || row.id),
    h("td", { title: row.expected }, row.expected === null ? "–" : row.expected),
    view.columns.map((column, c) => cellNode(row, r, column, c)));
}

function cellNode(row, r, column, c) {
  const cell = row.cells[column];
  if (!cell) return h("td", {}, "–");
  const [sign, word, class_] = shownAs(cell);
  return h("td", {}, h("button", { type: "button", class: `${class_} ${gradient(row, column)}`, tabindex: r === rows.row && c === rows.column ? 0 : -1,
    "data-key": `${view.split}/${row.id}/${column}`, "data-r": r, "data-c-index": c, title: cell[2] ?? cell[3], onclick: () => openExchange(r, column) },
    h("span", { "aria-hidden": "true" }, sign), h("span", { class: "hidden" }, word), cell[2] !== null ? ` ${cell[2].slice(0, 80)}` : cell[3] ? h("span", { class: "said" }, ` “${cell[3]}”`) : ""));
}

// Of graded scores: how much better or worse than with the prompt on the left, in four shades.
function gradient(row, column) {
  const [before, now] = [value(row, view.from), value(row, column)];
  if (column === view.from || before === null || now === null || (Number.isInteger(before) && Number.isInteger(now))) return "";
  const shade = Math.min(4, Math.ceil(4 * Math.abs(now - before)));
  return shade ? `${now > before ? "gain" : "loss"}${shade}` : "";
}

function shownAs(cell) {
  if (!cell || cell[0] === null) return ["–", "not scored", ""];
  const [share, unreadable] = cell;
  if (unreadable) return ["?", "no answer could be read", "wrong"];
  if (share === 1) return ["✓", "right", "right"];
  if (share === 0) return ["✗", "wrong", "wrong"];
  return [(100 * share).toFixed(0), `${points(share)} of 100`, isRight(share) ? "right" : "wrong"];
}

function moveCell(event) {
  const { r, cIndex } = event.target.dataset;
  if (r === undefined) return;
  const [row, column, page] = [Number(r), Number(cIndex), Math.max(1, Math.floor(rows.box.clientHeight / rows.height) - 2)];
  const next = {
    ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
    PageUp: [Math.max(0, row - page), column], PageDown: [Math.min(rows.list.length - 1, row + page), column],
    Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? rows.list.length - 1 : row, view.columns.length - 1],
  }[event.key];
  if (!next) return;
  event.preventDefault();
  focusCell(...next);
}

function focusCell(r, c) {
  if (r < 0 || r >= rows.list.length || c < 0 || c >= view.columns.length) return;
  const head = rows.box.querySelector("thead").getBoundingClientRect().height;
  const [top, bottom] = [r * rows.height, (r + 1) * rows.height + head];
  if (top < rows.box.scrollTop) rows.box.scrollTop = top;
  else if (bottom > rows.box.scrollTop + rows.box.clientHeight) rows.box.scrollTop = bottom - rows.box.clientHeight;
  Object.assign(rows, { row: r, column: c });
  drawRows(r < rows.from || r >= rows.to);
  for (const node of rows.body.querySelectorAll('button[tabindex="0"]')) node.setAttribute("tabindex", "-1");
  const button = rows.body.querySelector(`[data-r="${r}"][data-c-index="${c}"]`);
  if (!button) return;
  button.setAttribute("tabindex", "0");
  button.focus({ preventScroll: c === 0 });
}

// On paper there is no scrolling.
addEventListener("beforeprint", () => rows.body && rows.list.length <= 1000 && drawRows(true, true));
addEventListener("afterprint", () => rows.body && drawRows(true));
