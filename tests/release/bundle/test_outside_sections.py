"""A bundle whose report has a section of another package is vouched for only where that package is installed."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import shutil
import sys

import pytest
from sealing import broken, sealed
from weather_section import install_weather

from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import release
from synthkit.release.bundle.checks import report_contents, report_page
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.verification import verify
from synthkit.release.bundle.zip_archive import unpack
from synthkit.release.run_folder import REPORT_FILE, REPORT_JSON_FILE
from synthkit.report.html import redraw
from synthkit.report.section_registry import section_registry


def forget():
    sys.modules.pop("weather_report", None)
    importlib.invalidate_caches()
    section_registry.cache_clear()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with a distribution that adds a section."""
    place = tmp_path_factory.mktemp("site")
    install_weather(place, shareable=True)
    return place


@pytest.fixture
def installed(site, monkeypatch):
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)  # of the process that draws the page
    forget()
    yield
    forget()


@pytest.fixture(scope="module")
def bundle(toy, site, tmp_path_factory):
    """A release made where the section is installed."""
    place = tmp_path_factory.mktemp("weather")
    shutil.copytree(toy.folder, place / "toy")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        forget()
        out = release(place / "toy", place / "b.zip", key=f"{toy.ours}.key", although="a test")
    forget()
    return out


def found(path):
    return {check.name: check for check in verify(path)}


def test_the_manifest_says_who_brings_the_section(bundle):
    said = json.loads(unpack(bundle.read_bytes())[manifests.MANIFEST])
    assert said["drawn_by"]["section weather"] == "weather-report 1.0"


def test_where_the_section_is_installed_the_page_is_vouched_for(bundle, installed):
    checks = found(bundle)
    assert (checks["report"].outcome, checks["contents"].outcome) == ("holds", "holds")
    assert "byte for byte" in checks["report"].words


def test_where_it_is_not_verify_says_so_in_words(bundle):
    checks = found(bundle)
    assert (checks["report"].outcome, checks["contents"].outcome) == ("unvouched", "unvouched")
    assert "drawn by section weather weather-report 1.0, which are not installed" in checks["report"].words
    assert checks["contents"].words.startswith("of the section weather nothing can be told here: what brings it is not")


def altered(path, change, toy, tmp_path, *, again=True):
    """The bundle with a change to its report, drawn again and signed."""
    members = unpack(path.read_bytes())
    report = json.loads(members[REPORT_JSON_FILE])
    change(report)
    members[REPORT_JSON_FILE] = json.dumps(report).encode()
    if again:
        members[REPORT_FILE] = redraw(report).encode()
    return sealed(members, f"{toy.ours}.key", tmp_path / "altered.zip")


def test_a_section_that_is_marked_otherwise_is_found_where_it_is_installed(bundle, installed, toy, tmp_path):
    def change(report):
        report["sections"][-1]["tag"] = "public"

    assert broken(altered(bundle, change, toy, tmp_path)) == {
        "contents": "the section weather is not marked as the package says that brings it"
    }


def test_a_section_that_the_manifest_does_not_name_is_found_everywhere(bundle, toy, tmp_path):
    def change(report):
        report["sections"].append({**report["sections"][-1], "id": "storm"})

    checks = broken(altered(bundle, change, toy, tmp_path, again=False))
    assert checks["report"] == "report.json has the section storm, and the manifest does not say who brings it"


def test_a_section_from_outside_does_not_take_the_place_of_ours(bundle, toy, tmp_path):
    def change(report):
        report["sections"].insert(0, report["sections"].pop())

    checks = broken(altered(bundle, change, toy, tmp_path, again=False))
    assert "contents" in checks


def test_figures_that_differ_are_found_without_the_section(bundle):
    members = unpack(bundle.read_bytes())
    page = members[REPORT_FILE].decode()
    wrong = page.replace('data-number="/sections/0/words">', 'data-number="/sections/0/words">PASS: ')
    assert wrong != page
    opened = Opened({**members, REPORT_FILE: wrong.encode()}, None, dt.date.max)
    assert report_page.check(opened).outcome == "broken"
    assert report_contents.check(opened).outcome == "unvouched"
