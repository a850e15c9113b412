"""Drawn rows and public catalogues: every key that a row holds of a catalogue names a row of it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.link import Link
from synthkit.schema.linked.row_keys import RowKeys


def with_known_keys(
    frames: Mapping[str, pd.DataFrame], references: Mapping[str, pd.DataFrame], schema: LinkedSchema
) -> dict[str, pd.DataFrame]:
    """The tables, keys that no catalogue has missing where they may be, else those of its first row.

    There are such keys where a budget told no level of a column: what stands for that is in no catalogue.

    Args:
        frames: drawn rows by table.
        references: the catalogues.
        schema: what they mean.

    Example:
        >>> codes = {"role": "reference", "key": ["code"]}
        >>> link = {"columns": ["code"], "to": "codes", "kind": "reference"}
        >>> columns = {"id": {"kind": "identifier"}, "code": {"kind": "code"}}
        >>> people = {"key": ["id"], "links": [link], "columns": columns}
        >>> schema = LinkedSchema.parse({"unit": "people", "tables": {"people": people, "codes": codes}})
        >>> drawn = {"people": pd.DataFrame({"id": [1, 2], "code": ["b", "(not told)"]})}
        >>> with_known_keys(drawn, {"codes": pd.DataFrame({"code": ["a", "b"]})}, schema)["people"]["code"].tolist()
        ['b', 'a']
    """
    out = dict(frames)
    for name in schema.graph.records:
        for link in schema.tables[name].links:
            if link.kind == "reference" and link.to in references and len(references[link.to]):
                out[name] = _known(out[name], name, link, references[link.to], schema)
    return out


def _known(frame: pd.DataFrame, name: str, link: Link, catalogue: pd.DataFrame, schema: LinkedSchema) -> pd.DataFrame:
    theirs = RowKeys.of(catalogue, schema.tables[link.to].key or link.columns)
    mine = RowKeys.of(frame, link.columns)
    lost = mine.complete & (mine.positions_in(theirs) < 0)
    if not lost.any():
        return frame
    columns, out = schema.tables[name].columns, {}
    for column, part in zip(link.columns, theirs.parts, strict=True):
        first = None if columns[column].nullable else part[0]
        out[column] = frame[column].astype(object).where(~lost, first)
    return frame.assign(**out)
