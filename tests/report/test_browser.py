"""The page in a real browser: its numbers against the run folders, tabs, selection, links, figures, phone and paper."""

import json
import shutil
import statistics
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

        def open_it(view: str = "", width: int = 1200, dark: bool = False) -> Page:
            root = tmp_path / "runs"
            assert enter(["report", str(root)]) == 0
            context = browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light", offline=True
            )
            page = context.new_page()
            page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.goto((root / "report.html").as_uri() + (f"#view={view}" if view else ""))
            return page

        yield open_it
        browser.close()
    assert not troubles


def names(page: Page) -> list[str]:
    """The runs in the table, as they are shown."""
    return page.locator("#table tbody tr:visible th a").all_inner_texts()


def test_one_run(make_run: MakeRun, open_page: Open) -> None:
    make_run("only", picture=True)
    page = open_page()
    assert page.locator("#count").inner_text() == "1 of 1 run"
    assert (
        "none reaches mean IoU (0.500, baseline 0.100) and mean Dice (0.500)" in page.locator("#findings").inner_text()
    )
    page.get_by_role("tab", name="runs").click()
    assert names(page) == ["only"]
    page.locator("#table tbody a").click()
    assert page.get_by_role("tab", name="details").get_attribute("aria-selected") == "true"
    assert page.locator("details[id^=run-]").get_attribute("open") is not None
    assert page.locator("details[id^=run-] >> text=vggexp rerun").is_visible()


@pytest.fixture
def twelve(make_run: MakeRun) -> None:
    for seed in (1, 2, 3):
        for place, freeze in enumerate(("none", "backbone", "gradual", "stage")):
            make_run(f"{freeze}-{seed}", 0.9 - place / 10 + seed / 100, freeze=freeze, seed=seed, diagnostics=True)


def cell(page: Page, setting: str, column: int) -> str:
    """The text of a cell of the first screen."""
    row = page.locator("#matrix tbody tr", has=page.locator("th", has_text=setting))
    return row.locator("td").nth(column).inner_text().replace("\n", " ").replace("\N{MINUS SIGN}", "-")


def recorded(root: Path, policy: str, metric: str) -> list[float]:
    """The scores of a policy's seeds, from the run folders alone."""
    summaries = [json.loads((root / f"{policy}-{seed}" / "summary.json").read_text()) for seed in (1, 2, 3)]
    return [summary["metrics"][f"test/{metric}"] for summary in summaries]


