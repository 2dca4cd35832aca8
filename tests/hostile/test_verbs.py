"""Words of single verbs and groups that cannot be meant, or that would change nothing."""

from pathlib import Path

import pytest

from tests.hostile.conftest import Refused

A, B = "a.txt", "b.txt"
SSD, RCNN = ("summary", "task=detection", "head=ssd"), ("summary", "task=detection", "head=faster_rcnn")
FCOS = ("summary", "task=detection", "head=fcos")
PHOTOS = ("data=image_folder", "data.root=photos")

QUICK = [  # answered before Hydra composes
    (("evaluate", A, "spilt=val"), 2, "evaluate: there is no key 'spilt'; did you mean 'split'?"),
    (("compare", A, B, "split=val"), 2, "compare: there is no key 'split'; choose from: augment, backbone"),
    (("rerun", A, "sed=3"), 2, "rerun: there is no key 'sed'; did you mean 'seed'?"),
    (("evaluate", A, "~foo"), 2, "~foo removes a key of the recorded run"),
    (("summary", A, "backbone=vgg16"), 2, "summary: backbone=vgg16 has no effect beside a run"),
    (("summary", "freeze=backbone", "checkpoint=a.txt"), 2, "summary: freeze=backbone has no effect beside a run"),
    (("mix=[mixup,cutmix]",), 2, "mix takes one option; a sweep over several is -m mix=mixup,cutmix"),
    (("freeze=[none,backbone]",), 2, "freeze takes one option"),
    (("logger=[csv,csv]",), 2, "logger=[csv,csv] names csv twice; name each option once"),
    (("callback=[prune, prune]",), 2, "callback=[prune, prune] names prune twice"),
    (("evaluate", A, B), 2, "'b.txt' is neither group=option nor key=value"),
    (("evaluate", "checkpoint=[a.txt,]"), 2, "cannot read 'checkpoint=[a.txt,]'"),
]
CASES = [
    # paths: an empty one is not the current folder
    (("evaluate", ""), 2, "checkpoint is empty; give a path"),
    (("evaluate", "checkpoint=[a.txt,'']", "output=o"), 2, "checkpoint is empty"),
    (("summary", ""), 2, "checkpoint is empty"),
    (("inspect", ""), 2, "data.root is empty"),
    (("inspect", "/"), 2, "data.root=/ is the root of the disk; give a folder in it"),
    (("inspect", "/proc"), 2, "data.root=/proc is the system's own, and no photo and no run lies there"),
    (("report", ""), 2, "input is empty"),
    (("report", "/", "page=false"), 2, "input=/ is the root of the disk"),
    (("archive", "", "output=x.zip"), 2, "input is empty"),
    (("serve", "/proc"), 2, "input=/proc is the system's own"),
    (("predict", A, "", "output=o"), 2, "input is empty"),
    (("predict", A, "/", "output=o"), 2, "input=/ is the root of the disk"),
    (("predict", A, "/proc", "output=o"), 2, "input=/proc is the system's own"),
    (("predict", A, "photos", "output=/proc/x"), 1, "output=/proc/x: /proc cannot be written to"),
    (("compare", "", ""), 2, "checkpoints is empty"),
    (("graft", A, "", "output=o"), 2, "checkpoints is empty"),
    (("advise", ""), 2, "sources is empty"),
    (("data=auto", "data.root=''"), 2, "data.root is empty"),
    (("data=image_folder", "data.root=/"), 2, "data.root=/ is the root of the disk"),
    (("data=mask_folder", "data.root=photos", "data.masks=''"), 2, "data.masks is empty"),
    (("cache.dir=''",), 2, "cache.dir is empty"),
    # words that change nothing
    (("evaluate", A, "trainer.processes=2"), 2, "trainer.processes=2 has no effect: evaluate does not train"),
    (("evaluate", A, "data.cache=memory"), 2, "has no effect: evaluate reads each sample as it is, and keeps none"),
    (("evaluate", A, "backbone.weights=imagenet"), 2, "has no effect: the run's checkpoint holds its network"),
    (("verify", A, "optimizer.lr=1"), 2, "optimizer.lr=1 has no effect: verify does not train; remove it"),
    (("export", A, "trainer.precision=bf16-mixed"), 2, "of trainer, it reads only channels_last, keep_memory"),
    (("graft", A, B, "output=o", "trainer.gpus=0"), 2, "there is no key 'trainer.gpus'"),
    (("report", "photos", "page=false", "output=x.html"), 2, "output=x.html is about the page, and page=false writes"),
    (("report", "photos", "page=false", "watch=3"), 2, "watch=3 is about the page, and page=false writes none"),
    (("trainer.rendezvous=foo",), 2, "trainer.rendezvous=foo has no effect with trainer.nodes=1"),
    # values out of their range
    (("compare", A, B, "page=."), 2, "page=. is a folder; give the name of a file in it"),
    (("compare", A, B, "output=."), 2, "output=. is a folder"),
    (("compare", A, B, "points=1"), 2, "points=1: the ends alone say nothing"),
    (("compare", A), 2, "compare takes two runs, and was given 1"),
    (("soup", A, B, "output=o", "kind=best"), 2, "kind=best is not known; choose from: greedy, uniform"),
    (("soup", A, B, "output=o", "images=0"), 2, "images=0 is not a whole number of at least 1"),
    (("explain", A, "photos", "stage=0"), 2, "stage=0 is not a whole number of at least 1"),
    (("explain", A, "photos", "classes=5"), 2, "classes=5 is not a list or null"),
    (("export", A, "onnx.opset=abc"), 2, "onnx.opset=abc is not a whole number of at least 1"),
    (("export", A, "format=safetensors", "onnx.opset=20"), 2, "onnx.opset=20 has no effect with format=safetensors"),
    (("compare", A, B, "page=null", "photos=5"), 2, "photos=5 is about the page, and page=null writes none"),
    (("inspect", "photos", "output=x.json", "samples=3"), 2, "samples=3 is about the page, and output=x.json is none"),
    (("soup", A, B, A, "output=o"), 2, "soup: a.txt is named twice, so it would count double; name it once"),
    (("logger=[mlflow]", "logger.mlflow.tracking_uri=''"), 2, "logger.mlflow.tracking_uri is empty; give a text"),
    (("archive", "photos", "output=x"), 2, "output=x: name a zip file, such as x.zip"),
    (("report", "photos", "format=docx"), 2, "format=docx is not known"),
    (("serve", "photos", "port=70000"), 2, "port=70000 is more than 65535"),
    (("summary", "output=x.gif"), 2, "output=x.gif: name a file that ends in .svg, .html, .pdf, .png"),
    (("summary", "data.classes=2.5"), 2, "data.classes=2.5 is not a whole number of at least 0"),
    (("summary", "data.classes=[a,b]"), 2, "data.classes=['a', 'b'] is not a whole number"),
    ((*SSD, "head.scales=[0.9,0.2]"), 2, "head.scales=[0.9, 0.2] is not [smallest, largest]"),
    ((*SSD, "head.levels=99"), 2, "head.levels=99: the 6th map of 224 pixels has one cell"),
    ((*SSD, "head.hidden=2"), 2, "head.hidden=2: the coarse maps have a quarter of it"),
    ((*RCNN, "head.anchors=[]"), 2, "head.anchors=[] is empty; give one number or more"),
    ((*RCNN, "head.ratios=[0]"), 2, "head.ratios=0 is not a number above 0"),
    ((*RCNN, "head.detections=0"), 2, "head.detections=0 is not a whole number of at least 1"),
    ((*FCOS, "head.overlap=2"), 2, "head.overlap=2 is not a number from 0 to 1"),
    ((*FCOS, "head.convolutions=0"), 2, "head.convolutions=0 is not a whole number of at least 1"),
    (("freeze=auto", "freeze.percentile=101"), 2, "freeze.percentile=101 is more than 100"),
    (("freeze=lora", "freeze.rank=100000"), 2, "freeze.rank=100000: no weight that it changes has a rank above"),
    (("freeze=stage", "freeze.stages=-1"), 2, "freeze.stages=-1: VGG has 5 stages"),
    (("callback=[prune]", "callback.prune.warmup=-1"), 2, "callback.prune.warmup=-1 is not a whole number"),
    (("callback=[diagnostics]", "callback.diagnostics.count=-1"), 2, "callback.diagnostics.count=-1 is not a whole"),
    (("logger=[csv]", "logger.wandb.project=x"), 2, "there is no key 'logger.wandb.project': logger=[wandb] comes"),
    (("backbone=vgg_c", "backbone.net=Z"), 2, "backbone.net=Z is not known; choose from: A, B, C, D, E"),
    ((*PHOTOS, "data.folds=3", "data.fold=3"), 2, "data.fold=3 is not one of 3 folds"),
    ((*PHOTOS, "data.split.val=0.6", "data.split.test=0.6"), 2, "leave nothing to train on"),
    (("mix=mixup_cutmix", "mix.switch=2"), 2, "mix.switch=2 is not a number from 0 to 1"),
    (("evaluate", A, "evaluation=overfeat", "evaluation.sides=[64,64]"), 2, "is not a list of pixels, each once"),
    (("data.train_transform=[Foo]",), 2, "has no transform 'Foo'; there are 68, such as"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _files() -> None:
    for name in (A, B):
        Path(name).write_text("x")
    for kind in "ab":
        Path("photos", kind).mkdir(parents=True)
        Path("photos", kind, "1.jpg").write_bytes(b"x")


def names(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else ""


@pytest.mark.parametrize(("words", "code", "message"), QUICK, ids=names)
def test_at_the_door(words: tuple[str, ...], code: int, message: str, refused: Refused) -> None:
    refused([*words], code, message)


@pytest.mark.slow
@pytest.mark.parametrize(("words", "code", "message"), CASES, ids=names)
def test_by_the_checks(words: tuple[str, ...], code: int, message: str, refused: Refused) -> None:
    refused([*words], code, message)


def test_that_there_are_so_many() -> None:
    assert len(QUICK) + len(CASES) >= 70
