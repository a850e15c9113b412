"""What somebody might try who knows how a bundle is checked."""

from __future__ import annotations

import json

import pytest
from sealing import broken

from synthkit.errors import ArtefactError
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.zip_archive import pack, unpack


def words(members, path):
    path.write_bytes(pack(members))
    return broken(path)


def test_every_other_value_of_every_byte_of_a_small_archive_is_found():
    """Also a way of packing that is said to be another one: nothing is inflated."""
    content = pack({"a.json": b"{}", "draws/01.parquet": bytes(range(9)), "z": b""})
    for place in range(len(content)):
        for value in range(256):
            if value != content[place]:
                altered = bytearray(content)
                altered[place] = value
                with pytest.raises(ArtefactError, match="a bundle must"):
                    unpack(bytes(altered))


@pytest.mark.parametrize("key", ["sentence", "words", "end_to_end_dp"])
def test_a_manifest_that_claims_more_than_it_covers_is_found(key, members, tmp_path):
    said = json.loads(members[manifests.MANIFEST])
    assert said["end_to_end_dp"] is False
    altered = {**members, manifests.MANIFEST: json.dumps({**said, key: True}).encode()}
    assert words(altered, tmp_path / "b.zip")["members"] == "the manifest does not say what the claim covers"


def test_a_number_that_no_longer_names_its_place_is_found(members, tmp_path):
    page = members["report.html"].replace(b'data-number="/sections/0/lines/0/bound"', b"", 1)
    assert page != members["report.html"]
    found = words({**members, "report.html": page}, tmp_path / "b.zip")
    assert found["report"] == "report.html does not show what report.json says at /sections/0/lines/0/bound"
