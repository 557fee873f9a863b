// A run that goes on: ask for what is new, and leave alone what the reader is in.
let version = "";

async function poll() {
  const began = performance.now();
  let over = false;
  try {
    const response = await fetch(`/state?${new URLSearchParams({ run: live, since: version })}`);
    const news = await response.json();
    if (!response.ok) throw new Error(news.error);
    if (news.version !== version) update(news);
    over = news.status === "complete";
    if (document.body.dataset.lost) { delete document.body.dataset.lost; say("Connected again"); }
  } catch (error) {
    if (!document.body.dataset.lost) { document.body.dataset.lost = "1"; say(`No news from gpo view (${error.message})`); }
  }
  // A long run takes longer to read: leave the server most of the time to others.
  if (!over) setTimeout(poll, Math.max(2000, 5 * (performance.now() - began)));
}

function update(news) {
  version = news.version;
  state.data = news.details;
  const active = document.activeElement;
  const name = active && active.dataset ? active.dataset.c : null; // a mark of a chart
  const chart = active && active.closest ? active.closest("[data-section]")?.dataset.section : null;
  for (const node of document.querySelectorAll("[data-section]")) {
    const html = news.sections[node.dataset.section];
    if (html === undefined || node.dataset.html === html) continue;
    const open = [...node.querySelectorAll("details")].map((part) => part.open);
    const checked = [...node.querySelectorAll("input:checked")].map((part) => part.id);
    const held = node.contains(active) && active.id ? active.id : null;
    const panel = node.querySelector("#candidate");
    node.innerHTML = html; // from our own server, which escaped every text
    node.dataset.html = html;
    node.querySelectorAll("details").forEach((part, i) => { part.open = open[i] || false; });
    for (const id of checked) if ($(id)) $(id).checked = true;
    if (held) $(held)?.focus({ preventScroll: true });
    if (panel && panel.dataset.name) node.querySelector("#candidate").replaceWith(panel);
  }
  draw();
  if (name && chart) document.querySelector(`[data-section="${chart}"] [data-c="${name}"]`)?.focus({ preventScroll: true });
  document.body.dataset.ready = "1";
}

start();
