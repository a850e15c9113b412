"""Keys: drawn, saved for their owner alone, read back, and never shown."""

from __future__ import annotations

import json
import resource
import stat

import pytest

from synthkit.errors import ArtefactError, ConfigError
from synthkit.schema import Schema
from synthkit.watermark import WatermarkKey


def test_a_key_is_saved_for_its_owner_alone_and_read_back(schema, tmp_path):
    key = WatermarkKey.new(schema)
    key.save(tmp_path / "k.json")
    assert stat.S_IMODE((tmp_path / "k.json").stat().st_mode) == 0o600
    again = WatermarkKey.load(tmp_path / "k.json")
    assert again == key
    assert again.raw == key.raw
    assert len(key.raw) == 32


def test_keys_differ_and_so_do_their_names(schema):
    one, two = WatermarkKey.new(schema), WatermarkKey.new(schema)
    assert one.raw != two.raw
    assert one.name != two.name
    assert len(one.name) == 16
    assert one.name not in one.secret.get_secret_value()


def test_a_key_knows_learned_columns_and_how_they_are_read(schema):
    kinds = {column.name: (column.kind, column.format) for column in WatermarkKey.new(schema).columns}
    assert "id" not in kinds
    assert kinds["mass"] == ("number", None)
    assert kinds["told"] == ("moment", "%d.%m.%Y %H:%M")
    assert kinds["stage"] == ("word", None)


def test_the_secret_is_not_shown(schema):
    key = WatermarkKey.new(schema)
    secret = key.secret.get_secret_value()
    assert secret not in f"{key} {key!r} {key.model_dump_json()}"


def test_a_key_is_never_replaced(schema, tmp_path):
    WatermarkKey.new(schema).save(tmp_path / "k.json")
    before = (tmp_path / "k.json").read_bytes()
    with pytest.raises(ArtefactError, match="never replaced"):
        WatermarkKey.new(schema).save(tmp_path / "k.json")
    assert (tmp_path / "k.json").read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused(schema, tmp_path):
    with pytest.raises(ArtefactError, match="must be writable; however: No such file"):
        WatermarkKey.new(schema).save(tmp_path / "none" / "k.json")


def test_of_a_key_that_cannot_be_written_whole_nothing_is_left(schema, tmp_path):
    """Files may not grow beyond a hundred bytes: as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(ArtefactError, match="must be writable; however: File too large"):
            WatermarkKey.new(schema).save(tmp_path / "k.json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match=r"readable file; however: .*No such file"):
        WatermarkKey.load(tmp_path / "k.json")


@pytest.mark.parametrize("how", ["text", "secret", "short", "format", "more", "columns", "bytes", "list"])
def test_a_file_that_is_no_key_is_refused_without_telling_what_it_holds(schema, tmp_path, how):
    path = tmp_path / "k.json"
    WatermarkKey.new(schema).save(path)
    told = json.loads(path.read_text())
    secret = told["secret"]
    changes = {
        "secret": {"secret": "g" + secret[1:]},
        "short": {"secret": secret[:-2]},
        "format": {"format": "synthkit-watermark-key/2"},
        "more": {"also": secret},
        "columns": {"columns": []},
    }
    path.write_text(json.dumps(told | changes.get(how, {})))
    if how == "text":
        path.write_text(secret)
    if how == "list":
        path.write_text(json.dumps([secret]))
    if how == "bytes":
        path.write_bytes(b"\xff" + secret.encode())
    with pytest.raises(ArtefactError, match="it is none, or was changed") as error:
        WatermarkKey.load(path)
    assert secret[1:20] not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize("candidates", [1, 0, 65])
def test_numbers_of_candidates_out_of_range_are_refused(schema, candidates):
    with pytest.raises(ConfigError, match="must be 2 to 64; however"):
        WatermarkKey.new(schema, candidates=candidates)


def test_a_schema_without_learned_columns_is_refused():
    with pytest.raises(ConfigError, match="identifiers only"):
        WatermarkKey.new(Schema(columns={"id": {"kind": "identifier"}}))


def test_a_key_of_another_schema_is_refused(schema):
    key = WatermarkKey.new(schema)
    assert key.of(schema) is key
    with pytest.raises(ConfigError, match="there is no mass, cost"):
        key.of(Schema(columns={c: v for c, v in schema.columns.items() if c not in ("mass", "cost")}))
