"use strict";
(() => {
  const value = (cell) => (cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value));

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // what is missing comes last
    return a.localeCompare(b, "en", { numeric: true });
  }

  function sort(button) {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const column = head.cellIndex;
    const descending = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const rows = [...body.rows].map((row) => [value(row.cells[column]), row]);
    rows.sort(([a], [b]) => {
      const order = compare(a, b);
      return descending && typeof a === typeof b ? -order : order;
    });
    body.append(...rows.map(([, row]) => row));
  }

  function content(table) {
    return {
      caption: table.caption.textContent,
      columns: [...table.tHead.rows[0].cells].map((cell) => cell.textContent),
      rows: [...table.tBodies[0].rows].map((row) =>
        [...row.cells].map((cell) => {
          const found = value(cell);
          return found === "–" ? null : found;
        })),
    };
  }

  function csvCell(cell) {
    if (cell === null) return "";
    if (typeof cell === "number") return String(cell);
    // A spreadsheet would take a text that starts so for a formula.
    const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button === null) return;
    if (button.classList.contains("sort")) sort(button);
    if (button.classList.contains("csv")) {
      const { columns, rows } = content(document.getElementById(button.dataset.table));
      const lines = [columns, ...rows].map((row) => row.map(csvCell).join(","));
      save(`${button.dataset.table}.csv`, "text/csv", `${lines.join("\n")}\n`);
    }
    if (button.id === "json") {
      const tables = [...document.querySelectorAll("table")].map((table) => [table.id, content(table)]);
      save("report.json", "application/json", JSON.stringify(Object.fromEntries(tables), null, 1));
    }
  });
  for (const hidden of document.querySelectorAll("button[hidden]")) hidden.hidden = false;
})();
