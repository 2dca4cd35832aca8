"""Small folders that are odd in ways people report, each copied to where a test may change it.

Each photo is 64 x 48 pixels of noise with a red rectangle from (20, 10) to (44, 34).
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from vggexp.sample.record.problem import Problem, findings

CASES = Path(__file__).parent / "cases"


@pytest.fixture
def case(tmp_path: Path) -> Callable[[str], Path]:
    """A copy of one of the folders in ``cases``."""
    return lambda name: Path(shutil.copytree(CASES / name, tmp_path / name))


@pytest.fixture
def told() -> Callable[..., list[str]]:
    """The lines that the problems of a kind make."""

    def lines(problems: tuple[Problem, ...] | list[Problem], kind: str = "warning") -> list[str]:
        return [str(finding) for finding in findings(problems) if finding.kind == kind]

    return lines
