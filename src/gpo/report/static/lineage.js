// The steps, each filled when it is opened for the first time.
function drawSteps() {
  const list = $("steps");
  const { steps } = state.data;
  if (!steps.length) return list.replaceChildren(h("p", { class: "soft" }, "No step is finished yet."));
  if (list.firstChild && list.firstChild.tagName === "P") list.replaceChildren();
  for (let number = list.children.length; number < steps.length; number++) list.append(stepNode(number));
}

function stepNode(number) {
  const step = state.data.steps[number];
  const rejected = step.candidates.filter((candidate) => candidate.rejected).length;
  const facts = [
    ...(step.part ? [`changes ${step.part}`] : []),
    step.limit === null ? "no edit limit" : `at most ${step.limit} words`,
    `${step.candidates.length} replies${rejected ? `, ${rejected} rejected` : ""}`,
    `dev ${points(step.parentDev)} → ${points(step.dev)}`,
  ];
  const node = h("details", { class: "step", id: `step-${number + 1}` },
    h("summary", {}, h("b", {}, `Step ${number + 1}`), ` · ${facts.join(" · ")}`));
  node.addEventListener("toggle", () => node.open && fill(node, number));
  return node;
}

function fill(node, number) {
  if (node.querySelector(".inside")) return;
  const step = state.data.steps[number];
  const shown = step.shown.map((point) => h("li", {},
    `dev ${points(point.dev)}${point.step === null ? "" : point.step === 0 ? ", the initial prompt" : `, after step ${point.step}`}: `,
    h("span", { class: "text" }, readable(point.prompt))));
  node.append(h("div", { class: "inside" },
    h("h3", {}, `Parent prompt (dev ${points(step.parentDev)})`), box(readable(step.parent), `Parent prompt of step ${number + 1}`),
    h("h3", {}, "Trajectory that the optimizer was shown"),
    step.summary !== null ? box(step.summary, `Summary of the trajectory, step ${number + 1}`)
      : shown.length ? h("ol", {}, shown) : h("p", { class: "soft" }, "Nothing but the current prompt."),
    step.reflection === null ? null : [h("h3", {}, "Reflection"), box(step.reflection, `Reflection of step ${number + 1}`)],
    step.meta.length ? more("Full meta-prompt", () => step.meta.map(([role, text], turn) => [h("p", { class: "soft" }, role), box(text, `Meta-prompt of step ${number + 1}, turn ${turn + 1}, ${role}`)])) : null,
    h("h3", {}, "Candidates"),
    h("div", {}, step.candidates.map((candidate, index) => candidateNode(step, candidate, number, index)))));
  for (const text of node.querySelectorAll(".candidate .text")) scrolling.observe(text);
}

// A text that scrolls is a stop of the Tab key; one that fits is none.
const scrolling = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls = target.scrollHeight > target.clientHeight;
    for (const [name, value] of [["tabindex", "0"], ["role", "group"], ["aria-label", "Text that scrolls"]]) {
      if (scrolls) target.setAttribute(name, value);
      else target.removeAttribute(name);
    }
  }
});

function candidateNode(step, candidate, number, index) {
  const tag = candidate.rejected ? h("span", { class: "tag bad" }, `✗ rejected: ${candidate.rejected}`)
    : h("span", { class: candidate.chosen ? "tag good" : "tag" },
      `${candidate.chosen ? "◆ " : ""}dev ${points(candidate.dev)}${estimatedOn(candidate)}${candidate.chosen ? ", became the current prompt" : ""}`);
  const attempt = candidate.attempt ? ` · asked again (${candidate.attempt})` : "";
  return h("div", { class: "candidate", id: `candidate-${number}-${index}`, tabindex: -1 },
    h("div", {}, h("b", {}, `${index + 1}. `), candidate.part && candidate.part !== step.part ? `${candidate.part}: ` : "", tag,
      candidate.distance === null ? "" : ` · ${candidate.distance} words changed`, attempt),
    candidate.parent === null ? null : h("p", { class: "soft text" }, `made from: ${readable(candidate.parent)}`),
    h("div", { class: "text" }, ...marked(candidate.diff)),
    more("Raw reply", () => [box(candidate.raw, `Raw reply ${index + 1} of step ${number + 1}`)]));
}

function more(title, content) {
  const node = h("details", {}, h("summary", {}, title));
  node.addEventListener("toggle", () => node.open && node.children.length === 1 && node.append(...content().flat()), { once: true });
  return node;
}

function openCandidate(name, stay = false) {
  if (name === "initial" || stay) return;
  const [number, index] = name.split(".").map(Number);
  const node = $(`step-${number + 1}`);
  if (!node) return;
  for (let outer = node; outer; outer = outer.parentElement.closest("details")) outer.open = true;
  fill(node, number);
  const candidate = $(`candidate-${number}-${index}`);
  candidate.scrollIntoView({ block: "center" });
  candidate.focus({ preventScroll: true });
}