def test_the_first_screen_has_the_numbers_of_the_run_folders(
    make_run: MakeRun, open_page: Open, tmp_path: Path
) -> None:
    """Mean, Student's interval, the paired difference from the best, greyed where it means nothing; by hand."""
    scores = {"none": (0.90, 0.92, 0.91), "gradual": (0.93, 0.90, 0.88), "backbone": (0.50, 0.54, 0.49)}
    for freeze, values in scores.items():
        for seed, value in enumerate(values, 1):
            make_run(f"{freeze}-{seed}", value, freeze=freeze, seed=seed)
    page = open_page()
    root = tmp_path / "runs"
    best = max(scores, key=lambda policy: statistics.fmean(recorded(root, policy, "miou")))
    for freeze in scores:
        for column, metric in enumerate(("miou", "mdice")):
            ours, top = recorded(root, freeze, metric), recorded(root, best, metric)
            half = 4.30265 * statistics.stdev(ours) / 3**0.5
            differences = [one - other for one, other in zip(ours, top, strict=True)]
            says = f"{statistics.fmean(differences):+.3f}"
            if (
                is_same := abs(statistics.fmean(differences)) <= 4.30265 * statistics.stdev(differences) / 3**0.5
            ) and freeze != best:
                says = f"\N{ALMOST EQUAL TO} {says}"
            assert is_same == (freeze != "backbone")
            expected = f"{statistics.fmean(ours):.3f} ± {half:.3f} {'best' if freeze == best else says}"
            assert " ".join(cell(page, freeze, column).split()) == expected
    bar = page.locator("#matrix tbody tr").first.locator(".meter").first
    assert bar.locator("i").evaluate("node => node.style.width") == "91%"
    assert bar.locator("s").evaluate("node => node.style.left") == "10%"  # the baseline
    assert "is best at mean IoU" in page.locator("#findings").inner_text()
    page.get_by_role("button", name="backbone, mean IoU").click()
    assert names(page)[:3] == [f"backbone-{seed}" for seed in (1, 2, 3)]
    assert page.locator("tr.ticked").count() == 3
    assert page.locator("#count").inner_text() == "3 of 9 runs"


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_everything_follows_the_selection_and_a_link_opens_the_same_view(open_page: Open) -> None:
    page = open_page("runs")
    for name in ("none-1", "none-2", "backbone-1"):
        page.get_by_label(f"select {name}").check()
    assert page.locator("#count").inner_text() == "3 of 12 runs"
    page.get_by_role("tab", name="compare").click()
    rows = page.locator("table.comparison tbody tr").all_inner_texts()
    assert [row.split()[:3] for row in rows] == [["none", "2", "0.915"], ["backbone", "1", "0.810"]]
    points = "document.getElementById('figure-group-0-setting').data?.map((trace) => trace.x.length)"
    page.wait_for_function(f"{points}?.toString() === '2,1,2'")  # two settings' runs, and their means
    assert page.locator("#figure-group-0-setting-says").inner_text() == (
        "Best mean: none, 0.915. Worst: backbone, 0.810."
    )
    page.get_by_role("tab", name="pictures").click()
    assert page.locator(".strip:visible").first.locator(".whose:visible").all_inner_texts() == ["none", "backbone"]
    link = page.url
    assert "view=pictures" in link
    assert "runs=backbone-1%2Cnone-1%2Cnone-2" in link or "runs=none-1%2Cnone-2%2Cbackbone-1" in link
    page.goto("about:blank")
    page.goto(link)
    assert page.locator("#count").inner_text() == "3 of 12 runs"
    assert page.locator("#pictures").is_visible()
    page.get_by_role("tab", name="answer").click()
    assert page.locator("#matrix tbody tr").count() == 2
    page.go_back()
    assert page.locator("#pictures").is_visible()
    page.locator("#clear").click()
    assert page.locator("#count").inner_text() == "12 of 12 runs"


