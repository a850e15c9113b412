"""The page of a bundle is the one that its JSON draws, byte for byte, in any process; anything else is found."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealing import broken, sealed

from synthkit.errors import ArtefactError
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.checks import report_page
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.verification import outcome, verify
from synthkit.release.run_folder import REPORT_FILE, REPORT_JSON_FILE
from synthkit.report.html import redraw
from synthkit.report.render_versions import drawn_by, fonts

PUT_IN = {
    "overlay": "<div style='position:fixed;inset:0;background:#fff'>PASS</div>",
    "script": "<script>document.querySelector('.verdict').textContent='PASS'</script>",
    "style": "<style>[data-number]{visibility:hidden}</style>",
    "link": "<link rel='stylesheet' href='https://example.org/a.css'>",
    "comment": "<!-- nothing -->",
    "space": " ",
}


@pytest.fixture(scope="module")
def opened(members):
    return Opened(members, None, dt.date.max)


def with_members(bundle, **changed):
    return dataclasses.replace(bundle, members={**bundle.members, **changed})


def other_versions(bundle, **versions):
    said = json.loads(bundle.members[manifests.MANIFEST])
    said[manifests.DRAWN_BY] = {**said[manifests.DRAWN_BY], **versions}
    return with_members(bundle, **{manifests.MANIFEST: json.dumps(said).encode()})


def test_the_page_of_a_release_is_vouched_for(opened):
    found = report_page.check(opened)
    assert found.outcome == "holds"
    assert "byte for byte" in found.words
    assert json.loads(opened.members[manifests.MANIFEST])["drawn_by"] == drawn_by()


@pytest.mark.parametrize(("rows", "what"), [(10_000, "10,000"), (None, "10,000")])
def test_a_report_that_counts_other_rows_than_the_tables_hold_is_found(rows, what, members, home, tmp_path):
    """With its page drawn anew and everything signed: as a quick evaluation of 12,311 rows once said 10,000."""
    report = json.loads(members[REPORT_JSON_FILE])
    first = report["sections"][0]
    (there,) = first["rows"]
    first["rows"] = [rows or there]
    assert first["what"].startswith(f"{there:,} synthetic rows")
    first["what"] = first["what"].replace(f"{there:,}", what, 1)
    altered = {**members, REPORT_JSON_FILE: json.dumps(report).encode(), REPORT_FILE: redraw(report).encode()}
    found = broken(sealed(altered, home / "ours.key", tmp_path / "b.zip"))["report"]
    assert found == (
        f"the report counts 10,000 rows, and the tables hold {there:,}"
        if rows
        else "the report says another number of rows than it counts"
    )


@pytest.mark.parametrize("what", PUT_IN)
def test_whatever_is_put_into_the_page_is_found(what, members, home, tmp_path):
    html = members[REPORT_FILE].decode().replace("</main>", PUT_IN[what] + "</main>")
    path = sealed({**members, REPORT_FILE: html.encode()}, home / "ours.key", tmp_path / "b.zip")
    assert broken(path, home / "ours.pub") == {"report": "report.html is not the page that report.json draws"}


@given(data=st.data())
def test_no_edit_of_a_page_is_vouched_for(opened, data):
    """Any piece replaced by any text."""
    html = opened.members[REPORT_FILE].decode()
    start = data.draw(st.integers(0, len(html)))
    end = min(len(html), start + data.draw(st.integers(0, 40)))
    altered = html[:start] + data.draw(st.text(max_size=20)) + html[end:]
    found = report_page.check(with_members(opened, **{REPORT_FILE: altered.encode("utf-8", "replace")}))
    assert (found.outcome == "holds") == (altered == html)
    assert found.outcome != "unvouched"


def test_under_other_versions_another_page_is_not_vouched_for_here(opened, members, home, tmp_path):
    html = members[REPORT_FILE].decode().replace("</main>", PUT_IN["comment"] + "</main>")
    elsewhere = other_versions(with_members(opened, **{REPORT_FILE: html.encode()}), altair="1.0")
    found = report_page.check(elsewhere)
    assert found.outcome == "unvouched"
    assert "not vouched for here: it is said to be drawn by altair 1.0" in found.words
    path = sealed(elsewhere.members, home / "ours.key", tmp_path / "b.zip")
    assert outcome(verify(path, home / "ours.pub")) == "unvouched"
    assert (
        report_page.check(other_versions(opened, altair="1.0")).outcome == "holds"
    )  # the same bytes are the same page
    wrong = html.replace('data-number="/sections/0/words">', 'data-number="/sections/0/words">PASS: ')
    assert wrong != html
    assert report_page.check(with_members(elsewhere, **{REPORT_FILE: wrong.encode()})).outcome == "broken"


def test_what_no_page_can_be_drawn_from_is_refused(opened):
    report = json.loads(opened.members[REPORT_JSON_FILE])
    report["sections"][-1]["id"] = "unheard"
    with pytest.raises(ArtefactError, match="no page can be drawn from it"):
        redraw(report)
    altered = with_members(opened, **{REPORT_JSON_FILE: json.dumps(report).encode()})
    found = report_page.check(altered)
    assert (found.outcome, found.words.split(",")[0]) == ("broken", "report.json has the section unheard")
    assert report_page.check(other_versions(altered, jinja2="9")).outcome == "unvouched"


@pytest.mark.parametrize("key", ['"><script>alert(1)</script>', "a b", ""])
def test_a_picture_brings_no_markup_of_its_own(private_report, key):
    """Texts are escaped; the key of a picture stands in it as it is."""
    figures = next(section["figures"] for section in private_report["sections"] if section["id"] == "privacy")
    figures[0]["key"] = key
    with pytest.raises(ArtefactError, match="no page can be drawn"):
        redraw(private_report)


@pytest.fixture
def private_report(private):
    from synthkit.release.bundle.zip_archive import unpack

    return json.loads(unpack(private.read_bytes())[REPORT_JSON_FILE])


def test_a_page_is_the_same_in_any_process(home):
    """Of the whole edition with its charts: other seeds of hashing, language, zone and order of keys."""
    report = json.loads((home / "run" / REPORT_JSON_FILE).read_text(encoding="utf-8"))
    here = hashlib.sha256(redraw(report).encode()).hexdigest()
    assert redraw(report) == (home / "run" / REPORT_FILE).read_text(encoding="utf-8")
    code = (
        "import hashlib, json, sys; from synthkit.report.html import redraw; "
        "print(hashlib.sha256(redraw(json.load(open(sys.argv[1], encoding='utf-8'))).encode()).hexdigest())"
    )
    for seed, zone, language in (("0", "UTC", "C"), ("4711", "Asia/Kolkata", "de_DE.UTF-8")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        command = [sys.executable, "-c", code, str(home / "run" / REPORT_JSON_FILE)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
        assert done.stdout.strip() == here


def test_letters_are_measured_in_fonts_that_come_along():
    assert (fonts() / "DejaVuSans.ttf").is_file()
    assert (fonts() / "DejaVuSans-Bold.ttf").is_file()
