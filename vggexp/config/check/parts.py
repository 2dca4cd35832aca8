"""Checks that task, head, loss, data and image size fit each other."""

from collections.abc import Mapping
from typing import Any

from vggexp.errors import ConfigError, did_you_mean, require_known
from vggexp.sample.resize import MODES, modes

Config = Mapping[str, Any]


def needs(config: Config) -> frozenset[str]:
    """The targets that a config's task reads: its own or its parts'.

    Also the label, to choose from one box a class, and the objects' masks where the head learns them.
    """
    task, head = config["task"], config["head"]
    pairs = [(task, head)]
    if "parts" in task:
        pairs = [(task["part"][name], head["part"][name]) for name in task["parts"]]
    targets = {target for part, _ in pairs for target in part["needs"]}
    more = {"box_per_class": "label", "object_masks": "object_masks"}
    return frozenset(targets | {more[head["gives"]] for _, head in pairs if head["gives"] in more})


def heads(config: Config) -> dict[str, Config]:
    """The head, and its parts that the task names, by the key they stand under."""
    head = config["head"]
    return {"head": head, **{f"head.part.{name}": head["part"][name] for name in config["task"].get("parts", ())}}


def check_parts(config: Config) -> None:
    """Check that the head's outputs fit the task, and that the loss fits the head's outputs."""
    _check_head(config)
    _check_loss(config)
    _check_one_classifier(config)


def check_data(config: Config) -> None:
    """Check that the data has the task's targets, and that the network accepts the image size."""
    task, data = config["choice"]["task"], config["choice"]["data"]
    if missing := sorted(needs(config) - set(config["data"]["provides"])):
        has = ", ".join(config["data"]["provides"])
        wanted = " and ".join(missing)
        raise ConfigError(f"task={task} needs {wanted}, and data={data} has only {has}; choose other data")
    check_sizes(config)


def check_sizes(config: Config) -> None:
    """Check that the network accepts the image size, and that ``data.resize`` takes effect."""
    check_image_size(config)
    _check_window(config)
    _check_resize(config["data"])


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
    triples = [(loss, config["task"], head, "loss")]
    if parts is not None:
        own = config["task"]["part"]
        triples = [(loss["part"].get(name), own[name], head["part"][name], f"loss.part.{name}") for name in parts]
    for one, its_task, its_head, where in triples:
        if one is None:
            raise ConfigError(f"{where} is missing: the task has this part")
        if its_head["gives"] not in one["scores"]:
            raise ConfigError(f"{where} scores {' or '.join(one['scores'])}, and its head gives {its_head['gives']}")
        # Older runs and losses of the user's own have no targets: they take what goes with such outputs.
        if "targets" in one and not set(one["targets"]) & set(its_task["needs"]):
            takes, wanted = " or ".join(one["targets"]), " and ".join(its_task["needs"])
            raise ConfigError(f"{where} compares with {takes}, and its task learns from {wanted}; choose another loss")


def _check_one_classifier(config: Config) -> None:
    """No two parts may say which classes or which objects an image shows: predictions and scores have one name."""
    task = config["task"]
    parts = [task["part"][name]["needs"] for name in task.get("parts", ())]
    for one, other in (("label", "labels"), ("labels", "objects"), ("objects", "objects")):
        both = [needs for needs in parts if one in needs or other in needs]
        if len(both) > 1 and any(one in needs for needs in both) and any(other in needs for needs in both):
            raise ConfigError(
                f"task.parts: one part learns from {one}, another from {other}, and they share a name of predictions "
                "or scores; leave one of them out"
            )


def check_image_size(config: Config) -> None:
    """Check that the backbone leaves something of an image."""
    size, least = config["data"]["image_size"], config["backbone"].get("smallest", 32)
    if not (
        isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) and side >= least for side in size)
    ):
        why = "VGG halves the image five times" if least == 32 else "this backbone leaves no cell of less"
        raise ConfigError(f"data.image_size={size}: {why}; give [height, width] of {least} or more")


def _check_resize(data: Config) -> None:
    """Check that ``data.resize`` is known, and that the evaluation recipe has it. Older runs lack the key."""
    resize = data.get("resize", "squash")
    require_known("data.resize", resize, MODES)
    if resize != "squash" and resize not in modes(data["eval_transform"]):
        raise ConfigError(
            f"data.resize={resize} has no effect: data.eval_transform has no step Fit with this mode; "
            f"leave data.eval_transform as it is, or write Fit: {{size: {data['image_size']}, mode: {resize}}} there"
        )


def _check_window(config: Config) -> None:
    """Check a head's window size: DeconvNet's fc6 is a 7 x 7 convolution over the last stage, made for 224 pixels."""
    size = config["data"]["image_size"]
    cells = min(size) // 32
    for key, head in heads(config).items():
        if head.get("window", 0) > cells:
            raise ConfigError(
                f"{key}.window={head['window']}: images of {size[0]} x {size[1]} leave {cells} cells a side; "
                f"give {key}.window={cells} or less, or larger images"
            )
