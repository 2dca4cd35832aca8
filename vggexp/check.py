"""The checks before training that the config alone can answer: in plain dicts, without torch.

Each finds one kind of mistake and raises a ConfigError that says what, where, and what would be right.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.errors import ConfigError, did_you_mean
from vggexp.image_files import find_images
from vggexp.processes import is_joined, num_gpus, world_size
from vggexp.usage import formats

Config = Mapping[str, Any]

COMPRESSIONS = ("none", "fp16", "bf16")
COMPILES = ("auto", "true", "false")
CACHES = ("none", "memory", "disk")
PRECISIONS = ("auto", "32", "bf16-mixed", "16-mixed")
STRATEGIES = ("ddp", "fsdp")

# Smallest allowed value of a number, by key; whole numbers where the limit is whole.
_AT_LEAST: dict[str, float] = {
    "seed": 0,
    "data.batch_size": 1,
    "data.workers": 0,
    "data.cache_max_gb": 0.0,
    "optimizer.lr": 0.0,
    "optimizer.weight_decay": 0.0,
    "scheduler.warmup": 0.0,
    "backbone.width": 0.0,
    "trainer.gpus": 0,
    "trainer.processes": 1,
    "trainer.nodes": 1,
    "trainer.effective_batch": 1,
    "optimizer.lr_for_batch": 1,
    "trainer.max_epochs": 1,
    "trainer.accumulate": 1,
    "trainer.clip": 0.0,
    "trainer.ema": 0.0,
    "trainer.early_stopping": 1,
    "trainer.val_every": 1,
    "trainer.log_every": 1,
    "trainer.save_every": 1,
    "batch_size": 1,
    "workers": 0,
    "port": 0,
    "tolerance": 0.0,
    "cache.views": 1,
    "cache.max_gb": 0.0,
    "freeze.every": 1,
    "freeze.first": 0,
    "freeze.epochs": 1,
    "freeze.factor": 0.0,
    "freeze.lr_decay": 0.0,
}


def check(verb: str, config: Config) -> None:
    """Raise a ConfigError for the first thing in a verb's config that cannot work."""
    _check_numbers(config)
    if "task" in config:
        _check_head(config)
        _check_loss(config)
    if verb == "train":
        _check_data(config)
        _check_image_size(config)
        _check_window(config)
        _check_trainer(config)
        _check_run(config)
    if "backbone" in config:
        _check_weights("backbone", config["backbone"], ("same", "vgg_a"))
        for name, head in _heads(config).items():
            _check_weights(name, head, ("same", "fitting"))
    for checkpoint in (config.get("checkpoint"), *config.get("checkpoints", ())):
        if checkpoint:
            _check_checkpoint(verb, checkpoint)
    if verb == "predict":
        _check_output(config)
    if verb == "export":
        _check_formats(config["format"])
        if config["input"] is not None:
            find_images(config["input"])


def _check_numbers(config: Config) -> None:
    for key, least in _AT_LEAST.items():
        group, _, name = key.rpartition(".")
        value = (config.get(group, {}) if group else config).get(name)
        if value is None:
            continue
        whole = isinstance(least, int)
        is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not is_number or value < least:
            kind = "a whole number" if whole else "a number"
            raise ConfigError(f"{key}={value} is not {kind} of at least {least:g}")


def needs(config: Config) -> frozenset[str]:
    """The targets that a config's task reads: its own or its parts'; and the label, to choose from one box a class."""
    task, head = config["task"], config["head"]
    pairs = [(task, head)]
    if "parts" in task:
        pairs = [(task["part"][name], head["part"][name]) for name in task["parts"]]
    targets = {target for part, _ in pairs for target in part["needs"]}
    return frozenset(targets | {"label" for _, its_head in pairs if its_head["gives"] == "box_per_class"})


def _check_data(config: Config) -> None:
    task, data = config["choice"]["task"], config["choice"]["data"]
    if (cache := config["data"].get("cache", "none")) not in CACHES:
        raise ConfigError(f"data.cache={cache} is not known{did_you_mean(str(cache), CACHES)}")
    if missing := sorted(needs(config) - set(config["data"]["provides"])):
        has = ", ".join(config["data"]["provides"])
        wanted = " and ".join(missing)
        raise ConfigError(f"task={task} needs {wanted}, and data={data} has only {has}; choose other data")


