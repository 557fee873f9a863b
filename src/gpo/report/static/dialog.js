// One example: the whole exchange with each prompt, and the way to the example before and after it.
const exchange = { r: 0, column: 0 };

function openExchange(r, column) {
  Object.assign(exchange, { r, column });
  if (!$("exchange").open) $("exchange").showModal();
  return drawExchange();
}

async function drawExchange() {
  const { r, column } = exchange;
  const row = rows.list[r];
  const { prompts } = state.data.grid;
  const prompt = prompts[column];
  const [, word] = shownAs(row.cells[column]);
  $("exchange-title").textContent = `Example ${row.number} with the ${/^(initial|best)/.test(prompt.name) ? "" : "prompt of "}${prompt.name}${/^(initial|best)/.test(prompt.name) ? " prompt" : ""}: ${word}`;
  for (const button of document.querySelectorAll("[data-walk]")) {
    const next = r + Number(button.dataset.walk);
    button.disabled = next < 0 || next >= rows.list.length;
  }
  const body = $("exchange-body");
  body.replaceChildren(h("p", { class: "soft" }, "Loading …"));
  const split = view.split;
  let turns = null;
  let trouble = "";
  try { turns = await loadExchange(split, row.id, column); } catch (error) { trouble = error.message; }
  if (exchange.r !== r || exchange.column !== column) return;  // it was turned on meanwhile
  const read = row.cells[column] ? row.cells[column][2] : null;
  put(body,
    h("p", { class: "soft" }, row.id),
    row.expected === null ? null : h("p", {}, "Expected: ", h("b", {}, row.expected)),
    h("p", {}, "Read from the reply: ", h("b", {}, read === null ? "nothing" : read)),
    promptButtons(row, column),
    turns && turns.length ? turns.map(turnNodes).flat() : leftOut(row, prompt, turns, trouble));
}

// All prompts that this example was scored with.
function promptButtons(row, column) {
  const scored = state.data.grid.prompts.map((prompt, i) => [prompt, i]).filter(([, i]) => row.cells[i]);
  return h("div", { class: "prompts", role: "group", "aria-label": "All prompts for this example" }, scored.map(([prompt, i]) => {
    const [sign, word, class_] = shownAs(row.cells[i]);
    return h("button", { type: "button", class: class_, "aria-pressed": String(i === column), title: readable(prompt.text).slice(0, 400),
      onclick: () => { exchange.column = i; drawExchange().then(() => $("exchange-body").querySelector('[aria-pressed="true"]')?.focus()); } },
    h("span", { "aria-hidden": "true" }, sign), h("span", { class: "hidden" }, word), ` ${prompt.name}`);
  }));
}

function turnNodes([role, content]) {
  return role === "reasoning" ? [h("details", {}, h("summary", {}, "reasoning"), box(content, role))] : [h("h3", {}, role), box(content, role)];
}

function leftOut(row, prompt, turns, trouble) {
  const why = trouble ? `The exchange cannot be loaded (${trouble}).`
    : turns ? "No call is recorded for this score: its answer was taken over from elsewhere."
      : "This file leaves the exchange out to stay small. `gpo view` shows every exchange.";
  return [h("h3", {}, "prompt"), box(readable(prompt.text), "prompt"), h("h3", {}, "question"), box(row.question || row.id, "question"), h("p", { class: "soft" }, why)];
}

$("exchange")?.addEventListener("close", () => focusCell(exchange.r, Math.max(0, view.columns.indexOf(exchange.column))));
