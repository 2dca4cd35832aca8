"""Every option of every group composes, passes the checks, and fits its constructor's signature."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any, Unpack, get_args, get_origin, get_type_hints

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from vggexp.config.help import CONF, groups, options, verbs
from vggexp.sample.transform import Transform
from vggexp.trainer.build import METADATA

OPTIONS = [(group, option) for group, options in groups().items() for option in options]
PRESETS = ("experiment", "augment")
"""Groups whose options set keys of other groups: they have no ``_target_``."""
OF_A_CLASS = [pair for pair in OPTIONS if pair[0] not in PRESETS]
# What build, train or the learner hands over; every other argument stands in the YAML.
GIVEN = {
    "head": {"spec"},
    "task": {"info", "loss"},
    "optimizer": {"params"},
    "scheduler": {"optimizer", "span"},
    "trainer": {"folder", "objective", "loggers", "callbacks", "standing", "changing"},
    "callback": {"folder"},
    "logger": {"save_dir"},
    "evaluation": {"image_size", "batch_size", "maps", "patch_side", "windows"},
}


def composed(*words: str) -> dict[str, Any]:
    OmegaConf.register_new_resolver("run_name", lambda: "name", replace=True)
    OmegaConf.register_new_resolver("run_group", lambda name: None, replace=True)
    OmegaConf.register_new_resolver("choice", lambda group: group, replace=True)
    with initialize_config_dir(str(Path(CONF).resolve()), version_base="1.3"):
        config = OmegaConf.to_container(compose("train", list(words)), resolve=True)
    assert isinstance(config, dict)
    return config


def test_that_groups_are_found() -> None:
    found = groups()
    assert {"backbone", "head", "task", "loss", "freeze", "data", "optimizer", "scheduler", "trainer"} <= found.keys()
    assert len(OPTIONS) >= 50
    assert next(iter(verbs())) == "train"


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes(group: str, option: str) -> None:
    config = composed(f"{group}={option}")
    if group not in PRESETS:
        assert config[group]


@pytest.mark.parametrize(("group", "option"), OF_A_CLASS)
def test_every_option_opens_with_a_comment_and_one_target(group: str, option: str) -> None:
    text = (CONF / group / f"{option}.yaml").read_text()
    lines = [line for line in text.splitlines() if line.strip()]
    assert lines[0].startswith("#")
    assert sum(line.lstrip().startswith("_target_:") for line in lines) == 1
    assert text.count("@package") == (1 if group in ("callback", "logger") else 0)


@pytest.mark.parametrize(("group", "option"), OF_A_CLASS)
def test_every_key_is_an_argument(group: str, option: str) -> None:
    unknown, missing = mismatch(group, content(group, option))
    assert not unknown
    assert not missing


def test_the_ways_to_evaluate_are_as_their_classes_take_them() -> None:
    ways = options("evaluation")
    assert {"whole", "sliding"} <= set(ways)
    for option in ways:
        text = (CONF / "evaluation" / f"{option}.yaml").read_text()
        assert text.startswith("#")
        assert mismatch("evaluation", yaml.safe_load(text)) == (set(), set())


RECIPES = groups()["augment"]


@pytest.mark.parametrize("option", RECIPES)
def test_every_recipe_sets_the_training_s_and_no_more(option: str) -> None:
    text = (CONF / "augment" / f"{option}.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "# @package data"
    assert text.splitlines()[1].startswith("# ")
    assert yaml.safe_load(text).keys() == {"train_transform"}
    plain, config = composed("data=pets"), composed("data=pets", f"augment={option}")
    assert config["data"] == {**plain["data"], "train_transform": config["data"]["train_transform"]}


def test_without_a_word_the_data_s_own_recipe_is_taken() -> None:
    for data in ("digits", "pets", "auto", "image_folder"):
        words = [f"data={data}", *(["data.root=photos"] if data in ("auto", "image_folder") else [])]
        own = yaml.safe_load((CONF / "data" / f"{data if data in ('digits', 'pets') else '_photos'}.yaml").read_text())
        names = [step if isinstance(step, str) else next(iter(step)) for step in own["train_transform"]]
        recipe = composed(*words)["data"]["train_transform"]
        assert names == [step if isinstance(step, str) else next(iter(step)) for step in recipe]
        assert composed(*words, "augment=none")["data"]["train_transform"] == composed(*words)["data"]["eval_transform"]
        if data != "digits":
            assert composed(*words, "augment=standard") == composed(*words)


def test_a_recipe_takes_the_place_of_an_experiments() -> None:
    words = ("experiment=camvid", "data.root=photos")
    own, light = composed(*words), composed(*words, "augment=light")
    assert own["data"]["train_transform"] != light["data"]["train_transform"]
    assert (
        light["data"]["train_transform"]
        == composed("data=pets", "data.image_size=[180,240]", "augment=light")["data"]["train_transform"]
    )


@pytest.mark.parametrize("option", RECIPES)
def test_every_recipe_keeps_box_and_mask_with_the_image(option: str) -> None:
    """A bright rectangle: after flips, crops and turns its mask and its box lie where it is bright."""
    recipe = composed("data=pets", "data.image_size=[96,128]", f"augment={option}")["data"]
    transform = Transform(recipe["train_transform"], recipe["eval_transform"])
    image, mask = torch.zeros(3, 120, 160, dtype=torch.uint8), torch.zeros(120, 160, dtype=torch.uint8)
    image[:, 30:80, 40:110], mask[30:80, 40:110] = 200, 1
    torch.manual_seed(0)
    agree = []
    for _ in range(30):
        sample = transform(image, index=0, box=torch.tensor([40.0, 30, 110, 80]), mask=mask)
        assert sample["image"].shape == (3, 96, 128)
        inside = (sample["mask"] == 1).float()
        gray = sample["image"].float().mean(0)
        agree.append(float(torch.corrcoef(torch.stack([gray, inside]).flatten(1))[0, 1].abs()))
        x, y, h, w = (sample["box"] * torch.tensor([128, 96, 96, 128])).tolist()
        rows, columns = inside.nonzero(as_tuple=True)
        assert x - 2 <= columns.min() and columns.max() <= x + w + 2  # noqa: PT018
        assert y - 2 <= rows.min() and rows.max() <= y + h + 2  # noqa: PT018
    # Sometimes a change of colours leaves no contrast at all; nan, or a mask beside the image, is far below.
    assert torch.tensor(agree).nan_to_num(1).median() > 0.95
    assert torch.tensor(agree).nan_to_num(1).quantile(0.1) > 0.7


def test_that_a_wrong_key_would_be_found() -> None:
    unknown, missing = mismatch("freeze", {"_target_": "vggexp.freeze.stage.Stages", "stagess": 3})
    assert (unknown, missing) == ({"stagess"}, {"stages"})


def test_that_a_wrong_key_of_photos_would_be_found() -> None:
    words = content("data", "camvid") | {"gruop": None, "fold": 1}
    del words["suffix"]
    assert mismatch("data", words) == ({"gruop"}, {"suffix"})


def content(group: str, option: str) -> dict[str, Any]:
    """What a YAML holds, with what it takes over from others of its group."""
    own: dict[str, Any] = yaml.safe_load((CONF / group / f"{option}.yaml").read_text())
    bases = [name for name in own.get("defaults", ()) if isinstance(name, str) and name.isidentifier()]
    taken = [content(group, base) for base in bases if base != "_self_"]
    return {key: value for each in taken for key, value in each.items()} | own


def mismatch(group: str, content: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Keys that the constructor does not take; arguments of our own constructors that the YAML does not name."""
    module, _, name = content["_target_"].rpartition(".")
    target = getattr(import_module(module), name)
    signature = inspect.signature(target).parameters.values()
    parameters = {one.name for one in signature if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)}
    keys = {key for key in content if not key.startswith("_")} - METADATA.get(group, frozenset()) - {"defaults"}
    parts = {"part"} if "defaults" in content else set()
    expected = parameters - GIVEN.get(group, set()) - parts if module.startswith("vggexp.") else set()
    return keys - parameters - _unpacked(target), expected - keys


