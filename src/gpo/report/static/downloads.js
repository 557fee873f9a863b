// What the page holds, as files.
function csvCell(content) {
  if (content === null || content === undefined) return "";
  const text = String(content);
  // A spreadsheet takes a text that begins like this for a formula.
  const safe = typeof content === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csvText(grid) {
  const lines = [["split", "number", "id", "question", "expected", ...grid.prompts.flatMap(({ name }) => [`${name}: score`, `${name}: read`, `${name}: unreadable`])]];
  for (const { split, rows: all } of grid.splits) {
    all.forEach((row, i) => lines.push([split, i + 1, row.id, row.question, row.expected, ...row.cells.flatMap((cell) => (cell ? [cell[0], cell[2], cell[1]] : [null, null, null]))]));
  }
  return `${lines.map((line) => line.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

function download(kind) {
  const [text, type] = kind === "csv" ? [`\ufeff${csvText(state.data.grid)}`, "text/csv"] : [JSON.stringify(state.data, null, 1), "application/json"];
  const address = URL.createObjectURL(new Blob([text], { type }));
  const name = document.querySelector("h1").textContent.replace(/[^\w.-]+/g, "-");
  const link = h("a", { href: address, download: `${name}.${kind}` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
