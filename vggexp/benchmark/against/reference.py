"""The plain loop with mixed precision, as in torchvision's reference recipe (``--amp``), and channels-last.

The recipe (pytorch/vision, references/classification/train.py) has no flag for channels-last. We add that line to
compare with the fastest loop of this kind.
"""

from vggexp.benchmark.loop import Way, make_loop, take_evaluations, take_runs, take_steps
from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds

WAY = Way(amp=True, channels_last=True)


def steps(job: Job, rounds: Rounds) -> None:
    """Train a few batches per round."""
    take_steps(make_loop(job, WAY), job, rounds)


def run(job: Job, rounds: Rounds) -> None:
    """Time a sample of a training run, scaled to the whole."""
    take_runs(make_loop(job, WAY), job, rounds)


def evaluate(job: Job, rounds: Rounds) -> None:
    """Evaluate on the test split."""
    take_evaluations(make_loop(job, WAY), job, rounds)
