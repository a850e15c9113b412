"""Keys a few of which are missing, stand twice or are spelled otherwise hide no link; draft and validation say them."""

import numpy as np
import pandas as pd
import pytest

from synthkit.schema.infer.linked.foreign_keys import MAX_AMISS
from synthkit.schema.infer.linked.linked_draft import draft_linked
from synthkit.schema.linked.validate_linked import validate_linked

N = 80


def ward():
    """People, three stays each, two labs of each person; every second person has a letter."""
    rng = np.random.default_rng(3)
    people = pd.DataFrame({"pid": np.arange(1, N + 1), "sex": rng.choice(["F", "M"], N)})
    stays = pd.DataFrame({"pid": np.repeat(people["pid"], 3), "cost": rng.gamma(2, 50, 3 * N).round(1)})
    labs = pd.DataFrame({"pid": np.repeat(people["pid"], 2), "value": rng.normal(0, 1, 2 * N).round(1)})
    return {"people": people, "stays": stays.reset_index(drop=True), "labs": labs.reset_index(drop=True)}


def spoilt(how):
    frames = ward()
    people = frames["people"]
    if how == "twice":
        frames["people"] = pd.concat([people, people.head(3)], ignore_index=True)
    elif how == "missing":
        frames["people"] = people.assign(pid=people["pid"].astype("Int64").mask(people.index < 3))
    elif how == "zeros":
        frames["stays"]["pid"] = frames["stays"]["pid"].map("{:03d}".format)
    elif how == "a few zeros":
        frames["stays"]["pid"] = frames["stays"]["pid"].map(lambda k: f"0{k}" if k <= 4 else str(k)).astype(object)
    return frames


SAID = {
    "twice": ("`pid` names its row in 96.4% of 83: 3 stand twice; mend these", "people", "no key twice", 6),
    "missing": ("`pid` names its row in 96.2% of 80: 3 are missing; mend these", "people", "no missing cell", 3),
    "zeros": ("240 are found once spelled alike", "stays", "names a row of `people`", 240),
    "a few zeros": ("12 are found once spelled alike", "stays", "names a row of `people`", 12),
}


@pytest.mark.parametrize("how", list(SAID))
def test_the_links_are_drafted_the_share_is_said_and_validation_refuses_with_a_count(how):
    draft = draft_linked(spoilt(how))
    assert draft.schema.unit == "people"
    for name in ("stays", "labs"):
        assert [(k.columns, k.to, k.kind) for k in draft.schema.tables[name].links] == [(("pid",), "people", "owner")]
    note, table, rule, count = SAID[how]
    assert any(each.startswith(f"`{table}`: ") and note in each for each in draft.exceptions)
    found = validate_linked(spoilt(how), draft.schema)
    (broken,) = [v for v in found.violations[table] if v.rule == rule]
    assert broken.count == count
    assert broken.remedy


def test_sound_keys_are_drafted_without_a_word():
    draft = draft_linked(ward())
    assert draft.exceptions == ()
    assert draft.comments["tables.people.key"] == ("complete, and no value twice in 80 rows",)
    assert validate_linked(ward(), draft.schema).success


@pytest.mark.parametrize("twice", [4, 5])
def test_a_column_with_more_amiss_than_a_small_share_names_nothing(twice):
    frames = ward()
    frames["people"] = pd.concat([frames["people"], frames["people"].head(twice)], ignore_index=True)
    linked = {name for name, table in draft_linked(frames).schema.tables.items() if table.links}
    assert linked == ({"stays", "labs"} if twice <= MAX_AMISS * len(frames["people"]) else set())


def test_a_table_with_nearly_one_row_a_person_is_not_taken_for_that_of_the_people():
    frames = ward()
    frames["letters"] = pd.DataFrame({"pid": [*range(1, N + 1), 1, 2], "pages": 1})
    found = draft_linked(frames).schema
    assert found.unit == "people"
    assert {link.to for table in found.tables.values() for link in table.links} == {"people"}


def test_orphans_that_are_spelled_otherwise_are_told_apart_from_those_that_name_nobody():
    frames = spoilt("a few zeros")
    frames["labs"].loc[:4, "pid"] = 999
    schema = draft_linked(frames).schema
    found = validate_linked(frames, schema, orphans="drop")
    assert (found.orphans["stays"].rows, found.orphans["stays"].alike) == (12, 12)
    assert (found.orphans["labs"].rows, found.orphans["labs"].alike) == (5, 0)
    assert "17 rows and 0 keys of orphans left out, of whose keys 12 are found once spelled alike" in str(found)
