"""A config that no longer asks for other runs."""

from vggexp.transfer.without_weights import without_weights


def test_without_weights_leaves_nothing_to_read() -> None:
    part = {"weights": "x", "hidden": 8}
    config = {"backbone": {"weights": "x"}, "head": {"weights": "x", "part": {"localization": part}}, "seed": 1}
    assert "x" not in str(without_weights(config))
    assert part["weights"] == "x"
