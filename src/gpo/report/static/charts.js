// Marks of the charts: each stands for a candidate and shows it when pointed at or focused.
function find(name) {
  if (name === "initial") return { name, initial: true };
  const [step, index] = name.split(".").map(Number);
  const at = state.data.steps[step];
  const candidate = at && at.candidates[index];
  return candidate ? { name, step, index, at, candidate } : null;
}

function described(found) {
  if (found.initial) return `Initial prompt, dev ${points(state.data.initial.dev)}`;
  const { candidate, at } = found;
  const parts = [`Step ${found.step + 1}, candidate ${found.index + 1}${candidate.part ? ` of ${candidate.part}` : ""}`];
  if (candidate.rejected) parts.push("rejected");
  else parts.push(`dev ${points(candidate.dev)}${estimatedOn(candidate)}`);
  if (candidate.distance !== null) {
    const limit = at.limit === null ? "" : ` of at most ${at.limit}`;
    parts.push(`${candidate.distance} words changed${limit}`);
  }
  if (candidate.chosen) parts.push("became the current prompt");
  return parts.join(", ");
}

function select(name) {
  const found = find(name);
  const panel = $("candidate");
  if (!found || !panel || panel.dataset.name === name) return;
  panel.dataset.name = name;
  for (const node of document.querySelectorAll(".dot.now")) node.classList.remove("now");
  for (const node of document.querySelectorAll(`[data-c="${name}"]`)) node.classList.add("now");
  const text = found.initial ? [readable(state.data.initial.prompt)] : marked(found.candidate.diff);
  put(panel,
    h("div", { class: "bar" }, h("b", {}, described(found)),
      found.initial ? null : h("button", { type: "button", onclick: () => openCandidate(name) }, "Show its step")),
    found.candidate && found.candidate.rejected ? h("p", { class: "tag bad" }, `Rejected: ${found.candidate.rejected}`) : null,
    h("div", { class: "text" }, ...text));
}

function enhance(figure) {
  const svg = figure.querySelector("svg");
  const all = [...svg.querySelectorAll("[data-c]")];
  if (!all.length) return;
  svg.setAttribute("role", "group");
  for (const mark of all) {
    const found = find(mark.dataset.c);
    mark.setAttribute("role", "button");
    mark.setAttribute("aria-label", found ? described(found) : mark.dataset.c);
  }
  // Candidates are drawn on demand; those out of sight are no stops. Places are measured where they are first needed.
  const others = svg.querySelector(".others");
  const toggle = figure.parentNode.querySelector("input.candidates");
  let marks = [];
  let places = null;
  let onKey = null;
  const gather = () => {
    marks = all.filter((mark) => !others || !others.contains(mark) || (toggle && toggle.checked));
    places = null;
    onKey = roving(marks, (key, mark) => nextMark(placed(), key, mark));
  };
  const placed = () => {
    places = places || marks.map((mark) => {
      const area = mark.getBBox();
      return { mark, x: area.x + area.width / 2, y: area.y + area.height / 2, step: Number(mark.dataset.c.split(".")[0]) };
    }).map((place) => (Number.isNaN(place.step) ? { ...place, step: -1 } : place));
    return places;
  };
  gather();
  if (toggle) toggle.addEventListener("change", gather);
  // On the figure: an SVG element that listens to focus becomes a stop of the Tab key itself.
  figure.addEventListener("keydown", (event) => {
    if (!event.target.dataset.c) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      openCandidate(event.target.dataset.c);
    } else if (onKey) onKey(event);
  });
  figure.addEventListener("focusin", (event) => event.target.dataset.c && select(event.target.dataset.c));
  const near = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const reach = 16 * Math.max(1, 500 / svg.clientWidth);
    let best = null;
    for (const place of placed()) {
      const away = Math.hypot(place.x - at.x, place.y - at.y);
      if (away < reach && (!best || away < best.away)) best = { mark: place.mark, away };
    }
    return best && best.mark.dataset.c;
  };
  svg.addEventListener("pointermove", (event) => { const name = near(event); if (name) select(name); });
  svg.addEventListener("click", (event) => { const name = near(event); if (name) { select(name); openCandidate(name, event.pointerType === "touch"); } });
}

// Left and right go to the nearest mark of the next step, up and down along the marks of one step.
function nextMark(places, key, mark) {
  const here = places.find((place) => place.mark === mark);
  if (!here) return null;
  const column = (step) => places.filter((place) => place.step === step).sort((a, b) => a.y - b.y || a.x - b.x);
  const steps = [...new Set(places.map((place) => place.step))].sort((a, b) => a - b);
  const at = steps.indexOf(here.step);
  if (key === "ArrowUp" || key === "ArrowDown") {
    const line = column(here.step);
    const next = line[line.indexOf(here) + (key === "ArrowUp" ? -1 : 1)];
    return next && next.mark;
  }
  const target = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: steps.length - 1 }[key];
  if (target === undefined || target < 0 || target >= steps.length) return null;
  const away = (place) => Math.abs(place.y - here.y);
  return column(steps[target]).reduce((a, b) => (away(b) < away(a) ? b : a)).mark;
}
