// While a sweep runs: what is under way, asked of the server that sent the page; loaded anew when runs have changed.
let stamp = null;
const ask = async () => {
  try {
    const news = await (await fetch("/news")).json();
    byId("live").textContent = `Live: ${news.running} running.`;
    byId("jobs").replaceChildren(...news.jobs.map((job) => make("div", {class: "job"}, make("b", {}, job.name), " ",
      make("progress", {max: job.planned || 1, value: job.epochs, "aria-label": `epochs of ${job.name}`}), ` ${job.epochs} of ${job.planned} epochs`,
      make("details", {}, make("summary", {}, "log"), make("pre", {tabindex: 0}, job.log.join("\n"))))));
    if (stamp !== null && stamp !== news.stamp && Date.now() - touched > 3000 && !document.hidden && !every("#jobs details[open]").length) location.reload();
    stamp ??= news.stamp;
  } catch { byId("live").textContent = "The server does not answer."; }
  setTimeout(ask, 2000);
};
ask();
