// Figures: each is built anew from the runs that are selected and the controls above it.
const memory = new Map();  // a figure's id -> {hidden: names, axes: what they were told since}
const remembered = (id) => memory.get(id) ?? memory.set(id, {hidden: [], axes: {}}).get(id);
const control = (name, id) => document.querySelector(`${name}[data-figure="${id}"]`);

const follow = (trace, group, {smooth, pick}) => {
  const meta = trace.meta ?? {};
  if (meta.pick !== undefined) return meta.pick === pick ? [{...trace, visible: true}] : [];
  if (meta.run !== undefined) return on[meta.run] ? [{...trace, y: smooth ? meta.smooth : trace.y}] : [];
  if (meta.runs) {
    const kept = meta.runs.flatMap((run, place) => on[run] ? [place] : []), take = (list) => Array.isArray(list) ? kept.map((place) => list[place]) : list;
    return kept.length ? [{...trace, x: take(trace.x), y: take(trace.y), text: take(trace.text)}] : [];
  }
  if (meta.rows) {
    const kept = meta.rows.flatMap((setting, place) => isOn(group, setting) ? [place] : []), take = (list) => kept.map((place) => list[place]);
    return kept.length ? [{...trace, y: take(trace.y), z: take(trace.z), ...(trace.text ? {text: take(trace.text)} : {})}] : [];
  }
  if (meta.mean) {
    const known = trace.x.map((label, setting) => [label, statistic(group, setting)]).filter(([, one]) => one);
    return [{...trace, x: known.map(([label]) => label), y: known.map(([, one]) => one.mean)}];
  }
  if (meta.point !== undefined) {
    const one = statistic(group, meta.setting), x = cost(group, meta.setting, meta.point);
    return one && x !== null ? [{...trace, x: [x], y: [one.mean]}] : [];
  }
  return meta.setting === undefined || isOn(group, meta.setting) ? [trace] : [];
};
const withFront = (traces) => {
  const line = traces.find((trace) => trace.meta?.front), points = traces.filter((trace) => trace.meta?.point !== undefined);
  if (!line) return {traces, front: []};
  const sorted = points.map((trace) => ({x: trace.x[0], y: trace.y[0], name: trace.name})).sort((a, b) => a.x - b.x || (line.meta.front === "max" ? b.y - a.y : a.y - b.y)), front = [];
  for (const point of sorted) if (!front.length || isBetter(point.y, front.at(-1).y, line.meta.front)) front.push(point);
  return {traces: traces.map((trace) => trace === line ? {...trace, x: front.map((point) => point.x), y: front.map((point) => point.y)} : trace), front};
};
const plain = (text) => new DOMParser().parseFromString(text, "text/html").documentElement.textContent;
const sayings = {
  setting: (traces, group) => {
    const {mode} = DATA.groups[group].scores[0], known = DATA.groups[group].settings.map((_, setting) => statistic(group, setting)).filter(Boolean);
    const name = (one) => DATA.groups[group].settings[one.setting].label, top = best(known, mode), last = best(known, mode === "max" ? "min" : "max");
    if (!top) return "";
    return known.length < 2 ? `${name(top)}: mean ${three(top.mean)} over ${repeats(top.n, group)}.` : `Best mean: ${name(top)}, ${three(top.mean)}. Worst: ${name(last)}, ${three(last.mean)}.`;
  },
  cost: (traces, group, front) => front.length ? `On the Pareto front: ${front.map((point) => `${plain(point.name)} (${short(point.x)}, ${three(point.y)})`).join("; ")}.` : "",
  curves: (traces) => {
    const lines = traces.filter((trace) => trace.meta?.run !== undefined && trace.y.length);
    if (!lines.length) return "";
    const at = lines.map((trace) => { const y = Math.max(...trace.y.filter((value) => value !== null)); return {y, x: trace.x[trace.y.indexOf(y)], name: plain(trace.text)}; }).reduce((top, one) => one.y > top.y ? one : top);
    return `${lines.length} ${lines.length === 1 ? "run" : "runs"}. The highest value is ${three(at.y)}, of ${at.name} in epoch ${at.x}.`;
  },
};
const picked = (id, group) => {
  const select = control("select.pick", id), traces = FIGURES[id].data;
  if (!select) return 0;
  for (const option of select.options) {
    const owner = traces.find((trace) => trace.meta?.pick === Number(option.value))?.meta.setting;
    option.hidden = option.disabled = owner !== undefined && !isOn(group, owner);
  }
  if (select.selectedOptions[0]?.disabled) select.value = [...select.options].find((option) => !option.disabled)?.value ?? select.value;
  return Number(select.value);
};
const build = (place) => {
  const {data, layout} = FIGURES[place.id], group = place.dataset.group ? indexOf(place) : null, {kind} = place.dataset;
  const words = {smooth: control("input.smooth", place.id)?.checked, pick: picked(place.id, group)};
  const {traces, front} = withFront(data.flatMap((trace) => follow(trace, group, words)));
  const ink = getComputedStyle(document.body).color, note = byId(place.id + "-says");
  if (sayings[kind]) note.textContent = sayings[kind](traces, group, front);
  const hidden = remembered(place.id).hidden;
  const dressed = {...layout, font: {...layout.font, color: ink}, ...(isPrinting ? {width: place.closest(".wide-plot") ? 980 : 480} : {})};
  dressed.yaxis = {...layout.yaxis, ...(control("input.log", place.id)?.checked ? {type: "log"} : {})};
  return {traces: traces.map((trace) => hidden.includes(trace.name) ? {...trace, visible: "legendonly"} : trace), layout: dressed};
};
// A plot of a single point says nothing: it is not drawn.
const points = (traces) => traces.filter((trace) => trace.meta && !trace.meta.mean && !trace.meta.front).reduce((sum, trace) => sum + (trace.z ? 2 : trace.x.length), 0);
const draw = (place) => {
  const {traces, layout} = build(place), {axes} = remembered(place.id);
  place.closest(".plot").hidden = points(traces) < 2;
  if (points(traces) < 2) return null;
  const isNew = !place.data, done = Plotly.react(place, traces, layout, {responsive: !isPrinting, displaylogo: false});
  if (isNew) {
    place.on("plotly_relayout", (changes) => {
      for (const change in changes) if (change.endsWith(".autorange"))
        for (const old in axes) if (old.startsWith(change.split(".")[0] + ".")) delete axes[old];
      for (const change in changes) if (/^[xy]axis\d*\.(range|autorange)/.test(change)) axes[change] = changes[change];
    });
    place.on("plotly_restyle", () => { remembered(place.id).hidden = [...new Set(place.data.filter((trace) => trace.visible === "legendonly").map((trace) => trace.name))]; });
  }
  if (Object.keys(axes).length) Plotly.relayout(place, {...axes});
  return done;
};
// One after the other, so that a tab of many figures answers meanwhile.
const drawFigures = async (view) => {
  const turn = drawing;
  for (const place of every(".figure", byId(view))) {
    if (turn !== drawing) return;
    if (place.closest(".group").hidden) continue;
    await draw(place);
    await new Promise((done) => setTimeout(done));
  }
};
for (const view of ["curves", "classes"]) views[view] = () => drawFigures(view);
every("input.smooth, input.log, select.pick").forEach((one) => one.addEventListener("change", () => { if (byId(one.dataset.figure).data) draw(byId(one.dataset.figure)); }));
const recolour = () => { for (const view in views) stale.add(view); refresh(); };
byId("theme").addEventListener("change", (event) => { document.documentElement.dataset.theme = event.target.value; recolour(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);

// On paper every tab is unfolded, in light colours, with its figures at the width of a page.
addEventListener("beforeprint", () => {
  isPrinting = true;
  document.documentElement.dataset.theme = "light";
  every(".panel").forEach((panel) => { panel.hidden = false; });
  for (const view in views) if (view !== "details") views[view]();
  every(".figure").filter((place) => !place.closest(".group").hidden).forEach(draw);
});
addEventListener("afterprint", () => {
  isPrinting = false;
  document.documentElement.dataset.theme = byId("theme").value;
  recolour();
  turn(state.view);
});
