"""Tables and methods for a paper, against numbers worked out by hand and by scipy."""

import csv
import json
import re
from pathlib import Path

import pytest
from scipy.stats import ttest_rel

from tests.report.conftest import MakeRun
from vggexp.__main__ import enter
from vggexp.report.compare import groups
from vggexp.report.paper.methods import methods
from vggexp.report.paper.results import results
from vggexp.report.runs import read_runs

SCORES = {"none": (0.90, 0.92, 0.94), "gradual": (0.90, 0.93, 0.92), "backbone": (0.50, 0.55, 0.54)}


@pytest.fixture
def study(make_run: MakeRun, tmp_path: Path) -> Path:
    for freeze, values in SCORES.items():
        for seed, value in enumerate(values, 1):
            make_run(f"{freeze}-{seed}", value, freeze=freeze, seed=seed)
    return tmp_path / "runs"


def test_ranks_and_corrected_p_values(study: Path) -> None:
    """Two comparisons in a column: Holm doubles the smaller p value; the larger is at least as large."""
    (group,) = groups(read_runs(study))
    iou = results(group)[0]
    found = dict(zip((setting.label for setting in group.settings), iou.entries, strict=True))
    assert {label: entry.rank for label, entry in found.items()} == {"none": 0, "gradual": 1, "backbone": 2}
    raw = {label: float(ttest_rel(SCORES[label], SCORES["none"]).pvalue) for label in ("gradual", "backbone")}
    assert found["none"].p is None
    assert found["backbone"].p == pytest.approx(2 * raw["backbone"])
    assert found["gradual"].p == pytest.approx(raw["gradual"])
    assert [found[label].differs for label in ("none", "gradual", "backbone")] == [False, False, True]


def test_latex_has_best_bold_second_underlined_and_a_dagger(study: Path) -> None:
    assert enter(["report", str(study), "format=latex"]) == 0
    text = (study / "report.tex").read_text(encoding="utf-8")
    rows = {line.split(" & ")[0]: line for line in text.splitlines() if " & " in line}
    assert r"& 3 & \textbf{0.920} $\pm$ 0.020 &" in rows["none"]
    assert r"& 3 & \underline{0.917} $\pm$ 0.015 &" in rows["gradual"]
    assert r"& 3 & 0.530 $\pm$ 0.026$^{\dagger}$ &" in rows["backbone"]
    assert "0.100" in rows["constant prediction"]
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert rule in text
    assert not re.search(r"(?<!\\)[_%&#](?![^\n]*\\\\)", text.split("% Methods\n")[1])  # all special characters escaped


def test_markdown_and_csv_have_the_same_numbers(study: Path) -> None:
    assert enter(["report", str(study), "format=markdown"]) == 0
    assert "| none | 3 | **0.920** ± 0.020 |" in (study / "report.md").read_text(encoding="utf-8")
    assert enter(["report", str(study), "format=csv", f"output={study}/x/t.csv"]) == 0
    with (study / "x" / "t.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == "miou"]
    assert {row["setting"]: (row["n"], round(float(row["mean"]), 3), row["rank"]) for row in rows} == {
        "none": ("3", 0.92, "1"), "gradual": ("3", 0.917, "2"), "backbone": ("3", 0.53, "3"),
    }  # fmt: skip


def test_methods_say_what_the_runs_recorded(study: Path) -> None:
    first, *_, software = methods(groups(read_runs(study)))
    for words in ("Segmentation on digits", "vgg16_bn with head unet", "3 epochs", "rate of 0.001", "seeds 1, 2 and 3"):
        assert words in first
    assert "1 x CPU" in software
    assert "torch 2" in software


def test_one_repeat_has_neither_deviation_nor_significance(make_run: MakeRun, tmp_path: Path) -> None:
    for freeze in ("none", "backbone"):
        make_run(freeze, 0.5, freeze=freeze)
    (group,) = groups(read_runs(tmp_path / "runs"))
    assert all(entry.deviation is None and entry.p is None for entry in results(group)[0].entries)


def test_words_that_cannot_take_effect_are_refused(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert enter(["report", str(study), "format=latex", "watch=3"]) == 2
    assert enter(["report", str(study), "format=latex", "page=false"]) == 2
    assert enter(["report", str(study), "format=word"]) == 2
    assert "latex" in capsys.readouterr().err


def test_a_paper_needs_a_finished_run(make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run("a", finished=False)
    assert enter(["report", str(tmp_path / "runs"), "format=csv"]) == 1
    assert "holds no finished run" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["svg", "pdf"])
def test_figures_are_vectors_at_a_columns_width(form: str, study: Path) -> None:
    pytest.importorskip("matplotlib")
    assert enter(["report", str(study), f"format={form}"]) == 0
    (path,) = (study / "figures").iterdir()
    content = path.read_bytes()
    if form == "svg":
        assert b'width="238.32pt"' in content  # 3.31 inches of 72 points
        assert b">backbone</text>" in content  # text stays text
    else:
        assert b"/FontFile2" in content  # the font is embedded, as TrueType
        assert b"/MediaBox [ 0 0 238.32" in content
    path.unlink()
    assert enter(["report", str(study), f"format={form}"]) == 0
    assert path.read_bytes() == content


def test_the_citation_names_this_version() -> None:
    import yaml

    from vggexp.config.help import CONF

    root = CONF.parent
    cited = yaml.safe_load((root / "CITATION.cff").read_text())
    assert f'version = "{cited["version"]}"' in (root / "pyproject.toml").read_text()
    assert json.dumps(cited["cff-version"]) == '"1.2.0"'
