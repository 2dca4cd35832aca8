"""``inspect``: what a folder of photos holds and what is wrong with it, without a training."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vggexp.data.auto import recognized
from vggexp.errors import ConfigError, DataError
from vggexp.report.console import console
from vggexp.report.photos.counts import counts
from vggexp.report.photos.scan import scan
from vggexp.report.photos.text import print_counts
from vggexp.run_folder import write_whole
from vggexp.sample.record.photos import Photos, folder
from vggexp.trainer.build import build

SAMPLES = 24
"""Photos that the page shows if nobody says how many."""


def run(config: Mapping[str, Any]) -> int:
    """Print the counts and the problems, and write the page or, for ``output=NAME.json``, the counts.

    Returns:
        1 if there is an error that would stop a training, else 0.
    """
    words, output = config["data"], Path(str(config["output"]))
    data = build("data", words)
    if not isinstance(data, Photos):
        raise ConfigError(f"inspect reads layouts of photos, and data={config['choice']['data']} is none")
    memory = Path(words["cache_dir"]).expanduser() / "inspect"
    facts = scan([record.image for record in data.listing.records], memory)
    height, width = words["image_size"]
    layout = _layout(config["choice"]["data"], words["root"], words.get("index_dir"))
    found = {"root": words["root"], "layout": layout, **counts(data, facts, (height, width), words["resize"])}
    print_counts(found, f"{words['root']} is {layout}", console())
    _write(output, found, data, config)
    console().print(str(output), style="bold", soft_wrap=True)
    return int(any(each["kind"] == "error" for each in found["problems"]))


def _layout(word: str, root: str, index: str | None) -> str:
    """The layout, with what shows it where it was recognised."""
    if word != "auto":
        return word
    name, why = next(iter(recognized(folder(root), index).items()))
    return f"{name} ({why})"


def _write(output: Path, found: Mapping[str, Any], data: Photos, config: Mapping[str, Any]) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if output.suffix == ".json":
            write_whole(output, json.dumps(found, indent=2, ensure_ascii=False) + "\n")
            return
        from vggexp.report.photos.page import write_page

        write_page(output, found, data, SAMPLES if config["samples"] is None else config["samples"])
    except OSError as error:
        raise DataError(f"output={output} cannot be written: {error.strerror}") from error
