"""Bundles made to hang, to fill the memory or to end in a traceback: each is answered in words."""

from __future__ import annotations

import io
import json
import shutil
import struct
import subprocess
import sys
import warnings
import zipfile
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthkit.errors import ArtefactError, SynthkitError
from synthkit.io.arrow_files import arrow_extent
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import release
from synthkit.release.bundle.verification import verify
from synthkit.release.bundle.zip_archive import EPOCH, MODE, pack, unpack
from synthkit.runtime.resource_limits import resource_limits


@pytest.fixture(scope="module")
def members(toy, tmp_path_factory):
    place = tmp_path_factory.mktemp("hostile")
    shutil.copytree(toy.folder, place / "run")
    return unpack(release(place / "run", place / "b.zip", although="a test").read_bytes())


def listed(members):
    """The members with a manifest that lists them as they are now, whatever that is."""
    said = json.loads(members[manifests.MANIFEST])
    said["members"] = [
        {**each, "bytes": len(members[each["name"]]), "sha256": sha256(members[each["name"]]).hexdigest()}
        for each in said["members"]
    ]
    return {**members, manifests.MANIFEST: json.dumps(said).encode()}


def broken(members, path):
    path.write_bytes(pack(members))
    return {check.name: check.words for check in verify(path) if check.outcome == "broken"}


DEEP = {"json": b"[" * 100_000, "yaml": b"[" * 600}
LAUGHS = b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (k, k, k - 1, k - 1) for k in range(1, 40))


@pytest.mark.parametrize(
    ("name", "content", "check", "why"),
    [
        ("statement.json", DEEP["json"], "epsilon", "statement.json must be nested at most 64 deep"),
        ("ledger.json", DEEP["json"], "epsilon", "must be nested at most 64 deep"),
        ("report.json", DEEP["json"], "report", "report.json must be nested at most 64 deep"),
        ("report.json", b" " * (2**24 + 1), "report", "report.json must have at most 16,777,216 bytes"),
        ("schema.yaml", DEEP["yaml"], "rows", "must be nested at most 64 deep"),
        ("schema.yaml", LAUGHS, "rows", "must hold at most 200,000 values"),
        ("synthetic.parquet", b"PAR1" + b"\xff" * 40 + b"PAR1", "rows", "must be a whole parquet file"),
    ],
)
def test_a_member_made_to_harm_is_answered_in_words(name, content, check, why, members, tmp_path):
    found = broken(listed({**members, name: content}), tmp_path / "b.zip")
    assert why in found[check]


def test_a_manifest_nested_without_end_is_answered_in_words(members, tmp_path):
    found = broken({**members, manifests.MANIFEST: DEEP["json"]}, tmp_path / "b.zip")
    assert "manifest.json must be nested at most 64 deep" in found["members"]


def test_rows_without_end_are_counted_and_not_read(members, tmp_path):
    """Sixty million rows in less than a megabyte."""
    many = pa.DictionaryArray.from_arrays(pa.array(np.zeros(60_000_000, dtype=np.int8)), pa.array(["y"]))
    whole = io.BytesIO()
    pq.write_table(pa.table({"x": many}), whole, compression="zstd")
    assert len(whole.getvalue()) < 1_000_000
    found = broken(listed({**members, "synthetic.parquet": whole.getvalue()}), tmp_path / "b.zip")
    assert "the tables hold 60,000,000 cells, and at most 10,000,000 are read" in found["rows"]
    assert "the manifest does not say" in found["members"]


def test_a_manifest_says_how_many_rows_and_columns_a_table_has(members, tmp_path):
    entry = next(
        each for each in json.loads(members[manifests.MANIFEST])["members"] if each["name"] == "synthetic.parquet"
    )
    size = arrow_extent(members["synthetic.parquet"], "synthetic.parquet")
    assert (entry["rows"], entry["columns"]) == (size.rows, size.columns) == (160, 2)
    said = json.loads(members[manifests.MANIFEST])
    for each in said["members"]:
        if each["name"] == "synthetic.parquet":
            each["rows"] += 1
    found = broken({**members, manifests.MANIFEST: json.dumps(said).encode()}, tmp_path / "b.zip")
    assert found["members"] == "the manifest does not say what the claim covers"


