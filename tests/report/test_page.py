"""The page holds what the runs hold, and nothing of theirs runs in it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import MakeRun, write_diagnostics
from vggexp.__main__ import enter
from vggexp.logger.metrics_jsonl import MetricsJsonl
from vggexp.report.runs import read_runs

EVIL = "<script>alert(1)</script>"


def written(root: Path, *words: str) -> str:
    assert enter(["report", str(root), *words]) == 0
    return (root / "report.html").read_text(encoding="utf-8")


def embedded(page: str, name: str) -> dict[str, Any]:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def figures(page: str) -> dict[str, Any]:
    return embedded(page, "figures")


def table(page: str) -> list[dict[str, Any]]:
    data = embedded(page, "data")
    return [dict(zip((one["title"] for one in data["columns"]), row, strict=True)) for row in data["rows"]]


def test_a_page_has_every_run_and_its_figures(make_run: MakeRun, tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        make_run(f"none-{seed}", 0.5 + seed / 100, seed=seed, picture=True)
        make_run(f"frozen-{seed}", 0.4 + seed / 50, seed=seed, freeze="backbone")
    page = written(tmp_path / "runs")
    assert "6 runs: 6 finished" in page
    rows = {row["run"]: row for row in table(page)}
    assert set(rows) == {f"{name}-{seed}" for name in ("none", "frozen") for seed in (1, 2, 3)}
    assert (rows["frozen-3"]["score"], rows["frozen-3"]["Dice"], rows["frozen-3"]["baseline"]) == (0.46, 0.46, 0.1)
    drawn = figures(page)
    assert set(drawn) == {
        *(f"figure-group-0-{kind}" for kind in ("setting", "cost-0", "cost-1", "curves", "iou", "dice")),
        "figure-iou-dice",
    }
    means = drawn["figure-group-0-setting"]["data"][-1]
    assert dict(zip(means["x"], means["y"], strict=True)) == pytest.approx({"none": 0.52, "backbone": 0.44})
    assert page.count("data:image/webp;base64,") == 1
    assert "http" not in page.replace(page[page.index("<script>") : page.index("</script>")], "")


def test_a_group_shows_what_it_has(make_run: MakeRun, tmp_path: Path) -> None:
    """No plot of a single point, and no tab without content."""
    make_run("only", epochs=1, task="classification")
    page = written(tmp_path / "runs")
    assert not figures(page)
    assert re.findall(r'role="tab" id="tab-(\w+)"', page) == ["answer", "runs", "details"]


def test_a_policy_has_one_colour_everywhere(make_run: MakeRun, tmp_path: Path) -> None:
    """Though the settings' places differ from group to group."""
    for task, policies in {"localization": ("norm", "none"), "segmentation": ("none", "backbone", "norm")}.items():
        for freeze in policies:
            make_run(f"{task}-{freeze}", task=task, freeze=freeze, diagnostics=True)
    page = written(tmp_path / "runs")
    colours: dict[str, set[str]] = {}
    for group in embedded(page, "data")["groups"]:
        for setting in group["settings"]:
            colours.setdefault(setting["label"], set()).add(setting["colour"])
    for name, figure in figures(page).items():
        for trace in figure["data"]:
            if trace.get("name") in colours and "iou-dice" not in name:
                colours[trace["name"]].add(trace.get("marker", trace.get("line"))["color"])
    assert {label: len(found) for label, found in colours.items()} == {"none": 1, "backbone": 1, "norm": 1}
    assert len(set.union(*colours.values())) == 3


def test_evidence_is_drawn(make_run: MakeRun, tmp_path: Path) -> None:
    for freeze in ("none", "backbone"):
        make_run(freeze, freeze=freeze, diagnostics=True)
    page = written(tmp_path / "runs")
    drawn = figures(page)
    confusion = drawn["figure-group-0-confusion-classification"]
    assert confusion["layout"]["meta"]["picks"] == ["none", "backbone"]
    assert confusion["data"][0]["z"] == [[0.75, 0.25], [0, 0]]
    assert [trace["visible"] for trace in confusion["data"]] == [True, False]
    (first, _) = drawn["figure-group-0-curve"]["data"]  # a class without truth has no curve
    assert (first["x"], first["y"], first["name"]) == ([0, 1], [1, 0.5], "cat 0.500")
    histogram = drawn["figure-group-0-histogram"]["data"][0]
    assert histogram["y"][15:] == pytest.approx([100 * count / 15 for count in (1, 2, 3, 4, 5, 5)], abs=1e-3)
    # Both runs show the same images, so each is carried once: five of them, and two masks.
    assert page.count("<symbol id=") == 7
    assert page.count('<figure class="shot" data-setting') == 10
    assert 'aria-label="none: image 1, truth cat, prediction dog 75%, mean score 0.10, wrong"' in page
    assert 'x="16.0" y="8.0" width="32.0" height="16.0"' in page
    best = drawn["figure-group-0-curves"]["data"][-1]
    assert (best["name"], best["y"]) == ("baseline", [0.1, 0.1])


