"""What a frozen part saves: training speed and peak memory of each policy, each run in a process of its own.

    python experiments/freeze/cost.py [repeats]

Policies take turns, so that what else the machine does meets all of them; the table has medians, and the ratio to
``freeze=none`` of the same round.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

POLICIES = (
    ("freeze=none",),
    ("freeze=norm",),
    ("freeze=bias",),
    ("freeze=stage", "freeze.stages=3"),
    ("freeze=backbone",),
)
RUN = (
    "backbone=vgg16_bn", "head=linear", "data.canvas=128", "data.image_size=[128,128]", "data.batch_size=32",
    "data.train_transform=[]", "trainer.max_epochs=2", "trainer.limit_train_batches=4", "trainer.limit_val_batches=1",
    "constant=false", "test=false", "callback=[]", "trainer.gpus=0",
)  # fmt: skip


def main() -> None:
    """Print one row a policy."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rounds = [{policy: measure(policy) for policy in POLICIES} for _ in range(repeats)]
    print("| policy | parameters trained | ms an image | against none | peak memory, MiB | against none |")
    print("|---|---:|---:|---:|---:|---:|")
    for policy in POLICIES:
        trained = rounds[0][policy]["trainable_parameters"]
        cells = [f"{trained:,}"]
        for value in (lambda run: 1000 / run["images_per_second"], lambda run: run["peak_memory_mib"]):
            ratio = [value(one[policy]) / value(one[POLICIES[0]]) for one in rounds]
            cells += [f"{statistics.median(value(one[policy]) for one in rounds):,.1f}"]
            cells += [f"{statistics.median(ratio):.2f} ({min(ratio):.2f} to {max(ratio):.2f})"]
        print(f"| `{' '.join(policy)}` | {' | '.join(cells)} |")


def measure(policy: tuple[str, ...]) -> dict[str, float]:
    """The summary of one short run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "vggexp", *RUN, *policy, f"run.dir={folder}/run"]
        subprocess.run(command, check=True, capture_output=True)
        summary: dict[str, float] = json.loads(Path(folder, "run", "summary.json").read_text())
        return summary


if __name__ == "__main__":
    main()
