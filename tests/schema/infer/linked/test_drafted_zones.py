"""Moments without a zone beside moments with one: refused in a schema, and drafted as if in it, which is said."""

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import SchemaError
from synthkit.schema.infer.linked.linked_draft import draft_linked
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.validate_linked import validate_linked

SILENT = "names no zone, but `labs.taken` is in"


def ward(labs="", stays=""):
    """People with a day of birth, two stays each, and a lab at noon in each; texts that end as is asked."""
    n = 120
    begin = pd.Series(np.datetime64("2020-01-01T08:00:00", "s") + np.arange(n) * np.timedelta64(1, "D"))
    text = "%Y-%m-%dT%H:%M:%S"
    people = pd.DataFrame({"pid": range(1000, 1000 + n // 2), "sex": ["F", "M"] * (n // 4)})
    people["born"] = (begin.head(n // 2) - pd.Timedelta(9000, unit="D")).dt.strftime("%Y-%m-%d")
    who = np.tile(people["pid"], 2)
    stays_ = pd.DataFrame({"pid": who, "begin": begin.dt.strftime(text) + stays})
    stays_["finish"] = (begin + pd.Timedelta(2, unit="D")).dt.strftime(text) + stays
    taken = (begin + pd.Timedelta(4, unit="h")).dt.strftime(text) + labs
    return {"people": people, "stays": stays_, "labs": pd.DataFrame({"pid": who, "taken": taken, "x": 1.5})}


@pytest.mark.parametrize(("ending", "zone"), [("Z", "UTC"), ("+02:00", "+02:00")])
def test_moments_without_a_zone_are_taken_to_be_in_that_of_the_others_and_it_is_said(ending, zone):
    draft = draft_linked(ward(labs=ending), unit="people")
    columns = draft.schema.tables["stays"].columns
    assert (columns["begin"].zone, columns["finish"].zone, draft.schema.tables["people"].columns["born"].zone) == (
        zone, zone, None,
    )  # fmt: skip
    assert [each for each in draft.exceptions if SILENT in each] == [
        f"`stays`: `begin` {SILENT} {zone}: its clock is taken to be that of {zone}; mend the cells if it is another, "
        "or name its `zone`"
    ]
    assert validate_linked(ward(labs=ending), draft.schema).success
    lines = draft.schema.model_dump(mode="json", by_alias=True, exclude_none=True)
    for column in ("begin", "finish"):
        del lines["tables"]["stays"]["columns"][column]["zone"]
    with pytest.raises(SchemaError, match=rf"`labs.taken` is in {zone.replace('+', '.')} and `stays.begin` names none"):
        LinkedSchema.parse(lines)


def test_one_zone_for_all_none_for_all_and_days_beside_either_are_drafted_without_a_word():
    for ending in ("", "Z"):
        draft = draft_linked(ward(labs=ending, stays=ending), unit="people")
        assert not [each for each in draft.exceptions if "zone" in each]
        assert validate_linked(ward(labs=ending, stays=ending), draft.schema).success


def test_two_zones_are_not_drafted():
    with pytest.raises(SchemaError, match=r"`labs.taken` is in \+02:00 and `stays.finish` is in UTC"):
        draft_linked(ward(labs="+02:00", stays="Z"), unit="people")
