"""A config comes back as it was: from the command line's words, and from the file that a run keeps."""

from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from vggexp.config.recorded import read_config
from vggexp.config.words import quoted
from vggexp.run_folder import RunFolder

quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PATHS = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), min_size=1, max_size=40)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@quick
@given(PATHS)
def test_a_path_as_a_word(path: str) -> None:
    (word,) = OverridesParser.create().parse_overrides([f"checkpoint={quoted(path)}"])
    assert OmegaConf.create({"x": word.value()}).x == path


@quick
@given(st.dictionaries(TEXTS.filter(lambda key: key not in ("choice", "data")), VALUES, max_size=5))
def test_a_config_in_its_run_folder(tmp_path: Path, content: dict[str, Any]) -> None:
    config = {"choice": {"task": "x"}, **content}
    folder = RunFolder(tmp_path)
    folder.begin(config)
    assert read_config(folder) == config
