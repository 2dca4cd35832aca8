"""The types of the keys that no constructor takes: those of each verb, and those that belong to a group as a whole."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

OneOrMore = str | Sequence[str]


class Objective(TypedDict):
    """``objective``, also within a task."""

    metric: str
    mode: Literal["min", "max"]


class Run(TypedDict):
    """``run``."""

    name: str
    dir: str
    overwrite: bool


class Train(TypedDict):
    """``conf/train.yaml``."""

    seed: int
    baseline: bool
    test: bool
    objective: Objective
    run: Run


class Advise(Train):
    """``conf/advise.yaml``."""

    sources: OneOrMore
    images: int
    tangents: int
    timed: int
    output: str | None


class OfRun(TypedDict):
    """A verb that reads a recorded run."""

    checkpoint: str
    trust: Sequence[str]
    override: Mapping[str, Any]


class Evaluate(TypedDict):
    """``conf/evaluate.yaml``."""

    checkpoint: OneOrMore
    trust: Sequence[str]
    override: Mapping[str, Any]
    fusion: Literal["mean", "product"] | None
    split: Literal["test", "val"]
    output: str | None


class Verify(OfRun):
    """``conf/verify.yaml``."""

    tolerance: float


class Predict(OfRun):
    """``conf/predict.yaml``."""

    input: OneOrMore
    output: str
    batch_size: int | None
    workers: int | None
    threshold: float | None
    object_masks: bool
    overlays: bool
    overwrite: bool


class Export(OfRun):
    """``conf/export.yaml``."""

    format: OneOrMore
    output: str | None
    input: OneOrMore | None
    tolerance: float
    onnx: Mapping[str, Any]
    overwrite: bool


class Demo(OfRun):
    """``conf/demo.yaml``."""

    port: int


class Graft(TypedDict):
    """``conf/graft.yaml``."""

    checkpoints: OneOrMore
    trust: Sequence[str]
    output: str
    overwrite: bool


class Compare(TypedDict):
    """``conf/compare.yaml``."""

    checkpoints: OneOrMore
    trust: Sequence[str]
    override: Mapping[str, Any]
    images: int
    points: int
    photos: int | None
    output: str | None
    page: str | None


class Soup(TypedDict):
    """``conf/soup.yaml``."""

    checkpoints: OneOrMore
    trust: Sequence[str]
    override: Mapping[str, Any]
    kind: Literal["greedy", "uniform"]
    images: int
    output: str
    overwrite: bool


class Explain(OfRun):
    """``conf/explain.yaml``."""

    input: OneOrMore
    output: str | None
    stage: int
    classes: Sequence[str] | None
    channels: int


class Inspect(TypedDict):
    """``conf/inspect.yaml``."""

    output: str
    samples: int | None


class Report(TypedDict):
    """``conf/report.yaml``."""

    input: str
    format: Literal["html", "latex", "markdown", "csv", "pdf", "svg"]
    output: str | None
    page: bool
    watch: float | None


class Archive(TypedDict):
    """``conf/archive.yaml``."""

    input: str
    output: str
    overwrite: bool


class Serve(TypedDict):
    """``conf/serve.yaml``."""

    input: str
    port: int


class Summary(TypedDict):
    """``conf/summary.yaml``."""

    checkpoint: str | None
    output: str | None
    trust: Sequence[str]


class Workspace(TypedDict):
    """``conf/workspace.yaml``."""

    project: str
    entity: str | None
    name: str
    output: str | None


class Schema(TypedDict):
    """``conf/schema.yaml``."""


class Benchmark(TypedDict):
    """``conf/benchmark.yaml``."""

    work: OneOrMore
    against: OneOrMore
    repeats: int
    output: str | None
    page: bool
    root: str | None
    photo_size: Sequence[int] | None
    batch_size: int | None
    image_size: Sequence[int]
    steps: int
    images: int
    epochs: int
    sample: int
    width: float
    hidden: int
    precision: str | int
    gpus: int | None


VERBS: dict[str, type] = {
    "train": Train, "advise": Advise, "archive": Archive, "benchmark": Benchmark, "compare": Compare, "demo": Demo,
    "evaluate": Evaluate, "explain": Explain, "export": Export, "graft": Graft, "inspect": Inspect, "predict": Predict,
    "report": Report, "rerun": OfRun, "resume": OfRun, "schema": Schema, "serve": Serve, "soup": Soup,
    "summary": Summary, "verify": Verify, "workspace": Workspace,
}  # fmt: skip
"""The keys of each verb, beside ``debug`` and its groups."""


class Weights(TypedDict):
    """What a backbone or a head starts from."""

    weights: str | None
    weights_map: str


class Backbone(Weights):
    """``backbone``."""

    smallest: int


class Head(Weights):
    """``head``."""

    gives: str
    fitted: Sequence[str]


class Task(TypedDict):
    """``task``."""

    needs: Sequence[str]
    takes: Sequence[str]
    objective: Objective


class Loss(TypedDict):
    """``loss``."""

    scores: Sequence[str]
    targets: Sequence[str]


class Mix(TypedDict):
    """``mix``."""

    mixes: Sequence[str]


class Freeze(TypedDict):
    """``freeze``: what works with any policy."""

    lr_decay: float
    norm: Literal["fixed", "update"]
    dropout: Literal["fixed", "active"]
    lr_factors: Sequence[float] | None
    warmup: int


class Data(TypedDict):
    """``data``: what every data set has."""

    provides: Sequence[str]
    image_size: Sequence[int]
    resize: str
    batch_size: int | Literal["auto"]
    workers: int | None
    timeout: float
    sampling: str
    cache: Literal["none", "memory", "disk"]
    cache_max_gb: float
    cache_dir: str


class Optimizer(TypedDict):
    """``optimizer``."""

    lr: float
    decay_biases_and_norms: bool
    lr_for_batch: int | None
    l2_sp: float


class Trainer(TypedDict):
    """``trainer``: what the program reads besides Lightning's trainer."""

    channels_last: bool
    compile: Literal["false", "true", "auto"]
    keep_memory: bool
    save_every: int | None
    save_minutes: float | None
    on_nan: str
    processes: int | None
    nodes: int
    rendezvous: str | None
    sync_batchnorm: bool
    effective_batch: int | None


GROUPS: dict[str, type] = {
    "backbone": Backbone, "head": Head, "task": Task, "loss": Loss, "mix": Mix, "freeze": Freeze, "data": Data,
    "optimizer": Optimizer, "trainer": Trainer,
}  # fmt: skip
"""The keys that any option of a group may have, whatever its constructor takes: the program or its checks read them."""