def zipped(entries, **more):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", more.get("compression", zipfile.ZIP_STORED)) as archive:
        for name, content in entries:
            entry = zipfile.ZipInfo(name, date_time=EPOCH)
            entry.external_attr, entry.create_system = more.get("mode", MODE), 3
            entry.compress_type = more.get("compression", zipfile.ZIP_STORED)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a name that stands twice is meant
                archive.writestr(entry, content)
    return whole.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "/etc/x",
        "../x",
        "a/../x",
        "a\\b",
        "a/",
        "C:x",
        "a//b",
        ".x",
        "a/.x",
        " x",
        "x ",
        "é",
        "x" * 201,
        "a\nb",
        "\u202ex",
    ],
)
def test_names_that_mean_something_else_are_refused(name):
    with pytest.raises(ArtefactError, match="a plain name of its own"):
        unpack(zipped([(name, b"x")]))


@pytest.mark.parametrize(
    "content",
    [
        zipped([("a", b"1"), ("a", b"2")]),
        zipped([("a.json", b"1"), ("A.json", b"2")]),
        zipped([(f"m{k}", b"") for k in range(1001)]),
        zipped([("a", b"0" * 10_000_000)], compression=zipfile.ZIP_DEFLATED),
        zipped([("a", b"/etc/passwd")], mode=0o120777 << 16),
        zipped([("a", b"x")]) + b"more",
        b"more" + zipped([("a", b"x")]),
        zipped([("b", b"x"), ("a", b"x")]),
        b"",
        b"PK\x05\x06" + b"\0" * 18 + b"x",
    ],
    ids=["twice", "case", "many", "deflated", "link", "behind", "before", "order", "empty", "end only"],
)
def test_archives_that_pack_would_not_write_are_refused(content):
    with pytest.raises(ArtefactError, match="a bundle must"):
        unpack(content)


def test_members_that_share_their_bytes_are_refused():
    """A thousand entries that all point to the same megabyte would be a gigabyte."""
    content = zipped([("a0", b"x" * 2**20), *((f"a{k}", b"") for k in range(1, 900))])
    directory = content.index(b"PK\x01\x02")
    first = content[directory : directory + 46]
    fields, shared, at = struct.unpack("<16xLLL", first[:28]), bytearray(content), directory
    for _ in range(900):
        shared[at + 16 : at + 28] = struct.pack("<LLL", *fields)
        shared[at + 42 : at + 46] = struct.pack("<L", 0)
        at += 46 + struct.unpack("<H", shared[at + 28 : at + 30])[0]
    with pytest.raises(ArtefactError, match="a bundle must"):
        unpack(bytes(shared))


def endless():
    while True:
        pass


def test_a_minute_is_a_minute():
    with (
        pytest.raises(ArtefactError, match=r"within 0.05 s of the processor; however: the time is over"),
        resource_limits(0.05),
    ):
        endless()


def test_memory_beyond_the_bound_is_not_given():
    """In a process of its own: one that has run for long may give back as much in the same moment."""
    program = [
        "import numpy as np",
        "from synthkit.runtime.resource_limits import resource_limits",
        "with resource_limits(60, 2**26):",
        "    try: np.ones(2**24)",
        "    except MemoryError: print('not given')",
        "print(np.ones(2**24).sum())",
    ]
    ran = subprocess.run([sys.executable, "-c", "\n".join(program)], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:2] == ["not given", "16777216.0"]


def test_what_arrow_sets_aside_is_not_held_against_a_table():
    """It takes a gigabyte of addresses at its first use, whatever it is used for."""
    program = [
        "import pyarrow as pa",
        "from synthkit.runtime.resource_limits import _taken, resource_limits",
        "with resource_limits(60, 2**28):",
        "    before = _taken()",
        "    buffer = pa.allocate_buffer(2**20)",
        "    print((_taken() or 0) - (before or 0) < 2**26)",
    ]
    ran = subprocess.run([sys.executable, "-c", "\n".join(program)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "True"


def test_what_is_no_bundle_is_answered_in_words(tmp_path):
    for path in ("/dev/zero", tmp_path, tmp_path / "none"):
        (only,) = verify(path)
        assert only.outcome == "broken"
    assert issubclass(ArtefactError, SynthkitError)
