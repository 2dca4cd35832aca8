"use strict";
const every = (what, where = document) => [...where.querySelectorAll(what)];
const table = document.getElementById("table"), body = table.tBodies[0], rows = [...body.rows];
const headers = every("thead th", table);

// What somebody has set here outlives a reload, in this tab: under words that stay when runs come, not under numbers.
const HERE = "vggexp " + location.pathname;
const kept = (() => { try { return JSON.parse(sessionStorage.getItem(HERE)) ?? {}; } catch { return {}; } })();
const wordOf = (what, id = what.dataset.figure ?? "") =>
  [what.closest("section")?.querySelector("h2").textContent, what.classList[0] ?? what.id, id.replace(/group-\d+/, "")].join("|");

// Figures are drawn when they come near the window: a page of many opens at once.
const figures = JSON.parse(document.getElementById("figures").textContent);
const drawn = new Map();  // a figure's id -> what its axes have been told since
const tell = {
  smooth: (box, id) => {
    const traces = figures[id].data, which = box.checked ? "smooth" : "raw";
    const places = traces.flatMap((trace, place) => trace.meta ? [place] : []);
    Plotly.restyle(id, {y: places.map((place) => traces[place].meta[which])}, places);
  },
  log: (box, id) => Plotly.relayout(id, {"yaxis.type": box.checked ? "log" : "linear"}),
  pick: (select, id) => Plotly.restyle(id, {visible: figures[id].data.map((trace) => trace.meta.pick === Number(select.value))}),
};
const told = (control) => drawn.has(control.dataset.figure) && tell[control.className](control, control.dataset.figure);
const draw = async (place) => {
  const {data, layout} = figures[place.id], axes = {}, before = kept.figures?.[wordOf(place, place.id)];
  await Plotly.newPlot(place, data, layout, {responsive: true, displaylogo: false});
  drawn.set(place.id, axes);
  every(`[data-figure="${place.id}"]`).filter((one) => one.checked || Number(one.value)).forEach(told);
  place.on("plotly_relayout", (changes) => {
    for (const change in changes) if (change.endsWith(".autorange"))
      for (const old in axes) if (old.startsWith(change.split(".")[0] + ".")) delete axes[old];
    Object.assign(axes, changes);
  });
  if (!before) return;
  const hidden = data.flatMap((trace, index) => before.hidden.includes(trace.name) ? [index] : []);
  if (hidden.length) Plotly.restyle(place, {visible: "legendonly"}, hidden);
  if (Object.keys(before.axes).length) Plotly.relayout(place, before.axes);
};
const watcher = new IntersectionObserver((entries) => {
  for (const {target, isIntersecting} of entries) if (isIntersecting) { watcher.unobserve(target); draw(target); }
}, {rootMargin: "400px"});
every(".figure").forEach((place) => watcher.observe(place));

const key = (row, column) => {
  const cell = row.cells[column];
  return "v" in cell.dataset ? Number(cell.dataset.v) : cell.textContent.trim();
};
const compare = (a, b) => typeof a === "number" && typeof b === "number"
  ? (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b) : String(a).localeCompare(String(b), undefined, {numeric: true});

