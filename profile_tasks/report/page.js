"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);

  // Tables: sorted by a head, saved as CSV and JSON.

  const value = (cell) => (cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value));

  function compare(a, b) {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // what is missing comes last
    return a.localeCompare(b, "en", { numeric: true });
  }

  function sort(button) {
    const head = button.closest("th");
    const column = head.cellIndex;
    const descending = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    for (const body of head.closest("table").tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
      const keyed = rows.map((row) => [value(row.cells[column]), row]);
      keyed.sort(([a], [b]) => {
        const order = compare(a, b);
        return descending && typeof a === typeof b ? -order : order;
      });
      body.append(...keyed.map(([, row]) => row));
    }
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
      const { columns, rows } = content(byId(button.dataset.table));
      const lines = [columns, ...rows].map((row) => row.map(csvCell).join(","));
      save(`${button.dataset.table}.csv`, "text/csv", `${lines.join("\n")}\n`);
    }
    if (button.id === "json") {
      const tables = all("table.sortable").map((table) => [table.id, content(table)]);
      save("report.json", "application/json", JSON.stringify(Object.fromEntries(tables), null, 1));
    }
  });
  for (const unscripted of all("button[hidden], .toolbar, .stepper")) unscripted.hidden = false;

  // Parts: a list of contents that becomes tabs.

  const tabs = all(".tabs a");
  const panelOf = (tab) => byId(tab.hash.slice(1));

  function select(tab) {
    for (const other of tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      panelOf(other).hidden = !chosen;
    }
  }

  function follow() {
    const target = location.hash === "" ? null : byId(location.hash.slice(1));
    const panel = target?.closest(".panel");
    if (!panel) return;
    select(tabs.find((tab) => panelOf(tab) === panel));
    target.scrollIntoView();
  }

  if (tabs.length > 0) {
    const list = tabs[0].closest("ul");
    list.setAttribute("role", "tablist");
    for (const [place, tab] of tabs.entries()) {
      tab.parentNode.setAttribute("role", "presentation");
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", tab.hash.slice(1));
      panelOf(tab).setAttribute("role", "tabpanel");
      tab.addEventListener("click", (event) => {
        event.preventDefault();
        select(tab);
        history.replaceState(null, "", tab.hash);
      });
      tab.addEventListener("keydown", (event) => {
        const steps = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: -1 };
        if (event.key === " ") {
          event.preventDefault();
          tab.click();
        }
        if (!(event.key in steps)) return;
        event.preventDefault();
        const next = tabs.at(steps[event.key] % tabs.length);
        next.click();
        next.focus();
      });
    }
    select(tabs[0]);
    addEventListener("hashchange", follow);
    follow();
  }

  // Dots: what is said of a row shows where it is pointed at, or has the focus.

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);

  function tell(event) {
    const row = event.target.closest?.("table.dots tbody tr");
    tip.hidden = !row?.querySelector(".strip");
    if (tip.hidden) return;
    tip.textContent = `${row.cells[0].textContent.trim()}\n${row.querySelector(".strip").getAttribute("aria-label")}`;
    const box = row.getBoundingClientRect();
    const below = box.bottom + 4 + tip.offsetHeight <= innerHeight;
    tip.style.left = `${Math.max(4, Math.min(box.left, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${below ? box.bottom + 4 : Math.max(4, box.top - tip.offsetHeight - 4)}px`;
  }

  for (const type of ["pointerover", "focusin"]) document.addEventListener(type, tell);
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });

  // Factors: ordered by whose influence, or by their names.

  const order = byId("order");
  const only = byId("only");

  const given = new Map(all(".influences table.dots tbody tr").map((row, place) => [row, place]));

  function arrangeFactors() {
    const key = order.value;
    for (const body of all(".influences table.dots tbody")) {
      const rows = [...body.rows];
      const at = (row) => (row.dataset[key] === undefined ? -Infinity : Number(row.dataset[key]));
      rows.sort((a, b) => given.get(a) - given.get(b));
      if (key === "name") rows.sort((a, b) => a.dataset.name.localeCompare(b.dataset.name, "en"));
      else if (key !== "") rows.sort((a, b) => at(b) - at(a) || 0);
      body.append(...rows);
      const part = only.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(part);
    }
  }

  order?.addEventListener("change", arrangeFactors);
  only?.addEventListener("input", arrangeFactors);

  // Examples: chosen by factor, by whose preference and by its side; one opened after the other.

  const pairs = all(".example"); // in the order of the page
  const filters = ["factor", "whose", "side"].map(byId);
  const shown = () => all(".example:not([hidden])");

  function count() {
    const there = shown();
    const place = there.findIndex((pair) => pair.open);
    byId("counted").textContent = `${place < 0 ? "" : `${place + 1} of `}${there.length} pairs shown, ${pairs.length} in all`;
  }

  function choose() {
    const arrange = byId("arrange").value;
    for (const pair of pairs) {
      pair.hidden = filters.some((filter) => filter.value !== "" && pair.dataset[filter.id] !== filter.value);
      pair.open = false;
    }
    for (const list of all(".pairs")) {
      const heads = all("h4", list);
      const own = pairs.filter((pair) => list.contains(pair));
      if (arrange === "shared") own.sort((a, b) => b.dataset.shared - a.dataset.shared);
      if (arrange === "source") own.sort((a, b) => a.dataset.source.localeCompare(b.dataset.source, "en", { numeric: true }));
      for (const head of heads) {
        const of = own.filter((pair) => pair.dataset.factor === head.dataset.factor);
        head.hidden = arrange !== "" || of.every((pair) => pair.hidden);
        if (arrange === "") list.append(head, ...of);
      }
      if (arrange !== "") list.append(...own);
    }
    const [first] = shown();
    if (first) first.open = true;
    count();
  }

  function step(by) {
    const there = shown();
    const place = there.findIndex((pair) => pair.open);
    const next = there[place < 0 ? 0 : Math.max(0, Math.min(there.length - 1, place + by))];
    if (!next) return;
    for (const pair of there) pair.open = pair === next;
    count();
    next.scrollIntoView({ block: "start" });
  }

  if (pairs.length > 0) {
    for (const filter of [...filters, byId("arrange")]) filter.addEventListener("change", choose);
    byId("marks").addEventListener("change", (event) => {
      byId("examples").classList.toggle("unmarked", !event.target.checked);
    });
    byId("next").addEventListener("click", () => step(1));
    byId("previous").addEventListener("click", () => step(-1));
    for (const pair of pairs) pair.addEventListener("toggle", count);
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-factor]");
      if (link === null) return;
      event.preventDefault();
      byId("factor").value = link.dataset.factor;
      byId("whose").value = byId("side").value = "";
      choose();
      select(tabs.find((tab) => tab.hash === "#examples"));
      history.replaceState(null, "", "#examples");
      byId("examples").scrollIntoView();
      (shown()[0]?.querySelector("summary") ?? byId("factor")).focus({ preventScroll: true });
    });
    byId("factor").selectedIndex = 1;
    choose();
  }
})();