@pytest.mark.usefixtures("twelve")
def test_tabs_work_by_keyboard(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("tab", name="answer").focus()
    for key, tab in (("ArrowRight", "compare"), ("End", "details"), ("ArrowRight", "answer"), ("ArrowLeft", "details")):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == f"tab-{tab}"
        assert [panel.get_attribute("id") for panel in page.locator(".panel").all() if panel.is_visible()] == [tab]


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_columns_can_be_chosen_and_the_head_stays_in_sight(open_page: Open) -> None:
    page = open_page("runs", width=600)
    heads = page.locator("#table thead th")
    assert "data" not in heads.all_inner_texts()  # it is the same in all runs, and said once
    assert "data digits" in page.locator("#constant").inner_text()
    page.locator("summary", has_text="columns").click()
    page.locator("#columns label", has_text="data").locator("input").check()
    page.locator("#columns label", has_text="seconds").locator("input").uncheck()
    shown = heads.all_inner_texts()
    assert ("data" in shown, "seconds" in shown) == (True, False)
    page.reload()
    assert heads.all_inner_texts() == shown
    page.locator(".tall").evaluate("node => { node.scrollLeft = 10000; node.scrollTop = 10000; }")
    inside = page.locator(".tall").bounding_box()
    last, first = heads.last.bounding_box(), page.locator("#table tbody tr:last-child th").bounding_box()
    assert inside
    assert last
    assert first
    assert inside["x"] <= last["x"] <= inside["x"] + inside["width"] - last["width"] + 1
    assert first["x"] == pytest.approx(inside["x"], abs=2)
    assert last["y"] == pytest.approx(inside["y"], abs=2)


@pytest.mark.usefixtures("twelve")
def test_on_paper_all_tabs_are_unfolded_and_all_figures_drawn(open_page: Open) -> None:
    page = open_page(dark=True)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(".panel:visible").count() == 6  # without the details
    assert page.locator(".bar").is_hidden()
    figures = page.locator(".plot:visible .figure")
    assert figures.count() > 6
    assert all(one.locator("svg.main-svg").count() for one in figures.all())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".panel:visible").count() == 1


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_sorting_and_filtering(open_page: Open) -> None:
    page = open_page("runs")
    sort = page.get_by_role("button", name="score", exact=True)
    sort.click()
    assert names(page)[0] == "stage-1"
    sort.press("Enter")  # by keyboard, and the other way round
    assert names(page)[0] == "none-3"
    assert page.locator("th[aria-sort=descending]").inner_text().strip() == "score"
    page.locator("#filter").fill("gradual finished")
    assert sorted(names(page)) == ["gradual-1", "gradual-2", "gradual-3"]
    assert page.locator("#count").inner_text() == "3 of 12 runs"
    page.locator("#filter").fill("freeze=stage seed=2")
    assert names(page) == ["stage-2"]


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_what_is_shown_can_be_taken_along(open_page: Open) -> None:
    page = open_page("runs")
    page.locator("#filter").fill("backbone-2")
    with page.expect_download() as download:
        page.locator("#csv").click()
    header, line = Path(download.value.path()).read_text().splitlines()
    row = dict(zip(header.split(","), line.split(","), strict=True))
    assert (row["run"], row["score"], row["freeze"]) == ("backbone-2", "0.82", "backbone")
    with page.expect_download() as download:
        page.locator("#json").click()
    assert '"seed": 2' in Path(download.value.path()).read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_the_reference_can_be_chosen(open_page: Open) -> None:
    page = open_page("compare")
    row = page.locator("table.comparison tbody tr", has=page.locator("th", has_text="none"))
    assert "reference" in row.inner_text()
    page.locator("select.reference").select_option(label="stage")
    assert "+0.300" in row.inner_text()
    assert "reference" not in row.inner_text()
    page.locator("select.score-of").select_option(label="mean Dice")
    assert "0.920" in row.inner_text()


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_curves_can_be_smoothed(open_page: Open) -> None:
    page = open_page("curves")
    page.locator("#figure-group-0-curves svg.main-svg").first.wait_for()
    values = "document.getElementById('figure-group-0-curves').data.filter((trace) => trace.meta)[0].y[1]"
    raw = page.evaluate(values)
    page.locator("input.smooth").check()
    assert page.evaluate(values) < raw
    page.locator("input.smooth").uncheck()
    assert page.evaluate(values) == raw
    page.locator("input.log").check()
    assert page.evaluate("document.getElementById('figure-group-0-curves').layout.yaxis.type") == "log"
    assert "12 runs. The highest value is 0.930, of none-3 in epoch 2." in page.locator("#curves").inner_text()


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_overlays_can_be_switched(open_page: Open) -> None:
    page = open_page("pictures")
    strip = page.locator(".strip:visible").first
    assert strip.locator(".shot:visible").count() == 5  # the truth, and four settings
    shot = strip.locator(".shot:visible").nth(1)
    mask, box = shot.locator(".prediction .mask"), shot.locator(".prediction .prediction-line")
    truth = strip.locator(".of-truth .truth-line")
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


def strips(page: Page) -> list[int]:
    """The images that are shown, in their order."""
    return [int(strip.get_attribute("data-index") or -1) for strip in page.locator(".strip:visible").all()]


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_the_worst_come_first(open_page: Open) -> None:
    page = open_page("pictures")
    assert strips(page) == [0, 3]  # the fixed ones
    page.locator("select.order").select_option("worst")
    assert strips(page) == [1, 2]
    page.locator("select.order").select_option("best")
    assert strips(page) == [4, 3]
    page.locator("select.order").select_option("fixed")
    assert strips(page) == [0, 3]


