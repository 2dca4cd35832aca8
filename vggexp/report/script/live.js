// While a sweep runs: what is under way, asked of the server that sent the page; loaded anew when runs have changed.
let stamp = null;
const underWay = new Map();  // by name: the parts of a job or a sweep that change
const newJob = (name) => {
  const bar = make("progress", {"aria-label": `progress of ${name}`}), says = make("span");
  const log = make("pre", {tabindex: 0, role: "region", "aria-label": `log of ${name}`});
  const fold = make("details", {}, make("summary", {}, `log of ${name}`), log);
  fold.addEventListener("toggle", () => { log.scrollTop = log.scrollHeight; });
  return {node: make("div", {class: "job"}, make("b", {}, name), " ", bar, " ", says, fold), bar, says, log, fold};
};
const update = ({name, says, done, planned, log}) => {
  const job = underWay.get(name) ?? underWay.set(name, newJob(name)).get(name), text = log.join("\n");
  [job.bar.max, job.bar.value] = [planned || 1, done];
  job.says.textContent = says;
  if (job.log.textContent !== text) {
    const isAtEnd = job.log.scrollTop + job.log.clientHeight >= job.log.scrollHeight - 4;
    job.log.textContent = text;
    if (isAtEnd) job.log.scrollTop = job.log.scrollHeight;
  }
  job.fold.hidden = !text;
  if (!job.node.isConnected) byId("jobs").append(job.node);
};
const jobSays = (job) => [`${job.epochs} of ${job.planned} epochs`, job.best, job.left].filter(Boolean).join(", ");
const ask = async () => {
  try {
    const news = await (await fetch("/news")).json();
    const all = [...news.sweeps.map((one) => ({...one, done: one.ended, planned: one.jobs})), ...news.jobs.map((job) => ({...job, says: jobSays(job), done: job.epochs}))];
    all.forEach(update);
    for (const [name, {node}] of underWay) if (!all.some((one) => one.name === name)) { node.remove(); underWay.delete(name); }
    byId("live").textContent = `Live: ${news.running} running.`;
    if (stamp !== null && stamp !== news.stamp && Date.now() - touched > 3000 && !document.hidden && !every("#jobs details[open]").length) location.reload();
    stamp ??= news.stamp;
  } catch { byId("live").textContent = "The server does not answer."; }
  setTimeout(ask, 2000);
};
ask();
