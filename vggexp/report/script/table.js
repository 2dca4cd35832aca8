// The table of runs: sort, filter, choose columns, tick. Of many rows the first 100 are drawn until all are asked for.
const table = byId("table"), more = byId("more"), FIRST = 100, IN_SIGHT = 40;
let most = FIRST;
const isConstant = titles.map((_, column) => column > 0 && DATA.rows.length > 1 && DATA.rows.every((row) => row[column] === DATA.rows[0][column]));
const shownColumns = () => titles.flatMap((title, column) => column === 0 || (state.columns ? state.columns.has(title) : !isConstant[column]) ? [column] : []);
const said = (value, {kind, title}) => value === null ? "-" : kind === "score" ? three(value) : kind === "count" && !["seed", "fold"].includes(title) ? whole(value) : String(value);
const inOrder = (places) => {
  const down = state.sort.startsWith("-"), column = titles.indexOf(state.sort.replace(/^-/, ""));
  if (column < 0) return places;
  const value = (place) => DATA.rows[place][column], compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, {numeric: true});
  return [...places].sort((a, b) => value(a) === null ? (value(b) === null ? 0 : 1) : value(b) === null ? -1 : compare(value(a), value(b)) * (down ? -1 : 1));
};
const sortBy = (title) => { state.sort = state.sort === title ? `-${title}` : title; views.runs(); link(); };
// Rows are kept: a filter then moves nodes and makes few.
let made = new Map(), madeFor = "";
const row = (place, columns) => {
  if (madeFor !== columns.join()) [made, madeFor] = [new Map(), columns.join()];
  const node = made.get(place) ?? made.set(place, newRow(place, columns)).get(place), isTicked = state.runs.has(place);
  node.classList.toggle("ticked", isTicked);
  node.querySelector("input").checked = isTicked;
  return node;
};
const newRow = (place, columns) => {
  const name = DATA.rows[place][0], box = make("input", {type: "checkbox", "aria-label": `select ${name}`, "data-run": place});
  return make("tr", {}, make("th", {scope: "row"}, make("label", {}, box), make("a", {href: "#" + DATA.anchors[place]}, name)),
    ...columns.slice(1).map((column) => make("td", {class: DATA.columns[column].kind === "text" ? null : "number"}, said(DATA.rows[place][column], DATA.columns[column]))));
};
views.runs = () => {
  const columns = shownColumns(), ordered = inOrder(matching), isTicked = (place) => state.runs.has(place);
  const sorted = [...ordered.filter(isTicked), ...ordered.filter((place) => !isTicked(place))], places = sorted.slice(0, most);
  const focused = table.contains(document.activeElement) ? document.activeElement.dataset : null;
  const heads = columns.map((column) => make("th", {scope: "col", class: DATA.columns[column].kind === "text" ? null : "number",
    "aria-sort": state.sort === titles[column] ? "ascending" : state.sort === `-${titles[column]}` ? "descending" : null},
    make("button", {type: "button", title: "sort", "data-head": titles[column], onclick: () => sortBy(titles[column])}, titles[column])));
  const body = rowsOf(places, (place) => row(place, columns), focused?.run ? Infinity : IN_SIGHT, table.parentElement);
  table.replaceChildren(make("thead", {}, make("tr", {}, ...heads)), body);
  more.hidden = sorted.length <= most;
  more.textContent = `show all ${sorted.length}`;
  const same = titles.filter((title, column) => isConstant[column] && !columns.includes(column));
  byId("constant").textContent = same.length ? `The same in all runs: ${same.map((title) => `${title} ${said(DATA.rows[0][titles.indexOf(title)], DATA.columns[titles.indexOf(title)])}`).join(", ")}.` : "";
  for (const box of every("#columns input")) box.checked = columns.includes(Number(box.value));
  if (focused) every("[data-head], [data-run]", table).find((one) => (one.dataset.head ?? one.dataset.run) === (focused.head ?? focused.run))?.focus();
};
more.addEventListener("click", () => { most = Infinity; views.runs(); });
table.addEventListener("change", (event) => {
  const place = Number(event.target.dataset.run);
  event.target.checked ? state.runs.add(place) : state.runs.delete(place);
  event.target.closest("tr").classList.toggle("ticked", event.target.checked);
  choose();
  for (const view in views) if (view !== "runs") stale.add(view);
  link();
});
byId("columns").append(...titles.slice(1).map((title, index) => make("label", {}, make("input", {type: "checkbox", value: index + 1}), ` ${title}`)));
byId("columns").addEventListener("change", () => {
  state.columns = new Set(every("#columns input:checked").map((box) => titles[box.value]));
  views.runs();
  link();
});
const give = (link, type, content) => link.addEventListener("click", () => { link.href = URL.createObjectURL(new Blob([content()], {type})); });
const taken = () => inOrder(matching).filter((place) => on[place]);
give(byId("json"), "application/json", () => JSON.stringify(taken().map((place) => Object.fromEntries(titles.map((title, column) => [title, DATA.rows[place][column]]))), null, 1));
const quoted = (cell) => /[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell;
give(byId("csv"), "text/csv", () => [titles, ...taken().map((place) => DATA.rows[place].map((cell) => cell ?? ""))].map((line) => line.map(quoted).join(",")).join("\n"));