def _unpacked(target: Any) -> set[str]:
    """The keywords that a function hands on as ``**words: Unpack[Words]``."""
    hints = get_type_hints(target) if inspect.isfunction(target) else {}
    words = [get_args(hint)[0] for hint in hints.values() if get_origin(hint) is Unpack]
    return {key for each in words for key in each.__annotations__}


@pytest.mark.parametrize(
    ("task", "head", "loss"),
    [
        ("classification", "mlp", "cross_entropy"),
        ("localization", "box", "squared_box"),
        ("multilabel", "mlp", "binary_cross_entropy"),
        ("multitask", "parallel", "parallel"),
        ("segmentation", "unet", "cross_entropy"),
    ],
)
def test_a_task_brings_its_head_and_loss(task: str, head: str, loss: str) -> None:
    brought, named = composed(f"task={task}"), composed(f"task={task}", f"head={head}", f"loss={loss}")
    assert brought == named
    assert brought["objective"] == brought["task"]["objective"]


def test_ones_own_word_wins_over_the_tasks() -> None:
    assert composed("task=segmentation", "head=fcn")["head"]["_target_"] == "vggexp.head.fcn.FCN"
    parts = composed("task=multitask", "head@head.part.classification=linear")["head"]["part"]
    assert parts["classification"]["_target_"] == "vggexp.head.linear.Linear"


def test_several_loggers() -> None:
    assert composed("logger=[csv,wandb]")["logger"].keys() == {"csv", "wandb"}
    assert composed("logger=csv")["logger"].keys() == {"csv"}
