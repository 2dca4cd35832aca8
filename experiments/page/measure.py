"""How long the page of many runs takes, how large it is, and how soon it filters: copies of real runs, renamed.

python experiments/page/measure.py runs/demo 2000

What happens after the frame, such as rows that are out of sight, is not in a filter's time.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

POLICIES = ("none", "backbone", "stage", "gradual", "norm")
RATES = (1e-4, 3e-4, 1e-3, 3e-3)
FILTER = """async () => {
  const box = document.getElementById("filter"), times = [];
  for (const word of ["7", "gradual", "gradual 7", ""]) {
    const start = performance.now();
    box.value = word;
    box.dispatchEvent(new Event("input"));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
  }
  return Math.max(...times);
}"""


def copy_run(source: Path, target: Path, place: int) -> None:
    """One run as another policy's, another rate's, another seed's; its images are linked."""
    target.mkdir(parents=True)
    policy, rate, seed = POLICIES[place % 5], RATES[place // 5 % 4], place // 20
    summary = json.loads((source / "summary.json").read_text())
    config = summary.pop("config", None) or yaml.safe_load((source / "config.yaml").read_text())
    config = {**config, "seed": seed, "choice": {**config["choice"], "freeze": policy}}
    config["optimizer"] = {**config["optimizer"], "lr": rate}
    summary |= {"seed": seed, "choice": config["choice"], "config": config}
    (target / "summary.json").write_text(json.dumps(summary))
    (target / "config.yaml").write_text(yaml.dump(config, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
    for name in ("metrics.jsonl", "freeze.csv"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)
    if (source / "prediction").exists():
        (target / "prediction").symlink_to((source / "prediction").resolve())


VIEWS = ("answer", "runs")
ROUNDS = 7
"""Rounds of four filters; the quickest counts, because other programs may slow the others down."""


def filter_milliseconds(page: Path) -> dict[str, float]:
    """By tab, the slowest of four filters, until the next frame is drawn; {} without a browser."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page()
        found = {}
        for view in VIEWS:
            opened.goto(f"{page.as_uri()}#view={view}")
            opened.reload()
            found[view] = min(float(opened.evaluate(FILTER)) for _ in range(ROUNDS))
        return found


def main() -> None:
    """Print one line: runs, seconds, megabytes, milliseconds."""
    root, count = Path(sys.argv[1]), int(sys.argv[2])
    sources = sorted(path.parent for path in root.glob("*/summary.json"))
    with tempfile.TemporaryDirectory() as folder:
        for place in range(count):
            source = sources[place % len(sources)]
            copy_run(source, Path(folder, "runs", f"{source.name}-{place:04d}"), place // len(sources))
        command = [sys.executable, "-m", "vggexp", "report", f"{folder}/runs"]
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "200"})
        seconds, page = time.perf_counter() - start, Path(folder, "runs", "report.html")
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        delays = filter_milliseconds(page)
        filtering = "".join(f", filters in {delay:.0f} ms at most on {view}" for view, delay in delays.items())
        cost = f"{seconds:.1f} s ({used.ru_utime + used.ru_stime:.1f} s of one core)"
        print(f"{count} runs of {len(sources)} kinds: {cost}, {page.stat().st_size / 1e6:.1f} MB{filtering}")


if __name__ == "__main__":
    main()