@pytest.mark.slow
def test_photos_are_chosen_by_what_changed_and_laid_one_over_the_other(make_run: MakeRun, open_page: Open) -> None:
    for freeze in ("none", "backbone"):
        folder = make_run(freeze, freeze=freeze, diagnostics=True, task="classification")
        path = folder / "prediction" / "test.json"
        content = json.loads(path.read_text())
        if freeze == "backbone":  # image 1 is right now, image 4 is wrong; the object of image 3 is small
            content["images"][1]["prediction"]["label"] = content["images"][1]["truth"]["label"]
            content["images"][4]["prediction"]["label"] = 1
        content["images"][2]["truth"]["label"] = 1
        content["images"][3]["truth"]["box"] = [0.25, 0.25, 0.1, 0.1]
        path.write_text(json.dumps(content))
    page = open_page("pictures")
    for kind, images in {"gained": [1], "lost": [4], "": [0, 3]}.items():
        page.locator("select.changed").select_option(kind)
        assert strips(page) == images
    page.locator("select.of-class").select_option("dog")
    assert strips(page) == [2]
    page.locator("select.of-class").select_option("")
    page.locator("select.of-size").select_option("small")
    assert strips(page) == [3]
    page.locator("select.of-size").select_option("")
    page.locator("input.wipe").check()
    both = page.locator(".strip:visible .wiped").first
    assert both.locator("figcaption").inner_text() == "none | backbone"
    assert both.locator("svg").count() == 2
    page.locator("input.cut").fill("20")
    assert both.locator("svg").last.evaluate("node => getComputedStyle(node).clipPath") == "inset(0px 0px 0px 20%)"
    page.locator("input.wipe").uncheck()
    assert page.locator(".wiped").count() == 0


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_a_settings_confusion_can_be_chosen(open_page: Open) -> None:
    page = open_page("classes")
    page.locator("#figure-group-0-confusion-segmentation svg.main-svg").first.wait_for()
    page.locator("select.pick[data-figure=figure-group-0-confusion-segmentation]").select_option(label="gradual")
    shown = "document.getElementById('figure-group-0-confusion-segmentation').data.map((trace) => trace.meta.pick)"
    assert page.evaluate(shown) == [2, 2]  # its tiles with their black numbers, and its white numbers
    look = "nodes => nodes.map((node) => [node.style.fill, parseFloat(node.style.fontSize)])"
    numbers = page.locator("#figure-group-0-confusion-segmentation .heatmap-label text").evaluate_all(look)
    assert {fill for fill, _ in numbers} == {"rgb(0, 0, 0)", "rgb(255, 255, 255)"}
    assert min(size for _, size in numbers) >= 9


LOOK = """() => ({
  filter: document.getElementById("filter").value,
  sorted: document.querySelector("#table th[aria-sort=descending]")?.textContent.trim(),
  first: document.querySelector("#table tbody tr th a").textContent,
  reference: document.querySelector("select.reference").selectedOptions[0].textContent,
  pick: document.querySelector("select.pick[data-figure$=confusion-segmentation]").selectedOptions[0].textContent,
  order: document.querySelector("select.order").value,
  shown: document.querySelectorAll(".strip:not([hidden])").length,
  masks: document.querySelector("input.see-mask").checked,
  opacity: document.querySelector(".look").style.getPropertyValue("--opacity"),
  smooth: document.querySelector("input.smooth").checked,
  theme: document.documentElement.dataset.theme,
})"""


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
def test_a_reload_forgets_nothing_that_was_set(make_run: MakeRun, open_page: Open, tmp_path: Path) -> None:
    """Though a new setting comes first everywhere meanwhile."""
    page = open_page("compare")
    page.locator("#filter").fill("a")
    page.locator("#theme").select_option("dark")
    page.locator("select.reference").select_option(label="stage")
    page.get_by_role("tab", name="classes").click()
    page.locator("select.pick[data-figure$=confusion-segmentation]").select_option(label="gradual")
    page.get_by_role("tab", name="pictures").click()
    page.locator("select.order").select_option("worst")
    page.locator("input.see-mask").uncheck()
    page.locator(".opacity").fill("20")
    page.get_by_role("tab", name="runs").click()
    page.get_by_role("button", name="score", exact=True).dblclick()
    page.get_by_role("tab", name="curves").click()
    page.locator("input.smooth").check()
    curves = "document.getElementById('figure-group-0-curves')"
    page.evaluate(f"Plotly.relayout({curves}, {{'xaxis.range[0]': 0.5, 'xaxis.range[1]': 1.5}})")
    is_none = f"{curves}.data.flatMap((trace, place) => trace.name === 'none' ? [place] : [])"  # as its legend does
    page.evaluate(f"Plotly.restyle({curves}, {{visible: 'legendonly'}}, {is_none})")
    before = page.evaluate(LOOK)
    assert (before["sorted"], before["first"], before["theme"]) == ("score", "none-3", "dark")
    make_run("aaa", 0.55, freeze="aaa", diagnostics=True)
    assert enter(["report", str(tmp_path / "runs")]) == 0
    page.reload()
    page.wait_for_function(f"{curves}.data?.filter((trace) => trace.visible === 'legendonly').length === 4")
    page.wait_for_function(f"{curves}.layout.xaxis.range[1] === 1.5")
    smooth = (
        f"{curves}.data.filter((trace) => trace.meta?.smooth).every((trace) => trace.y[2] === trace.meta.smooth[2])"
    )
    assert page.evaluate(smooth)
    assert page.locator("#curves").is_visible()
    page.get_by_role("tab", name="pictures").click()
    page.get_by_role("tab", name="runs").click()
    assert page.evaluate(LOOK) == before
    assert page.locator("#count").inner_text() == "13 of 13 runs"


