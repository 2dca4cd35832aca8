"""When W&B goes online: only where a key is configured."""

from pathlib import Path

import pytest

from vggexp.logger.wandb import has_key


def test_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert not has_key()


def test_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    assert has_key()


@pytest.mark.parametrize(
    ("host", "expected"), [("api.wandb.ai", True), ("api.forge.coreweave.com", True), ("example.org", False)]
)
def test_key_in_netrc(host: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text(f"machine {host}\n  login user\n  password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert has_key() is expected


def test_key_of_ones_own_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine wandb.example.org\n  login user\n  password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not has_key()
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.example.org")
    assert has_key()


def test_a_broken_netrc_is_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine\n nonsense {")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not has_key()
