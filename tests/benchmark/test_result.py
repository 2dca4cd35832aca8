"""Rounds to rows, by hand; FLOPs against the paper's; the page."""

import html
from pathlib import Path

import pytest
import torch

from vggexp.benchmark.limit import flops_an_image, matmul_rate
from vggexp.benchmark.measure import Round, Turn
from vggexp.benchmark.page import bar, texts, write_page
from vggexp.benchmark.plan import Job, Work, alternatives, works
from vggexp.benchmark.result import Row, ratio, rows
from vggexp.benchmark.setting import config_of, last_of_each

JOB = Job("steps", ())


def test_a_ratio_is_the_median_of_paired_ones() -> None:
    assert ratio([2.0, 9.0, 4.0], [1.0, 3.0, 1.0]) == (3.0, 2.0, 4.0)


def test_rows_divide_seconds_an_image_in_the_same_round() -> None:
    def one(ours: float, theirs: float, rate: float) -> Round:
        return {
            "ours": Turn({"": ours}, 10, 100.0),
            "plain": Turn({"": theirs}, 5, 400.0),
            "limit": Turn({"": 1.0}, 1, 50.0, {"rate": rate, "flops": 6.0}),
        }

    found = [one(10.0, 10.0, 12.0), one(10.0, 15.0, 8.0), one(20.0, 20.0, 12.0)]
    (row,) = rows("fine_tune", Work({"": JOB}, {"plain": ("plain", JOB)}, 1, bounded=True), found)
    assert row == Row("fine_tune", "plain", 2.0, 2.0, 3.0, 0.5, 0.25)


def test_each_of_ours_and_each_of_their_parts_has_a_row() -> None:
    round_ = {
        "ours a": Turn({"first": 4.0, "again": 1.0}, 1, 10.0),
        "ours b": Turn({"first": 2.0, "again": 2.0}, 1, 20.0),
        "none": Turn({"": 8.0}, 1, 10.0),
    }
    found = rows("freeze", Work({"a": JOB, "b": JOB}, {"none": ("ours", JOB)}, 1), [round_])
    assert [(row.work, row.ratio, row.share_of_peak) for row in found] == [
        ("freeze, a, first", 2.0, None), ("freeze, a, again", 8.0, None),
        ("freeze, b, first", 4.0, None), ("freeze, b, again", 4.0, None),
    ]  # fmt: skip


def test_vgg16_takes_the_flops_that_it_takes(tmp_path: Path) -> None:
    from vggexp.benchmark.photos import draw_photos

    draw_photos(tmp_path, 3, 3, size=(40, 30))
    words = ("data=pets", f"data.root='{tmp_path}'", "backbone=vgg16", "head=linear")
    forward = flops_an_image(config_of(words), backward=False)
    convolutions = 15_346_630_656  # multiply-adds of VGG16's 13 convolutions at 224
    assert forward == 2 * (convolutions + 3 * 512)
    first_input = 2 * 64 * 3 * 9 * 224**2  # no gradient goes back to the image
    assert flops_an_image(config_of(words), backward=True) == 3 * forward - first_input
    frozen = flops_an_image(config_of((*words, "freeze=backbone")), backward=True)
    assert frozen == forward + 2 * 3 * 512  # the features need no gradient, the last layer's weights do


def test_a_matrix_product_has_a_rate() -> None:
    assert matmul_rate(torch.float32, torch.device("cpu"), side=64) > 1e6


def test_words_that_come_twice_count_once() -> None:
    assert last_of_each(("seed=1", "head=mlp", "seed=2")) == ["seed=2", "head=mlp"]


def test_bars_lie_on_a_logarithmic_scale() -> None:
    row = Row("w", "a", 10.0, 1.0, 100.0, None, 1.0)
    assert bar(row, [0.0, 4.605170185988092]) == {"left": 0.0, "width": 50.0, "low": 0.0, "high": 100.0}
    assert texts(row) == {"ratio": "10.0", "span": "1.00 to 100", "share": "-", "memory": "1.00"}


def test_the_page_shows_every_row_and_runs_nothing(tmp_path: Path) -> None:
    table = [Row("fine_tune", "plain", 2.5, 2.0, 3.0, 0.8, 1.1), Row("data", "<script>", 0.5, 0.4, 0.6, None, 0.9)]
    content = {"machine": "a <b> machine", "versions": {"torch": "2"}, "date": "2026-11-24", "config": {"repeats": 3}}
    write_page(tmp_path / "bench.html", table, content, {"data": "JPEG files"}, "python -m vggexp benchmark")
    text = (tmp_path / "bench.html").read_text()
    assert "<script>" not in text
    assert "2.00 to 3.00" in html.unescape(text)
    assert text.count("<svg") == 2
    assert 'class="bar slow"' in text


@pytest.mark.parametrize("name", works())
def test_every_work_is_described(name: str) -> None:
    from vggexp.benchmark.plan import about

    assert about(name).endswith(".")


def test_the_help_names_all_of_them() -> None:
    from vggexp.config.help import help_text

    for name in (*works(), *alternatives()):
        assert name in help_text("benchmark")