@pytest.mark.slow
def test_a_watched_page_is_loaded_anew_until_told_not_to(make_run: MakeRun, open_page: Open, tmp_path: Path) -> None:
    root = tmp_path / "runs"

    def write(seed: int) -> None:
        make_run(f"run-{seed}", seed=seed, finished=False)
        write_page(root, read_runs(root), root / "report.html", refresh=1)

    make_run("run-1")
    page = open_page("runs")
    write(2)
    page.reload()
    page.locator("#filter").fill("run")
    write(3)
    page.locator("#count", has_text="3 of 3 runs").wait_for(timeout=10_000)
    assert page.locator("#filter").input_value() == "run"
    assert page.evaluate("document.activeElement.id") == "filter"
    page.locator("#follow").uncheck()
    write(4)
    page.wait_for_timeout(4500)
    assert page.locator("#count").inner_text() == "3 of 3 runs"


@pytest.mark.usefixtures("twelve")
@pytest.mark.parametrize("dark", [False, True])
def test_on_a_phone_nothing_is_wider_than_the_window(dark: bool, open_page: Open) -> None:
    page = open_page(width=390, dark=dark)
    for tab in ("answer", "compare", "curves", "classes", "pictures", "runs", "details"):
        page.get_by_role("tab", name=tab).click()
        if tab in ("compare", "curves", "classes"):
            page.locator(f"#{tab} svg.main-svg").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab
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
    page = open_page("runs")
    assert (tmp_path / "runs" / "report.html").stat().st_size < 12e6
    assert len(names(page)) == 100
    page.locator("#filter").fill("run-12")
    page.get_by_role("button", name="score", exact=True).dblclick()
    assert names(page)[0] == "run-1299"
    assert page.locator("#count").inner_text() == "100 of 2000 runs"
    page.locator("#filter").fill("")
    page.locator("#more").click()
    assert page.locator("#table tbody tr:visible").count() == 2000


RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.mark.slow
@pytest.mark.usefixtures("twelve")
@pytest.mark.parametrize(("width", "theme"), [(1200, "light"), (1200, "dark"), (390, "light")])
def test_axe_finds_nothing_against_wcag_aa(width: int, theme: str, make_run: MakeRun, open_page: Open) -> None:
    """In every tab, with all that unfolds unfolded; a failed and a running run are there too."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    make_run("failed", finished=False, epochs=1, planned=3)
    make_run("other", 0.7, task="localization", diagnostics=True)
    page = open_page(width=width, dark=theme == "dark")
    for tab in page.get_by_role("tab").all():
        tab.click()
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.wait_for_timeout(500)  # figures are drawn one after the other
        found = axe.run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
        assert not [(one["id"], [node["html"][:150] for node in one["nodes"]][:3]) for one in found]
