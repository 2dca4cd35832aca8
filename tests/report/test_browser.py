"""The page in a real browser: it opens without an error, sorts, filters, switches, and fits a phone."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.report.conftest import MakeRun
from vggexp.__main__ import enter
from vggexp.report.page import write_page
from vggexp.report.runs import read_runs

if TYPE_CHECKING:
    from playwright.sync_api import Page
else:
    pytest.importorskip("playwright", reason="playwright drives the browser")
    Page = Any

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")

Open = Callable[..., Page]


@pytest.fixture
def open_page(tmp_path: Path) -> Iterator[Open]:
    """Write the page of the runs made so far and open it from disk, without a network; errors fail the test."""
    from playwright.sync_api import sync_playwright

    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )

        def open_it(width: int = 1200, dark: bool = False) -> Page:
            root = tmp_path / "runs"
            assert enter(["report", str(root)]) == 0
            context = browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light", offline=True
            )
            page = context.new_page()
            page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.goto((root / "report.html").as_uri())
            return page

        yield open_it
        browser.close()
    assert not troubles


def names(page: Page) -> list[str]:
    """The runs in the table, as they are shown."""
    return page.locator("#table tbody tr:visible td:first-child").all_inner_texts()


def test_one_run(make_run: MakeRun, open_page: Open) -> None:
    make_run("only", picture=True)
    page = open_page()
    assert names(page) == ["only"]
    assert page.locator("#count").inner_text() == "1 of 1"
    page.locator("#table a").click()
    assert page.locator("details[id^=run-]").get_attribute("open") is not None
    assert page.locator("details[id^=run-] >> text=vggexp rerun").is_visible()


@pytest.fixture
def twelve(make_run: MakeRun) -> None:
    for seed in (1, 2, 3):
        for place, freeze in enumerate(("none", "backbone", "gradual", "stage")):
            make_run(f"{freeze}-{seed}", 0.9 - place / 10 + seed / 100, freeze=freeze, seed=seed, diagnostics=True)


@pytest.mark.usefixtures("twelve")
def test_sorting_and_filtering(open_page: Open) -> None:
    page = open_page()
    sort = page.get_by_role("button", name="score", exact=True)
    sort.click()
    assert names(page)[0] == "stage-1"
    sort.press("Enter")  # by keyboard, and the other way round
    assert names(page)[0] == "none-3"
    assert page.locator("th[aria-sort=descending]").inner_text().strip() == "score"
    page.locator("#filter").fill("gradual finished")
    assert sorted(names(page)) == ["gradual-1", "gradual-2", "gradual-3"]
    assert page.locator("#count").inner_text() == "3 of 12"


@pytest.mark.usefixtures("twelve")
def test_what_is_shown_can_be_taken_along(open_page: Open) -> None:
    page = open_page()
    page.locator("#filter").fill("backbone-2")
    with page.expect_download() as download:
        page.locator("#csv").click()
    header, line = Path(download.value.path()).read_text().splitlines()
    row = dict(zip(header.split(","), line.split(","), strict=True))
    assert (row["run"], row["score"], row["freeze"]) == ("backbone-2", "0.82", "backbone")
    with page.expect_download() as download:
        page.locator("#json").click()
    assert '"seed": 2' in Path(download.value.path()).read_text()


@pytest.mark.usefixtures("twelve")
def test_the_reference_can_be_chosen(open_page: Open) -> None:
    page = open_page()
    row = page.locator("#group-0 tbody tr", has=page.locator("th", has_text="none"))
    assert "reference" in row.inner_text()
    page.locator("select.reference").select_option(label="stage")
    assert "+0.300" in row.inner_text()
    assert "reference" not in row.inner_text()


@pytest.mark.usefixtures("twelve")
def test_figures_are_drawn_when_they_come_near_and_can_be_smoothed(open_page: Open) -> None:
    page = open_page()
    curves = page.locator("#figure-group-0-curves")
    curves.scroll_into_view_if_needed()
    curves.locator("svg.main-svg").first.wait_for()
    values = "document.getElementById('figure-group-0-curves').data.filter((trace) => trace.meta)[0].y[1]"
    raw = page.evaluate(values)
    page.locator("input.smooth").check()
    assert page.evaluate(values) < raw
    page.locator("input.smooth").uncheck()
    assert page.evaluate(values) == raw
    page.locator("input.log").check()
    assert page.evaluate("document.getElementById('figure-group-0-curves').layout.yaxis.type") == "log"


@pytest.mark.usefixtures("twelve")
def test_overlays_can_be_switched(open_page: Open) -> None:
    page = open_page()
    shot = page.locator(".shot:not([hidden])").first
    shot.scroll_into_view_if_needed()
    assert shot.locator("svg").count() == 2  # truth and prediction
    mask, box = shot.locator(".prediction .mask"), shot.locator(".prediction .prediction-line")
    truth = shot.locator(".truth .truth-line").first
    assert all(one.is_visible() for one in (mask, box, truth))
    page.locator(".see-mask").focus()
    page.keyboard.press("Space")
    assert (mask.is_visible(), box.is_visible(), truth.is_visible()) == (False, True, True)
    page.locator(".see-truth").uncheck()
    assert (box.is_visible(), truth.is_visible()) == (True, False)
    assert "cat" not in shot.locator("figcaption").inner_text().replace("cat 75%", "")
    page.locator(".see-prediction").uncheck()
    assert not box.is_visible()
    for name in ("mask", "truth", "prediction"):
        page.locator(f".see-{name}").check()
    assert all(one.is_visible() for one in (mask, box, truth))
    page.locator(".see-box").uncheck()
    assert (mask.is_visible(), box.is_visible()) == (True, False)
    page.locator(".opacity").fill("20")
    assert mask.evaluate("node => getComputedStyle(node).opacity") == "0.2"


@pytest.mark.usefixtures("twelve")
def test_the_worst_come_first(open_page: Open) -> None:
    page = open_page()

    def shown() -> list[list[int]]:
        strips = page.locator(".strip").all()
        return [
            [int(shot.get_attribute("data-index") or -1) for shot in strip.locator(".shot:not([hidden])").all()]
            for strip in strips
        ]

    assert shown() == [[0, 3]] * 4  # the fixed ones, a setting a column
    page.locator("select.order").select_option("worst")
    assert shown() == [[1, 2]] * 4
    page.locator("select.order").select_option("best")
    assert shown() == [[4, 3]] * 4
    page.locator("select.order").select_option("fixed")
    assert shown() == [[0, 3]] * 4


@pytest.mark.usefixtures("twelve")
def test_a_settings_confusion_can_be_chosen(open_page: Open) -> None:
    page = open_page()
    figure = page.locator("#figure-group-0-confusion-segmentation")
    figure.scroll_into_view_if_needed()
    figure.locator("svg.main-svg").first.wait_for()
    page.locator("select.pick[data-figure=figure-group-0-confusion-segmentation]").select_option(label="gradual")
    values = "document.getElementById('figure-group-0-confusion-segmentation').data.map((trace) => trace.visible)"
    assert page.evaluate(values).count(True) == 1
    assert page.evaluate(values).index(True) == 2


LOOK = """() => ({
  filter: document.getElementById("filter").value,
  sorted: document.querySelector("th[aria-sort=descending]")?.textContent.trim(),
  first: document.querySelector("#table tbody tr:not([hidden]) td").textContent,
  reference: document.querySelector("select.reference").selectedOptions[0].textContent,
  pick: document.querySelector("select.pick[data-figure$=confusion-segmentation]").selectedOptions[0].textContent,
  order: document.querySelector("select.order").value,
  shown: document.querySelectorAll(".strip:last-child .shot:not([hidden])").length,
  masks: document.querySelector("input.see-mask").checked,
  opacity: document.querySelector(".look").style.getPropertyValue("--opacity"),
  smooth: document.querySelector("input.smooth").checked,
  open: document.querySelector("details[id^=run-][open]")?.id,
})"""


@pytest.mark.usefixtures("twelve")
def test_a_reload_forgets_nothing_that_was_set(make_run: MakeRun, open_page: Open, tmp_path: Path) -> None:
    """Though a new setting comes first everywhere meanwhile."""
    page = open_page()
    page.locator("#filter").fill("gradual")
    page.get_by_role("button", name="score", exact=True).dblclick()
    page.locator("select.reference").select_option(label="stage")
    page.locator("select.pick[data-figure$=confusion-segmentation]").select_option(label="gradual")
    page.locator("select.order").select_option("worst")
    page.locator("input.see-mask").uncheck()
    page.locator(".opacity").fill("20")
    page.locator("input.smooth").check()
    page.locator("details[id^=run-] summary").nth(4).click()
    curves = "document.getElementById('figure-group-0-curves')"
    page.evaluate(f"Plotly.relayout({curves}, {{'xaxis.range[0]': 0.5, 'xaxis.range[1]': 1.5}})")
    is_none = f"{curves}.data.flatMap((trace, place) => trace.name === 'none' ? [place] : [])"  # as its legend does
    page.evaluate(f"Plotly.restyle({curves}, {{visible: 'legendonly'}}, {is_none})")
    before = page.evaluate(LOOK)
    assert (before["sorted"], before["first"], before["open"]) == ("score", "gradual-3", "run-gradual-2d2")
    make_run("aaa", 0.95, freeze="aaa", diagnostics=True)
    assert enter(["report", str(tmp_path / "runs")]) == 0
    page.reload()
    assert page.evaluate(LOOK) == before
    assert page.locator("#count").inner_text() == "3 of 13"
    page.locator("#figure-group-0-curves").scroll_into_view_if_needed()
    page.wait_for_function(f"{curves}.data?.filter((trace) => trace.visible === 'legendonly').length === 4")
    page.wait_for_function(f"{curves}.layout.xaxis.range[1] === 1.5")
    smooth = f"{curves}.data.filter((trace) => trace.meta).every((trace) => trace.y[2] === trace.meta.smooth[2])"
    assert page.evaluate(smooth)
    page.locator("#filter").fill("")  # and what is set back stays so
    page.reload()
    assert page.locator("#count").inner_text() == "13 of 13"


@pytest.mark.slow
def test_a_watched_page_is_loaded_anew_until_told_not_to(make_run: MakeRun, open_page: Open, tmp_path: Path) -> None:
    root = tmp_path / "runs"

    def write(seed: int) -> None:
        make_run(f"run-{seed}", seed=seed, finished=False)
        write_page(root, read_runs(root), root / "report.html", refresh=1)

    make_run("run-1")
    page = open_page()
    write(2)
    page.reload()
    page.locator("#filter").fill("run")
    write(3)
    page.locator("#count", has_text="3 of 3").wait_for(timeout=10_000)
    assert page.locator("#filter").input_value() == "run"
    assert page.evaluate("document.activeElement.id") == "filter"
    page.locator("#follow").uncheck()
    write(4)
    page.wait_for_timeout(4500)
    assert page.locator("#count").inner_text() == "3 of 3"


@pytest.mark.usefixtures("twelve")
@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_nothing_is_wider_than_the_window(dark: bool, open_page: Open) -> None:
    page = open_page(width=380, dark=dark)
    page.locator("#figure-group-0-curves").scroll_into_view_if_needed()
    page.locator("#figure-group-0-curves svg.main-svg").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 26)" if dark else "rgb(255, 255, 255)")


@pytest.mark.slow
def test_two_thousand_runs(make_run: MakeRun, open_page: Open, tmp_path: Path) -> None:
    policies = ("none", "backbone", "gradual", "stage", "norm")
    for place in range(2000):
        lr = {"lr": 10 ** -(1 + place // 5 % 4)}
        make_run(
            f"run-{place:04d}", place / 2000, freeze=policies[place % 5], seed=place // 20, optimizer=lr, epochs=10
        )
    page = open_page()
    assert (tmp_path / "runs" / "report.html").stat().st_size < 15e6
    assert len(names(page)) == 200
    page.locator("#filter").fill("run-12")
    page.get_by_role("button", name="score", exact=True).dblclick()
    assert names(page)[0] == "run-1299"
    assert page.locator("#count").inner_text() == "100 of 2000"
    page.locator("#filter").fill("")
    page.locator("#more").click()
    assert page.locator("#table tbody tr:visible").count() == 2000
