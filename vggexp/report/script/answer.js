// The first screen: which setting wins at what, by how much, and at which cost.
const ROWS = 30, ROWS_IN_SIGHT = 12;  // settings that the matrix shows until all are asked for; that fit on a screen
let allSettings = false, matrixSort = null;

const column = (group, score) => {
  const {mode, baseline, title} = DATA.groups[group].scores[score];
  const found = DATA.groups[group].settings.map((_, setting) => statistic(group, setting, score));
  const known = found.filter(Boolean), top = best(known, mode);
  const highest = Math.max(...known.map((one) => one.mean + (one.half ?? 0)), baseline ?? 0), lowest = Math.min(0, ...known.map((one) => one.mean));
  const scale = lowest >= 0 && Math.max(...known.map((one) => one.mean)) <= 1 && mode === "max" ? [0, 1] : [lowest, highest || 1];
  const differences = found.map((one) => one && top && one !== top ? paired(one, top) : null);
  return {group, score, title, mode, baseline, found, top, scale, differences};
};
const meter = (one, {scale, baseline}) => {
  const at = (value) => 100 * Math.min(1, Math.max(0, (value - scale[0]) / (scale[1] - scale[0]))), percent = (value) => `${at(value).toFixed(2)}%`;
  const parts = [make("i", {style: {width: percent(one.mean)}})];
  if (one.half !== null) parts.push(make("u", {style: {left: percent(one.mean - one.half), width: `${(at(one.mean + one.half) - at(one.mean - one.half)).toFixed(2)}%`}}));
  if (baseline !== null) parts.push(make("s", {style: {left: percent(baseline)}}));
  return make("span", {class: "meter", "aria-hidden": "true"}, ...parts);
};
const delta = (one, column) => {
  if (one === column.top) return make("span", {class: "delta"}, "best");
  const difference = column.differences[one.setting];
  if (!difference) return make("span", {class: "delta same"}, "no common " + DATA.groups[column.group].repeat);
  const apart = isApart(difference), few = difference.half === null;
  const why = few ? "one common repeat: no difference can be judged" : `${signed(difference.mean)} ± ${three(difference.half)} from the best, ${difference.n} pairs`;
  return make("span", {class: apart ? "delta apart" : "delta same", title: why}, `${apart ? "" : "\u2248 "}${signed(difference.mean)}`);
};
const openCell = (group, setting) => {
  tick(selected[group][setting].runs);
  changed();
  go("runs");
};
const scoreCell = (column, setting, isFirst) => {
  const one = setting === undefined ? null : column.found[setting];
  const cell = make("td", {class: (isFirst ? "first-of-group " : "") + (one && one === column.top ? "best" : ""), "data-cell": `${column.group}/${setting}/${column.score}`});
  if (!one) return cell;
  const says = `${DATA.groups[column.group].settings[setting].label}, ${column.title} ${three(one.mean)}${one.half === null ? "" : ` plus or minus ${three(one.half)}`}, ${repeats(one.n, column.group)}; open its runs`;
  cell.append(make("button", {type: "button", class: "cell", "aria-label": says, onclick: () => openCell(column.group, setting)},
    make("span", {class: "value"}, three(one.mean)), make("small", {}, one.half === null ? "" : ` ± ${three(one.half)}`), meter(one, column), delta(one, column)));
  return cell;
};
const costCell = (group, setting, most) => {
  const cell = make("td", {class: "cost"});
  if (setting === undefined) return cell;
  const seconds = cost(group, setting, 1), trained = cost(group, setting, 0);
  if (seconds === null && trained === null) return cell;
  cell.append(seconds === null ? "-" : `${whole(seconds)} s`);
  if (seconds !== null) cell.append(make("span", {class: "meter", "aria-hidden": "true"}, make("i", {style: {width: `${(100 * seconds / most).toFixed(1)}%`}})));
  cell.append(make("span", {class: "dim"}, `${short(trained)} trained`));
  return cell;
};
const ordered = (labels, columns, place) => {
  const rank = new Map();
  for (const {group, found, mode} of columns) {
    const sorted = found.filter(Boolean).sort((a, b) => (a.mean - b.mean) * (mode === "max" ? -1 : 1));
    sorted.forEach((one, index) => {
      const {label} = DATA.groups[group].settings[one.setting];
      rank.set(label, [...(rank.get(label) ?? []), index / Math.max(1, sorted.length)]);
    });
  }
  return labels.filter((label) => rank.has(label)).sort((a, b) => mean(rank.get(a)) - mean(rank.get(b)) || place.get(a) - place.get(b));
};
// "IoU (0.911 ± 0.028), Dice (0.949 ± 0.030)" of the scores that one setting wins.
const scoreList = (columns) => columns.map((column) => `${column.title} (${three(column.top.mean)}${column.top.half === null ? "" : ` ± ${three(column.top.half)}`}${column.baseline === null ? "" : `, baseline ${three(column.baseline)}`})`)
  .join(columns.length > 2 ? ", " : " and ");