def many_classes(folder: Path, count: int, errors: list[tuple[int, int, int]], is_whole: bool) -> None:
    """Diagnostics of a classification of ten images a class, with so many of them taken for another."""
    (folder / "prediction").mkdir()
    counts = {(place, place): 10 for place in range(count)}
    for truth, guess, number in errors:
        counts[truth, guess] = number
        counts[truth, truth] -= number
    cells = {"cells": [[truth, guess, number] for (truth, guess), number in counts.items()]}
    matrix = [[counts.get((truth, guess), 0) for guess in range(count)] for truth in range(count if is_whole else 0)]
    curve = [{"recall": [0, 1], "precision": [1, 1], "average_precision": 1 - place / 5000} for place in range(count)]
    names = [f"class {place}" for place in range(count)]
    part = {"classes": names, "curve": curve, **({"confusion": matrix} if is_whole else cells)}
    content = {"split": "test", "kinds": ["classification"], "classes": names, "images": []}
    (folder / "prediction" / "test.json").write_text(json.dumps({**content, "diagnostics": {"classification": part}}))


@pytest.mark.parametrize(("count", "is_whole"), [(300, True), (1600, False)])
def test_what_many_classes_are_confused_with_is_said(
    count: int, is_whole: bool, make_run: MakeRun, tmp_path: Path
) -> None:
    folder = make_run("a", task="classification")
    many_classes(folder, count, [(3, 4, 2), (5, 6, 7)], is_whole)
    page = written(tmp_path / "runs")
    drawn = figures(page)
    assert "figure-group-0-confusion-classification" not in drawn
    cells = {300: "300 classes make 90,000 cells", 1600: "1,600 classes make 2,560,000 cells"}[count]
    assert f"The confusion matrix of images is not drawn: {cells} per setting; the limit is 60,000." in page
    assert ("there are 1,600 curves" in page) == (count == 1600)
    table = re.search(r"most confused images: none.*?</details>", page, re.DOTALL)
    assert table
    said = re.findall(
        r"<td>(.*?)</td><td>(.*?)</td><td class=\"number\">(.*?)</td><td class=\"number\">(.*?)</td>", table[0]
    )
    assert said == [("class 5", "class 6", "7", "70.0%"), ("class 3", "class 4", "2", "20.0%")]
    assert f"<td>class {count - 1}</td>" in table[0]  # the lowest average precision


def test_settings_whose_matrix_does_not_fit_are_counted(make_run: MakeRun, tmp_path: Path) -> None:
    for place in range(4):
        many_classes(make_run(f"run-{place}", optimizer={"lr": place}, task="classification"), 150, [(0, 1, 1)], True)
    page = written(tmp_path / "runs")
    assert len(figures(page)["figure-group-0-confusion-classification"]["data"]) == 2
    assert "The confusion matrix of images is for 2 of 4 settings: 150 classes make 22,500 cells" in page
    assert page.count("most confused images: ") == 4


@pytest.mark.parametrize("damage", ["{", "[]", '{"split": "test"}', '{"split": "val", "images": []}'])
def test_evidence_that_cannot_be_read_is_left_out(damage: str, make_run: MakeRun, tmp_path: Path) -> None:
    """And images that are gone, or lie elsewhere, too."""
    folder = make_run("bad", diagnostics=True)
    (make_run("gone", freeze="norm", diagnostics=True) / "prediction" / "test" / "0.webp").unlink()
    (folder / "prediction" / "test.json").write_text(damage)
    page = written(tmp_path / "runs")
    assert page.count('<figure class="shot" data-setting') == 4


