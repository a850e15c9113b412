"""The page on linked tables: its figures are those of the evaluation, its JSON says the same, outsiders see less."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace

import jsonschema
import pandas as pd
import pytest
from page_reader import Page
from places import ROOT

from benchmarks.linked import made_hospital
from synthkit.errors import ArtefactError
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.result import Evaluation
from synthkit.release import run_folder
from synthkit.report.html import redraw
from synthkit.report.json_export import value_at
from synthkit.report.linked_section_registry import SECTIONS_ON_LINKED_TABLES
from synthkit.report.linked_sections.linked_decision import linked_rows
from synthkit.report.linked_view import build_linked
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.validate_linked import typed_columns, validate_columns, validate_linked
from synthkit.tables.linked_tables import LinkedTables

PUBLISHED = json.loads((ROOT / "schemas" / "synthkit-report-1.json").read_text(encoding="utf-8"))
TEMPLATES = ROOT / "synthkit" / "report" / "templates"


@pytest.fixture(scope="module")
def page(linked_report) -> Page:
    return Page(linked_report.html)


def section(report, name):
    return next(s for s in report.document["sections"] if s["id"] == name)


def table(found, caption):
    """Cells of a table of a section, by the name of the row."""
    tables = [*found.get("tables", []), *(t for fold in found.get("folded", []) for t in fold["tables"])]
    made = next(t for t in tables if t["caption"].startswith(caption))
    return {row["name"]: [cell["text"] for cell in row["cells"]] for row in made["rows"]}


def test_every_section_is_there_once_with_its_template(page):
    ids = [spec.id for spec in SECTIONS_ON_LINKED_TABLES]
    assert len(set(ids)) == len(ids)
    assert [e.attributes["data-test-section"] for e in page.all("data-test-section")] == ids
    assert all((TEMPLATES / spec.template).is_file() for spec in SECTIONS_ON_LINKED_TABLES)
    assert not page.left_open
    absent = {e.attributes["data-test-absent"] for e in page.all("data-test-absent")}
    assert absent == {"training"}


def test_nothing_is_fetched_and_nothing_runs(linked_report, page):
    assert not page.tags("script")
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', linked_report.html)
    assert "it has &lt;i&gt;none&lt;/i&gt;" in linked_report.html


def test_links_inside_the_page_lead_somewhere(linked_edition):
    page = Page(linked_edition.html)
    ids = {e.attributes["id"] for e in page.all("id")}
    targets = {e.attributes["href"][1:] for e in page.tags("a") if e.attributes["href"].startswith("#")}
    assert targets <= ids
    every = [e.attributes["id"] for e in page.all("id")]
    assert len(every) == len(set(every))


def test_scores_of_the_page_are_those_of_the_evaluation(page, hospital_evaluation):
    shown = {e.attributes["data-test-score"]: float(e.attributes["data-value"]) for e in page.all("data-test-score")}
    measured = {s.metric: s.value for s in hospital_evaluation.scores}
    assert shown == pytest.approx(measured)


def test_every_number_of_the_page_stands_in_its_json(linked_edition):
    found = {e.attributes["data-number"]: e.text for e in Page(linked_edition.html).all("data-number")}
    assert len(found) > 30
    for place, said in found.items():
        assert value_at(linked_edition.document, place) == said


def test_the_json_keeps_the_published_schema_and_draws_the_page_again(linked_edition):
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)
    jsonschema.validate(linked_edition.document, PUBLISHED)
    again = json.loads(json.dumps(linked_edition.document))
    assert redraw(again) == linked_edition.html


def test_the_published_schema_asks_for_a_decision_first(linked_report):
    first, *others = linked_report.document["sections"]
    assert first["id"] == "decision"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**linked_report.document, "sections": others}, PUBLISHED)


def test_the_first_page_counts_what_was_drawn_by_table_and_shows_a_gate(
    hospital_evaluation, hospital_schema, linked_report
):
    drawn = hospital_evaluation.run["rows"]["synthetic"][0]
    first = section(linked_report, "decision")
    assert first["rows"] == [drawn]
    others = sum(drawn.values()) - drawn["patients"]
    assert first["what"].startswith(f"{drawn['patients']:,} synthetic patients with {others:,} rows in ")
    assert first["verdict"] == "NO POLICY"
    judged = {"verdict": "FAIL", "valid_until": "2027-01-31", "lines": [], "policy": {"id": "p", "owner": "A. Lee"}}
    decided = section(build_linked(hospital_evaluation, hospital_schema, gate=judged), "decision")
    assert (decided["verdict"], decided["valid_until"], decided["policy"]["id"]) == ("FAIL", "2027-01-31", "p")


def test_of_several_draws_each_is_counted():
    draws = [{"patients": 20, "visits": 5, "labs": 7}, {"patients": 21, "visits": 4, "labs": 9}]
    assert (
        linked_rows("patients", draws)
        == "2 draws of 20 and 21 synthetic patients with 12 and 13 rows in 2 other tables"
    )
    assert linked_rows("patients", draws[:1]) == "20 synthetic patients with 12 rows in 2 other tables"
    assert linked_rows("patients", []) == "synthetic patients"


def test_an_altered_page_is_refused(linked_report):
    broken = copy.deepcopy(dict(linked_report.document))
    del broken["sections"][1]["figures"][0]["data"]["schema"]["unit"]
    with pytest.raises(ArtefactError, match="no page can be drawn from it"):
        redraw(broken)


def test_outsiders_see_neither_real_counts_nor_sections_of_real_rows(hospital_evaluation, hospital_schema):
    run = {**hospital_evaluation.run, "known units": 7}
    report = build_linked(replace(hospital_evaluation, run=run), hospital_schema, tier="shareable")
    limits = dict(section(report, "limits")["limits"])
    assert "few units" not in limits
    assert not re.search(r"\d", limits["known units"])
    assert "were trained on" in limits["known units"]
    ids = [s["id"] for s in report.document["sections"]]
    assert ids == [spec.id for spec in SECTIONS_ON_LINKED_TABLES if spec.shareable is not None]
    assert {"summary", "integrity", "tables", "copying"}.isdisjoint(ids)
    released = section(report, "released")
    assert [head["label"] for head in released["table"]["heads"]] == ["Table", "Synthetic", "By unit, synthetic"]
    assert {"Fitted on", "Held out"}.isdisjoint(label for label, _ in released["facts"])
    assert [each["data"]["real"] for each in released["figures"]] == [{}]
    assert {s["tag"] for s in report.document["sections"]} <= {"ROUNDED", "public"}
    for each in report.document["sections"]:
        if each["id"] not in ("released", "timelines"):
            assert not each.get("tables")
            assert not each.get("figures")
        for row in each.get("scores", []):
            assert row["note"] == ""
            assert row["value"] == pytest.approx(round(row["value"], 2))


def test_shared_tables_have_their_rows(hospital_evaluation, hospital_schema):
    """Real ones stand under those that were fitted on; outsiders see the synthetic ones alone."""
    content = hospital_schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    doctors = {"role": "shared", "key": ["doctor"], "columns": {"doctor": {"kind": "identifier"}}}
    schema = LinkedSchema.parse({**content, "tables": {**content["tables"], "doctors": doctors}})
    run = {**hospital_evaluation.run, "shared rows": {"real": {"doctors": 1627}, "synthetic": {"doctors": 3}}}
    for tier, wanted in (("internal", ["1,627", "—", "3", "—", "—"]), ("shareable", ["3", "—"])):
        report = build_linked(replace(hospital_evaluation, run=run), schema, tier=tier)
        rows = section(report, "released")["table"]["rows"]
        assert next([c["text"] for c in r["cells"]] for r in rows if r["name"] == "doctors") == wanted


def test_numbers_of_rows_that_were_read_off_the_tables_are_not_for_outsiders(hospital_evaluation, hospital_schema):
    seen = hospital_schema.model_dump(mode="json", by_alias=True)
    seen["tables"]["visits"]["links"][0] |= {"max_rows_per_owner": 3571, "observed": True}
    seen["tables"]["labs"]["links"][0] |= {"max_rows_per_owner": 4733}
    schema = LinkedSchema.parse(seen)
    inside = dict(section(build_linked(hospital_evaluation, schema), "scope")["rows"])
    assert inside["Most rows of a unit"].endswith("labs 4,733 by patients")
    assert inside["Most rows of a unit, read off the tables"] == "visits 3,571 by patients"
    outside = build_linked(hospital_evaluation, schema, tier="shareable")
    assert dict(section(outside, "scope")["rows"])["Most rows of a unit"] == inside["Most rows of a unit"]
    assert "3,571" not in outside.html
    assert "3571" not in json.dumps(outside.document)


def test_rows_by_table(linked_report, hospital_sides):
    rows = {r["name"]: [c["text"] for c in r["cells"]] for r in section(linked_report, "released")["table"]["rows"]}
    sides = (hospital_sides.train, hospital_sides.holdout, hospital_sides.synthetic)
    for name in hospital_sides.schema.graph.records:
        counts = [len(side.frames[name]) for side in sides]
        assert rows[name][:3] == [f"{n:,}" for n in counts]
        assert rows[name][4] == f"{counts[2] / 40:.1f}"
    assert rows["payers"] == ["—"] * 5


def test_sentences_of_the_summary(page):
    said = {e.attributes["data-test-sentence"]: e.text for e in page.all("data-test-sentence")}
    assert "40 synthetic patients with" in said["Tables"]
    assert "None of 40 synthetic patients breaks one of" in said["Keys"]
    assert "AUC 0.610 [0.560, 0.660] (0.500 is a coin toss; real ones in their place score 0.500)" in said["Likeness"]
    assert "those of visits are told most easily beyond their floor: AUC 0.720" in said["Rows"]
    assert "loses 0.040 AUROC [−0.010, 0.090]" in said["Use"]
    assert "the interval includes zero" in said["Use"]
    assert "No evidence of privacy." in said["Shared runs"]
    assert "of 40 people trained on" in said["Copies"]
    assert "epsilon = infinity" in said["Privacy"]


def test_less_than_one_unit_over_the_draws_is_not_none(hospital_evaluation, hospital_schema):
    scores = tuple(
        replace(each, value=0.01, high=0.2) if each.metric == "fidelity.integrity" else each
        for each in hospital_evaluation.scores
    )
    told = build_linked(replace(hospital_evaluation, scores=scores), hospital_schema)
    assert "Fewer than one of 40 synthetic patients breaks one of" in told.html
    assert "None of 40 synthetic patients breaks" not in told.html


def test_contradictions_are_counted_beside_held_out_people(linked_report, hospital_sides):
    found = table(section(linked_report, "contradictions"), "By contradiction")
    for column, side in ((0, hospital_sides.synthetic), (2, hospital_sides.holdout)):
        rows = pd.concat(
            [side.frames["labs"], side.frames["patients"]["sex"].iloc[side.units["labs"]].reset_index(drop=True)],
            axis=1,
        )
        high = rows["value"] >= 150
        hit = high & (rows["sex"] == "M")
        people = rows.loc[hit, "patient_id"].nunique()
        assert found["high value in a man"][column].startswith(f"{people} (")
        assert found["high value in a man"][column + 1] == f"{hit.sum()} of {high.sum()}"


def test_a_schema_without_contradictions_or_targets_says_so(hospital_evaluation):
    bare = made_hospital.schema().model_copy(update={"targets": ()})
    panels = {k: v for k, v in hospital_evaluation.panels.items() if k != "contradictions"}
    report = build_linked(replace(hospital_evaluation, panels=panels), bare)
    assert "declares no contradiction" in section(report, "contradictions")["absent"]
    assert "declares no target" in section(report, "prediction")["absent"]


@pytest.mark.parametrize("tier", ["internal", "shareable"])
def test_a_target_that_was_not_predicted_sends_nobody_to_a_section_that_is_not_there(
    hospital_evaluation, hospital_schema, tier
):
    scores = tuple(each for each in hospital_evaluation.scores if not each.metric.startswith("utility."))
    report = build_linked(replace(hospital_evaluation, scores=scores), hospital_schema, tier=tier)
    assert section(report, "prediction")["absent"] == "No target could be predicted."


def test_links_by_kind_and_how_many_keys_are_empty(hospital_evaluation, hospital_schema, hospital_sides):
    frames = made_hospital.tables(40, 2)
    checked = json.loads(validate_columns(typed_columns(frames, hospital_schema, "refuse")).to_json())
    report = build_linked(hospital_evaluation, hospital_schema, validation={"input": checked, "output": checked})
    found = table(section(report, "links"), "Links by kind")
    assert found["labs.visit_id → visits"][:3] == ["earlier", "0", "0"]
    empty = frames["labs"]["visit_id"].isna().mean()
    assert found["labs.visit_id → visits"][3:] == [f"{100 * empty:.1f} %"] * 2
    assert found["patients.payer_id → payers"][0] == "reference"
    kept = table(section(report, "integrity"), "Validation")
    assert kept["Real tables"][0] == "✓ passed"


def test_what_is_broken_is_told_by_table(measured, hospital_schema, hospital_sides):
    frames = made_hospital.tables(40, 2)
    visits = frames["visits"].copy()
    visits.loc[visits.index[:3], "charges"] += 1000.0
    broken = LinkedTables.of({**frames, "visits": visits}, hospital_schema)
    sides = LinkedEvaluationData(train=hospital_sides.train, holdout=hospital_sides.holdout, synthetic=broken)
    checked = json.loads(
        validate_columns(typed_columns({**frames, "visits": visits}, hospital_schema, "refuse")).to_json()
    )
    report = build_linked(measured(sides), hospital_schema, validation={"output": checked})
    found = section(report, "integrity")
    assert table(found, "Broken in synthetic rows")["visits: visits.charges = sum of orders.cost"][1:] == ["3", "0"]
    assert "3 times one is broken" in found["paragraphs"][0]
    assert table(found, "Validation")["Synthetic tables"][0] == "✗ failed"
    assert any(cells[-1] == "3" for cells in table(found, "Synthetic tables: what is broken").values())
    said = dict(section(report, "summary")["sentences"])
    assert "of 40 break one of" in said["Keys"]


def test_a_table_has_the_figures_of_a_report_on_one(linked_report, hospital_sides, page):
    blocks = section(linked_report, "tables")["blocks"]
    assert [b["name"] for b in blocks] == list(hospital_sides.schema.graph.records)
    assert [e.attributes["data-test-block"] for e in page.all("data-test-block")] == [b["name"] for b in blocks]
    labs = next(b for b in blocks if b["name"] == "labs")
    card = next(c for c in labs["cards"] if c["entry"]["column"] == "test")
    shares = hospital_sides.synthetic.frames["labs"]["test"].value_counts(normalize=True)
    for name, share in zip(card["entry"]["bins"], card["entry"]["synthetic"], strict=True):
        assert share == pytest.approx(shares[name], abs=1e-6)


def test_values_by_level_of_a_series_stand_in_the_table_of_the_series_and_not_before_outsiders(
    linked_report, hospital_evaluation, hospital_schema
):
    blocks = {b["name"]: b for b in section(linked_report, "tables")["blocks"]}
    assert [name for name, block in blocks.items() if block["series"]] == ["labs"]
    (made,) = blocks["labs"]["series"]
    panel = hospital_evaluation.panels["series_values"]["labs"]
    assert made["caption"].startswith("Values by level of test, farthest above real rows first")
    assert made["caption"].endswith(f"compared: {panel['compared']}; with too few rows: {panel['left out']}")
    first = panel["levels"][0]
    assert made["rows"][0]["name"] == f"{first['level']}: {first['column']}"
    assert made["rows"][0]["cells"][2]["text"] == f"{first['synthetic rows']:,}"
    assert "fidelity.labs.series_values" in [s["metric"] for s in blocks["labs"]["scores"]]
    outside = build_linked(hospital_evaluation, hospital_schema, tier="shareable")
    assert "by level of" not in json.dumps(outside.document)
    assert "series_values" not in json.dumps(outside.document)


def test_nobody_is_better_than_a_coin(linked_report):
    rows = {r["subject"]: r for r in section(linked_report, "detection")["scores"]}
    assert rows["labs"]["against"]["word"] == "as good"  # its floor lies below a half by chance
    assert rows["visits"]["against"]["word"] == "worse"


def test_a_classifier_test_has_one_verdict_on_the_whole_page(linked_report):
    """Table by table says what the section on classifiers says."""
    told = {r["subject"]: r["against"] for r in section(linked_report, "detection")["scores"] if r["subject"]}
    blocks = section(linked_report, "tables")["blocks"]
    again = {b["name"]: s["against"] for b in blocks for s in b["scores"] if s["metric"].endswith("row_c2st")}
    assert again == told


def test_an_evaluation_of_nothing_is_a_page_of_absences(hospital_schema):
    report = build_linked(Evaluation(run={}, scores=()), hospital_schema)
    absent = {s["id"] for s in report.document["sections"] if s["absent"]}
    assert absent == {
        *("integrity", "contradictions", "detection", "time", "across", "timelines", "prediction", "tables"),
        *("outside", "copying", "training", "risk"),
    }
    jsonschema.validate(report.document, PUBLISHED)
    assert "c2st" not in report.html


def test_attacks_stand_on_the_page_with_verdicts_and_what_they_rest_on(page, linked_report, hospital_evaluation):
    risk, found = section(linked_report, "risk"), {s.metric: s for s in hospital_evaluation.scores}
    assert [v["room"] for v in risk["verdicts"]] == ["membership", "attribute", "identity", "copying"]
    assert {c["name"] for c in risk["membership"]["checks"]} >= {"enough people", "copies would be found"}
    assert risk["membership"]["units"] == f"{hospital_evaluation.panels['membership']['units']:,}"
    shown = {row["metric"]: row["value"] for each in risk["tables"] for row in each["rows"]}
    assert shown["membership.auc"] == pytest.approx(found["membership.auc"].value)
    assert "identity.linkability.k1" in shown
    said = {e.attributes["data-test-sentence"]: e.text for e in page.all("data-test-sentence")}
    assert {"Attacks", "Membership", "Copies"} <= set(said)
    assert "Disclosure attacks were not run" not in linked_report.html
    scope = section(linked_report, "scope")["attackers"]
    assert [each["who"] for each in scope] == ["Somebody who knows a whole history", "A motivated intruder"]


def test_without_attacks_the_page_says_so(hospital_evaluation, hospital_schema):
    kinds = ("membership", "identity", "attribute", "copying.excess")
    scores = tuple(s for s in hospital_evaluation.scores if not s.metric.startswith(kinds))
    panels = {k: v for k, v in hospital_evaluation.panels.items() if k not in ("membership", "identity")}
    report = build_linked(replace(hospital_evaluation, scores=scores, panels=panels), hospital_schema)
    assert section(report, "risk")["absent"] == "No attack was run."
    assert "Disclosure attacks were not run" in dict(section(report, "limits")["limits"])["attacks"]
    assert section(report, "scope")["attackers"] == []


def test_one_person_is_protected_not_one_table_of_them(hospital_evaluation, hospital_schema):
    report = build_linked(hospital_evaluation, hospital_schema, ledger={"unit": "patients", "charges": []})
    assert "Protected unit: one row of patients, with all rows that belong to it." in report.html


def test_tables_that_have_no_timeline_are_told_apart(hospital_evaluation, hospital_schema):
    """One without rows is on no other clock."""
    panel = {**hospital_evaluation.panels["timelines"], "not drawn": ["labs"], "no rows": ["events"]}
    changed = replace(hospital_evaluation, panels={**hospital_evaluation.panels, "timelines": panel})
    text = build_linked(changed, hospital_schema).html
    assert "On another clock, or without a moment, and not drawn: labs. Without synthetic rows: events." in text


def test_who_was_neither_fitted_nor_held_out_is_counted(hospital_evaluation, hospital_schema):
    """They are the people of the table less the two; nothing is said where nobody is left, or the split is unknown."""
    rows = hospital_evaluation.run["rows"]
    used = rows["train"]["patients"] + rows["holdout"]["patients"]
    parts = {"train": used - 30, "pool trained on": 10, "pool held out": 10, "test": 10, "attacked": [20]}
    for aside, said in ((1500, f"remaining 1,500 of {used + 1500:,} are set aside"), (0, "")):
        people = {**parts, "units": used + aside, "reference": aside}
        run = {**hospital_evaluation.run, "people": people}
        html = build_linked(replace(hospital_evaluation, run=run), hospital_schema).html
        assert said in html
        assert ("set aside" in html) == bool(said)


def test_a_loss_of_whole_units_says_what_moves_it(hospital_evaluation, hospital_schema):
    """Beside what it says of one table."""
    curve = {"steps": [1, 2], "train": [3.0, 4.0], "validation": None, "best_step": 2}
    panels = {**hospital_evaluation.panels, "training": curve}
    report = build_linked(replace(hospital_evaluation, panels=panels), hospital_schema)
    (drawn,) = section(report, "training")["figures"]
    assert "the solid line also follows who is drawn" in drawn["caption"]
    assert "learning by heart" in drawn["caption"]


def test_what_was_left_out_is_said(hospital_evaluation, hospital_schema):
    """No page says that every measurement ran beside one that says that attacks were not run."""
    quick = replace(hospital_evaluation, run={**hospital_evaluation.run, "quick": True}, failures=(), scores=tuple(
        each for each in hospital_evaluation.scores if "sdmetrics" not in each.metric
    ))  # fmt: skip
    report = build_linked(quick, hospital_schema)
    told = dict(section(report, "failures")["left_out"])
    assert told["SDMetrics' multi-table report"] == "a quick evaluation leaves it out"
    assert [each for each in told if each.startswith("Disclosure attacks")] == ["Disclosure attacks: secrets guessed"]
    assert "Every measurement ran" not in report.html
    assert "SDMetrics&#39; multi-table report</th><td>a quick evaluation leaves it out" in report.html


def test_a_holdout_that_was_trained_on_is_a_limit(hospital_evaluation, hospital_schema):
    run = {**hospital_evaluation.run, "known units": 7, "quick": True}
    report = build_linked(replace(hospital_evaluation, run=run), hospital_schema)
    limits = dict(section(report, "limits")["limits"])
    assert "7 held-out patients were trained on" in limits["known units"]
    assert {"few units", "quick", "no bound", "attacks", "failures"} <= set(limits)


def test_a_catalogue_that_nobody_declared_public_is_a_limit(hospital_evaluation, hospital_schema):
    said = validate_linked(made_hospital.tables(40, 1), hospital_schema)
    assert said.copied == {"payers": 4}
    told = {"input": said.to_dict()}
    for tier in ("internal", "shareable"):
        report = build_linked(hospital_evaluation, hospital_schema, validation=told, tier=tier)
        limits = dict(section(report, "limits")["limits"])
        assert limits["copied: payers"].startswith("Its 4 rows are real ones, copied as they came")
    old = {"input": {k: v for k, v in said.to_dict().items() if k != "copied"}}
    report = build_linked(hospital_evaluation, hospital_schema, validation=old)
    assert "copied: payers" not in dict(section(report, "limits")["limits"])


def test_a_run_folder_is_drawn_again(tmp_path, hospital_evaluation, hospital_schema, linked_report):
    hospital_schema.save(tmp_path / run_folder.SCHEMA_FILE)
    (tmp_path / run_folder.EVALUATION_FILE).write_text(hospital_evaluation.to_json(), encoding="utf-8")
    assert run_folder.redraw(tmp_path).html == linked_report.html
    (tmp_path / run_folder.SYNTHETIC_FOLDER).mkdir()
    (tmp_path / run_folder.SYNTHETIC_FOLDER / "labs.parquet").write_bytes(b"rows")
    hashes = section(run_folder.redraw(tmp_path), "decision")["hashes"]
    assert list(hashes) == ["synthetic/labs.parquet"]
    (tmp_path / run_folder.EVALUATION_FILE).write_text('{"format": "synthkit-evaluation/1"}', encoding="utf-8")
    with pytest.raises(ArtefactError):
        run_folder.redraw(tmp_path)


def test_gaps_say_from_when_they_are_counted_and_what_one_below_nought_is(hospital_evaluation, hospital_schema):
    gaps = {
        "visits": {"real": [-86_400.0, 0.0, 864_000.0], "synthetic": [0.0, 86_400.0, 864_000.0]},
        "labs": {"real": [0.0, 86_400.0, 864_000.0], "synthetic": [0.0, 86_400.0, 864_001.0]},
    }
    panels = {**hospital_evaluation.panels, "gaps": gaps}
    page = build_linked(replace(hospital_evaluation, panels=panels), hospital_schema)
    figures = {each["title"]: each for each in section(page, "time")["pairs"]}
    below = "Below 0: the row began while the one before lasted."
    assert figures["Gaps of visits"]["data"]["x"] == "Days since the row before ended (visits)"
    assert figures["Gaps of labs"]["data"]["x"] == "Days since the row before (labs)"
    assert figures["Gaps of visits"]["caption"].endswith(below)
    assert below not in figures["Gaps of labs"]["caption"]