// Of many rows the first 200 are drawn until all are asked for: a table of thousands takes a second to lay out.
const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
const count = document.getElementById("count"), filter = document.getElementById("filter"), more = document.getElementById("more");
let order = rows, matching = rows, most = 200;
const show = () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  matching = order.filter((row) => words.every((word) => texts.get(row).includes(word)));
  const drawn = new Set(matching.slice(0, most));
  for (const row of rows) row.hidden = !drawn.has(row);
  count.textContent = `${matching.length} of ${rows.length}`;
  more.hidden = matching.length <= most;
  more.textContent = `show all ${matching.length}`;
};
filter.addEventListener("input", show);
more.addEventListener("click", () => { most = Infinity; show(); });
const sort = (header, down) => {
  const column = headers.indexOf(header);
  headers.forEach((other) => other.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  order = rows.map((row) => [key(row, column), row]).sort((a, b) => compare(a[0], b[0]) * (down ? -1 : 1)).map(([, row]) => row);
  body.append(...order);
  show();
};
headers.forEach((header) => header.querySelector("button").addEventListener("click", () =>
  sort(header, header.getAttribute("aria-sort") === "ascending")));
show();

const titles = headers.map((header) => header.textContent.trim());
const value = (row, column) => { const found = key(row, column); return typeof found === "number" && Number.isNaN(found) ? null : found; };
const give = (link, type, make) => link.addEventListener("click", () => {
  link.href = URL.createObjectURL(new Blob([make()], {type}));
});
give(document.getElementById("json"), "application/json", () =>
  JSON.stringify(matching.map((row) => Object.fromEntries(titles.map((title, column) => [title, value(row, column)]))), null, 1));
give(document.getElementById("csv"), "text/csv", () => [titles, ...matching.map((row) => titles.map((_, column) => value(row, column) ?? ""))]
  .map((line) => line.map((cell) => /[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell).join(",")).join("\n"));

every("select.reference").forEach((select) => select.addEventListener("change", () =>
  every("[data-reference]", document.getElementById(select.dataset.group)).forEach((text) => {
    text.hidden = text.dataset.reference !== select.value;
  })));
every("input.smooth, input.log, select.pick").forEach((control) => control.addEventListener("change", () => told(control)));

// The fixed images stand in the split's order, so that rows agree; the worst and the best are each column's own.
const orders = {
  fixed: (shots) => shots.filter((shot) => "fixed" in shot.dataset).sort((a, b) => a.dataset.index - b.dataset.index),
  worst: (shots) => shots.filter((shot) => shot.dataset.score).sort((a, b) => a.dataset.score - b.dataset.score),
  best: (shots) => shots.filter((shot) => shot.dataset.score).sort((a, b) => b.dataset.score - a.dataset.score),
};
every("select.order").forEach((select) => select.addEventListener("change", () => {
  const look = select.closest(".look"), most = select.value === "fixed" ? Infinity : Number(look.dataset.extremes);
  for (const strip of every(".strip", look)) {
    const shots = every(".shot", strip), chosen = orders[select.value](shots).slice(0, most);
    for (const shot of shots) shot.hidden = !chosen.includes(shot);
    strip.append(...chosen);
  }
}));
every("input.opacity").forEach((slider) => slider.addEventListener("input", () =>
  slider.closest(".look").style.setProperty("--opacity", slider.value / 100)));

const open = () => { const place = document.getElementById(location.hash.slice(1)); if (place?.tagName === "DETAILS") place.open = true; };
addEventListener("hashchange", open);
open();

// What is kept, and how it comes back. A select's value is a place among settings; its words are what stays.
const controls = every("select, input:not(#filter)");
const label = (select) => select.selectedOptions[0]?.textContent.replace(/ \(mean average precision .*/, "");
const valueOf = (control) => control.type === "checkbox" ? control.checked : control.tagName === "SELECT" ? label(control) : control.value;
const set = (control, value) => {
  const was = valueOf(control);
  if (control.type === "checkbox") control.checked = value;
  else if (control.tagName !== "SELECT") control.value = value;
  else for (let place = 0; place < control.options.length && label(control) !== value; place++) control.selectedIndex = place;
  if (control.tagName === "SELECT" && label(control) !== value) control.selectedIndex = 0;  // it is gone
  if (valueOf(control) !== was) for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind));
};
const sections = every("section"), defaults = new Map(controls.map((control) => [control, valueOf(control)]));
const keep = () => {
  const sorted = headers.find((header) => header.hasAttribute("aria-sort"));
  const above = sections.findLast((section) => section.getBoundingClientRect().top <= 0);
  const state = {
    filter: filter.value, all: most === Infinity,
    sort: sorted && [sorted.textContent.trim(), sorted.getAttribute("aria-sort") === "descending"],
    controls: Object.fromEntries(controls.filter((one) => valueOf(one) !== defaults.get(one)).map((one) => [wordOf(one), valueOf(one)])),
    figures: Object.fromEntries(every(".figure").filter((place) => drawn.has(place.id)).map((place) => [wordOf(place, place.id), {
      axes: drawn.get(place.id),
      hidden: place.data.filter((trace) => trace.visible === "legendonly").map((trace) => trace.name),
    }])),
    open: every("details[id^=run-][open]").map((one) => one.id),
    focus: document.activeElement === filter ? "filter" : controls.includes(document.activeElement) && wordOf(document.activeElement),
    scroll: above ? [above.querySelector("h2").textContent, above.getBoundingClientRect().top] : ["", -scrollY],
  };
  // Figures that were not scrolled to this time are as they were before.
  state.figures = {...kept.figures, ...state.figures};
  try { sessionStorage.setItem(HERE, JSON.stringify(state)); } catch { /* a browser that keeps nothing */ }
};
const restore = () => {
  filter.value = kept.filter ?? "";
  if (kept.all) most = Infinity;
  const header = kept.sort && headers.find((one) => one.textContent.trim() === kept.sort[0]);
  if (header) sort(header, kept.sort[1]); else show();
  const before = kept.controls ?? {};
  for (const control of controls) if (wordOf(control) in before) set(control, before[wordOf(control)]);
  for (const id of kept.open ?? []) document.getElementById(id)?.setAttribute("open", "");
  if (kept.focus) (kept.focus === "filter" ? filter : controls.find((one) => wordOf(one) === kept.focus))?.focus({preventScroll: true});
  if (!kept.scroll) return;
  history.scrollRestoration = "manual";
  const [title, top] = kept.scroll, section = sections.find((one) => one.querySelector("h2").textContent === title);
  const jump = () => scrollTo(0, (section ? section.getBoundingClientRect().top + scrollY : 0) - top);
  jump();
  addEventListener("load", jump);
};
restore();
addEventListener("pagehide", keep);

// While runs are under way the page is written again and again: it is loaded anew, but not under somebody's hands.
const follow = document.getElementById("follow");
if (follow) {
  const loaded = Date.now();
  let touched = 0;
  for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(kind, () => { touched = Date.now(); }, {passive: true});
  setInterval(() => {
    const now = Date.now();
    if (follow.checked && !document.hidden && now - loaded > follow.value * 1000 && now - touched > 3000) location.reload();
  }, 500);
}
