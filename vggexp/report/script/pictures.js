// Photos: a strip an image, filtered; two settings one over the other with a dividing line.
const APART = 16, CLEAR = 0.1;  // strips shown by distance; a difference of scores that counts as gained or lost
const number = (text) => text === "" ? null : Number(text);
const looks = every(".look").map((look) => {
  const one = (name) => look.querySelector(name), group = indexOf(look);
  const strips = every(".strip", look).map((node) => ({
    node, index: Number(node.dataset.index), classes: JSON.parse(node.dataset.classes), extent: node.dataset.extent, fixed: "fixed" in node.dataset,
    shots: every(".shot[data-setting]", node).map((shot) => ({node: shot, setting: Number(shot.dataset.setting), score: number(shot.dataset.score), right: number(shot.dataset.right)})),
  }));
  return {look, one, group, strips, value: (name) => one(name)?.value ?? ""};
});
const change = (strip, a, b) => {
  const [first, second] = [a, b].map((setting) => strip.shots.find((shot) => shot.setting === setting));
  if (!first || !second) return "";
  if (first.right !== null && second.right !== null) return first.right === second.right ? "" : second.right ? "gained" : "lost";
  const far = (second.score ?? 0) - (first.score ?? 0);
  return Math.abs(far) < CLEAR ? "" : far > 0 ? "gained" : "lost";
};
const extremes = ({look, strips}, visible, sign) => {
  const chosen = new Set(), settings = new Set(strips.flatMap((strip) => strip.shots.filter(visible).map((shot) => shot.setting)));
  for (const setting of settings) {
    const own = strips.flatMap((strip) => strip.shots.filter((shot) => shot.setting === setting && shot.score !== null).map((shot) => [shot.score * sign, strip]));
    own.sort((a, b) => a[0] - b[0]).slice(0, Number(look.dataset.extremes)).forEach(([, strip]) => chosen.add(strip));
  }
  return chosen;
};
const scoresOf = (strip, visible) => strip.shots.filter((shot) => visible(shot) && shot.score !== null).map((shot) => shot.score);
const wipe = (strip, a, b) => {
  strip.node.querySelector(".wiped")?.remove();
  const [first, second] = [a, b].map((setting) => strip.shots.find((shot) => shot.setting === setting)?.node);
  if (!first || !second) return false;
  const copy = (shot) => shot.querySelector("svg").cloneNode(true), label = (shot) => shot.querySelector("figcaption").firstChild.textContent;
  const both = make("div", {role: "img", "aria-label": `${label(first)} left of the dividing line, ${label(second)} right of it`}, copy(first), copy(second));
  both.addEventListener("pointermove", (event) => { const {left, width} = both.getBoundingClientRect(); both.style.setProperty("--cut", `${100 * (event.clientX - left) / width}%`); });
  strip.node.append(make("figure", {class: "shot wiped"}, both, make("figcaption", {}, `${label(first)} | ${label(second)}`)));
  return true;
};
const arrange = (own) => {
  const {look, one, group, strips, value} = own, order = value("select.order"), kind = value("select.changed"), a = Number(value("select.side-a")), b = Number(value("select.side-b"));
  const visible = (shot) => isOn(group, shot.setting), isWiped = one(".wipe")?.checked ?? false, ofClass = value("select.of-class"), ofSize = value("select.of-size");
  const wanted = {fixed: (strip) => strip.fixed || ofClass || ofSize || kind, worst: null, best: null, apart: (strip) => scoresOf(strip, visible).length > 1};
  const ends = order === "worst" ? extremes(own, visible, 1) : order === "best" ? extremes(own, visible, -1) : null;
  const measure = {fixed: (strip) => strip.index, worst: (strip) => Math.min(...scoresOf(strip, visible)), best: (strip) => -Math.max(...scoresOf(strip, visible)),
    apart: (strip) => Math.min(...scoresOf(strip, visible)) - Math.max(...scoresOf(strip, visible))}[order];
  let chosen = strips.filter((strip) => (ends ? ends.has(strip) : wanted[order](strip)) && strip.shots.some(visible)
    && (!ofClass || strip.classes.includes(ofClass)) && (!ofSize || strip.extent === ofSize) && (!kind || change(strip, a, b) === kind));
  chosen.sort((x, y) => measure(x) - measure(y));
  if (order === "apart") chosen = chosen.slice(0, APART);
  if (isWiped) chosen = chosen.filter((strip) => wipe(strip, a, b));
  else every(".wiped", look).forEach((node) => node.remove());
  const shown = new Set(chosen);
  for (const strip of strips) {
    strip.node.hidden = !shown.has(strip);
    for (const shot of strip.shots) shot.node.hidden = isWiped || !visible(shot);
  }
  one(".strips").append(...chosen.map((strip) => strip.node));
  one(".found").textContent = `${chosen.length} of ${strips.length} images`;
  if (one(".cut-label")) one(".cut-label").hidden = !isWiped;
};
for (const own of looks) {
  own.look.addEventListener("change", (event) => { if (event.target.matches("select, .wipe")) arrange(own); });
  own.one("input.opacity")?.addEventListener("input", (event) => own.look.style.setProperty("--opacity", event.target.value / 100));
  own.one("input.cut")?.addEventListener("input", (event) => {
    own.look.style.setProperty("--cut", `${event.target.value}%`);
    every(".wiped > div", own.look).forEach((node) => node.style.removeProperty("--cut"));
  });
}
views.pictures = () => looks.forEach(arrange);