def _check_head(config: Config) -> None:
    task, head, choice = config["task"], config["head"], config["choice"]
    if head["gives"] not in task["takes"]:
        takes, gives = " or ".join(task["takes"]), head["gives"]
        raise ConfigError(
            f"task={choice['task']} takes {takes}, and head={choice['head']} gives {gives}; "
            f"leave the head to the task, or choose another"
        )
    for name in task.get("parts", ()):
        for group, parts in (("task", task["part"]), ("head", head["part"])):
            if name not in parts:
                raise ConfigError(f"{group}={choice[group]} has no part '{name}'{did_you_mean(name, parts)}")
        if head["part"][name]["gives"] not in task["part"][name]["takes"]:
            takes, gives = " or ".join(task["part"][name]["takes"]), head["part"][name]["gives"]
            raise ConfigError(f"head.part.{name} gives {gives}, and the {name} part of the task takes {takes}")


def _check_loss(config: Config) -> None:
    loss, head, choice = config["loss"], config["head"], config["choice"]
    parts = config["task"].get("parts")
    if (parts is None) == ("part" in loss):
        right = "parallel" if parts else "a loss of its own"
        raise ConfigError(f"loss={choice['loss']} does not fit task={choice['task']}, which takes {right}")
    pairs = [(loss, head, "loss")]
    if parts is not None:
        pairs = [(loss["part"].get(name), head["part"][name], f"loss.part.{name}") for name in parts]
    for one, its_head, where in pairs:
        if one is None:
            raise ConfigError(f"{where} is missing: the task has this part")
        if its_head["gives"] not in one["scores"]:
            raise ConfigError(f"{where} scores {' or '.join(one['scores'])}, and its head gives {its_head['gives']}")


def _check_image_size(config: Config) -> None:
    size = config["data"]["image_size"]
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) and side >= 32 for side in size)):
        raise ConfigError(
            f"data.image_size={size}: VGG halves the image five times; give [height, width] of 32 or more"
        )


def _check_window(config: Config) -> None:
    """DeconvNet's fc6 is a convolution as large as the last stage of a 224-pixel image."""
    head, size = config["head"], config["data"]["image_size"]
    for one in (head, *(head["part"][name] for name in config["task"].get("parts", ()))):
        if one.get("window", 0) > min(size) // 32:
            raise ConfigError(
                f"head.window={one['window']}: images of {size[0]} x {size[1]} leave {min(size) // 32} cells a side; "
                f"give head.window={min(size) // 32} or less, or larger images"
            )


def _check_trainer(config: Config) -> None:
    trainer = config["trainer"]
    if str(trainer["precision"]) not in PRECISIONS:
        near = did_you_mean(str(trainer["precision"]), PRECISIONS)
        raise ConfigError(f"trainer.precision={trainer['precision']} is not known{near}")
    if (compress := str(trainer.get("compress", "none"))) not in COMPRESSIONS:
        raise ConfigError(f"trainer.compress={compress} is not known{did_you_mean(compress, COMPRESSIONS)}")
    _check_compile(config)
    if config["objective"]["mode"] not in ("min", "max"):
        raise ConfigError(f"objective.mode={config['objective']['mode']}: must be min or max")
    if trainer["gpus"] and (present := num_gpus()) < trainer["gpus"]:
        raise ConfigError(
            f"trainer.gpus={trainer['gpus']}, and this machine has {present}; trainer.gpus=0 uses the CPU"
        )
    if (trainer.get("processes") or 1) > 1 and trainer["gpus"] not in (0, trainer["processes"]):
        raise ConfigError(
            f"trainer.processes={trainer['processes']}: a GPU has one process; it divides the CPU, with trainer.gpus=0"
        )
    if trainer.get("nodes", 1) > 1 and not (trainer["meet"] or is_joined()):
        raise ConfigError(
            f"trainer.nodes={trainer['nodes']}: say where the nodes meet, with trainer.meet=HOST:PORT of one of them; "
            f"see docs/scaling.md"
        )
    _check_effective_batch(config)
    _check_precision(trainer)
    _check_strategy(trainer)


def _check_precision(trainer: Config) -> None:
    on_cpu = not (num_gpus() if trainer["gpus"] is None else trainer["gpus"])
    if on_cpu and trainer["precision"] == "16-mixed":
        raise ConfigError("trainer.precision=16-mixed: a CPU trains in bf16-mixed or 32; 16-mixed is for GPUs")


