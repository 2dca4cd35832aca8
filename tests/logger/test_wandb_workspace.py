"""The workspace's definition, as it would be published: every key in it is one that a run logs."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from vggexp import logger

Vggexp = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", "none")


def test_written_without_a_login(vggexp: Vggexp) -> None:
    code, out, errors = vggexp("workspace", "output=dashboard/spec.json", "project=p", "entity=e")
    assert code == 0, errors
    assert "5 sections" in out
    view = json.loads(Path("dashboard/spec.json").read_text())
    assert (view["entity"], view["project"], view["displayName"]) == ("e", "p", "IoU and Dice by freeze policy")
    section = view["spec"]["section"]
    assert section["panelBankConfig"]["sections"][0]["name"] == "IoU and Dice during training"
    assert section["runSets"][0]["grouping"] == [{"section": "config", "name": "choice.value.freeze"}]


def test_it_names_what_runs_log(vggexp: Vggexp) -> None:
    """Scores by our metrics' own names, costs by the summary's."""
    from vggexp.logger.wandb import _COSTS
    from vggexp.task.metric.box import BoxMetrics
    from vggexp.task.metric.segmentation import SegmentationMetrics

    vggexp("workspace", "output=spec.json")
    text = Path("spec.json").read_text()
    scores = set(re.findall(r"(?:val|test)/(\w+)", text.replace("image/val", "")))
    masks, boxes = SegmentationMetrics(("a", "b")), BoxMetrics()
    mask, box = torch.zeros(1, 2, 2, dtype=torch.uint8), torch.ones(1, 4)
    masks.update({"mask": mask}, {"mask": mask})
    boxes.update({"box": box}, {"box": box})
    known = {*masks.compute(), *boxes.compute(), "top1", "score"}
    assert {"box_iou", "box_dice", "miou", "mdice"} <= scores <= known
    for cost in ("trainable_parameters", "seconds", "peak_memory_mib"):
        assert cost in _COSTS
        assert cost in text


def test_publishing_needs_a_key(vggexp: Vggexp) -> None:
    code, _, errors = vggexp("workspace")
    assert code == 2
    assert errors == (
        "vggexp: error: publishing needs a W&B key: wandb login, or WANDB_API_KEY; output=FILE.json needs none\n"
    )


def test_publishing(vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own last step, the request, is caught: it would go to the project that was named."""
    sent = []

    def answer(view: Any) -> dict[str, Any]:
        sent.append(view)
        return {"upsertView": {"view": {"name": "nw-abc-v", "id": "1"}}}

    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    monkeypatch.setattr("wandb_workspaces.workspaces.internal.upsert_view2", answer)
    monkeypatch.setattr("wandb_workspaces.workspaces.interface.get_app_url", lambda _: "https://wandb.example.org")
    monkeypatch.setattr("wandb.Api", lambda: SimpleNamespace(default_entity="me"))
    for words, entity in ((("entity=e",), "e"), ((), "me")):
        code, out, errors = vggexp("workspace", "project=p", *words)
        assert code == 0, errors
        assert out == f"W&B: https://wandb.example.org/{entity}/p?nw=abc\n"
    assert [(view.entity, view.project) for view in sent] == [("e", "p"), ("me", "p")]


def test_without_the_extra(vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(logger, "wandb_workspace", raising=False)
    monkeypatch.delitem(sys.modules, "vggexp.logger.wandb_workspace", raising=False)
    monkeypatch.setitem(sys.modules, "wandb_workspaces.workspaces", None)
    code, _, errors = vggexp("workspace", "output=spec.json")
    assert code == 2
    assert "pip install 'vggexp[workspace]'" in errors
