"""The file of keys is the one that the signatures and the YAML files give today."""

from vggexp.config.schema.write import FILE, schema, text


def test_the_file_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "python -m vggexp.config.schema.write makes it anew"


def test_hints_ranges_and_comments_are_found() -> None:
    known = schema()
    trainer = known["target"]["vggexp.trainer.default.build_trainer"]
    assert trainer["max_epochs"] == {"types": ["int"], "minimum": 1}
    assert trainer["gpus"]["types"] == ["int", "null"]
    assert known["target"]["vggexp.data.voc.voc"]["fold"]["types"] == ["int", "null"]
    assert known["target"]["torch.optim.AdamW"]["lr"]["types"] == ["float"]
    assert known["verb"]["train"]["seed"]["meaning"].startswith("seed of the weights")
    assert len(known["target"]) >= 40
