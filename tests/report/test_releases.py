"""The example releases that are kept say one thing, whatever file one reads, and their pages are small."""

from __future__ import annotations

import json
import re
import runpy

import jsonschema
import pytest
from places import ROOT

from synthkit.data import support2
from synthkit.release.bundle.page_figures import different_figures
from synthkit.release.policy.gate_decision import rederive
from synthkit.release.policy.limits import Policy
from synthkit.report.sections.decision import judged_line

HERE = ROOT
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
PLACE = HERE / "reports"
TABLE = runpy.run_path(str(PLACE / "table.py"))
FILES = {"report.json", "shareable.json", "statement.json", "gate.json", "policy.yaml"}
RENDERED = "support2-autoregressive"  # the one whose pages are kept
PAGES = {"report.html", "shareable.html"}
PUBLISHED = json.loads((HERE / "schemas" / "synthkit-report-1.json").read_text(encoding="utf-8"))


def read(name, file):
    return json.loads((PLACE / name / file).read_text(encoding="utf-8"))


def test_the_table_is_that_of_the_files():
    text = (PLACE / "README.md").read_text(encoding="utf-8")
    assert text.split(TABLE["START"])[1].split(TABLE["END"])[0].strip() == TABLE["markdown"]().strip()


def test_every_release_is_named_and_no_other_is_there():
    assert {path.name for path in PLACE.iterdir() if path.is_dir()} == set(TABLE["RELEASES"])
    asked = (PLACE / "make.sh").read_text(encoding="utf-8")
    assert all(f"wanted {name};" in asked for name in TABLE["RELEASES"])


@pytest.mark.parametrize("name", TABLE["RELEASES"])
def test_files_are_those_that_may_be_looked_at_and_small(name):
    assert {path.name for path in (PLACE / name).iterdir()} == FILES | (PAGES if name == RENDERED else set())
    for path in (PLACE / name).iterdir():
        assert path.stat().st_size < (3 if path.suffix == ".html" else 1) * 2**20, path


@pytest.mark.parametrize("edition", ["report", "shareable"])
@pytest.mark.parametrize("name", TABLE["RELEASES"])
def test_page_and_json_say_the_same_and_what_the_gate_decided(name, edition):
    report, gate = read(name, f"{edition}.json"), read(name, "gate.json")
    jsonschema.validate(report, PUBLISHED)
    if name == RENDERED:
        assert different_figures((PLACE / name / f"{edition}.html").read_text(encoding="utf-8"), report) == []
    first = report["sections"][0]
    lines = {line["clause"]: judged_line(line) for line in gate["lines"]}
    assert first["verdict"] == gate["verdict"]
    for line in first["lines"]:
        assert all(line[key] == lines[line["clause"]][key] for key in ("item", "bound", "limit", "verdict"))


@pytest.mark.parametrize("name", TABLE["RELEASES"])
def test_what_was_decided_follows_from_its_figures(name):
    assert rederive(read(name, "gate.json"), Policy.load(PLACE / name / "policy.yaml")) == []


@pytest.mark.parametrize("name", [name for name in TABLE["RELEASES"] if name.startswith("support2")])
def test_no_extreme_of_the_real_table_is_in_the_shareable_edition(name):
    """Of four digits or more, so that none is there by chance."""
    numbers = support2().select_dtypes("number")
    ends = {f"{x:.10g}" for column in numbers for x in (numbers[column].min(), numbers[column].max())}
    ends = {x for x in ends if len(x.replace(".", "").lstrip("0")) >= 4}
    assert len(ends) > 20
    text = (PLACE / name / "shareable.json").read_text(encoding="utf-8")
    assert not ends & {each.replace(",", "") for each in NUMBER.findall(text)}
