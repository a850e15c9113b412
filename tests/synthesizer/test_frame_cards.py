"""Public tables come back from the card of a model as they were, whatever types their cells are of."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthkit.errors import UnsupportedError
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.frame_cards import frame_from_dict, frame_to_dict
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

SUMMER, WINTER = dt.datetime(2020, 7, 1, 5, 30), dt.datetime(2020, 12, 31)


def objects(*cells: object) -> pd.Series:
    return pd.Series(list(cells), dtype=object)


COLUMNS = {
    "texts": objects("a", None),
    "whole numbers": pd.Series([1, 2]),
    "numbers without an end": pd.Series([np.inf, np.nan]),
    "numbers of many kinds": objects(np.int64(1), 2.5),
    "truths": objects(True, None),
    "whole numbers, some missing": pd.Series([1, None], dtype="Int64"),
    "texts of pandas": pd.Series(["a", None], dtype="string"),
    "days of Python": objects(dt.date(2020, 1, 31), None),
    "moments of Python": objects(SUMMER, None),
    "moments with zones of Python": objects(SUMMER.replace(tzinfo=dt.UTC), None),
    "moments among objects": objects(pd.Timestamp(SUMMER), None),
    "moments": pd.Series([SUMMER, None], dtype="datetime64[us]"),
    "moments of a zone": pd.Series([SUMMER, WINTER]).dt.tz_localize("Europe/Berlin"),
    "times of day": objects(dt.time(5, 30), None),
    "differences": pd.Series([pd.Timedelta(hours=3), None]),
    "differences of Python": objects(dt.timedelta(hours=3), None),
    "decimals": objects(Decimal("1.50"), None),
    "bytes": objects(b"\xff", None),
    "ordered levels, some of them unused": pd.Series(pd.Categorical(["b", None], ["c", "b", "a"], ordered=True)),
    "days as levels": pd.Series(pd.Categorical([dt.date(2020, 1, 31), None])),
    "decimals of Arrow": pd.Series([Decimal("1.50"), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    "days of Arrow": pd.Series([dt.date(2020, 1, 31), None], dtype=pd.ArrowDtype(pa.date32())),
    "moments of Arrow": pd.Series([SUMMER, None], dtype=pd.ArrowDtype(pa.timestamp("us", "Europe/Berlin"))),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_come_back_as_they_were(name: str) -> None:
    """Their dtypes, and the types of their cells."""
    frame = pd.DataFrame({"x": COLUMNS[name]})
    card = json.loads(json.dumps(frame_to_dict(frame), allow_nan=False))
    again = frame_from_dict(card)
    pd.testing.assert_frame_equal(again, frame)
    some = frame["x"].notna()
    if not frame["x"].map(lambda cell: isinstance(cell, np.generic)).any():
        assert list(map(type, again["x"][some])) == list(map(type, frame["x"][some]))


def test_no_rows_come_back_as_no_rows() -> None:
    """With their dtypes."""
    frame = pd.DataFrame({name: column.iloc[:0] for name, column in COLUMNS.items()})
    pd.testing.assert_frame_equal(frame_from_dict(frame_to_dict(frame)), frame)


def test_what_is_no_cell_is_refused() -> None:
    """By the name of its column; what it holds is not told."""
    with pytest.raises(UnsupportedError, match=r"`x` has a `list`") as caught:
        frame_to_dict(pd.DataFrame({"x": objects(["secret"])}))
    assert "secret" not in str(caught.value)


def catalogue_of(**more: pd.Series) -> tuple[LinkedSchema, dict[str, pd.DataFrame]]:
    """Two people, their drugs, and the catalogue of these."""
    key = {"kind": "identifier"}
    links = [
        {"columns": ["id"], "to": "people", "kind": "owner"},
        {"columns": ["drug"], "to": "drugs", "kind": "reference"},
    ]
    tables = {
        "people": {"key": ["id"], "columns": {"id": key}},
        "taken": {"links": links, "columns": {"id": key, "drug": {"kind": "categorical", "levels": ["a", "b"]}}},
        "drugs": {"role": "reference", "key": ["drug"]},
    }
    frames = {
        "people": pd.DataFrame({"id": ["p1", "p2"]}),
        "taken": pd.DataFrame({"id": ["p1", "p2", "p2"], "drug": ["a", "b", "a"]}),
        "drugs": pd.DataFrame({"drug": ["a", "b"], **more}),
    }
    return LinkedSchema.parse({"unit": "people", "tables": tables}), frames


def test_a_model_is_saved_with_catalogues_of_any_type(tmp_path) -> None:
    """What is loaded draws with the same catalogue."""
    schema, frames = catalogue_of(since=COLUMNS["days of Python"], price=COLUMNS["decimals"])
    LinkedSynthesizer(schema, "independent", seed=1, device="cpu").fit(frames).save(tmp_path / "model")
    drawn = LinkedSynthesizer.load(tmp_path / "model", device="cpu").sample(3, seed=1)
    pd.testing.assert_frame_equal(drawn["drugs"], frames["drugs"])


def test_a_catalogue_that_cannot_be_saved_is_refused_before_anything_is_learned() -> None:
    """So that no training is lost."""
    schema, frames = catalogue_of(parts=objects(["x"], ["y"]))
    synthesizer = LinkedSynthesizer(schema, "independent", seed=1, device="cpu")
    with pytest.raises(UnsupportedError, match="must hold one value"):
        synthesizer.fit(frames)
    assert synthesizer.log is None
