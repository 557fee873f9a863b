// Building the document. Texts only ever become text nodes.
const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);

function h(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...present(children));
  return node;
}

const present = (children) => children.flat().filter((child) => child !== null && child !== undefined);
const put = (node, ...children) => node.replaceChildren(...present(children));

const points = (share) => (share === null || share === undefined ? "–" : (100 * share).toFixed(1));
// A mean over a part of dev is not to be taken for one over all of it.
const estimatedOn = (candidate) => (!candidate.estimated ? ""
  : candidate.estimated_on ? ` (estimated on ${candidate.estimated_on} dev rows)` : " (estimated on a part of dev)");
// Several prompts in one text, as they are kept: for reading, each behind its name.
const PART = /<Part ([^>\n]+)>\n([^]*?)\n<\/Part>/g;
const readable = (text) => ((text.match(PART) || []).length > 1 && !text.replace(PART, "").trim() ? text.replace(PART, "$1:\n$2") : text);
const say = (text) => { $("said").textContent = text; };

function marked(diff) {
  // A removed last word has no space behind it; what follows must not grow onto it.
  return diff.flatMap(([kind, text]) => (kind === "=" ? [text] : kind === "+" ? [h("ins", {}, text)] : [h("del", {}, text), /\s$/.test(text) ? "" : " "]));
}

function box(text, label) {
  return h("pre", { tabindex: 0, role: "region", "aria-label": label }, text);
}

// What `gpo.report.embed.pack` wrote.
async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

// `nodes` are one stop of the Tab key; `move(event, node)` names the next one for a key.
function roving(nodes, move) {
  if (!nodes.length) return null;
  const stop = nodes.find((node) => node.getAttribute("tabindex") === "0") || nodes[0];
  for (const node of nodes) node.setAttribute("tabindex", node === stop ? "0" : "-1");
  return (event) => {
    const next = move(event.key, event.target);
    if (!next) return;
    event.preventDefault();
    for (const node of nodes) if (node.getAttribute("tabindex") === "0") node.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  };
}