def _check_strategy(trainer: Config) -> None:
    """What torch 2.15 and Lightning 2.6 do not do with a network that is divided between devices."""
    if (strategy := str(trainer.get("strategy", "ddp"))) not in STRATEGIES:
        raise ConfigError(f"trainer.strategy={strategy} is not known{did_you_mean(strategy, STRATEGIES)}")
    if strategy == "ddp":
        return
    refused = {
        "trainer.precision=16-mixed scales no loss": trainer["precision"] == "16-mixed",
        f"trainer.ema={trainer['ema']} averages no divided network": trainer["ema"] is not None,
        f"trainer.compress={trainer.get('compress')} is ddp's": trainer.get("compress", "none") != "none",
    }
    for what, holds in refused.items():
        if holds:
            raise ConfigError(f"trainer.strategy=fsdp: {what}; leave it, or choose trainer.strategy=ddp")


def _check_compile(config: Config) -> None:
    asked = str((trainer := config["trainer"]).get("compile", "false")).lower()
    if asked not in COMPILES:
        raise ConfigError(f"trainer.compile={asked} is not known{did_you_mean(asked, COMPILES)}")
    on_gpu = (num_gpus() if trainer["gpus"] is None else trainer["gpus"]) > 0
    compiler = os.environ.get("CC", "gcc") if on_gpu else os.environ.get("CXX", "g++")
    if asked == "true" and not shutil.which(compiler):
        raise ConfigError(
            f"trainer.compile=true needs the compiler {compiler}, which is not here; install it, name another in "
            f"{'CC' if on_gpu else 'CXX'}, or leave trainer.compile=false"
        )


def _check_effective_batch(config: Config) -> None:
    trainer, size = config["trainer"], config["data"]["batch_size"]
    if (whole := trainer.get("effective_batch")) is None:
        return
    if trainer["accumulate"] != 1:
        raise ConfigError("trainer.effective_batch sets trainer.accumulate itself; give only one of them")
    if whole % (together := size * (processes := world_size(trainer))):
        raise ConfigError(
            f"trainer.effective_batch={whole} is no multiple of {together}: data.batch_size={size} times "
            f"{processes} {'process' if processes == 1 else 'processes'}"
        )


def _check_run(config: Config) -> None:
    folder = Path(config["run"]["dir"])
    if (folder / "summary.json").exists() and not config["run"]["overwrite"]:
        raise ConfigError(f"{folder} holds a finished run; name another run.dir, or say run.overwrite=true")


def _heads(config: Config) -> dict[str, Config]:
    """The head, and its parts that the task names, by the key they stand under."""
    head = config["head"]
    return {"head": head, **{f"head.part.{name}": head["part"][name] for name in config["task"].get("parts", ())}}


def _check_weights(part: str, config: Config, maps: tuple[str, ...]) -> None:
    weights, chosen = config.get("weights", "none"), config.get("weights_map", "same")
    if weights not in ("none", "imagenet", None) and not Path(str(weights)).exists():
        near = did_you_mean(str(weights), ("none", "imagenet"))
        raise ConfigError(f"{part}.weights={weights}: no such run folder or file{near}")
    if chosen not in maps:
        raise ConfigError(f"{part}.weights_map={chosen} is not known{did_you_mean(str(chosen), maps)}")


def _check_checkpoint(verb: str, checkpoint: str) -> None:
    if not Path(checkpoint).exists():
        raise ConfigError(
            f"{verb}: there is no {checkpoint}; give a run folder, a .ckpt or an exported .safetensors file"
        )


def _check_output(config: Config) -> None:
    output = Path(str(config["output"]))
    if (output / "predictions.jsonl").exists() and not config["overwrite"]:
        raise ConfigError(f"{output} holds predictions; name another output=FOLDER, or say overwrite=true")
    find_images(config["input"], leave_out=output)


def _check_formats(names: Any) -> None:
    for name in names if isinstance(names, list) else [names]:
        if name not in (known := formats()):
            raise ConfigError(f"format={name} is not known{did_you_mean(str(name), known)}")
    if not names:
        raise ConfigError(f"format names nothing to write{did_you_mean('', formats())}")
