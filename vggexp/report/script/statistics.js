// Means over repeats, intervals, paired differences, of the selected finished runs.
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values) => {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
};
const halfWidth = (values) => values.length < 2 ? null
  : (DATA.t[Math.min(values.length, DATA.t.length) - 1] ?? 1.96) * deviation(values) / Math.sqrt(values.length);
// Of runs with the same repeat the mean counts, once.
const byRepeat = (group, setting, score) => {
  const found = new Map();
  for (const {repeat, scores} of selected[group][setting].finished) {
    const value = scores[score], list = found.get(repeat);
    if (value === null) continue;
    if (list) list.push(value);
    else found.set(repeat, [value]);
  }
  for (const [repeat, values] of found) found.set(repeat, values.length > 1 ? mean(values) : values[0]);
  return found;
};
const computed = (setting, repeats, values) => values.length
  ? {setting, repeats, n: values.length, mean: mean(values), sd: values.length > 1 ? deviation(values) : null, half: halfWidth(values)} : null;
// Each statistic and each cost is computed once for a selection, by whichever part of the page asks first.
const statistic = (group, setting, score = 0) => {
  const known = selected[group][setting].statistics;
  if (known[score] === undefined) {
    const repeats = byRepeat(group, setting, score);
    known[score] = computed(setting, repeats, [...repeats.values()]);
  }
  return known[score];
};
const paired = (ours, reference) => {
  const differences = [...ours.repeats].filter(([repeat]) => reference.repeats.has(repeat)).map(([repeat, value]) => value - reference.repeats.get(repeat));
  return differences.length ? {mean: mean(differences), half: halfWidth(differences), n: differences.length} : null;
};
const isApart = (difference) => difference !== null && difference.half !== null && Math.abs(difference.mean) > difference.half;
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const cost = (group, setting, kind) => {
  const {finished, costs: known} = selected[group][setting];
  if (known[kind] === undefined) {
    const values = finished.map((run) => run.costs[kind] ?? null).filter((value) => value !== null);
    known[kind] = values.length ? median(values) : null;
  }
  return known[kind];
};
const isBetter = (a, b, mode) => mode === "max" ? a > b : a < b;
const best = (found, mode) => found.reduce((top, one) => one && (!top || isBetter(one.mean, top.mean, mode)) ? one : top, null);
const three = (value) => value === null || value === undefined ? "-" : value.toFixed(3);
const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(3);
const whole = (value) => value === null ? "-" : Math.round(value).toLocaleString("en");
const short = (value) => value === null ? "-" : value >= 1e6 ? `${(value / 1e6).toFixed(1)} M` : value >= 1e4 ? `${Math.round(value / 1e3)} k` : whole(value);
const repeats = (n, group) => `${n} ${n === 1 ? DATA.groups[group].repeat : DATA.groups[group].repeat.replace("seed and fold", "repeat") + "s"}`;
