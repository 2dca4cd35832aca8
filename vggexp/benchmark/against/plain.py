"""The loop of the official transfer-learning tutorial: float32, NCHW, Pillow, without a feature cache.

https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html: SGD with momentum; reads the loss in
each step.
"""

import itertools

import torch

from vggexp.benchmark.loop import Way, make_loop, take_evaluations, take_runs, take_steps
from vggexp.benchmark.pil import loader
from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds
from vggexp.benchmark.setting import config_of


def steps(job: Job, rounds: Rounds) -> None:
    """Train a few batches per round."""
    take_steps(make_loop(job, Way()), job, rounds)


def run(job: Job, rounds: Rounds) -> None:
    """Time a sample of a training run, scaled to the whole."""
    take_runs(make_loop(job, Way()), job, rounds)


def evaluate(job: Job, rounds: Rounds) -> None:
    """Evaluate on the test split."""
    take_evaluations(make_loop(job, Way()), job, rounds)


def load(job: Job, rounds: Rounds) -> None:
    """Load the training split's batches on one core."""
    torch.set_num_threads(1)
    batches = loader(config_of(job.words), job, "train")
    size = batches.batch_size or 1
    list(itertools.islice(batches, 1))
    while True:
        rounds.begin()
        for _ in itertools.islice(batches, job.batches):
            pass
        rounds.end(job.batches * size)
