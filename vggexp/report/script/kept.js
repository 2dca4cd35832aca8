// What somebody has set and the address does not hold outlives a reload, in this tab: under words that stay when runs
// come, not under numbers.
const HERE = "vggexp " + location.pathname;
const kept = (() => { try { return JSON.parse(sessionStorage.getItem(HERE)) ?? {}; } catch { return {}; } })();
const wordOf = (what, id = what.dataset.figure ?? "") =>
  [what.closest(".panel")?.id, what.closest(".group")?.querySelector("h3").textContent, what.classList[0] ?? what.id, id.replace(/group-\d+/, "")].join("|");
// A select's value is a place among settings; its words are what stays.
const controls = every("select:not(#group), .panel input:not(#columns input, #table input), #follow");
const label = (select) => select.selectedOptions[0]?.textContent.replace(/ \(mean average precision .*/, "");
const valueOf = (control) => control.type === "checkbox" ? control.checked : control.tagName === "SELECT" ? label(control) : control.value;
const set = (control, value) => {
  const was = valueOf(control);
  if (control.type === "checkbox") control.checked = value;
  else if (control.tagName !== "SELECT") control.value = value;
  else for (let place = 0; place < control.options.length && label(control) !== value; place++) control.selectedIndex = place;
  if (control.tagName === "SELECT" && label(control) !== value) control.selectedIndex = 0;  // it is gone
  if (valueOf(control) !== was) for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind, {bubbles: true}));
};
const defaults = new Map(controls.map((control) => [control, valueOf(control)]));
const keep = () => {
  const figures = Object.fromEntries([...memory].filter(([, {axes, hidden}]) => hidden.length || Object.keys(axes).length).map(([id, one]) => [wordOf(byId(id), id), one]));
  const before = {
    controls: Object.fromEntries(controls.filter((one) => valueOf(one) !== defaults.get(one)).map((one) => [wordOf(one), valueOf(one)])),
    figures, all: most === Infinity, open: [...opened].map((place) => runs[place].name), matrixSort, allSettings,
    many: state.runs.size > LINKED ? [...state.runs].map((place) => runs[place].name) : [],
    focus: document.activeElement === byId("filter") ? "filter" : controls.includes(document.activeElement) && wordOf(document.activeElement),
    scroll: scrollY,
  };
  try { sessionStorage.setItem(HERE, JSON.stringify(before)); } catch { /* a browser that keeps nothing */ }
};
const restore = () => {
  for (const place of every(".figure")) if (kept.figures?.[wordOf(place, place.id)]) memory.set(place.id, kept.figures[wordOf(place, place.id)]);
  if (kept.all) most = Infinity;
  [matrixSort, allSettings] = [kept.matrixSort ?? null, kept.allSettings ?? false];
  for (const name of kept.open ?? []) { const run = runs.find((one) => one.name === name); if (run) opened.add(run.place); }
  readAddress();
  if (kept.many?.length && !state.runs.size) { const names = new Set(kept.many); tick(runs.filter((run) => names.has(run.name))); changed(); }
  for (const control of controls) if (wordOf(control) in (kept.controls ?? {})) set(control, kept.controls[wordOf(control)]);
  if (kept.focus) (kept.focus === "filter" ? byId("filter") : controls.find((one) => wordOf(one) === kept.focus))?.focus({preventScroll: true});
  if (!kept.scroll || DATA.anchors.includes(location.hash.slice(1))) return;
  history.scrollRestoration = "manual";
  scrollTo(0, kept.scroll);
  addEventListener("load", () => scrollTo(0, kept.scroll));
};
restore();
addEventListener("pagehide", keep);

// While runs are under way the page is written again and again: it is loaded anew, but not under somebody's hands.
let touched = 0;
for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(kind, () => { touched = Date.now(); }, {passive: true});
const followed = byId("follow"), loaded = Date.now();
if (followed) setInterval(() => {
  const now = Date.now();
  if (followed.checked && !document.hidden && now - loaded > followed.value * 1000 && now - touched > 3000) location.reload();
}, 500);
