"""Linked tables altered in a bundle, by a stranger and by a custodian who signs again; and members made to harm."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import pandas as pd
import pytest
from released_hospital import hospital_schema, mended, rewritten, rows
from sealing import broken, sealed

from synthkit.errors import ArtefactError
from synthkit.release.bundle.table_members import first_draw, linked_draws
from synthkit.release.bundle.verification import verify
from synthkit.release.bundle.zip_archive import pack, unpack
from synthkit.report.html import redraw


@pytest.fixture(scope="module")
def members(ward):
    return unpack(ward.bundle.read_bytes())


# What a stranger does who cannot sign, and what a custodian can do who signs again.


def moved(members):
    """A visit given to another patient, whose numbers and places no longer follow."""
    visits, patients = rows(members, "visits"), rows(members, "patients")
    other = next(name for name in patients["patient"] if name != visits["patient"].iloc[0])
    return {"visits": visits.assign(patient=[other, *visits["patient"].iloc[1:]])}


def deleted(members):
    return {"visits": rows(members, "visits").iloc[1:]}


def doubled(members):
    visits = rows(members, "visits")
    return {"visits": visits.assign(visit=[visits["visit"].iloc[1], *visits["visit"].iloc[1:]])}


def orphaned(members):
    return {"patients": rows(members, "patients").iloc[1:]}


def too_many(members):
    """A patient with six visits, one after the other, all counted and numbered: five are allowed of a unit."""
    visits, patients = rows(members, "visits"), rows(members, "patients")
    who = visits["patient"].iloc[0]
    left = visits[visits["patient"] != who]
    begin = pd.Timestamp("2030-01-01") + pd.to_timedelta(np.arange(6), unit="D")
    begin = begin.astype(visits["admitted"].dtype)
    more = pd.DataFrame(
        {"visit": [f"X{k}" for k in range(6)], "patient": who, "admitted": begin, "left": begin, "cost": 1.0,
         "place": np.arange(6) + 1, "double": 2.0}
    )  # fmt: skip
    counted = patients["visits"].mask(patients["patient"] == who, 6)
    return {"visits": pd.concat([left, more])[list(visits)], "patients": patients.assign(visits=counted)}


def uncomputed(members):
    visits = rows(members, "visits")
    return {"visits": visits.assign(double=visits["double"] + 1)}


def out_of_catalogue(members):
    return {"d_tests": rows(members, "d_tests").iloc[:1]}


def overlapping(members):
    """A visit that begins before the one before of the same patient has ended."""
    visits = rows(members, "visits")
    again = visits["patient"] == visits["patient"].shift()
    at = np.flatnonzero(again)[0]
    visits.loc[visits.index[at], "admitted"] = visits["admitted"].iloc[at - 1]
    visits.loc[visits.index[at - 1], "left"] = visits["left"].iloc[at]
    return {"visits": visits}


ALTERED = {
    "a row moved to another owner": (moved, "number of rows of `visits`|numbers the rows of an owner|place"),
    "a row deleted": (deleted, "visits"),
    "a key that stands twice": (doubled, "no key twice|key"),
    "an owner that is gone": (orphaned, "names a row of `patients`"),
    "more rows of a unit than may be": (too_many, "at most 5 rows of `visits`"),
    "a computed column that is not": (uncomputed, "double"),
    "a test that the catalogue does not know": (out_of_catalogue, "names a row of `d_tests`"),
    "visits that overlap": (overlapping, "no row of an owner begins before"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_a_stranger_who_packs_other_rows_is_refused_by_the_name_of_the_table(what, ward, members, tmp_path):
    changed = ALTERED[what][0](members)
    path = tmp_path / "b.zip"
    path.write_bytes(pack(rewritten(members, **changed)))
    found = broken(path, ward.key)
    named = [f"synthetic/{table}.parquet is not the file that was listed: its digest differs" for table in changed]
    assert found["members"] in named
    assert "rows" in found


@pytest.mark.parametrize("what", ALTERED)
def test_a_custodian_who_signs_other_rows_again_is_found_by_what_must_hold(what, ward, members, tmp_path):
    """Digests, counts, page and signature all follow the altered rows: keys, links and rules still do not."""
    change, said = ALTERED[what]
    altered = mended(rewritten(members, **change(members)))
    found = broken(sealed(altered, ward.place / "ours.key", tmp_path / "b.zip"), ward.key)
    assert "members" not in found
    assert "signature" not in found
    assert "report" not in found
    assert re.search(said, found["rows"]), found["rows"]


def test_no_value_of_a_table_is_told(ward, members, tmp_path):
    visits = doubled(members)
    path = sealed(rewritten(members, **visits), ward.place / "ours.key", tmp_path / "b.zip")
    said = " ".join(broken(path, ward.key).values())
    assert visits["visits"]["visit"].iloc[0] not in said
    assert not any(str(name) in said for name in rows(members, "patients")["patient"])


def test_rows_that_the_report_does_not_count_are_found(ward, members, tmp_path):
    """A lab taken out breaks no rule of the schema; the report is about other rows."""
    altered = rewritten(members, labs=rows(members, "labs").iloc[1:])
    found = broken(sealed(altered, ward.place / "ours.key", tmp_path / "b.zip"), ward.key)
    assert "the report is about another synthetic/labs.parquet" in found["report"]
    report = json.loads(altered["report.json"])
    report["sections"][0]["hashes"]["synthetic/labs.parquet"] = hashlib.sha256(
        altered["synthetic/labs.parquet"]
    ).hexdigest()
    hidden = {**altered, "report.json": json.dumps(report).encode(), "report.html": redraw(report).encode()}
    found = broken(sealed(hidden, ward.place / "ours.key", tmp_path / "c.zip"), ward.key)
    assert found["report"] == "the report counts other rows of `labs` than the tables of draw 1 hold"


def edited(members, change):
    report = json.loads(members["report.json"])
    change({section["id"]: section for section in report["sections"]}, report)
    return {**members, "report.json": json.dumps(report).encode(), "report.html": redraw(report).encode()}


def set_scope(sections, report):
    sections["scope"]["rows"][0][1] = "nobody"


def set_promise(sections, report):
    sections["privacy"]["promise"] = "Differentially private, epsilon 1."


def set_table(sections, report):
    sections["released"]["table"]["rows"][0]["cells"][0]["text"] = "99"


def set_fact(sections, report):
    facts = sections["released"]["facts"]
    facts[next(k for k, fact in enumerate(facts) if fact[0] == "Model")][1] = "timeline"


def set_tag(sections, report):
    sections["decision"]["tag"] = "public"


def drop_section(sections, report):
    report["sections"].remove(sections["standards"])


def other_rows(sections, report):
    report["sections"][0]["rows"].append(report["sections"][0]["rows"][0])


def other_words(sections, report):
    report["sections"][0]["what"] = "1 synthetic patients."


def shown_people(sections):
    """The timelines on the page that have two events at least."""
    units = sections["timelines"]["figures"][0]["data"]["units"]
    return [unit for unit in units if len(unit["events"]) > 1]


def other_time(sections, report):
    shown_people(sections)[0]["events"][1][0] += 2


def other_table(sections, report):
    event = shown_people(sections)[0]["events"][-1]
    event[1] = 1 - event[1]


def other_end(sections, report):
    shown_people(sections)[0]["end"] = 4000


def more_rows(sections, report):
    shown_people(sections)[0]["rows"] += 1


REPORTED = {
    "a time on a timeline": (other_time, "contents", "is of nobody among the released people"),
    "a table on a timeline": (other_table, "contents", "is of nobody among the released people"),
    "the end of a timeline": (other_end, "contents", "is of nobody among the released people"),
    "rows of a timeline": (more_rows, "contents", "is of nobody among the released people"),
    "scope": (set_scope, "contents", "/scope/rows/0/1"),
    "promise": (set_promise, "contents", "/privacy/promise"),
    "rows by table": (set_table, "contents", "/released/table"),
    "model": (set_fact, "contents", "/released/facts"),
    "tag": (set_tag, "contents", "/titles/0/2"),
    "a section taken out": (drop_section, "contents", "/titles"),
    "a draw more": (other_rows, "report", "other draws or tables than there are"),
    "other words": (other_words, "report", "another number of rows than it counts"),
}


@pytest.mark.parametrize("what", REPORTED)
def test_a_report_that_says_something_else_is_found(what, ward, members, tmp_path):
    change, check, said = REPORTED[what]
    found = broken(sealed(edited(members, change), ward.place / "ours.key", tmp_path / "b.zip"), ward.key)
    assert said in found[check]


def test_a_table_taken_out_or_put_in_is_found(ward, members, tmp_path):
    key, path = ward.place / "ours.key", tmp_path / "b.zip"
    without = {name: content for name, content in members.items() if name != "synthetic/labs.parquet"}
    assert broken(sealed(without, key, path), ward.key)["members"] == "synthetic/labs.parquet is missing"
    more = {**members, "synthetic/notes.parquet": members["synthetic/labs.parquet"]}
    assert "in synthetic `notes` is not declared" in broken(sealed(more, key, path), ward.key)["members"]
    beside = {**members, "labs.parquet": members["synthetic/labs.parquet"]}
    assert "every draw must hold the declared tables" in broken(sealed(beside, key, path), ward.key)["members"]
    half = {**members, "draws/01/labs.parquet": members["synthetic/labs.parquet"]}
    assert "in draws/01" in broken(sealed(half, key, path), ward.key)["members"]


def test_members_of_draws_elsewhere_are_refused():
    names = [f"other/{name}.parquet" for name in hospital_schema().tables]
    with pytest.raises(ArtefactError, match="in other that is no draw"):
        linked_draws(names, hospital_schema())
    assert first_draw(hospital_schema())[0] == "synthetic/patients.parquet"


def test_a_stranger_cannot_make_it_read_too_many_cells(ward):
    found = {check.name: check.words for check in verify(ward.bundle, ward.key, cells=50)}
    for name in ("rows", "report", "contents"):
        assert "at most 50 are read of a stranger's" in found[name]


ONE_TABLE = b"columns: {age: {kind: numeric}}"
HARMFUL = [b"", b"{}", b"[]", b"null", b'{"sections": []}', b"[" * 100_000, ONE_TABLE, b"PAR1" + b"\xff" * 40 + b"PAR1"]


@pytest.mark.parametrize("content", HARMFUL, ids=lambda content: repr(content[:12]))
@pytest.mark.parametrize(
    "name", ["schema.yaml", "report.json", "statement.json", "config.json", "synthetic/labs.parquet"]
)
def test_a_member_made_to_harm_is_answered_in_words(name, content, ward, members, tmp_path):
    path = tmp_path / "b.zip"
    path.write_bytes(pack({**members, name: content}))
    found = verify(path, ward.key)
    assert "members" in {check.name for check in found if check.outcome == "broken"}
    assert all(check.words for check in found)


def test_a_bundle_of_one_table_under_a_linked_schema_and_the_other_way_round_do_not_hold(
    ward, members, bundle, tmp_path
):
    one, key = unpack(bundle.read_bytes()), ward.place / "ours.key"
    for first, second in ((members, one), (one, members)):
        swapped = {**first, "schema.yaml": second["schema.yaml"]}
        found = broken(sealed(swapped, key, tmp_path / "b.zip"), ward.key)
        assert "is missing" in found["members"]
        assert "rows" in found
