"""The loop that the official transfer-learning tutorial leads to: float32, NCHW, Pillow, all recomputed each epoch.

https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html: SGD with momentum; the loss is read in
each step.
"""

import itertools

import torch

from vggexp.benchmark.loop import Way, make_loop, take_evaluations, take_runs, take_steps
from vggexp.benchmark.pil import loader
from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Turns
from vggexp.benchmark.setting import config_of


def steps(job: Job, turns: Turns) -> None:
    """Train a few batches a turn."""
    take_steps(make_loop(job, Way()), job, turns)


def run(job: Job, turns: Turns) -> None:
    """A sample of a whole training."""
    take_runs(make_loop(job, Way()), job, turns)


def evaluate(job: Job, turns: Turns) -> None:
    """Score the test split."""
    take_evaluations(make_loop(job, Way()), job, turns)


def load(job: Job, turns: Turns) -> None:
    """The training split's batches, on one core."""
    torch.set_num_threads(1)
    batches = loader(config_of(job.words), job, "train")
    size = batches.batch_size or 1
    list(itertools.islice(batches, 1))
    while True:
        turns.begin()
        for _ in itertools.islice(batches, job.batches):
            pass
        turns.end(job.batches * size)
