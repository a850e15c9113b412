"""What a dishonest custodian may try with linked tables under a budget: it is refused, added up, or said in words."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bounded_hospital import BOUNDED, hospital
from linked_differential import TINY

from synthkit.errors import BudgetExceededError, ConfigError, SchemaError, SynthkitError, UnsupportedError
from synthkit.pipeline import synthesize
from synthkit.pipeline.linked.private_linked_run import release_linked
from synthkit.pipeline.run_config import RunConfig
from synthkit.privacy.accounting.ledger_file import LedgerFile, recompute
from synthkit.schema import Schema
from synthkit.schema.infer.linked.linked_draft import draft_linked
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.public_tables import declared_tables, linked_declarers

ROWS = hospital([(1 + k % 3, k % 5, k % 4) for k in range(45)])
SMALL = {**TINY, "components": 1, "first": 1, "last": 1}
WHO = "A. Lee: codebook of 2019"


def asked(place: Path, **more: Any) -> RunConfig:
    said = {"epsilon": 2.0, "delta": 1e-4, "settings": SMALL, "seed": 3, "device": "cpu", "model": "marginal"}
    return RunConfig(**{**said, "ledger": place / "l.json", **more})


def changed(change=lambda tables: None, **more: Any) -> LinkedSchema:
    said = {**copy.deepcopy(BOUNDED), **more}
    change(said["tables"])
    return LinkedSchema.parse(said)


def is_unspent(place: Path) -> bool:
    """Whether nothing was charged, if there is a ledger at all."""
    return not (place / "l.json").exists() or LedgerFile.read(place / "l.json").parts == ()


# ----------------------------------------------------------------------------------------- lines read off the data


def test_a_drafted_schema_is_refused_before_anything_is_charged(tmp_path):
    """Links, bounds, orders and kinds were read off the rows: a name at its head does not make them public."""
    drafted = draft_linked(ROWS, name="ward", unit="patients").schema
    named = drafted.model_copy(update={"declared_by": WHO})
    for schema in (drafted, named):
        with pytest.raises(SchemaError, match="under a privacy budget every line of a linked schema must be public"):
            release_linked(ROWS, schema, config=asked(tmp_path))
    assert is_unspent(tmp_path)


def bounds_seen(tables):
    """The bounds are those of the patient with most rows, and the links are not marked."""
    for name in ("visits", "labs", "notes"):
        tables[name]["links"][0]["max_rows_per_owner"] = 3


def test_bounds_nobody_answers_for_are_refused_by_name(tmp_path):
    said = copy.deepcopy(BOUNDED)
    said.pop("declared_by")
    bounds_seen(said["tables"])
    for name in ("patients", "labs", "notes", "tests"):
        said["tables"][name]["declared_by"] = WHO
    with pytest.raises(SchemaError) as refused:
        release_linked(ROWS, LinkedSchema.parse(said), config=asked(tmp_path))
    assert "`tables.visits`: nobody answers for its links and bounds" in str(refused.value)
    assert "`tables.labs`" not in str(refused.value)
    assert is_unspent(tmp_path)


ASIDE = {
    "contradictions": [{"name": "dead twice", "table": "notes", "when": {"told": {"in": ["worse"]}}}],
    "targets": [
        {"name": "worse", "at": "visits", "event": {"table": "notes", "when": {"told": {"in": ["worse"]}}},
         "within": "30 d"}
    ],
}  # fmt: skip


@pytest.mark.parametrize("key", ASIDE)
def test_what_stands_beside_the_tables_has_somebody_who_answers_for_it(key):
    """Its values are let out with the schema."""
    said = {**copy.deepcopy(BOUNDED), key: ASIDE[key]}
    assert key in linked_declarers(LinkedSchema.parse(said))[said["declared_by"]]
    whose = said.pop("declared_by")
    said["rules"] = []
    for table in said["tables"].values():
        table["declared_by"] = whose
    with pytest.raises(SchemaError, match=f"`{key}`: nobody answers for them"):
        declared_tables(LinkedSchema.parse(said))


@pytest.mark.parametrize("lacking", [{}, {"declared_by": None}], ids=["nobody", "nobody and no bounds"])
def test_what_to_do_is_said_once(lacking):
    """However many tables lack the same, the remedy stands at the end alone."""
    said = copy.deepcopy(BOUNDED)
    said.pop("declared_by")
    said["tables"]["labs"]["columns"]["value"]["observed"] = ["kind"]
    said["tables"]["notes"]["columns"]["written"]["observed"] = ["kind"]
    if lacking:
        for name in ("visits", "notes"):
            said["tables"][name]["links"][0].pop("max_rows_per_owner")
    with pytest.raises(SchemaError) as refused:
        declared_tables(LinkedSchema.parse(said))
    lines = str(refused.value).splitlines()
    assert sum("Say who answers" in line for line in lines) == 1
    assert sum("Check each against the codebook" in line for line in lines) == 1
    assert lines[-1].startswith("Say who answers") or lines[-1].startswith("Check each")
    assert len(lines) == len(set(lines))


# ------------------------------------------------------------------------------------------- tables beside the units


def patients_for_a_catalogue() -> tuple[LinkedSchema, dict[str, pd.DataFrame]]:
    """Visits are the units, and the patients are declared to be a public catalogue."""
    said = copy.deepcopy(BOUNDED)
    tables = said["tables"]
    tables["patients"] |= {"role": "reference"}
    tables["visits"]["links"] = [{"columns": ["patient"], "to": "patients", "kind": "reference"}]
    tables["visits"].pop("order")
    tables["labs"]["links"].pop(1)
    del tables["notes"]
    schema = LinkedSchema.parse({**said, "unit": "visits", "rules": []})
    return schema, {name: ROWS[name] for name in tables}


def test_a_catalogue_that_holds_patients_is_named_wherever_the_promise_is(tmp_path):
    """Nobody can see it in the tables: so it is said whose rows are let out, and by whose word."""
    schema, frames = patients_for_a_catalogue()
    made = release_linked(frames, schema, config=asked(tmp_path, units=5))
    assert len(made.synthetic["patients"]) == len(ROWS["patients"])
    covered = {touch["what"]: touch["covered"] for touch in made.statement["data_touches"]}
    who = "the test: made-up people"
    assert covered[f"rows of patients, tests: public catalogues, as declared by {who}"] == "public"
    said = made.statement["sentences"]
    assert said[0].endswith("but for a probability of 0.0001.")
    assert "for each row of visits, with all rows that belong to it" in said[0]
    assert f"every row of patients, tests, released as it is, which are public by the word of {who}" in said[2]
    assert "patients" in made.statement["declarations"][who]


def shared(tables):
    tables["doctors"] = {"role": "shared", "key": ["doctor"], "columns": {"doctor": {"kind": "code"}}}
    tables["notes"]["columns"]["doctor"] = {"kind": "identifier"}
    tables["notes"]["links"].append({"columns": ["doctor"], "to": "doctors", "kind": "shared"})


def link_renamed(tables):
    shared(tables)
    tables["notes"]["links"][-1]["kind"] = "reference"


def table_renamed(tables):
    shared(tables)
    tables["doctors"]["role"] = "reference"


def both_renamed(tables):
    link_renamed(tables)
    tables["doctors"]["role"] = "reference"


def test_a_shared_table_is_no_catalogue_by_its_name(tmp_path):
    """One name of the two is a contradiction; both are a declaration, which somebody has to sign."""
    with pytest.raises(UnsupportedError, match="`doctors` is shared by units"):
        declared_tables(changed(shared))
    for change in (link_renamed, table_renamed):
        with pytest.raises(SchemaError, match=r"must point to a table of `role: [rs]"):
            changed(change)
    said = copy.deepcopy(BOUNDED)
    both_renamed(said["tables"])
    whose = said.pop("declared_by")
    said["rules"] = []
    for name, table in said["tables"].items():
        if name != "doctors":
            table["declared_by"] = whose
    with pytest.raises(SchemaError, match=r"`tables\.doctors`: nobody declares that its rows are public"):
        declared_tables(LinkedSchema.parse(said))
    assert "doctors" in linked_declarers(changed(both_renamed))["the test: made-up people"]


def test_a_link_to_another_unit_is_refused_unless_it_is_declared_public():
    def peer(tables, **more):
        tables["patients"]["columns"]["mother"] = {"kind": "identifier", "nullable": True}
        link = {"columns": ["mother"], "to": "patients", "kind": "peer", **more}
        tables["patients"]["links"] = [link]

    with pytest.raises(UnsupportedError, match="may point to another unit only where that is public"):
        declared_tables(changed(peer))
    assert declared_tables(changed(lambda tables: peer(tables, public=True))).tables["patients"].links[0].public


# ---------------------------------------------------------------------------------------------------- one ledger


def test_two_runs_of_a_ledger_add_up_and_a_third_is_refused_before_it_is_fitted(tmp_path):
    """By epsilon counted again from the charges; what is refused leaves the ledger as it was."""
    release_linked(ROWS, changed(), config=asked(tmp_path, epsilon=1.0))
    first = recompute(tmp_path / "l.json")[0]
    assert 0.9 < first <= 1
    other = changed(bounds_seen, name="other", rules=[])  # another schema of the same tables
    release_linked(ROWS, other, config=asked(tmp_path, epsilon=2.0, delta=2e-4))
    both = recompute(tmp_path / "l.json")[0]
    assert 1.8 < both <= 2
    assert len(LedgerFile.read(tmp_path / "l.json").parts) == 2
    kept = (tmp_path / "l.json").read_bytes()
    for schema in (changed(), other):
        with pytest.raises(BudgetExceededError):
            release_linked(ROWS, schema, config=asked(tmp_path, epsilon=2.0, delta=2e-4))
    assert (tmp_path / "l.json").read_bytes() == kept


def test_a_ledger_of_one_unit_pays_for_no_other(tmp_path):
    """Neither for visits as units, nor for the table of patients by itself, whose unit has another name."""
    release_linked(ROWS, changed(), config=asked(tmp_path, epsilon=1.0))
    kept = (tmp_path / "l.json").read_bytes()
    schema, frames = patients_for_a_catalogue()
    with pytest.raises(ConfigError, match="same unit"):
        release_linked(frames, schema, config=asked(tmp_path))
    columns = BOUNDED["tables"]["patients"]["columns"]
    alone = Schema.model_validate({"columns": columns, "unit": "patient", "declared_by": WHO})
    config = asked(tmp_path, settings={}, max_rows_per_unit=1)
    with pytest.raises(ConfigError, match="same unit"):
        synthesize.release(ROWS["patients"], alone, config=config)
    assert (tmp_path / "l.json").read_bytes() == kept


def test_the_output_of_a_fit_that_was_refused_is_not_there(command, tmp_path):
    (tmp_path / "ward").mkdir()
    for name, frame in ROWS.items():
        frame.to_csv(tmp_path / "ward" / f"{name}.csv", index=False)
    changed().save(tmp_path / "w.yaml")
    words = ["fit", tmp_path / "ward", "--schema", tmp_path / "w.yaml", "--epsilon", 1, "--delta", 1e-4, "--model"]
    words += [
        "marginal",
        "--device",
        "cpu",
        "--ledger",
        tmp_path / "l.json",
        *(f"--set={k}={v}" for k, v in SMALL.items()),
    ]
    assert command(*words, "-o", tmp_path / "a").code == 0
    again = command(*words, "-o", tmp_path / "b")
    assert (again.code, (tmp_path / "b").exists()) == (2, False)
    assert "left" in again.err


# -------------------------------------------------------------------------------------------------- numbers declared


def test_a_number_of_people_that_is_declared_is_taken_by_its_word(tmp_path):
    """It sets shares of roles, whatever the tables hold; too small to be split it is refused before a row is read."""
    with pytest.raises(ConfigError, match="a public n of 39"):
        release_linked({}, changed(), config=asked(tmp_path, public_n=39))
    assert is_unspent(tmp_path)
    with pytest.raises(ConfigError, match="delta must be below 1 / n"):
        release_linked({}, changed(), config=asked(tmp_path, public_n=1_000_000))
    for n, rows in ((5000, ROWS), (45, hospital([(1, 1, 1)]))):
        made = release_linked(rows, changed(), config=asked(tmp_path, ledger=tmp_path / f"{n}.json", public_n=n))
        assert made.statement["delta_below_one_over_n"] is True
        assert "people" not in made.facts


def test_orphans_end_no_run_whatever_is_asked(tmp_path):
    """`orphans: refuse` is a wish about rows, which a budget does not hear."""
    labs = ROWS["labs"].assign(visit="nowhere")
    made = release_linked({**ROWS, "labs": labs}, changed(), config=asked(tmp_path, orphans="refuse", units=4))
    assert len(made.synthetic["patients"]) == 4


@pytest.mark.parametrize("what", ["max_minutes", "rake", "unit", "max_rows_per_unit", "final"])
def test_no_option_that_would_tell_of_rows_is_taken(what, tmp_path):
    value: dict[str, Any] = {"max_minutes": 1.0, "unit": "visits", "max_rows_per_unit": 1}
    with pytest.raises(SynthkitError, match=what):
        release_linked(ROWS, changed(), config=asked(tmp_path, **{what: value.get(what, True)}))
    assert is_unspent(tmp_path)
