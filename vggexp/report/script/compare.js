// A table of settings for each group, with the difference from a setting that one chooses.
const comparisons = every("table.comparison").map((table) => {
  const group = indexOf(table), select = table.closest(".group").querySelector("select.reference"), {settings} = DATA.groups[group];
  select.append(...settings.map(({label}, setting) => make("option", {value: setting}, label)));
  select.closest(".with-reference").hidden = settings.length < 2;
  const score = table.closest(".group").querySelector("select.score-of"), own = {table, group, select, score};
  score.append(...DATA.groups[group].scores.map(({title}, place) => make("option", {value: place}, title)));
  score.closest("label").hidden = DATA.groups[group].scores.length < 2;
  for (const one of [select, score]) one.addEventListener("change", () => compare(own));
  return own;
});
const difference = (one, reference) => {
  if (!one || !reference) return "-";
  if (one.setting === reference.setting) return "reference";
  const found = paired(one, reference);
  if (!found) return "no common repeat";
  return found.half === null ? `${signed(found.mean)} (one repeat)` : `${signed(found.mean)} ± ${three(found.half)}`;
};
const others = (group, setting) => {
  const open = selected[group][setting].runs.filter((run) => !run.finished), words = new Map();
  for (const run of open) {
    const word = DATA.rows[run.place][titles.indexOf("status")].split(",")[0];
    words.set(word, (words.get(word) ?? 0) + 1);
  }
  return [...words].map(([word, number]) => `${number} ${word}`).join(", ");
};
const compare = ({table, group, select, score}) => {
  const {settings} = DATA.groups[group], many = settings.length > 1, reference = statistic(group, Number(select.value), Number(score.value));
  const head = (text, isNumber = true) => make("th", {scope: "col", class: isNumber ? "number" : null}, text);
  const rows = settings.flatMap(({label, colour}, setting) => {
    if (!isOn(group, setting)) return [];
    const one = statistic(group, setting, Number(score.value)), open = others(group, setting), found = one && reference && one.setting !== reference.setting ? paired(one, reference) : null;
    const number = (text, name = "") => make("td", {class: `number ${name}`}, text);
    return [make("tr", {style: {"--accent": colour}}, make("th", {scope: "row"}, make("span", {class: "dot", "aria-hidden": "true"}), label),
      make("td", {class: "number"}, String(one?.n ?? 0), ...(open ? [" ", make("span", {class: "dim"}, `and ${open}`)] : [])),
      number(three(one?.mean)), number(three(one?.sd)), ...(many ? [number(difference(one, reference), found && !isApart(found) ? "same" : "")] : []),
      ...DATA.costs.map((_, kind) => number(whole(cost(group, setting, kind)))))];
  });
  table.replaceChildren(make("thead", {}, make("tr", {}, head("setting", false), head(`${DATA.groups[group].repeat}s`), head("mean"), head("sd"), ...(many ? [head("difference")] : []), ...DATA.costs.map((name) => head(name)))),
    make("tbody", {}, ...rows));
};
views.compare = () => { comparisons.forEach(compare); drawFigures("compare"); };