def test_no_more_pictures_than_the_page_may_carry(make_run: MakeRun, tmp_path: Path, monkeypatch: Any) -> None:
    for place in range(4):
        make_run(f"run-{place}", optimizer={"lr": place}, diagnostics=True)
    whole = written(tmp_path / "runs")
    assert whole.count('<figure class="shot" data-setting') == 20
    monkeypatch.setattr("vggexp.report.page.PICTURES", 5000)
    page = written(tmp_path / "runs")
    assert 5 <= page.count('<figure class="shot" data-setting') < 20
    assert "of 4 settings fit" in page


def test_figures_are_what_plotly_takes(make_run: MakeRun, tmp_path: Path) -> None:
    from plotly.graph_objects import Figure

    for task in ("classification", "localization", "segmentation"):
        make_run(task, task=task, diagnostics=task != "segmentation")
    for figure in figures(written(tmp_path / "runs")).values():
        Figure(figure)  # refuses what it does not know


def test_names_are_shown_and_never_run(make_run: MakeRun, tmp_path: Path) -> None:
    write_diagnostics(make_run("evil", optimizer={"lr": EVIL}, picture=True) / "prediction", (EVIL, "'\""))
    make_run("good", optimizer={"lr": "x"})
    (tmp_path / "runs" / "evil").rename(tmp_path / "runs" / "<img src=x onerror=alert(1)>")
    page = written(tmp_path / "runs")
    assert EVIL not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\\u003cimg src=x" in page
    ours = r"<br>|<extra></extra>|<span style=.\"color:#fff.\">|</span>"  # of plotly's hover texts and tiles
    assert "<" not in re.sub(ours, "", json.dumps(figures(page)))


def test_one_unfinished_run_is_enough(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("only", finished=False, task="classification")
    page = written(tmp_path / "runs")
    assert "1 run: 1 running" in page
    assert "NaN" not in json.dumps(figures(page))


def test_every_run_is_shown_as_it_stands_and_finished_ones_alone_count(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("good-1", 0.5, planned=9)
    make_run("good-2", 0.7, seed=2, planned=9)
    make_run("pruned", 0.1, seed=3, planned=9, pruned=True)
    MetricsJsonl(make_run("bad", 0.2, seed=4, planned=9, finished=False) / "metrics.jsonl").close(
        {}, OSError(f"no {EVIL}")
    )
    page = written(tmp_path / "runs")
    assert "4 runs: 1 failed, 2 finished, 1 pruned" in page
    assert [row["status"] for row in table(page) if row["run"] == "pruned"] == ["pruned, 3/9 epochs"]
    data = embedded(page, "data")
    assert [why for _, _, why, *_ in data["details"]["each"] if "OSError" in why] == [f"OSError: no {EVIL}"]
    assert [is_finished for _, _, _, is_finished, *_ in data["runs"]] == [0, 1, 1, 0]
    means = figures(page)["figure-group-0-setting"]["data"][-1]
    assert means["y"] == [0.6]
    out = capsys.readouterr().out
    assert " ".join(out.split()).count("failed, 3/9 epochs") == 1
    assert f"bad failed: OSError: no {EVIL}" in out


def test_where_it_goes_and_when_not(make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run("a")
    root = tmp_path / "runs"
    assert enter(["report", str(root), "page=false"]) == 0
    assert not list(tmp_path.rglob("*.html"))
    assert enter(["report", str(root), f"output={tmp_path}/x/p.html"]) == 0
    assert (tmp_path / "x" / "p.html").exists()
    assert enter(["report", str(tmp_path / "x")]) == 1
    assert "holds no run" in capsys.readouterr().err
    assert enter(["report", str(root), "watch=0"]) == 2
    assert enter(["report", str(root), f"output={tmp_path}"]) == 2
    assert capsys.readouterr().err.endswith(f"name a file in it, such as {tmp_path}/report.html\n")
    assert not list(tmp_path.glob(".*.part"))


def test_a_graft_is_a_run_too(make_run: MakeRun, tmp_path: Path) -> None:
    """Its summary has no cost: it trained nothing."""
    folder = make_run("joined")
    content = json.loads((folder / "summary.json").read_text())
    for name in ("versions", "peak_memory_mib", "device", "drift"):
        del content[name]
    (folder / "summary.json").write_text(json.dumps(content))
    assert len(read_runs(tmp_path / "runs")) == 1
    assert [row["run"] for row in table(written(tmp_path / "runs"))] == ["joined"]
