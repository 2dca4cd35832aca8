"""No secret lands in what a run writes or prints."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vggexp.config.check.keys import check_secrets
from vggexp.errors import ConfigError

Vggexp = Callable[..., tuple[int, str, str]]
SESAME = "sesame" + "0123456789abcdef" * 2 + "open"
NAMES = ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "OPENAI_API_KEY", "DB_PASSWORD", "MLFLOW_TRACKING_TOKEN")


def holders(folder: Path) -> list[str]:
    """The files that hold the secret, also within zip files, such as checkpoints and archives."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and SESAME.encode() in path.read_bytes():
            found.append(str(path))
        if path.is_file() and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                packs = [one for one in packed.infolist() if one.compress_type != zipfile.ZIP_STORED]  # others are seen
                found += [f"{path}: {one.filename}" for one in packs if SESAME.encode() in packed.read(one)]
    return found


@pytest.mark.slow
def test_the_environments_secrets_stay_there(
    tiny: Vggexp, vggexp: Vggexp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_API_KEY", SESAME)
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in NAMES:
        monkeypatch.setenv(name, SESAME)
    said = [
        tiny("head.hidden=8", "head.pool=1", "logger=[csv,wandb]", "run.dir=runs/a"),
        tiny("-m", "seed=1,2", "head.hidden=8", "head.pool=1", "run.name=s${seed}"),
        vggexp("evaluate", "runs/a"),
        vggexp("verify", "runs/a"),
        vggexp("report", "runs"),
        vggexp("archive", "runs", "output=runs.zip"),
        vggexp("evaluate", "runs/a", "split=nonsense", "debug=true"),
    ]
    assert [code for code, _, _ in said] == [0, 0, 0, 0, 0, 0, 2]
    assert not [words for one in said for words in one[1:] if SESAME in words]
    assert holders(tmp_path) == []


def test_a_secret_would_be_found(tmp_path: Path) -> None:
    Path("kept").write_text(f"a {SESAME}")
    with zipfile.ZipFile("packed.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inner", SESAME)
    assert sorted(holders(tmp_path)) == [str(tmp_path / "kept"), f"{tmp_path / 'packed.zip'}: inner"]


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"data": {"api_key": SESAME}}, "data.api_key"),
        ({"logger": {"mine": {"HF_TOKEN": SESAME}}}, "logger.mine.HF_TOKEN"),
        ({"data": {"parts": [{"password": SESAME}]}}, "data.parts.0.password"),
        ({"data": {"root": f"https://me:{SESAME}@example.org/x"}}, "data.root"),
    ],
)
def test_a_typed_secret_is_refused_and_not_repeated(config: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{key} looks like a secret") as raised:
        check_secrets(config)
    assert SESAME not in str(raised.value)


def test_what_is_no_secret_is_let_through() -> None:
    check_secrets({"data": {"key": None, "token": "", "tokens": 5, "root": "a@b:c", "key_column": "x", "monkey": "y"}})
