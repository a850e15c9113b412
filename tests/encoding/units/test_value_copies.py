"""Where a value that rows repeat is taken from, held against loops over rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthkit.encoding.units.payload_coding import ANEW, AS_BEFORE, AS_IN_SERIES
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.tables.linked_tables import LinkedTables


def twice_read(units: int) -> dict[str, pd.DataFrame]:
    """A pressure that is read twice at each moment, with few values: it often is that of the moment before too."""
    rng = np.random.default_rng(4)
    people = pd.DataFrame({"id": [f"p{k}" for k in range(units)]})
    owner = np.repeat(np.arange(units), 8)
    value = np.repeat(rng.integers(0, 14, units * 4), 2) / 2
    rows = {
        "id": people["id"].to_numpy()[owner],
        "day": np.tile(np.repeat([1, 4, 9, 16], 2), units),
        "kind": np.tile(["first", "second"], 4 * units),
        "value": value,
    }
    return {"people": people, "rows": pd.DataFrame(rows)}


def meaning() -> LinkedSchema:
    """What they mean."""
    rows = {
        "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
        "order": {"from": "day"},
        "series": "kind",
        "columns": {
            "id": {"kind": "identifier"},
            "day": {"kind": "numeric", "decimals": 0},
            "kind": {"kind": "categorical", "levels": ["first", "second"]},
            "value": {"kind": "numeric", "decimals": 1},
        },
    }
    people = {"key": ["id"], "columns": {"id": {"kind": "identifier"}}}
    return LinkedSchema.parse({"unit": "people", "tables": {"people": people, "rows": rows}})


def test_a_second_reading_is_always_taken_from_the_first() -> None:
    """Also where by chance its own series repeats it; a first reading that is repeated continues its series."""
    tables = twice_read(60)
    synthesizer = LinkedSynthesizer(meaning(), "timeline", seed=1, device="cpu", settings={"steps": 1, "root_steps": 1})
    encoder = synthesizer.fit(tables)._encoder
    assert encoder is not None
    coding = encoder.payloads["rows"]
    typed = LinkedTables.of(tables, synthesizer.schema)
    rows = encoder.encode(encoder.frames(typed)).payload["rows"]
    frame = typed.frames["rows"]
    at = coding.slot("value") - 1
    wanted = []
    for _, unit in frame.groupby("id", sort=False):
        values = unit["value"].tolist()
        for k, (kind, value) in enumerate(zip(unit["kind"], values, strict=True)):
            equal = k > 1 and value == values[k - 2]  # rows before a first reading and in its series have one value
            wanted.append(AS_BEFORE if kind == "second" else AS_IN_SERIES if equal else ANEW)
    assert rows.cat[:, at].tolist() == wanted