const isSame = (column, one) => one === column.top || (column.differences[one.setting] && column.differences[one.setting].half !== null && !isApart(column.differences[one.setting]));
const finding = (all) => {
  const columns = all.filter((column) => column.top), first = columns[0];
  if (!first) return null;
  const {settings, name} = DATA.groups[first.group], known = first.found.filter(Boolean), nameOf = (one) => settings[one.setting].label;
  const parts = [make("b", {}, name), ": "], winners = [...new Set(columns.map((column) => column.top.setting))];
  for (const winner of winners) parts.push(winner === winners[0] ? "" : "; ", make("b", {}, settings[winner].label), known.length > 1 ? " is best at " : " reaches ", scoreList(columns.filter((column) => column.top.setting === winner)));
  const same = known.filter((one) => one !== first.top && isSame(first, one)), seconds = (one) => cost(first.group, one.setting, 1);
  if (same.length) parts.push(`. By ${first.title} not distinguishable from it: ${same.slice(0, 4).map(nameOf).join(", ")}${same.length > 4 ? " and others" : ""}`);
  const cheap = [first.top, ...same].filter((one) => seconds(one) !== null).reduce((low, one) => !low || seconds(one) < seconds(low) ? one : low, null);
  if (cheap && cheap !== first.top && seconds(cheap) < 0.8 * (seconds(first.top) ?? 0)) parts.push(`; ${nameOf(cheap)} takes ${whole(seconds(cheap))} s in place of ${whole(seconds(first.top))} s`);
  parts.push(known.length > 1 && first.top.n === 1 ? ". One run a setting: no difference can be judged." : ".");
  return make("li", {}, ...parts);
};
views.answer = () => {
  const groups = DATA.groups.map((_, group) => group).filter((group) => selected[group].some((setting) => setting.finished.length));
  const columns = groups.map((group) => DATA.groups[group].scores.map((_, score) => column(group, score)));
  byId("findings").replaceChildren(...columns.map(finding).filter(Boolean).slice(0, 12));
  const where = new Map(), place = new Map();  // by label: by group its setting; its place in the order of reading
  for (const group of groups) DATA.groups[group].settings.forEach(({label}, setting) => {
    if (!place.has(label)) place.set(label, place.size);
    where.set(label, {...where.get(label), [group]: setting});
  });
  const sorted = matrixSort && columns.flat().find((one) => one.group === matrixSort.group && one.score === matrixSort.score);
  const labels = ordered([...where.keys()], sorted ? [sorted] : columns.map((list) => list[0]), place);
  if (sorted && matrixSort.reverse) labels.reverse();
  const accent = (label) => { const [group, setting] = Object.entries(where.get(label))[0]; return DATA.groups[group].settings[setting].colour; };
  const most = columns.map((list) => Math.max(1, ...list[0].found.map((_, setting) => cost(list[0].group, setting, 1) ?? 0)));
  const sort = (one) => () => { matrixSort = {group: one.group, score: one.score, reverse: sorted === one && !matrixSort.reverse}; views.answer(); };
  const head = (one, index) => make("th", {scope: "col", class: index ? null : "first-of-group", "aria-sort": sorted === one ? (matrixSort.reverse ? "ascending" : "descending") : null},
    make("button", {type: "button", title: "sort", onclick: sort(one)}, one.title));
  const cells = (label) => (list) => {
    const setting = where.get(label)[list[0].group];
    return [...list.map((one, score) => scoreCell(one, setting, score === 0)), costCell(list[0].group, setting, most[columns.indexOf(list)])];
  };
  const matrix = (part) => {
    const own = labels.filter((label) => part.some((list) => where.get(label)[list[0].group] !== undefined)).slice(0, allSettings ? Infinity : ROWS);
    const makeRow = (label) => make("tr", {style: {"--accent": accent(label)}},
      make("th", {scope: "row"}, make("span", {class: "dot", "aria-hidden": "true"}), label), ...part.flatMap(cells(label)));
    return make("table", {}, make("thead", {}, make("tr", {}, make("th", {class: "corner", rowspan: 2, scope: "col"}, "setting"),
      ...part.map((list) => make("th", {scope: "colgroup", colspan: list.length + 1, class: "first-of-group"}, DATA.groups[list[0].group].name))),
      make("tr", {}, ...part.flatMap((list) => [...list.map(head), make("th", {scope: "col"}, "cost")]))),
      rowsOf(own, makeRow, ROWS_IN_SIGHT, document));
  };
  if (!groups.length) { byId("matrix").replaceChildren(make("p", {}, "No finished run is selected: the answer needs one.")); return; }
  byId("matrix").replaceChildren(...(isPrinting ? columns.map((list) => [list]) : [columns]).map(matrix));
  const more = byId("all-settings");
  more.hidden = labels.length <= ROWS || allSettings;
  more.textContent = `show all ${labels.length} settings`;
};
byId("all-settings").addEventListener("click", () => { allSettings = true; views.answer(); });
