"""Writes a network's picture: ``.svg``, ``.html`` (the picture and all layers), ``.pdf`` or ``.png``."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from vggexp.distributed.whole import whole
from vggexp.report.ledger import Ledger
from vggexp.report.picture.blocks import blocks
from vggexp.report.picture.draw import Caption, draw
from vggexp.report.picture.plotted import write_plotted
from vggexp.report.picture.svg import svg


def write_picture(ledger: Ledger, caption: Caption, path: Path) -> None:
    """Write the file in the form that its suffix names, whole or not at all.

    Raises:
        ConfigError: matplotlib, which writes PDF and PNG, is not installed.
    """
    picture = draw(ledger, caption)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as temporary:
        if path.suffix == ".svg":
            temporary.write_text(svg(picture), encoding="utf-8")
        elif path.suffix == ".html":
            temporary.write_text(_page(ledger, caption.title, svg(picture)), encoding="utf-8")
        else:
            write_plotted(picture, temporary, "pdf" if path.suffix == ".pdf" else "png")


def _page(ledger: Ledger, title: str, drawn: str) -> str:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("page.html").render(title=title, svg=Markup(drawn), blocks=blocks(ledger))
