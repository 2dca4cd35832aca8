// Each run's details, made when they are wanted.
const DETAILS = 50;
let mostDetails = DETAILS;
const opened = new Set();
const keys = DATA.columns.flatMap((column, place) => column.key ? [place] : []);
const frequency = keys.map((column) => { const found = new Map(); for (const line of DATA.rows) found.set(line[column], (found.get(line[column]) ?? 0) + 1); return found; });
const grid = (caption, heads, lines) => make("div", {class: "wide", tabindex: 0, role: "region", "aria-label": caption}, make("table", {}, make("caption", {}, caption),
  ...(heads.length ? [make("thead", {}, make("tr", {}, ...heads.map((head, place) => make("th", {scope: "col", class: place && place !== 3 ? "number" : null}, head))))] : []), make("tbody", {}, ...lines)));
const fill = (node, place) => {
  const [config, environment, why, again, ledger] = DATA.details.each[place], line = DATA.rows[place];
  const differs = keys.map((column, index) => make("tr", {class: 2 * frequency[index].get(line[column]) <= runs.length ? "rare" : null}, make("th", {scope: "row"}, titles[column]), make("td", {}, line[column])));
  const parts = ledger.map((cells) => make("tr", {}, make("th", {scope: "row"}, cells[0]), ...cells.slice(1).map((cell, index) => make("td", {class: index === 2 ? null : "number"}, cell))));
  node.append(...[
    why ? make("p", {}, make("b", {}, why)) : null, make("p", {}, "Again: ", make("code", {}, again)),
    DATA.details.environments[environment] ? make("p", {class: "dim"}, DATA.details.environments[environment]) : null,
    make("p", {}, make("button", {type: "button", onclick: () => { const target = byId(`config-${config}`); target.open = true; target.scrollIntoView(); }}, "the config that its choices bring")),
    differs.length ? grid("what else distinguishes it; marked: what at most half of the runs have", [], differs) : null,
    parts.length ? grid("what trained: parameters, in epochs, and how far the weights went (relative distance)", ["part", "parameters", "train", "in epochs", "drift"], parts) : null].filter(Boolean));
};
const detail = (place) => {
  const column = (title) => DATA.rows[place][titles.indexOf(title)];
  const node = make("details", {id: DATA.anchors[place]}, make("summary", {}, runs[place].name, " ", make("span", {class: "dim"}, `${column("task")}, freeze=${column("freeze")}, seed ${column("seed")}, ${column("status")}`)));
  node.addEventListener("toggle", () => {
    if (node.open && node.children.length === 1) fill(node, place);
    node.open ? opened.add(place) : opened.delete(place);
  });
  node.open = opened.has(place);
  return node;
};
views.details = () => {
  const selected = matching.filter((place) => on[place] || opened.has(place));
  const first = [...new Set([...opened].filter((place) => !selected.slice(0, mostDetails).includes(place)).concat(selected.slice(0, mostDetails)))];
  byId("each").replaceChildren(...first.map(detail));
  byId("more-details").hidden = selected.length <= mostDetails;
  byId("more-details").textContent = `show all ${selected.length}`;
};
byId("more-details").addEventListener("click", () => { mostDetails = Infinity; views.details(); });
const openRun = (place) => { opened.add(place); views.details(); byId(DATA.anchors[place]).scrollIntoView(); };
byId("configs").append(...DATA.details.configs.map(({name, keys: lines}, place) => {
  const node = make("details", {id: `config-${place}`}, make("summary", {}, name));
  node.addEventListener("toggle", () => { if (node.open && node.children.length === 1) node.append(make("pre", {}, lines.map(([key, value]) => `${key}: ${value}`).join("\n"))); });
  return node;
}));
