"""Tables that have no rows yet are never drafted as public, and rows that come later are held against the draft."""

import pandas as pd
import pytest

from synthkit.errors import SchemaError
from synthkit.schema.infer.linked.linked_draft import draft_linked
from synthkit.schema.infer.linked.rowless_tables import draft_rowless
from synthkit.schema.infer.linked.unit_tree import draft_tree
from synthkit.schema.linked.validate_linked import validate_linked
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

PEOPLE = pd.DataFrame({"pid": range(1, 41), "sex": ["F", "M"] * 20})
EMPTY = pd.DataFrame(
    {
        "pid": pd.Series([], dtype="int64"),
        "taken": pd.Series([], dtype="datetime64[ns]"),
        "value": pd.Series([], dtype="float64"),
        "count": pd.Series([], dtype="int64"),
        "urgent": pd.Series([], dtype="bool"),
        "text": pd.Series([], dtype="object"),
    }
)


@pytest.mark.parametrize("name", ["labs", "d_codes", "lookup"])
@pytest.mark.parametrize("columns", [["pid", "text"], ["code", "text"], ["text"]])
def test_a_table_without_rows_is_never_a_public_catalogue_however_it_is_called(name, columns):
    draft = draft_linked({"people": PEOPLE, name: pd.DataFrame({c: [] for c in columns}, dtype=object)})
    assert draft.schema.tables[name].role == ("records" if "pid" in columns else "shared")
    assert list(draft.schema.tables[name].columns) == columns
    assert "nobody can tell what it is" in " ".join(draft.comments[f"tables.{name}"])


def test_columns_are_drafted_as_far_as_their_types_tell():
    table = draft_rowless("labs", EMPTY, draft_tree({"people": PEOPLE, "labs": EMPTY})).table
    kinds = {name: column.kind for name, column in table.columns.items()}
    assert kinds == {
        "pid": "identifier", "taken": "datetime", "value": "numeric", "count": "numeric", "urgent": "boolean",
        "text": "identifier",
    }  # fmt: skip
    assert table.columns["count"].decimals == 0
    assert [name for name, column in table.columns.items() if not column.nullable] == ["pid"]


def test_rows_that_come_later_are_held_against_the_draft_and_never_written_as_they_are():
    draft = draft_linked({"people": PEOPLE, "labs": EMPTY}).schema
    labs = EMPTY.reindex(range(30)).assign(
        pid=list(range(1, 31)), taken=pd.Timestamp("2020-01-01"), value=1.5, count=2, urgent=True, text="seen on day 3"
    )
    assert validate_linked({"people": PEOPLE, "labs": labs}, draft).success
    strange = validate_linked({"people": PEOPLE, "labs": labs.assign(pid=labs["pid"] + 900)}, draft)
    assert [v.rule for v in strange.violations["labs"]] == ["names a row of `people`"]
    made = LinkedSynthesizer(draft, "independent", seed=1).fit({"people": PEOPLE, "labs": labs}).sample(20, seed=2)
    assert not set(made["labs"]["text"].dropna()) & {"seen on day 3"}


def test_the_tables_without_rows_are_learned_and_drawn():
    draft = draft_linked({"people": PEOPLE, "labs": EMPTY, "more": EMPTY[["text"]]}).schema
    made = LinkedSynthesizer(draft, "independent", seed=1).fit(
        {"people": PEOPLE, "labs": EMPTY, "more": EMPTY[["text"]]}
    )
    assert {name: len(frame) for name, frame in made.sample(7, seed=2).items()} == {"people": 7, "labs": 0, "more": 0}


def test_a_table_without_columns_is_refused_by_name():
    with pytest.raises(SchemaError, match=r"table `labs`: .*0 rows and 0 columns"):
        draft_linked({"people": PEOPLE, "labs": pd.DataFrame()})
