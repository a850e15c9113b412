"""The encoder: a table as small integers and residuals, and back; fitted from histograms alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from synthkit.encoding import constraints, value_links
from synthkit.encoding.arrays import Bools, Cells, Ints
from synthkit.encoding.codecs.codec import Codec, JsonObject
from synthkit.encoding.codecs.codec_registry import read_back, refuse_unknown, saved, spec_for
from synthkit.encoding.codecs.identifier import fresh, numbered, room_for
from synthkit.encoding.coded_columns import coded_columns
from synthkit.encoding.coding import Coding
from synthkit.encoding.constraints import Recoding
from synthkit.encoding.found_forms import FoundForms, recoding_of
from synthkit.encoding.histogram_query import Ask, Histogram, Query
from synthkit.encoding.layout import Given, Layout, Rows, Slot, level_dtype
from synthkit.encoding.value_links import ColumnLink, Compare
from synthkit.errors import EncodingError
from synthkit.schema import Identifier, Schema
from synthkit.schema.derived import with_derived


@dataclass(frozen=True)
class TableEncoder:
    """A fitted, reversible coding of a table.

    Args:
        schema: meaning of the columns.
        recoding: the passage to coded columns.
        codecs: one a coded column, in order.
        layout: which slot belongs to whom.
        links: numbers that repeat or continue others.

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
    links: tuple[ColumnLink, ...] = ()

    @classmethod
    def fit(
        cls,
        schema: Schema,
        ask: Ask,
        coding: Coding | None = None,
        *,
        chosen: Mapping[str, str] | None = None,
        found: FoundForms | None = None,
    ) -> TableEncoder:
        """Fit every codec to the histograms that `ask` answers.

        Args:
            schema: meaning of the columns.
            ask: answers queries about coded columns; the curator's.
            coding: how finely the model wants its numbers cut.
            chosen: names of codecs, by coded column; where none is named, ours for its kind.
            found: what was found of the forms of numbers; as in what `ask` answers.

        Raises:
            ConfigError: there is no such codec, or it cannot code its column.
        """
        coding, chosen = coding or Coding(), chosen or {}
        columns = coded_columns(recoding_of(schema, found))
        refuse_unknown(chosen, columns)
        specs = {name: spec_for(column, chosen) for name, column in columns.items()}
        answers = ask([Query(columns=column.members) for column in columns.values()])
        codecs = {
            name: specs[name].fit(column, answer, coding)
            for (name, column), answer in zip(columns.items(), answers, strict=True)
        }
        return cls.of(schema, codecs, found)

    @classmethod
    def of(cls, schema: Schema, codecs: Mapping[str, Codec], found: FoundForms | None = None) -> TableEncoder:
        """The encoder of codecs that are there already, one a coded column of the schema."""
        recoding = recoding_of(schema, found)
        return cls(schema, recoding, codecs, _layout(schema, recoding, codecs))

    @property
    def outcomes(self) -> tuple[int, ...]:
        """Which of the coarse slots, in their order, hold what the schema's targets predict."""
        coded = {name for name, members in self.recoding.columns.items() if self.schema.outcomes & set(members)}
        return tuple(k for k, j in enumerate(self.layout.coarse) if self.layout.columns[j] in coded)

    def with_links(self, compare: Compare, most: int) -> TableEncoder:
        """The same encoder with links between numbers that repeat or continue others.

        Args:
            compare: answers questions about pairs of coded columns; the curator's.
            most: links a number may have.
        """
        gaps = {gap.column for gap in self.recoding.gaps}  # a gap is measured from its anchor already
        links = value_links.find({n: c for n, c in self.codecs.items() if n not in gaps}, compare, most=most)
        return self._with(links)

    def _with(self, links: tuple[ColumnLink, ...]) -> TableEncoder:
        followed = value_links.slot_links(links, self.codecs, self.layout)
        return replace(self, links=links, layout=replace(self.layout, links=followed))

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
        integers = level_dtype(self.layout.sizes)
        cat, num, members = [], [], self.recoding.columns
        for name, codec in self.codecs.items():
            with _naming(name):
                levels, residuals = codec.encode_column(coded[list(members[name])])
            cat.append(levels.astype(integers))
            num.append(residuals)
        n = len(coded)
        cats = np.concatenate(cat, axis=1) if cat else np.empty((n, 0), dtype=integers)
        nums = np.concatenate(num, axis=1) if num else np.empty((n, 0))
        return Rows(torch.from_numpy(cats), torch.from_numpy(nums.astype(np.float32)))

    def decode(self, rows: Rows, rng: np.random.Generator) -> pd.DataFrame:
        """Decode rows to a frame with all columns of the schema, identifiers made fresh. **Shape**: Rows of n -> frame.

        Args:
            rows: encoded rows.
            rng: source of fresh identifiers.
        """
        cat, num = rows.cat.cpu().numpy(), rows.num.cpu().numpy()
        coded: dict[str, Cells] = {}
        members = self.recoding.columns
        for name, codec in self.codecs.items():
            levels = cat[:, list(self.layout.slots_of(name))].astype(np.int64)
            decoded = codec.decode_column(levels, num[:, list(self.layout.residuals_of(name))])
            coded |= dict(zip(members[name], decoded, strict=True))
        coded = value_links.repeat(coded, self.links, self.codecs, rng)
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

    def numbered_identifiers(self, rows: range, of: int, key: str) -> dict[str, pd.Series]:
        """Identifiers of some rows of a table that is drawn in parts; see `codecs.identifier.numbered`.

        **Shape**: columns of (len(rows),).
        """
        described = set(self.schema.described)
        return {
            name: numbered(name, column, rows, of, key)
            for name, column in self.schema.columns.items()
            if name not in described and isinstance(column, Identifier)
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

        A gap is known only where its anchors are; see `unanchored`.

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
        columns, place = self.recoding.columns, {str(column): k for k, column in enumerate(known)}
        held = known.to_numpy(dtype=bool)
        tellable = held & ~self.unanchored(known).to_numpy(dtype=bool)
        for name, codec in self.codecs.items():
            slots, members = list(self.layout.slots_of(name)), list(columns[name])
            at = [place[member] for member in members]
            match = _matching(codec, frame[members], held[:, at], present=present)
            if match is not None:
                _admit(allowed, cat, slots[0], match, restricted=np.asarray(held[:, at].any(axis=1) | present))
                continue
            here = np.asarray(tellable[:, at].all(axis=1))
            if here.any():
                with _naming(name):
                    cat[np.ix_(here, np.array(slots))] = codec.encode_column(coded[members][here])[0]
            if present and self.layout.slots[slots[0]].missing:
                some = np.ones((1, self.layout.sizes[slots[0]]), dtype=bool)
                some[0, -1] = False
                allowed[slots[0]] = (torch.from_numpy(some), torch.zeros(n, dtype=torch.long))
        return Given(torch.from_numpy(cat), allowed)

    def unanchored(self, known: pd.DataFrame) -> pd.DataFrame:
        """Known cells that have no code yet: gaps from unknown cells. **Shape**: as `known`."""
        out = pd.DataFrame(data=False, index=known.index, columns=known.columns)
        for gap in self.recoding.gaps:
            anchored = known[[anchor.column for anchor in gap.anchors]].all(axis=1)
            out[gap.column] = known[gap.column] & ~anchored
        return out

    def to_dict(self) -> JsonObject:
        """Plain data for JSON; the schema travels beside it."""
        return FoundForms.of(self.recoding).to_dict() | {
            "codecs": {name: saved(codec) for name, codec in self.codecs.items()},
            "ties": [link.to_dict() for link in self.links],
        }

    @classmethod
    def from_dict(cls, data: JsonObject, schema: Schema) -> TableEncoder:
        """Read what `to_dict` gave.

        Raises:
            UnsupportedError: a codec is of a distribution that is not installed.
        """
        codecs = {name: read_back(each) for name, each in data["codecs"].items()}
        return cls.of(schema, codecs, FoundForms.from_dict(data))._with(
            tuple(ColumnLink(**link) for link in data["ties"])
        )


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """What a codec refuses, with the name of the column."""
    try:
        yield
    except EncodingError as error:
        msg = f"`{name}`: {error}"
        raise EncodingError(msg) from error


def _matching(codec: Codec, frame: pd.DataFrame, known: Bools, *, present: bool) -> Bools | None:
    """Levels that agree with what is known; where only ones with a missing cell are left, it stays missing."""
    match = codec.matching(frame, known, present=present)
    left = codec.matching(frame, known, present=False) if present else None
    if match is None or left is None:
        return match
    return np.where(match.any(axis=1, keepdims=True), match, left)


def _admit(
    allowed: dict[int, tuple[torch.Tensor, torch.Tensor]],
    cat: Ints,
    slot: int,
    match: Bools,
    restricted: Bools,
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
        mine = codec.slots(name, len(slots))
        slots += mine
        owners += [name] * len(mine)
    residuals = tuple(name for name, codec in codecs.items() for _ in range(codec.residual_count))
    return Layout(tuple(slots), tuple(owners), residuals, constraints.clauses(schema, recoding, codecs, first))


def histograms_of(schema: Schema, frame: pd.DataFrame) -> Ask:
    """Exact answers about a frame that is not private, for tests and public data."""
    coded = Recoding.of(schema).forward(frame)
    return lambda queries: [count(coded, query) for query in queries]


def count(coded: pd.DataFrame, query: Query) -> Histogram:
    """Exact histogram of coded columns: every combination that occurs, missing included."""
    grouped = coded.groupby(list(query.columns), dropna=False, sort=False, observed=True).size()
    cells = grouped.index.to_frame(index=False)
    return Histogram(cells=cells, counts=np.asarray(grouped.to_numpy(), dtype=np.int64))
