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
  for (const run of members[group][setting]) {
    const value = run.scores[score];
    if (!on[run.place] || !run.finished || value === null) continue;
    found.set(run.repeat, [...(found.get(run.repeat) ?? []), value]);
  }
  return new Map([...found].map(([repeat, values]) => [repeat, mean(values)]));
};
const statistic = (group, setting, score = 0) => {
  const repeats = byRepeat(group, setting, score), values = [...repeats.values()];
  if (!values.length) return null;
  return {setting, repeats, n: values.length, mean: mean(values), sd: values.length > 1 ? deviation(values) : null, half: halfWidth(values)};
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
  const values = members[group][setting].filter((run) => on[run.place] && (run.costs[kind] ?? null) !== null).map((run) => run.costs[kind]);
  return values.length ? median(values) : null;
};
const isBetter = (a, b, mode) => mode === "max" ? a > b : a < b;
const best = (found, mode) => found.reduce((top, one) => one && (!top || isBetter(one.mean, top.mean, mode)) ? one : top, null);
const three = (value) => value === null || value === undefined ? "-" : value.toFixed(3);
const signed = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(3);
const whole = (value) => value === null ? "-" : Math.round(value).toLocaleString("en");
const short = (value) => value === null ? "-" : value >= 1e6 ? `${(value / 1e6).toFixed(1)} M` : value >= 1e4 ? `${Math.round(value / 1e3)} k` : whole(value);
const repeats = (n, group) => `${n} ${n === 1 ? DATA.groups[group].repeat : DATA.groups[group].repeat.replace("seed and fold", "repeat") + "s"}`;
