"""The page of ``inspect``: one HTML file that needs no network."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from vggexp.errors import UserError
from vggexp.report.album import data_uri
from vggexp.report.photos.samples import Shot, shots
from vggexp.run_folder import write_whole
from vggexp.sample.record.photos import Photos
from vggexp.sample.record.problem import Finding
from vggexp.sample.record.splits import SPLITS

PAIRS = 12
"""Pairs of photos that look alike, shown."""
SIZES = 12
"""Bars of a histogram of sizes."""


@dataclass(frozen=True)
class Bar:
    """One line of a bar chart."""

    name: str
    count: int
    share: float
    """Of the longest bar."""


def write_page(output: Path, found: Mapping[str, Any], data: Photos, samples: int) -> None:
    """Write the page.

    Args:
        found: as ``counts`` gives it.
        samples: photos that are shown, plain and augmented.
    """
    here = Path(__file__).parent
    environment = Environment(loader=FileSystemLoader(here), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    text = environment.get_template("page.html").render(
        found=found,
        classes={split: bars({name: count[split] for name, count in found["classes"].items()}) for split in SPLITS},
        sizes=bars(dict(list(found["sizes"].items())[:SIZES])),
        objects=bars(dict(sorted(found["photos_by_objects"].items(), key=lambda item: int(item[0]))[:SIZES])),
        problems=[
            Finding(each["kind"], each["what"], each["remedy"], tuple(each["places"])) for each in found["problems"]
        ],
        pairs=_pairs(found, data),
        shots=_shots(data, samples),
        written=time.strftime("%Y-%m-%d %H:%M"),
        css=Markup((here.parent / "page.css").read_text(encoding="utf-8")),
    )
    write_whole(output, text)


def bars(counts: Mapping[str, int]) -> list[Bar]:
    """A bar a count.

    >>> bars({"cat": 4, "dog": 2})
    [Bar(name='cat', count=4, share=1.0), Bar(name='dog', count=2, share=0.5)]
    """
    longest = max(counts.values(), default=0) or 1
    return [Bar(name, count, count / longest) for name, count in counts.items()]


def _pairs(found: Mapping[str, Any], data: Photos) -> list[dict[str, Any]]:
    """The photos of different splits that look most alike, with their pictures."""
    paths = {record.name: record.image for record in data.listing.records}
    return [
        {"names": names, "splits": [data.splits[name] for name in names], "bits": bits,
         "pictures": [data_uri(paths[name].read_bytes()) for name in names]}
        for *names, bits in found["alike"][:PAIRS]
    ]  # fmt: skip


def _shots(data: Photos, samples: int) -> list[Shot] | str:
    """The sample photos; or why there are none."""
    try:
        return shots(data, samples)
    except UserError as error:
        return str(error)
