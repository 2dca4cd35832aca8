"""Limits that leave nothing, fractions above 1, drops and warm-ups outside the run."""

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("trainer.limit_test_batches=0", "trainer.limit_test_batches=0 tests nothing; say test=false"),
        ("trainer.limit_train_batches=0", "trainer.limit_train_batches=0 trains nothing"),
        ("trainer.limit_train_batches=1.5", "trainer.limit_train_batches=1.5 is no fraction from 0.0 to 1.0"),
        ("trainer.limit_val_batches=-1", "trainer.limit_val_batches=-1 is not a number of batches"),
        ("trainer.overfit_batches=2.5", "trainer.overfit_batches=2.5 is no fraction"),
        ("trainer.overfit_batches=2 trainer.limit_val_batches=1", "trainer.limit_val_batches=1 has no effect with "
         "trainer.overfit_batches=2"),
        ("scheduler=multistep scheduler.at=[5,10]", "scheduler.at=5 is no fraction of the run, above 0 and below 1; "
         "after epoch 5 of 15 is 0.33"),
        ("scheduler=cosine scheduler.warmup=16", "scheduler.warmup=16 epochs are longer than the run (trainer.max_epo"),
        ("scheduler=step scheduler.every=0", "scheduler.every=0 is not a number above 0"),
        ("scheduler.climb=1.5", "scheduler.climb=1.5 is not a number from 0 to 1"),
        ("scheduler.start=0", "scheduler.start=0 is not a number above 0"),
    ],
)  # fmt: skip
def test_what_lies_outside_the_run(words: str, message: str, vggexp: Callable[..., tuple[int, str, str]]) -> None:
    code, _, errors = vggexp(*words.split())
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors
