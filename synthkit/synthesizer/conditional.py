"""Partly known rows completed: conditional samples and imputation, for models that condition.

Most known cells are slots of their own and are simply held. A known column that is coded as a gap (d.time as
d.time - slos) while its anchor is unknown is not: then anchors are proposed from the model, the gap each
would imply is weighed by its probability, and one proposal is drawn by these weights (sampling-importance-resampling).
A model that cannot tell that probability has all proposals that obey the rules weighed alike.

References:
    Rubin: The calculation of posterior distributions by data augmentation: comment (1987), for the resampling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from synthkit.encoding import Given, Rows, TableEncoder
from synthkit.errors import SchemaError
from synthkit.io.plain_columns import as_frame
from synthkit.models.base import Capability, RowModel
from synthkit.runtime.seeds import Seeds
from synthkit.schema import Identifier, Implication, Numeric, Schema
from synthkit.schema.cells import is_missing
from synthkit.schema.columns import Code, Column, Datetime, Discrete
from synthkit.schema.conform import conform, refuse
from synthkit.schema.derived import derived_admitted, derived_origins, rows_keeping_rules, with_derived
from synthkit.schema.violations import Violation

REDRAWS_AT_ONCE = 128  # rows drawn at once for those that broke a rule in the rounds before
REPAIR_ROUNDS = 5  # rounds in which a drawn row may be mended before it is given up
REPAIR_CANDIDATES = 4  # completions weighed for a row that is mended: what is known of it was drawn by the same model
ANCHOR_PROPOSALS = 64  # of anchors, for each row whose gap cannot be told without them


class ConditionalSampler:
    """Fills the unknown cells of partial rows.

    Args:
        encoder: fitted coding of the table.
        model: a model that conditions.
        seeds: of the draws.
        rounds: how often rows that break a rule are drawn again.
    """

    def __init__(self, encoder: TableEncoder, model: RowModel, seeds: Seeds, rounds: int) -> None:
        self._encoder, self._model, self._rounds = encoder, model, rounds
        self._generator = seeds.torch("complete")
        self._rng = seeds.numpy("identifiers")

    def partial(self, n: int, given: Mapping[str, Any] | pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The n rows that are to be completed, and which of their cells are known. **Shape**: two frames of n rows.

        Raises:
            SchemaError: a column cannot be given, or a value is not in its domain; or the frame has not n rows.
        """
        schema = self._encoder.schema
        given = given if isinstance(given, Mapping) else as_frame(given, "`given`, where it is no mapping,")
        names = [str(c) for c in given]
        refused = [c for c in names if c not in schema.learned]
        if refused:
            why = "an identifier" if isinstance(schema.columns.get(refused[0]), Identifier) else "not a learned column"
            if refused[0] in schema.derived:
                sources = ", ".join(f"`{c}`" for c in derived_origins(schema, refused[0]))
                why = f"computed from {sources or 'nothing'}. Give those"
            msg = f"`given` must name columns the model has learned; however: `{refused[0]}` is {why}"
            raise SchemaError(msg)
        if not isinstance(given, Mapping):
            if len(given) != n:
                msg = f"`given` must have as many rows as are asked for; however: {len(given)} rows for {n}"
                raise SchemaError(msg)
            values = given.reset_index(drop=True)
            known = values.notna()
        else:
            cells = {c: one_value(str(c), v) for c, v in given.items()}
            values = pd.DataFrame({c: pd.Series([v] * n, dtype=object) for c, v in cells.items()}, index=range(n))
            known = pd.DataFrame(data=True, index=range(n), columns=names)
        frame = conform(values, schema, partial=True) if names else values
        for name in names:
            self._check(name, frame[name], missing=isinstance(given, Mapping))
        blank = {c: pd.Series([None] * n, dtype=object) for c in schema.learned if c not in names}
        full = pd.DataFrame({**{c: frame[c] for c in names}, **blank}, index=range(n))[list(schema.learned)]
        mask = known.reindex(columns=list(schema.learned), fill_value=False)
        return full, mask

    def _check(self, name: str, values: pd.Series, *, missing: bool) -> None:
        column = self._encoder.schema.columns[name]
        bad = ~column.admits(values)
        if missing and values.isna().any() and not column.nullable:
            msg = f"`given` may say missing only where cells may be; however: `{name}` is not nullable. Give a value"
            raise SchemaError(msg)
        if bad.any():
            allowed = _allowed(column, values)
            msg = f"`given` must lie in the domain of `{name}`; however: {int(bad.sum())} values do not. {allowed}. "
            msg += "Correct what is given"
            raise SchemaError(msg)

    def fill(self, frame: pd.DataFrame, known: pd.DataFrame, *, present: bool) -> pd.DataFrame:
        """Complete rows; known cells come back exactly. **Shape**: frame and mask of n rows -> frame of n rows.

        Args:
            frame: learned columns (others are ignored), anything where unknown.
            known: which cells are known.
            present: whether unknown cells must come out with a value.

        Raises:
            SchemaError: what is known cannot obey the rules.
        """
        encoder, schema = self._encoder, self._encoder.schema
        learned = list(schema.learned)
        frame, known = frame[learned], known[learned]
        self._refuse_contradictions(frame, known)
        out, todo = self._drawn(frame, known, self._rounds, present=present, tries=None)
        if len(todo):
            msg = (
                f"known values must be compatible with the rules; however: {len(todo)} rows break one in every one of "
                f"{self._rounds} rounds (row {int(todo[0]) + 1} is the first). Correct what is given"
            )
            raise SchemaError(msg)
        out = out.assign(**encoder.identifiers(len(out), self._rng))
        if schema.derived:
            out = with_derived(conform(out, schema, partial=True), schema)
        return out[list(schema.columns)]

    def repair(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
        """Rows that break a rule, with what the rule says of them drawn again given the rest of the row.

        Drawing whole rows again would favour rows to which no rule applies; here what a rule asks about (`if`) stays,
        and what follows from it (`then`) is drawn until it does follow.

        Args:
            frame: drawn rows, each of which breaks a rule.

        Returns:
            The rows, and which of them obey now. **Shape**: frame of n rows, (n,) bool.
        """
        learned = list(self._encoder.schema.learned)
        again = pd.DataFrame(data=False, index=range(len(frame)), columns=learned)
        schema = self._encoder.schema
        for rule in schema.rules:
            asked = rule.then if isinstance(rule, Implication) else rule.columns
            again.loc[~rule.holds(frame), [c for name in asked for c in derived_origins(schema, name)]] = True
        for name in schema.derived:
            again.loc[~derived_admitted(name, frame, schema), list(derived_origins(schema, name))] = True
        for gap in self._encoder.recoding.gaps:  # what is measured from a redrawn column must be measured anew
            again[gap.column] |= again[[anchor.column for anchor in gap.anchors]].any(axis=1)
        whole = conform(frame[learned].reset_index(drop=True), self._encoder.schema, partial=True)
        out, todo = self._drawn(whole, ~again, REPAIR_ROUNDS, present=False, tries=REPAIR_CANDIDATES)
        good = ~np.isin(np.arange(len(frame)), todo)
        out = conform(out, schema, partial=True)  # as the rows it is put beside are
        return (with_derived(out, schema)[list(frame.columns)] if schema.derived else out), good

    def _drawn(
        self, frame: pd.DataFrame, known: pd.DataFrame, rounds: int, *, present: bool, tries: int | None
    ) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """Completed rows, and the numbers of those that still break a rule after all rounds."""
        encoder = self._encoder
        learned = list(encoder.schema.learned)
        out = pd.DataFrame(index=range(len(frame)), columns=learned, dtype=object)
        todo = np.arange(len(frame))
        for k in range(rounds):
            if not len(todo):
                break
            # the fewer rows are left, the more often each is tried at once
            tried = np.repeat(todo, np.clip(REDRAWS_AT_ONCE // len(todo), 1, 2**k))
            part, mask = self._with_anchors(frame.iloc[tried], known.iloc[tried], present=present, tries=tries)
            given = encoder.given(part, mask, present=present)
            rows = self._model.sample_given(given, self._generator, tries=tries)
            drawn = self._with_known(encoder.decode(rows, self._rng)[learned], part, mask)
            good = rows_keeping_rules(with_derived(drawn, encoder.schema), encoder.schema)
            kept, first = np.unique(tried[good], return_index=True)
            out.iloc[kept] = drawn[good].iloc[first].astype(object).to_numpy()
            todo = np.setdiff1d(todo, kept)
        return out, todo

    def _refuse_contradictions(self, frame: pd.DataFrame, known: pd.DataFrame) -> None:
        """Refuse rows that break a rule by what is known alone, before anything is drawn."""
        for rule in self._encoder.schema.rules:
            if not set(rule.columns) <= set(known.columns):
                continue  # what is computed is known when all is
            decided = known[list(rule.columns)].all(axis=1).to_numpy()
            bad = np.flatnonzero(decided)[~rule.holds(frame[decided])] if decided.any() else np.empty(0, dtype=np.int64)
            if len(bad):
                msg = (
                    f"known values must obey the rule {rule.sentence}; however: {len(bad)} rows do not (row "
                    f"{int(bad[0]) + 1} is the first). Correct what is given"
                )
                raise SchemaError(msg)

    @staticmethod
    def _with_known(drawn: pd.DataFrame, frame: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
        """Drawn rows with known cells exactly as they were given."""
        cells = {}
        for name in drawn:
            held = known[name].to_numpy(dtype=bool)
            values = frame[name].reset_index(drop=True)
            cells[name] = values if held.all() else drawn[name].where(~held, values) if held.any() else drawn[name]
        return pd.DataFrame(cells)

    def _with_anchors(
        self, frame: pd.DataFrame, known: pd.DataFrame, *, present: bool, tries: int | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows in which every known gap stands on known anchors, proposing those that are unknown."""
        frame, known = frame.reset_index(drop=True), known.reset_index(drop=True)
        open_ = self._encoder.unanchored(known)
        rows = np.flatnonzero(open_.any(axis=1).to_numpy())
        if not len(rows):
            return frame, known
        many = np.repeat(rows, ANCHOR_PROPOSALS)
        base, mask = frame.iloc[many].reset_index(drop=True), known.iloc[many].reset_index(drop=True)
        waiting = open_.iloc[many].reset_index(drop=True)
        free = mask & ~waiting
        given = self._encoder.given(base, free, present=present)
        rows_ = self._model.sample_given(given, self._generator, tries=tries)
        proposed = self._encoder.decode(rows_, self._rng)[list(frame.columns)]
        anchors = self._anchors(waiting)
        filled = self._with_known(proposed, base, ~anchors | mask)
        weights = self._weights(filled, free | anchors, waiting).reshape(len(rows), ANCHOR_PROPOSALS)
        chosen = self._choose(weights) + np.arange(len(rows)) * ANCHOR_PROPOSALS
        frame, known = frame.astype(object), known.copy()
        frame.iloc[rows] = filled.iloc[chosen].astype(object).to_numpy()
        known.iloc[rows] = (mask | anchors).iloc[chosen].to_numpy()
        return conform(frame, self._encoder.schema, partial=True), known

    def _anchors(self, waiting: pd.DataFrame) -> pd.DataFrame:
        """Every column a waiting gap stands on, and those they stand on in turn."""
        out = pd.DataFrame(data=False, index=waiting.index, columns=waiting.columns)
        for gap in reversed(self._encoder.recoding.gaps):
            for anchor in gap.anchors:
                out[anchor.column] |= waiting[gap.column] | out[gap.column]
        return out

    def _weights(self, filled: pd.DataFrame, free: pd.DataFrame, waiting: pd.DataFrame) -> NDArray[np.float64]:
        """Log-weight of each proposal: the probability of the gaps it implies, -inf where one would be negative.

        Without a model that tells probabilities, 0 in its place.
        """
        encoder = self._encoder
        filled = conform(filled, encoder.schema, partial=True)
        rules = encoder.recoding.comparisons()
        fits = np.logical_and.reduce([np.ones(len(filled), dtype=bool), *(r.holds(filled) for r in rules)])
        if not self._model.can(Capability.LOG_PROB_GIVEN):
            return np.where(fits, 0.0, -np.inf)
        everything = free | waiting
        coded = encoder.given(filled, everything, present=False)
        measured = encoder.recoding.forward(filled)
        held = encoder.given(filled, free, present=False)
        aim = torch.zeros_like(coded.cat, dtype=torch.bool)
        steps = np.zeros(len(filled))
        for gap in encoder.recoding.gaps:
            here = waiting[gap.column].to_numpy(dtype=bool)
            for j in encoder.layout.slots_of(gap.column):
                aim[:, j] = torch.from_numpy(here)
            steps += np.where(here, encoder.codecs[gap.column].log_width(measured[[gap.column]]), 0.0)
        log = self._model.log_prob_given(Rows(coded.cat, torch.empty(len(filled), 0)), Given(held.cat, {}), aim)
        return np.where(fits, log.cpu().double().numpy() - steps, -np.inf)

    def _choose(self, weights: NDArray[np.float64]) -> NDArray[np.int64]:
        """One proposal a row by its weight; where none fits any, which then breaks its rule and is tried again."""
        noise = torch.rand(weights.shape, generator=self._generator, dtype=torch.float64).numpy()
        gumbel = -np.log(-np.log(np.clip(noise, 1e-300, 1 - 1e-16)))
        return np.asarray((weights + gumbel).argmax(axis=1))


def one_value(name: str, value: Any) -> Any:
    """What is given to all rows of a column: one value, whatever type of pandas or numpy holds it; None if missing.

    Raises:
        SchemaError: it is several values.

    Example:
        >>> one_value("born", np.datetime64("2020-05-01")), one_value("age", np.int8(61)), one_value("age", pd.NA)
        (datetime.datetime(2020, 5, 1, 0, 0), 61, None)
    """
    if not pd.api.types.is_scalar(value) and not (isinstance(value, np.ndarray) and value.ndim == 0):
        msg = (
            f"`given` says one value for all rows of a column; however: that of `{name}` is a "
            f"`{type(value).__name__}`. Give a DataFrame with a row for each value"
        )
        raise SchemaError(msg)
    value = value.item() if isinstance(value, np.ndarray) else value
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]")
    if is_missing(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def _allowed(column: Column, values: pd.Series) -> str:
    """What of the domain of a column the values break: the levels, the bounds, or how numbers and codes are written."""
    if isinstance(column, Discrete) and column.levels:
        return f"Its levels: {', '.join(map(str, column.levels))}"
    finer = isinstance(column, Numeric) and column.model_copy(update={"decimals": None}).admits(values).all()
    if isinstance(column, Numeric) and finer and column.decimals is not None:
        return f"Its decimals: {column.decimals}" if column.decimals else "It holds whole numbers"
    if isinstance(column, Numeric | Datetime) and (said := _bounds(column.min, column.max)):
        return f"Its bounds: {said}"
    if isinstance(column, Code) and column.pattern is not None:
        return f"Its pattern: {column.pattern}"
    return f"Give what the schema says of it: {column.kind}"


def _bounds(low: object, high: object) -> str:
    """Two bounds in words, each of which may be left open."""
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"{low} and above" if low is not None else f"{high} and below" if high is not None else ""


def refuse_foreign(frame: pd.DataFrame, schema: Schema) -> None:
    """Refuse present cells no column of the schema can hold, all of them listed.

    Raises:
        SchemaError: there are such cells.
    """
    outside = {name: ~schema.columns[name].admits(frame[name]) for name in schema.learned}
    remedy = "correct the cells, or leave them empty to have them imputed"
    faults = [Violation.at((c,), "in the declared domain", bad, remedy=remedy) for c, bad in outside.items()]
    refuse([fault for fault in faults if fault.count])
