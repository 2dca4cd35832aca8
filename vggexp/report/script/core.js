// What every part uses: the data, elements, the state, which runs are selected, and the address.
const every = (what, where = document) => [...where.querySelectorAll(what)];
const byId = (id) => document.getElementById(id);
const DATA = JSON.parse(byId("data").textContent), FIGURES = JSON.parse(byId("figures").textContent);
// Text that comes from runs reaches the page through here alone, as text and never as markup.
const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
};
const runs = DATA.runs.map(([group, setting, repeat, finished, scores, costs], place) =>
  ({place, name: DATA.rows[place][0], group, setting, repeat, finished, scores, costs}));
// What is selected of a setting, and what was computed of it: emptied whenever the selection changes.
const selected = DATA.groups.map((group) => group.settings.map(() => ({runs: [], finished: [], statistics: [], costs: []})));
const titles = DATA.columns.map((column) => column.title);
const texts = DATA.rows.map((row) => row.join(" ").toLowerCase());

// A group and runs go by their names in the address, so that a link holds when runs come.
const state = {view: "answer", group: "", filter: "", sort: "", runs: new Set(), columns: null};
const views = {};  // by tab: what draws it
const stale = new Set();
const LINKED = 200;  // as many runs a link names
let matching = runs.map((run) => run.place), on = new Uint8Array(runs.length).fill(1), drawing = 0, isPrinting = false;

const holds = (place, word) => {
  const [title, value] = word.split("="), column = value === undefined ? -1 : titles.findIndex((one) => one.toLowerCase() === title);
  return column < 0 ? texts[place].includes(word) : String(DATA.rows[place][column]).toLowerCase() === value;
};
const choose = () => {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean), wanted = state.group === "" ? null : Number(state.group);
  matching = [];
  on = new Uint8Array(runs.length);
  for (const {place, group} of runs) {
    if (wanted !== null && group !== wanted) continue;
    if (!words.every((word) => holds(place, word))) continue;
    matching.push(place);
    on[place] = !state.runs.size || state.runs.has(place) ? 1 : 0;
  }
  for (const list of selected) for (const setting of list) Object.assign(setting, {runs: [], finished: [], statistics: [], costs: []});
  let number = 0;
  for (const run of runs) {
    if (!on[run.place]) continue;
    number += 1;
    const setting = selected[run.group][run.setting];
    setting.runs.push(run);
    if (run.finished) setting.finished.push(run);
  }
  byId("count").textContent = `${number} of ${runs.length} ${runs.length === 1 ? "run" : "runs"}`;
  byId("clear").hidden = number === runs.length && !state.runs.size;
  for (const [section, group] of sections) section.hidden = !selected[group].some((setting) => setting.runs.length);
};
const indexOf = (node) => Number(node.dataset.group.slice("group-".length));
const sections = every(".group[data-group]").map((section) => [section, indexOf(section)]);
const isOn = (group, setting) => selected[group][setting].runs.length > 0;

const address = () => {
  const words = new URLSearchParams();
  if (state.view !== "answer") words.set("view", state.view);
  if (state.group !== "") words.set("group", DATA.groups[state.group].name);
  for (const key of ["filter", "sort"]) if (state[key]) words.set(key, state[key]);
  if (state.runs.size && state.runs.size <= LINKED) words.set("runs", [...state.runs].map((place) => encodeURIComponent(runs[place].name)).join(","));
  if (state.columns) words.set("columns", [...state.columns].map(encodeURIComponent).join(","));
  return "#" + words;
};
const link = (isStep = false) => {
  try { history[isStep ? "pushState" : "replaceState"](null, "", address()); } catch { /* too many in a moment */ }
};
const changed = (isStep = false) => {
  choose();
  Object.keys(views).forEach((view) => stale.add(view));
  refresh();
  link(isStep);
};
const refresh = () => {
  drawing += 1;
  if (stale.delete(state.view)) views[state.view]?.();
};

// A table's body: the rows in sight at once, the others after the next frame, so that a filter answers while one types.
// Somebody who has scrolled gets all rows at once: with fewer, the page or the table would be too short to stay there.
const scrolled = new Set();
addEventListener("scroll", ({target}) => {
  const {scrollTop} = target === document ? document.documentElement : target;
  scrollTop > 0 ? scrolled.add(target) : scrolled.delete(target);
}, {capture: true, passive: true});
const rowsOf = (items, makeRow, inSight, scroller) => {
  const first = scrolled.has(scroller) || isPrinting || document.readyState !== "complete" ? items.length : inSight;
  const body = make("tbody", {}, ...items.slice(0, first).map(makeRow)), rest = items.slice(first);
  if (rest.length) requestAnimationFrame(() => setTimeout(() => { if (body.isConnected) body.append(...rest.map(makeRow)); }));
  return body;
};
const tabs = every("[role=tab]");
const turn = (view) => {
  if (!byId("tab-" + view)) view = "answer";
  state.view = view;
  for (const tab of tabs) {
    const isOpen = tab.id === "tab-" + view;
    tab.setAttribute("aria-selected", isOpen);
    tab.tabIndex = isOpen ? 0 : -1;
    if (isOpen) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 40;
    byId(tab.getAttribute("aria-controls")).hidden = !isOpen;
  }
  refresh();
};
const go = (view) => { turn(view); link(true); scrollTo(0, 0); };
for (const [place, tab] of tabs.entries()) {
  tab.addEventListener("click", () => go(tab.getAttribute("aria-controls")));
  tab.addEventListener("keydown", (event) => {
    const step = {ArrowRight: place + 1, ArrowLeft: place - 1 + tabs.length, Home: 0, End: tabs.length - 1}[event.key];
    if (step === undefined) return;
    event.preventDefault();
    tabs[step % tabs.length].focus();
    tabs[step % tabs.length].click();
  });
}
byId("filter").addEventListener("input", (event) => { state.filter = event.target.value; changed(); });
byId("group")?.addEventListener("change", (event) => { state.group = event.target.value; changed(); });
byId("clear").addEventListener("click", () => {
  Object.assign(state, {filter: "", group: "", runs: new Set()});
  showState();
  changed();
});
const showState = () => {
  byId("filter").value = state.filter;
  if (byId("group")) byId("group").value = state.group;
};
const tick = (chosen) => { state.runs = new Set(chosen.map((run) => run.place)); };

const readAddress = () => {
  const run = DATA.anchors.indexOf(location.hash.slice(1));
  if (run >= 0) {
    turn("details");
    openRun(run);
    return;
  }
  const words = new URLSearchParams(location.hash.slice(1)), list = (key) => words.get(key)?.split(",").map(decodeURIComponent);
  const group = DATA.groups.findIndex((one) => one.name === words.get("group")), named = new Set(list("runs"));
  Object.assign(state, {
    group: group < 0 ? "" : String(group), filter: words.get("filter") ?? "", sort: words.get("sort") ?? "",
    runs: new Set(named.size ? runs.filter((one) => named.has(one.name)).map((one) => one.place) : []),
    columns: words.has("columns") ? new Set(list("columns")) : null,
  });
  showState();
  choose();
  Object.keys(views).forEach((view) => stale.add(view));
  turn(words.get("view") ?? "answer");
};
addEventListener("hashchange", readAddress);
addEventListener("popstate", readAddress);
