"""Steps and limits against the number of images."""

from typing import Any

import pytest

from vggexp.errors import ConfigError
from vggexp.trainer.length import check_length


def config(**trainer: Any) -> dict[str, Any]:
    return {"data": {"batch_size": 32}, "trainer": {"gpus": 0, "accumulate": 1, **trainer}}


@pytest.mark.parametrize(
    ("split", "trainer", "message"),
    [
        ("train", {"effective_batch": 4096}, "effective_batch=4096: the training split has 1197 images"),
        ("train", {"accumulate": 39}, r"accumulate=39: an epoch has 38 batches \(1197 images\); give 38 or less"),
        ("train", {"limit_train_batches": 0.01}, "limit_train_batches=0.01 of 38 batches is less than one"),
        ("val", {"overfit_batches": 0.01}, "overfit_batches=0.01 of 38 batches is less than one"),
        ("test", {"limit_test_batches": 0.01}, "limit_test_batches=0.01 of 38 batches is less than one"),
    ],
)
def test_what_does_not_fit(split: str, trainer: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_length(config(**trainer), split, 1197)


def test_a_trial_with_few_batches_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    check_length(config(accumulate=4, limit_train_batches=4, limit_val_batches=0), "train", 1197)
    assert not capsys.readouterr().err
    check_length(config(accumulate=4, limit_train_batches=3), "train", 1197)
    assert "a step takes 128 images, but the limits leave 3 batches" in capsys.readouterr().err


def test_the_splits_of_a_run_are_compared(tiny: Any) -> None:
    code, _, errors = tiny("trainer.effective_batch=4096", "run.dir=run")
    assert code == 2
    assert "effective_batch=4096: the training split has" in errors
