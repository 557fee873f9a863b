// Runs compared: any two of them, and one line followed among many.
async function showPair() {
  const [first, second] = [$("pair-first").value, $("pair-second").value];
  const asked = `${first}\n${second}`;
  state.asked = asked;
  let html = null;
  let trouble = first === second ? "Choose two different runs." : "";
  if (!trouble) {
    try {
      if ($("pairs")) {
        state.pairs = state.pairs || await unpack($("pairs").textContent);
        html = state.pairs[`${first}-${second}`] ?? null;
        if (html === null) trouble = "This file does not hold the pair; gpo view compares any two.";
      } else {
        const response = await fetch(`/pair?${new URLSearchParams({ first, second })}`);
        const text = await response.text();
        if (response.ok) html = text; else throw new Error(JSON.parse(text).error);
      }
    } catch (error) { trouble = `The pair cannot be loaded (${error.message}).`; }
  }
  if (state.asked !== asked) return; // it was chosen anew meanwhile
  if (html === null) put($("pair"), h("p", { class: "verdict" }, trouble));
  else $("pair").innerHTML = html; // from our own server or file, which escaped every text
  say($("pair").querySelector(".verdict")?.textContent || "");
}

function follow(event) {
  const over = event.type === "pointerleave" ? null : event.target.closest("[data-group]");
  for (const node of document.querySelectorAll("[data-groups] [data-group]")) node.classList.toggle("away", Boolean(over) && node.dataset.group !== over.dataset.group);
}

for (const area of document.querySelectorAll("[data-groups]")) {
  area.addEventListener("pointerover", follow);
  area.addEventListener("pointerleave", follow);
}
if ($("pair-form")) {
  $("pair-form").addEventListener("submit", (event) => event.preventDefault());
  $("pair-form").addEventListener("change", showPair);
  $("pair-swap").addEventListener("click", () => {
    const [first, second] = [$("pair-first"), $("pair-second")];
    [first.value, second.value] = [second.value, first.value];
    showPair();
  });
}
if ($("table")) document.body.dataset.ready = "1";
