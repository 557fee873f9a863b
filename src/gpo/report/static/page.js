// What the page holds, and its start.
const state = { data: null, exchanges: null, follows: true };
const live = document.body.dataset.live || null;

async function loadExchange(split, example, column) {
  if (live) {
    const query = new URLSearchParams({ run: live, split, example, prompt: column });
    const response = await fetch(`/exchange?${query}`);
    const news = await response.json();
    if (!response.ok) throw new Error(news.error);
    return news.turns;
  }
  state.exchanges = state.exchanges || await unpack($("exchanges").textContent);
  return state.exchanges[`${split}/${example}/${column}`];
}

function draw() {
  for (const figure of document.querySelectorAll("[data-chart]")) {
    if (!figure.dataset.ready) enhance(figure);
    figure.dataset.ready = "1";
  }
  drawSteps();
  drawGrid();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-close], [data-walk], [data-filter], [data-download]");
  if (!button) return;
  if (button.dataset.walk) return void openExchange(exchange.r + Number(button.dataset.walk), exchange.column);
  if (button.dataset.filter) return void (state.data && showFiltered(button.dataset.split, button.dataset.filter));
  if (button.dataset.download) return void (state.data && download(button.dataset.download));
  if ("close" in button.dataset) return button.closest("dialog").close();
  const source = $(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    say("Copied");
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    say("Selected; press Ctrl+C to copy");
    button.textContent = "Selected: press Ctrl+C";
  }
});

async function start() {
  if (!$("steps")) return;
  if (live) return poll();
  try {
    state.data = await unpack($("details").textContent);
  } catch (error) {
    return $("grid").replaceChildren(h("p", {}, `This browser cannot show the details (${error.message}).`));
  }
  draw();
  document.body.dataset.ready = "1";
}
