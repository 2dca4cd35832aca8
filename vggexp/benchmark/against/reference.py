"""The plain loop with mixed precision, as torchvision's reference recipe has it (``--amp``), and channels last.

The recipe (pytorch/vision, references/classification/train.py) has no flag for channels last; it is one line more, and
is given here so that the strongest loop of this kind is the one that is compared.
"""

from vggexp.benchmark.loop import Way, make_loop, take_evaluations, take_runs, take_steps
from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds

WAY = Way(amp=True, channels_last=True)


def steps(job: Job, rounds: Rounds) -> None:
    """Train a few batches a turn."""
    take_steps(make_loop(job, WAY), job, rounds)


def run(job: Job, rounds: Rounds) -> None:
    """A sample of a whole training."""
    take_runs(make_loop(job, WAY), job, rounds)


def evaluate(job: Job, rounds: Rounds) -> None:
    """Score the test split."""
    take_evaluations(make_loop(job, WAY), job, rounds)
