"""vggexp itself: complete trainings as its command line starts them, with all their files and checks."""

import itertools
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from vggexp.benchmark.class_folders import class_folders
from vggexp.benchmark.detecting import Detector, batch_of, take_detections
from vggexp.benchmark.limit import dtype_of
from vggexp.benchmark.plan import Job
from vggexp.benchmark.rounds import Rounds
from vggexp.benchmark.setting import Config, config_of, device_of, info_of
from vggexp.benchmark.work.detect import words_of
from vggexp.config.check import needs
from vggexp.data.image_folder import image_folder
from vggexp.distributed.memory import keep_freed_memory
from vggexp.sweep.journal import VARIABLE
from vggexp.trainer.build import build
from vggexp.trainer.loader import build_loader
from vggexp.trainer.network import build_data
from vggexp.trainer.training import train

if TYPE_CHECKING:
    from pytorch_lightning.callbacks import Callback

_waiting: list[Callable[[], "Callback"]] = []  # ``step_timer``, which the config names, takes its callback from here


def steps(job: Job, rounds: Rounds) -> None:
    """One training, paused after each round of steps."""
    timer = f"+callback.step_timer._target_={__name__}.step_timer"
    with tempfile.TemporaryDirectory() as folder:
        config = config_of((*job.words, "callback=[]", timer, f"run.dir={folder}/run"))  # once, as a command does
        _waiting[:] = [partial(_timer, rounds, job.batches, config["data"]["batch_size"])]
        assert train(config) == 0, job.words


def step_timer(folder: Path) -> "Callback":
    """The callback of the training that ``steps`` starts, built by name from the config."""
    return _waiting[0]()


def _timer(rounds: Rounds, batches: int, batch_size: int) -> "Callback":
    from vggexp.benchmark.step_timer import StepTimer  # imports Lightning, which a command does late

    return StepTimer(rounds, batches, batch_size)


def run(job: Job, rounds: Rounds) -> None:
    """Two whole runs per round, as in a sweep: the second run reads the first run's cached features from disk."""
    with tempfile.TemporaryDirectory() as folder:
        _train(*job.words, "cache=off", "trainer.max_epochs=1", "trainer.limit_train_batches=1",
               "trainer.limit_val_batches=1", f"run.dir={folder}/warm")  # fmt: skip
        for number in itertools.count():
            words = (*job.words, "cache=disk", f"cache.dir={folder}/cache{number}")
            rounds.begin()
            first = _seconds(*words, f"run.dir={folder}/first{number}")
            again = _seconds(*words, f"run.dir={folder}/again{number}", "optimizer.lr=0.002")
            rounds.end(1, seconds={"first": first, "again": again})


def whole(job: Job, rounds: Rounds) -> None:
    """A whole run per round, with the words' own cache."""
    with tempfile.TemporaryDirectory() as folder:
        _train(*job.words, "cache=off", "trainer.max_epochs=1", "trainer.limit_train_batches=1",
               "trainer.limit_val_batches=1", f"run.dir={folder}/warm")  # fmt: skip
        for number in itertools.count():
            rounds.begin()
            _train(*job.words, f"run.dir={folder}/run{number}")
            rounds.end(1)


def sweep(job: Job, rounds: Rounds) -> None:
    """A sweep over eight heads per round, each a whole run, on the backbone of the warm-up."""
    from vggexp.cache.feature_cache import SWEEP_FEATURES

    others = [word for word in job.words if not word.startswith("cache.")]
    with tempfile.TemporaryDirectory() as folder:
        _train(*others, "cache=off", "trainer.max_epochs=1", "trainer.limit_train_batches=1", "test=false",
               "trainer.limit_val_batches=1", f"run.dir={folder}/warm")  # fmt: skip
        words = (*job.words, f"backbone.weights={folder}/warm")
        os.environ[VARIABLE] = f"{folder}/journal"  # as the jobs of a sweep find it
        for number in itertools.count():
            SWEEP_FEATURES.clear()
            rounds.begin()
            for seed, rate in itertools.product((1, 2), (0.1, 0.03, 0.01, 0.003)):
                name = f"run.dir={folder}/{number}-{seed}-{rate}"
                _train(*words, f"seed={seed}", f"optimizer.lr={rate}", name)
            rounds.end(8)


