"""Sections have one order and one name each; those of other packages are drawn from their own templates, escaped."""

from __future__ import annotations

import importlib
import json
import sys

import jsonschema
import pytest
from installed import install
from page_reader import Page
from places import ROOT
from weather_section import GROUP, install_weather

from synthkit.errors import ArtefactError, ConfigError
from synthkit.report import build
from synthkit.report.html import redraw
from synthkit.report.render_versions import NOT_INSTALLED, drawn_by
from synthkit.report.section_registry import OWN_SECTIONS, outside_sections, section_registry
from synthkit.report.section_spec import SectionSpec

TEMPLATES = ROOT / "synthkit" / "report" / "templates"
OWN = [spec.id for spec in OWN_SECTIONS]


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of installed distributions; what was loaded from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    section_registry.cache_clear()
    yield tmp_path
    sys.modules.pop("weather_report", None)
    section_registry.cache_clear()


def sections(page):
    return [element.attributes["data-test-section"] for element in page.all("data-test-section")]


def test_every_section_has_one_name_and_a_template():
    assert len(set(OWN)) == len(OWN)
    assert OWN[0] == "decision"
    assert all((TEMPLATES / spec.template).is_file() for spec in OWN_SECTIONS)
    assert [spec.id for spec in OWN_SECTIONS if spec.shareable is None] == [
        *("summary", "distributions", "pairs", "missingness", "detection", "telling"),
        *("subgroups", "rules", "copying", "training", "failures"),
    ]


def test_a_section_from_outside_stands_last_and_is_escaped(site, evaluation):
    install_weather(site)
    report = build(evaluation)
    page = Page(report.html)
    assert sections(page) == [*OWN, "weather"]
    assert "&lt;i&gt;autoregressive&lt;/i&gt; in fine weather, 1834" in report.html
    added = report.document["sections"][-1]
    assert (added["id"], added["title"], added["tag"]) == ("weather", "Weather", "INTERNAL")
    published = json.loads((ROOT / "schemas" / "synthkit-report-1.json").read_text(encoding="utf-8"))
    jsonschema.validate(report.document, published)
    assert redraw(report.document) == report.html


def test_outsiders_see_a_section_from_outside_only_if_it_says_what_of_it(site, evaluation):
    install_weather(site)
    assert "weather" not in sections(Page(build(evaluation, tier="shareable").html))


def test_a_section_that_says_what_is_shareable_is_marked_as_rounded(site, evaluation):
    install_weather(site, shareable=True)
    report = build(evaluation, tier="shareable")
    assert sections(Page(report.html))[-1] == "weather"
    assert "1800" in report.html
    assert report.document["sections"][-1]["tag"] == "ROUNDED"


def test_a_page_is_not_drawn_where_its_section_is_not_installed(evaluation):
    document = dict(build(evaluation).document)
    document["sections"] = [*document["sections"], {"id": "weather", "title": "", "tag": "INTERNAL", "absent": None}]
    with pytest.raises(
        ArtefactError, match="no page can be drawn from it: nothing installed here brings its section `weather`"
    ):
        redraw(document)
    assert outside_sections(["decision", "weather"]) == {"weather": None}


def test_who_brings_a_section_is_among_what_draws_a_page(site):
    assert drawn_by(["decision", "weather"])["section weather"] == NOT_INSTALLED
    install_weather(site)
    assert drawn_by(["decision", "weather"])["section weather"] == "weather-report 1.0"
    assert "section weather" not in drawn_by(["decision"])


def test_a_name_that_is_taken_is_refused(site, evaluation):
    module = {"rain": "IT = 1"}
    install(site, "rain-report", modules=module, entry_points={GROUP: {"decision": "rain:IT"}})
    with pytest.raises(ConfigError, match=r"rain-report \(rain:IT\) offers `decision`, which is of synthkit\."):
        build(evaluation)


SPEC = "from synthkit.report.section_spec import SectionSpec\n"


@pytest.mark.parametrize(
    ("module", "error"),
    [
        ("IT = 3", "`hail` in synthkit.report_sections must be a SectionSpec; however: it is a int"),
        (SPEC + "IT = SectionSpec(id='snow', title='', data=dict, package='snow')", "`hail` has the id `snow`"),
        (SPEC + "IT = SectionSpec(id='hail', title='', data=dict)", "`hail` names synthkit.report"),
    ],
    ids=["no section", "another id", "no template of its own"],
)
def test_what_is_no_section_of_its_own_is_refused(site, module, error):
    install(site, "hail-report", modules={"hail": module}, entry_points={GROUP: {"hail": "hail:IT"}})
    try:
        with pytest.raises(ConfigError, match=error):
            section_registry()
    finally:
        sys.modules.pop("hail", None)


@pytest.mark.parametrize("name", ["", "Two words", "a_b", "x1"])
def test_an_id_is_lower_case_letters(name):
    with pytest.raises(ValueError, match="must be lower-case letters"):
        SectionSpec(id=name, title="", data=dict)
