"use strict";
const every = (what, where = document) => [...where.querySelectorAll(what)];
const table = document.getElementById("table"), body = table.tBodies[0], rows = [...body.rows];
const headers = every("thead th", table);

// Figures are drawn when they come near the window: a page of many opens at once.
const figures = JSON.parse(document.getElementById("figures").textContent);
const draw = (place) => Plotly.newPlot(place, figures[place.id].data, figures[place.id].layout, {responsive: true, displaylogo: false});
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
headers.forEach((header, column) => header.querySelector("button").addEventListener("click", () => {
  const down = header.getAttribute("aria-sort") === "ascending";
  headers.forEach((other) => other.removeAttribute("aria-sort"));
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  order = rows.map((row) => [key(row, column), row]).sort((a, b) => compare(a[0], b[0]) * (down ? -1 : 1)).map(([, row]) => row);
  body.append(...order);
  show();
}));
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

every("select.baseline").forEach((select) => select.addEventListener("change", () =>
  every("[data-baseline]", document.getElementById(select.dataset.group)).forEach((text) => {
    text.hidden = text.dataset.baseline !== select.value;
  })));
every("input.smooth").forEach((box) => box.addEventListener("change", () => {
  const traces = figures[box.dataset.figure].data, which = box.checked ? "smooth" : "raw";
  const places = traces.flatMap((trace, place) => trace.meta ? [place] : []);
  Plotly.restyle(box.dataset.figure, {y: places.map((place) => traces[place].meta[which])}, places);
}));
every("input.log").forEach((box) => box.addEventListener("change", () =>
  Plotly.relayout(box.dataset.figure, {"yaxis.type": box.checked ? "log" : "linear"})));
every("select.pick").forEach((select) => select.addEventListener("change", () => {
  const traces = figures[select.dataset.figure].data;
  Plotly.restyle(select.dataset.figure, {visible: traces.map((trace) => trace.meta.pick === Number(select.value))});
}));

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