def evaluate(job: Job, rounds: Rounds) -> None:
    """Evaluate on the test split, as the verb ``evaluate`` does."""
    from vggexp.trainer.learner import build_learner

    config = config_of(job.words)
    data = build_data(config)
    learner = build_learner(config, data.info)
    loader = build_loader(config, data.split("test", needs(config)))
    count = len(loader.dataset)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        for is_warm in itertools.chain([False], itertools.repeat(True)):
            batches = 1.0 if is_warm else 1
            trainer = build("trainer", {**config["trainer"], "limit_test_batches": batches, "_partial_": True})(
                folder=Path(folder), objective=learner.objective, standing=False
            )
            if is_warm:
                rounds.begin()
            trainer.test(learner, loader, verbose=False)
            if is_warm:
                rounds.end(count)


def load(job: Job, rounds: Rounds) -> None:
    """Load the training split's batches on one core, and normalise them as the backbone does in a step."""
    torch.set_num_threads(1)
    keep_freed_memory()  # as every training does
    config = config_of(job.words)
    dataset = build_data(config).split("train", needs(config), augment=True)
    device = device_of(config)
    backbone: Any = build("backbone", config["backbone"])  # no head: its dense layers take half a gigabyte
    normalize = backbone.to(device).normalize
    loader = build_loader(config, dataset, shuffle=True)
    _pass(normalize(batch["image"].to(device)) for batch in itertools.islice(loader, 1))
    while True:
        rounds.begin()
        _pass(normalize(batch["image"].to(device)) for batch in itertools.islice(loader, job.batches))
        rounds.end(job.batches * config["data"]["batch_size"])


def index(job: Job, rounds: Rounds) -> None:
    """List a folder, and list it again with what was kept of it."""
    with class_folders(job.sample) as root, tempfile.TemporaryDirectory() as cache:
        for number in itertools.count():
            rounds.begin()
            seconds = {}
            for start in ("first", "again"):
                began = time.perf_counter()
                image_folder(str(root), index_dir=f"{cache}/{number}")
                seconds[start] = time.perf_counter() - began
            rounds.end(job.sample, seconds=seconds)


def detect(job: Job, rounds: Rounds) -> None:
    """Steps and inference of each detector: the learner's own, without the trainer around them."""
    configs = {name: config_of(words) for name, words in words_of(job).items()}
    detectors = {name: _detector(config) for name, config in configs.items()}
    (images,) = {config["data"]["batch_size"] for config in configs.values()}
    take_detections(detectors, job.batches, images, rounds)


def _detector(config: Config) -> Detector:
    from vggexp.trainer.learner import build_learner

    info, device = info_of(config), device_of(config)
    learner, batch = build_learner(config, info).to(device), batch_of(config, len(info.classes))
    optimizer: Any = build("optimizer", config["optimizer"], list(learner.parameters()))
    precision = partial(torch.autocast, device.type, torch.bfloat16, enabled=dtype_of(config) != torch.float32)

    def step() -> None:
        learner.train()
        optimizer.zero_grad()
        with precision():
            loss = learner.task.loss(learner.outputs(batch), batch)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    @torch.inference_mode()
    def infer() -> None:
        learner.eval()
        with precision():
            learner.task.predict(learner.outputs(batch))

    return Detector(step, infer)


def _pass(batches: object) -> None:
    for _ in batches:  # type: ignore[attr-defined]
        pass


def _seconds(*words: str) -> float:
    start = time.perf_counter()
    _train(*words)
    return time.perf_counter() - start


def _train(*words: str) -> None:
    """Train in this process as the command line does with these words."""
    assert train(config_of(words)) == 0, words
