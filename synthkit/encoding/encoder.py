"""The encoder: a table as small integers and residuals, and back; fitted from histograms alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthkit.encoding import constraints, value_links
from synthkit.encoding.codecs import datetime_steps, numeric
from synthkit.encoding.codecs.categorical import CombinationCodec, LevelsCodec, fit_code
from synthkit.encoding.codecs.identifier import fresh, room_for
from synthkit.encoding.codecs.numeric import Coding, NumericCodec
from synthkit.encoding.constraints import Codec, Recoding
from synthkit.encoding.gaps import Gap
from synthkit.encoding.histogram_query import Ask, Histogram, Query
from synthkit.encoding.layout import Given, Layout, Rows, Slot, small
from synthkit.encoding.value_links import ColumnLink, Compare
from synthkit.errors import EncodingError
from synthkit.schema import Code, Datetime, Identifier, Numeric, Ordinal, Schema
from synthkit.schema.columns import Level, level_key
from synthkit.schema.derived import with_derived
from synthkit.schema.joint_columns import joint_combinations
from synthkit.schema.rules import MISSING_LEVEL

KINDS: dict[str, type[Codec]] = {
    "numeric": NumericCodec,
    "steps": datetime_steps.StepsCodec,
    "levels": LevelsCodec,
    "combination": CombinationCodec,
}


@dataclass(frozen=True)
class TableEncoder:
    """A fitted, reversible coding of a table.

    Args:
        schema: meaning of the columns.
        recoding: the passage to coded columns.
        codecs: one a coded column, in order.
        layout: which slot belongs to whom.
        ties: numbers that repeat or continue others.

    Example:
        >>> schema = Schema(columns={"sex": {"kind": "categorical", "levels": ["f", "m"]}})
        >>> frame = pd.DataFrame({"sex": ["f", "m", "m"]})
        >>> encoder = TableEncoder.fit(schema, histograms_of(schema, frame))
        >>> encoder.decode(encoder.encode(frame), np.random.default_rng(0))["sex"].tolist()
        ['f', 'm', 'm']
    """

    schema: Schema
    recoding: Recoding
    codecs: Mapping[str, Codec]
    layout: Layout
    ties: tuple[ColumnLink, ...] = ()

    @classmethod
    def fit(cls, schema: Schema, ask: Ask, coding: Coding | None = None) -> TableEncoder:
        """Fit every codec to the histograms that `ask` answers.

        Args:
            schema: meaning of the columns.
            ask: answers queries about coded columns; the curator's.
            coding: how finely the model wants its numbers cut.
        """
        coding = coding or Coding()
        recoding = Recoding.of(schema)
        columns = recoding.columns
        answers = ask([Query(columns=members) for members in columns.values()])
        codecs = {
            name: _fit(recoding, name, members, answer, coding)
            for (name, members), answer in zip(columns.items(), answers, strict=True)
        }
        return cls.of(schema, codecs)

    @classmethod
    def of(cls, schema: Schema, codecs: Mapping[str, Codec]) -> TableEncoder:
        """The encoder of codecs that are there already, one a coded column of the schema."""
        recoding = Recoding.of(schema)
        return cls(schema, recoding, codecs, _layout(schema, recoding, codecs))

    @property
    def outcomes(self) -> tuple[int, ...]:
        """Which of the coarse slots, in their order, hold what the schema's targets predict."""
        coded = {name for name, members in self.recoding.columns.items() if self.schema.outcomes & set(members)}
        return tuple(k for k, j in enumerate(self.layout.coarse) if self.layout.columns[j] in coded)

    def tied(self, compare: Compare, most: int) -> TableEncoder:
        """The same encoder with pointers between numbers that repeat or continue others.

        Args:
            compare: answers questions about pairs of coded columns; the curator's.
            most: ties a number may have.
        """
        gaps = {gap.column for gap in self.recoding.gaps}  # a gap is measured from its anchor already
        ties = value_links.find({n: c for n, c in self.codecs.items() if n not in gaps}, compare, most=most)
        return self._with(ties)

    def _with(self, ties: tuple[ColumnLink, ...]) -> TableEncoder:
        followed = value_links.pointers(ties, self.codecs, self.layout)
        return replace(self, ties=ties, layout=replace(self.layout, pointers=followed))

    def encode(self, frame: pd.DataFrame) -> Rows:
        """Encode a frame in canonical dtypes. **Shape**: frame of n rows -> Rows of n.

        Raises:
            EncodingError: a column holds values without a code; the message names it.
        """
        return self.encode_coded(self.recoding.forward(frame))

    def encode_coded(self, coded: pd.DataFrame) -> Rows:
        """Encode what `recoding.forward` made of a frame. **Shape**: frame of n rows -> Rows of n.

        Raises:
            EncodingError: a column holds values without a code; the message names it.
        """
        integers = small(self.layout.sizes)
        cat, num = [], []
        for name, codec in self.codecs.items():
            with _naming(name):
                if isinstance(codec, NumericCodec):
                    levels, residual = codec.encode(codec.read(coded[name]))
                    num.append(residual)
                elif isinstance(codec, CombinationCodec):
                    levels = codec.encode(coded)
                else:
                    levels = codec.encode(coded[name])
            cat.append(levels.astype(integers))
        n = len(coded)
        cats = np.concatenate(cat, axis=1) if cat else np.empty((n, 0), dtype=integers)
        nums = np.stack(num, axis=1) if num else np.empty((n, 0))
        return Rows(torch.from_numpy(cats), torch.from_numpy(nums.astype(np.float32)))

    def decode(self, rows: Rows, rng: np.random.Generator) -> pd.DataFrame:
        """Decode rows to a frame with all columns of the schema, identifiers made fresh. **Shape**: Rows of n -> frame.

        Args:
            rows: encoded rows.
            rng: source of fresh identifiers.
        """
        cat, num = rows.cat.cpu().numpy(), rows.num.cpu().numpy()
        coded: dict[str, Any] = {}
        for name, codec in self.codecs.items():
            levels = cat[:, list(self.layout.slots_of(name))].astype(np.int64)
            if isinstance(codec, NumericCodec):
                coded[name] = codec.decode(levels, num[:, self.layout.residuals.index(name)])
            elif isinstance(codec, CombinationCodec):
                coded |= {str(c): values for c, values in codec.decode(levels).items()}
            else:
                coded[name] = codec.decode(levels)
        coded = value_links.repeat(coded, self.ties, self.codecs, rng)
        table = self.recoding.backward(coded)
        whole = with_derived(table.assign(**self.identifiers(len(rows), rng)), self.schema)
        return pd.DataFrame({c: whole[c] for c in self.schema.columns}, copy=False)

    def identifiers(self, n: int, rng: np.random.Generator) -> dict[str, pd.Series]:
        """Fresh values of every column that describes nothing. **Shape**: columns of (n,)."""
        described = set(self.schema.described)
        return {
            name: fresh(name, column if isinstance(column, Identifier) else Identifier(), n, rng)
            for name, column in self.schema.columns.items()
            if name not in described
        }

    def room_for(self, n: int) -> None:
        """Refuse n rows where a pattern has fewer values, before they are drawn.

        Raises:
            SchemaError: there is such a pattern.
        """
        for name, column in self.schema.columns.items():
            if isinstance(column, Identifier):
                room_for(name, column, n)

    def given(self, frame: pd.DataFrame, known: pd.DataFrame, *, present: bool) -> Given:
        """What is known of partial rows, in terms of slots. **Shape**: frame and mask of n rows -> Given of n.

        A gap is known only where its anchors are; see `unsettled`.

        Args:
            frame: learned columns in canonical dtypes, anything where unknown.
            known: which cells are known (a missing cell can be known to be missing).
            present: whether unknown cells must come out with a value (imputation).

        Raises:
            EncodingError: a known cell has no code; the message names its column.
        """
        n = len(frame)
        cat = np.full((n, len(self.layout.slots)), -1, dtype=np.int64)
        allowed: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        coded = self.recoding.forward(frame)
        settled = known & ~self.unsettled(known)
        for name, codec in self.codecs.items():
            slots = list(self.layout.slots_of(name))
            if isinstance(codec, CombinationCodec):
                members = known[list(codec.columns)].to_numpy(dtype=bool)
                match = codec.matching(frame, members, present=present)
                if present:  # where only combinations with a missing cell are left, it stays missing
                    left = codec.matching(frame, members, present=False)
                    match = np.where(match.any(axis=1, keepdims=True), match, left)
                _admit(allowed, cat, slots[0], match, restricted=np.asarray(members.any(axis=1) | present))
                continue
            here = settled[name].to_numpy(dtype=bool)
            if here.any():
                one = coded.loc[here, name]
                with _naming(name):
                    cat[np.ix_(here, np.array(slots))] = (
                        codec.encode(codec.read(one))[0] if isinstance(codec, NumericCodec) else codec.encode(one)
                    )
            if present and self.layout.slots[slots[0]].missing:
                some = np.ones((1, self.layout.sizes[slots[0]]), dtype=bool)
                some[0, -1] = False
                allowed[slots[0]] = (torch.from_numpy(some), torch.zeros(n, dtype=torch.long))
        return Given(torch.from_numpy(cat), allowed)

    def unsettled(self, known: pd.DataFrame) -> pd.DataFrame:
        """Known cells whose code cannot be told yet: gaps from unknown cells. **Shape**: as `known`."""
        out = pd.DataFrame(data=False, index=known.index, columns=known.columns)
        for gap in self.recoding.gaps:
            anchored = known[[anchor.column for anchor in gap.anchors]].all(axis=1)
            out[gap.column] = known[gap.column] & ~anchored
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; the schema travels beside it."""
        tags = {kind: tag for tag, kind in KINDS.items()}
        return {
            "codecs": {name: {"codec": tags[type(c)], **c.to_dict()} for name, c in self.codecs.items()},
            "ties": [tie.to_dict() for tie in self.ties],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], schema: Schema) -> TableEncoder:
        """Read what `to_dict` gave."""
        codecs = {
            name: KINDS[d["codec"]].from_dict({k: v for k, v in d.items() if k != "codec"})
            for name, d in data["codecs"].items()
        }
        return cls.of(schema, codecs)._with(tuple(ColumnLink(**tie) for tie in data["ties"]))


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """What a codec refuses, with the name of the column."""
    try:
        yield
    except EncodingError as error:
        msg = f"`{name}`: {error}"
        raise EncodingError(msg) from error


def _admit(
    allowed: dict[int, tuple[torch.Tensor, torch.Tensor]],
    cat: NDArray[np.int64],
    slot: int,
    match: NDArray[np.bool_],
    restricted: NDArray[np.bool_],
) -> None:
    """Write admissible sets of a joint slot: a level where only one is left, a set otherwise."""
    none = ~match.any(axis=1)
    if none.any():
        msg = (
            f"what is given must be a known combination; however: {int(none.sum())} rows give combinations the rule "
            "does not admit. Correct them or add them to the rule's `combinations`"
        )
        raise EncodingError(msg)
    single = match.sum(axis=1) == 1
    cat[single, slot] = match[single].argmax(axis=1)
    if (restricted & ~single).any():
        table, which = np.unique(match, axis=0, return_inverse=True)
        allowed[slot] = (torch.from_numpy(table), torch.from_numpy(which.ravel().astype(np.int64)))


def _layout(schema: Schema, recoding: Recoding, codecs: Mapping[str, Codec]) -> Layout:
    slots: list[Slot] = []
    owners: list[str] = []
    first: dict[str, int] = {}
    for name, codec in codecs.items():
        first[name] = len(slots)
        mine = codec.slots(name, len(slots)) if isinstance(codec, NumericCodec) else codec.slots(name)
        slots += mine
        owners += [name] * len(mine)
    residuals = tuple(name for name, codec in codecs.items() if isinstance(codec, NumericCodec))
    return Layout(tuple(slots), tuple(owners), residuals, constraints.clauses(schema, recoding, codecs, first))


def _fit(recoding: Recoding, name: str, members: tuple[str, ...], answer: Histogram, coding: Coding) -> Codec:
    schema = recoding.schema
    if len(members) > 1:
        return _fit_combination(schema, members, answer)
    column = schema.columns[name]
    values = answer.cells[name]
    absent = values.isna().to_numpy()
    missing = int(answer.counts[absent].sum()) if column.nullable or absent.any() else None
    gap = next((g for g in recoding.gaps if g.column == name), None)
    if isinstance(column, Datetime):
        return _fit_steps(column, answer, missing, coding, name, gapped=gap is not None)
    if isinstance(column, Numeric):
        return _fit_numeric(schema, name, answer, missing, gap, coding)
    counts = {level_key(v): int(c) for v, c in zip(values[~absent], answer.counts[~absent], strict=True)}
    if isinstance(column, Code) and column.levels is None:
        levels = [_plain(v) for v in values[~absent]]
        return fit_code(levels, answer.counts[~absent], missing, rare=coding.rare)
    listed = () if isinstance(column, Identifier) else column.levels or ()
    return LevelsCodec(
        levels=listed,
        counts=np.array([counts.get(level_key(v), 0) for v in listed], dtype=np.int64),
        missing=missing,
        ordinal=isinstance(column, Ordinal),
    )


def _fit_numeric(
    schema: Schema, name: str, answer: Histogram, missing: int | None, gap: Gap | None, coding: Coding
) -> NumericCodec:
    column = schema.columns[name]
    assert isinstance(column, Numeric)
    x = answer.cells[name].to_numpy(dtype=np.float64, na_value=np.nan)
    order = np.argsort(x)[: int((~np.isnan(x)).sum())]
    plain = gap is None
    return numeric.fit(
        x[order],
        answer.counts[order],
        missing,
        decimals=column.decimals if gap is None else gap.decimals,
        atoms=column.atoms if plain else (),
        cuts=constraints.cuts(schema, name) if plain else (),
        bounds=(column.min, column.max) if plain else (None, None),
        coding=coding,
    )


def _fit_steps(
    column: Datetime, answer: Histogram, missing: int | None, coding: Coding, name: str, *, gapped: bool
) -> NumericCodec:
    """A codec of whole steps; where they are gaps, the atoms stand below all of them."""
    x = datetime_steps.whole(answer.cells[name])
    order = np.argsort(x)[int((x == datetime_steps.NONE).sum()) :]
    atoms = (
        tuple(datetime_steps.ATOM - k for k in range(len(column.atoms)))
        if gapped
        else tuple(datetime_steps.points(column).tolist())
    )
    return datetime_steps.fit(x[order], answer.counts[order], missing, atoms=atoms, coding=coding)


def _fit_combination(schema: Schema, members: tuple[str, ...], answer: Histogram) -> CombinationCodec:
    """Combinations of one rule that lists them all, otherwise those that occur."""
    listed = [r.combinations for r in joint_combinations(schema) if r.of == members and r.combinations is not None]
    rows = [
        tuple(None if pd.isna(v) else _plain(v) for v in row)
        for row in answer.cells[list(members)].itertuples(index=False)
    ]
    counts = {_row_key(row): int(c) for row, c in zip(rows, answer.counts, strict=True)}
    combinations = listed[0] if listed else tuple(sorted(rows, key=lambda row: tuple(str(v) for v in row)))
    return CombinationCodec(
        columns=members,
        combinations=combinations,
        counts=np.array([counts.get(_row_key(row), 0) for row in combinations], dtype=np.int64),
    )


def _row_key(row: tuple[Level | None, ...]) -> tuple[Any, ...]:
    return tuple(MISSING_LEVEL if v is None else level_key(v) for v in row)


def _plain(value: Any) -> Level:
    plain: Level = value.item() if hasattr(value, "item") else value
    return plain


def histograms_of(schema: Schema, frame: pd.DataFrame) -> Ask:
    """Exact answers about a frame that is not private, for tests and public data."""
    coded = Recoding.of(schema).forward(frame)
    return lambda queries: [count(coded, query) for query in queries]


def count(coded: pd.DataFrame, query: Query) -> Histogram:
    """Exact histogram of coded columns: every combination that occurs, missing included."""
    grouped = coded.groupby(list(query.columns), dropna=False, sort=False, observed=True).size()
    cells = grouped.index.to_frame(index=False)
    return Histogram(cells=cells, counts=np.asarray(grouped.to_numpy(), dtype=np.int64))
