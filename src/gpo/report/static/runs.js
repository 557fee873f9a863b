// The list of runs: sorted and filtered here, brought up to date from the server.
const listing = { by: null, down: true };

function sortRuns() {
  const body = $("runs").querySelector("tbody");
  if (!body) return;
  if (listing.by !== null) {
    const numeric = listing.numeric;
    const value = (row) => row.querySelectorAll("[data-v]")[listing.by].dataset.v;
    const known = (row) => value(row) !== "";
    const order = (a, b) => (numeric ? Number(value(a)) - Number(value(b)) : value(a).localeCompare(value(b)));
    // What is not known comes last in both directions.
    body.append(...[...body.rows].sort((a, b) => known(b) - known(a) || (listing.down ? order(b, a) : order(a, b))));
    for (const head of $("runs").querySelectorAll("thead th")) head.removeAttribute("aria-sort");
    $("runs").querySelector(`[data-runs-sort="${listing.by}"]`).parentNode.setAttribute("aria-sort", listing.down ? "descending" : "ascending");
  }
  const wanted = $("runs-filter").value.toLowerCase().split(/\s+/);
  for (const row of body.rows) row.hidden = !wanted.every((word) => row.textContent.toLowerCase().includes(word));
  const shown = [...body.rows].filter((row) => !row.hidden).length;
  const told = shown === body.rows.length ? "" : `${shown} of ${body.rows.length} runs`;
  if ($("runs-count").textContent !== told) $("runs-count").textContent = told;
}

function countChosen() {
  const chosen = $("runs").querySelectorAll("tbody input:checked").length;
  $("runs-chosen").textContent = chosen ? `${chosen} ticked` : "those that are ticked, or all that are shown";
}

function updateRuns(fresh) {
  $("runs").dataset.version = fresh.querySelector("#runs").dataset.version;
  for (const id of ["runs-total", "runs-damaged"]) if ($(id) && fresh.getElementById(id)) $(id).replaceChildren(...fresh.getElementById(id).childNodes);
  const [old, next] = [$("runs").querySelector("tbody"), fresh.querySelector("#runs tbody")];
  if (!old || !next) { if (Boolean(old) !== Boolean(next)) location.reload(); return; }
  const rows = new Map([...old.rows].map((row) => [row.dataset.name, row]));
  for (const [place, row] of [...next.rows].entries()) {
    const known = rows.get(row.dataset.name);
    rows.delete(row.dataset.name);
    // The box that is ticked and the link that has the focus stay: only the cells of figures are changed.
    if (!known) old.insertBefore(document.adoptNode(row), old.rows[place] || null);
    else [...row.cells].slice(2).forEach((cell, i) => { if (cell.outerHTML !== known.cells[i + 2].outerHTML) known.cells[i + 2].replaceWith(document.adoptNode(cell)); });
  }
  for (const gone of rows.values()) gone.remove();
  countChosen();
  sortRuns();
}

async function pollRuns() {
  const began = performance.now();
  try {
    const response = await fetch(`/?${new URLSearchParams({ since: $("runs").dataset.version })}`);
    if (response.status === 200) updateRuns(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch { /* gpo view has ended; it is asked again */ }
  setTimeout(pollRuns, Math.max(2000, 10 * (performance.now() - began)));
}

if ($("runs")) {
  $("runs").addEventListener("input", (event) => event.target.id === "runs-filter" && sortRuns());
  $("runs").addEventListener("change", (event) => event.target.type === "checkbox" && countChosen());
  $("runs").addEventListener("submit", (event) => {
    // None ticked: those that the filter leaves, named where they are not all.
    const all = [...event.target.querySelectorAll("tbody tr")];
    const shown = all.filter((row) => !row.hidden);
    if (!all.some((row) => row.querySelector("input").checked) && shown.length < all.length) for (const row of shown) row.querySelector("input").checked = true;
  });
  $("runs").addEventListener("keydown", (event) => event.target.id === "runs-filter" && event.key === "Enter" && event.preventDefault());
  $("runs").addEventListener("click", (event) => {
    const button = event.target.closest("[data-runs-sort]");
    if (!button) return;
    const by = Number(button.dataset.runsSort);
    const numeric = button.parentNode.classList.contains("num") || button.textContent === "started";
    Object.assign(listing, { by, numeric, down: listing.by === by ? !listing.down : numeric });
    sortRuns();
  });
  setTimeout(pollRuns, 2000);
  document.body.dataset.ready = "1";
}
