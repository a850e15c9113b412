"""The page of a stranger's report is drawn in a process of its own: whatever becomes of that is told in words."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from synthkit.errors import ArtefactError
from synthkit.release.bundle.build_bundle import release
from synthkit.release.bundle.drawn_page import drawn_page
from synthkit.release.bundle.zip_archive import unpack
from synthkit.release.run_folder import REPORT_FILE, REPORT_JSON_FILE


@pytest.fixture(scope="module")
def members(toy, tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn") / "b.zip"
    return unpack(release(toy.folder, out, key=f"{toy.ours}.key", although="a test").read_bytes())


def report(members):
    return json.loads(members[REPORT_JSON_FILE])


def test_it_is_the_page_byte_for_byte(members):
    assert drawn_page(report(members)).encode() == members[REPORT_FILE]


def test_what_is_no_report_is_refused_in_the_words_of_the_drawing(members):
    with pytest.raises(ArtefactError, match=r"report\.json must be what synthkit writes; however: no page can be dra"):
        drawn_page({key: value for key, value in report(members).items() if key != "sections"})


def test_a_drawing_that_takes_too_long_is_ended(members):
    with pytest.raises(ArtefactError, match=r"within 0\.01 s of the processor; however: the time is over"):
        drawn_page(report(members), seconds=0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux")
def test_an_engine_without_memory_ends_its_own_process_alone(members, tmp_path):
    """The bound is below what the engine of charts sets aside when it begins; who asks goes on and is told."""
    path = tmp_path / "report.json"
    path.write_bytes(members[REPORT_JSON_FILE])
    program = [
        "import json, sys",
        "from synthkit.errors import ArtefactError",
        "from synthkit.release.bundle.drawn_page import drawn_page",
        "from synthkit.runtime.resource_limits import resource_limits",
        "report = json.load(open(sys.argv[1]))",
        "try:",
        "    with resource_limits(60, 0): drawn_page(report)",
        "except ArtefactError as error: print(error)",
    ]
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(program), str(path)], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith(
        "report.json must draw a page within the memory a bundle may ask for; however: its pro"
    )
