"""What one column of a frame seems to be: its kind and keys, each with the reason for the reader of a draft."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.errors import SchemaError
from synthkit.schema import censoring, level_order, number_formats
from synthkit.schema.cells import is_readable, read_number
from synthkit.schema.columns import Boolean, Categorical, Code, Column, Datetime, Identifier, Level, Numeric, Ordinal
from synthkit.schema.datetimes import MomentWriting, iso_text, read_datetimes
from synthkit.schema.infer import (
    column_names,
    datetime_format,
    free_text,
    integer_levels,
    keys_of_entities,
    person_names,
    text_shapes,
)
from synthkit.schema.infer.lattices import find_lattice, lattice_keys
from synthkit.schema.infer.level_values import distinct_levels
from synthkit.schema.infer.long_integers import MAX_EXACT_FLOAT
from synthkit.schema.infer.misfits import Misfits, count_misfits
from synthkit.schema.infer.number_notation import Reading, infer_notation
from synthkit.schema.infer.ranges import atoms, decimals, outward, span, special
from synthkit.schema.number_cells import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_INFERRED_LEVELS = 100  # more distinct texts than this are codes, names or prose
MAX_UNIQUE_LEVELS = 20  # so few levels may be unique to their row and still be levels
_ORDER_NOTE = (
    "an order in whole numbers, lowest first: if they are quantities, write numeric, and categorical if codes",
)
_TRUTH_PAIRS = ({"no", "yes"}, {"n", "y"}, {"false", "true"}, {"f", "t"}, {"0", "1"}, {"negative", "positive"})
_FALSE_WORDS = {"no", "n", "false", "f", "0", "negative"}


@dataclass(frozen=True)
class InferredColumn:
    """A drafted column and what was seen.

    Args:
        column: the draft; `observed` names every key that was read off the data.
        notes: sentences for the reader, without any value of a row but declared levels and bounds.
        about: what there is to ask about the column: "key", "names", "free text", "order"; nothing if empty.
        key: whom it names and why, where that was told by its cells.
        misfits: cells that keep the others from being moments or numbers, where there are some.
    """

    column: Column
    notes: tuple[str, ...] = ()
    about: str = ""
    key: keys_of_entities.EntityKey | None = None
    misfits: Misfits | None = None


def infer_column(name: str, values: pd.Series, *, unit: bool = False, learned: bool = False) -> InferredColumn:
    """The kind and keys a column seems to have.

    Args:
        name: the column's name, which hints at keys and codes.
        values: its cells.
        unit: whether the column names the unit of privacy, and so is an identifier.
        learned: whether somebody says that it is no key, whatever it looks like.

    Raises:
        SchemaError: cells are lists, complex numbers, spans of time, or moments with several zones.
    """
    family = _family(name, values)
    present = values.dropna()
    if present.empty:
        drafted = _empty(family)
    elif unit:
        drafted = _identifier(present, "the unit: made fresh, never learned")
    elif family == "truth":
        drafted = InferredColumn(_observed(Boolean, levels=(False, True)))
    elif family == "moment":
        drafted = _moment(name, present)
    elif family == "number":
        drafted = _number(name, present, learned=learned)
    else:
        drafted = _text(name, present, pure=family == "text", learned=learned)
    words = getattr(drafted.column, "missing", ())
    return _with_missing(drafted, nullable=len(present) < len(values) or bool(words))


def as_identifier(values: pd.Series, why: str) -> InferredColumn:
    """A column as an identifier, whatever its cells look like.

    Args:
        values: its cells.
        why: the reason, for the reader of the draft.
    """
    present = values.dropna()
    drafted = _identifier(present, why) if len(present) else InferredColumn(_observed(Identifier), (why,), "key")
    return _with_missing(drafted, nullable=len(present) < len(values))


def as_ordinal(drafted: InferredColumn, levels: Sequence[Level]) -> InferredColumn:
    """The same column as an ordinal: the table says in which order its levels stand."""
    nullable = drafted.column.nullable
    column = _observed(Ordinal, levels=tuple(levels), nullable=nullable)
    return InferredColumn(column, ("an order, lowest first, as the table stores it",))


def _with_missing(drafted: InferredColumn, *, nullable: bool) -> InferredColumn:
    column = drafted.column
    observed = tuple(dict.fromkeys((*column.observed, "nullable")))
    return replace(drafted, column=column.model_copy(update={"nullable": nullable, "observed": observed}))


def _family(name: str, values: pd.Series) -> str:
    """truth, number, moment, text or mixed."""
    dtype = values.dtype.categories.dtype if isinstance(values.dtype, pd.CategoricalDtype) else values.dtype
    seen = pd.api.types.infer_dtype(values, skipna=True) if pd.api.types.is_object_dtype(dtype) else ""
    _refuse(name, values, dtype, seen)
    if pd.api.types.is_bool_dtype(dtype) or seen == "boolean":
        return "truth"
    if pd.api.types.is_numeric_dtype(dtype) or seen in ("integer", "floating", "decimal", "mixed-integer-float"):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype) or seen in ("datetime", "datetime64", "date"):
        return "moment"
    texts = seen in ("string", "empty") if seen else pd.api.types.is_string_dtype(dtype)
    return "text" if texts else "mixed"


def _refuse(name: str, values: pd.Series, dtype: Any, seen: str) -> None:
    """Refuse what no kind of column can mean."""
    what = remedy = ""
    if seen == "complex" or pd.api.types.is_complex_dtype(dtype):
        what, remedy = "complex numbers", "split it into two columns"
    elif seen in ("timedelta", "timedelta64") or pd.api.types.is_timedelta64_dtype(dtype):
        what, remedy = "spans of time", "write them as numbers of one unit, such as hours"
    elif seen in ("mixed", "mixed-integer") and any(isinstance(v, list | dict | set | np.ndarray) for v in values):
        what, remedy = "lists or mappings", "give each entry a row or a column of its own"
    elif seen in ("mixed", "mixed-integer") and not all(map(is_readable, values)):
        what, remedy = "objects that are none of these", "write them as text"
    if what:
        msg = (
            f"a column must hold numbers, text, moments or true and false; however: `{name}` holds {what}. "
            f"To draft its schema, {remedy}"
        )
        raise SchemaError(msg)


def _observed(kind: Any, **keys: Any) -> Any:
    """A column whose every given key was read off the data."""
    given = {key: value for key, value in keys.items() if value is not None and value != ()}
    return kind(**given, observed=("kind", *given))


def _empty(family: str) -> InferredColumn:
    note = "every cell is missing, so nothing could be seen: declare the column by hand, or drop it from the table"
    kind = {"number": Numeric, "moment": Datetime}.get(family, Code)
    return InferredColumn(kind(observed=("kind",)), (note,))


def _identifier(present: pd.Series, why: str) -> InferredColumn:
    unique = bool(present.is_unique) and len(present) > 1
    texts = [str(v) for v in present.unique()]
    whole = not isinstance(present.iloc[0], str) and all(t.lstrip("-").removesuffix(".0").isdigit() for t in texts)
    pattern = text_shapes.fixed_shape(texts, len(present))
    note = "fresh values have the shape of the real ones and may meet one by chance"
    if whole:
        longest = max(len(t.lstrip("-").removesuffix(".0")) for t in (*texts, str(len(present))))
        pattern = f"[1-9][0-9]{{{longest}}}"
        note = "fresh values have more digits than any real one, so that none can be a real one"
    return InferredColumn(
        _observed(Identifier, pattern=pattern, unique=unique), (why, note) if pattern else (why,), "key"
    )


def _number(name: str, present: pd.Series, *, learned: bool) -> InferredColumn:
    x = numbers(present)
    finite = x[np.isfinite(x)]
    distinct, counts = np.unique(finite, return_counts=True)
    whole = bool((distinct == np.floor(distinct)).all())
    infinite = len(x) - len(finite)
    notes = (f"{infinite:,} cells are infinite or beyond floats and will be refused: correct the table",) * bool(
        infinite
    )
    if not len(finite):
        return InferredColumn(_observed(Numeric), notes)
    days = None
    if whole and not infinite and not column_names.says_key(name):
        days = datetime_format.infer_numeric_format(name, [int(v) for v in distinct])
    if days is not None and not days.strange:
        return _written(present, days)
    drafted = _no_days(name, present, finite, notes, learned=learned)
    if days is None:
        return drafted
    strange = [str(int(v)) in days.strange for v in distinct]
    return _misfitting(drafted, Misfits("moments", int(counts[strange].sum()), days.how))


def _no_days(
    name: str, present: pd.Series, finite: NDArray[np.float64], notes: tuple[str, ...], *, learned: bool
) -> InferredColumn:
    """Numbers that do not all write days."""
    distinct, counts = np.unique(finite, return_counts=True)
    whole, infinite = bool((distinct == np.floor(distinct)).all()), len(finite) < len(present)
    if whole and not infinite and (coded := _coded(name, present, distinct, counts, learned=learned)):
        return coded
    digits, spikes, (low, high) = decimals(distinct), atoms(distinct, counts), outward(distinct)
    if len(distinct) == 1:
        notes += ("constant",)
    elif whole and len(distinct) <= 10:
        few = f"only {len(distinct)} distinct numbers: if they are codes rather than quantities, write categorical"
        notes += (f"{few}, or ordinal if they are an order",)
    if spikes:
        notes += ("atoms: values far more frequent than their neighbours, or far from all others; say what they mean",)
    steps = lattice_keys(find_lattice(distinct), digits)
    if "stored_as" in steps:
        notes += (f"numbers with few decimals that were kept as {steps['stored_as']}: multiples of `step`, cut short",)
    return InferredColumn(_observed(Numeric, min=low, max=high, decimals=digits, **steps, atoms=spikes), notes)


def _coded(
    name: str, present: pd.Series, distinct: NDArray[np.float64], counts: NDArray[np.int64], *, learned: bool
) -> InferredColumn | None:
    """Whole numbers that are no quantities: flags, pairs of codes, keys, orders, codes."""
    n, d = len(present), len(distinct)
    if d == 2 and distinct.tolist() == [0.0, 1.0]:
        return InferredColumn(_observed(Boolean, levels=(0, 1)))
    if not learned and (why := keys_of_entities.whole_key(name, distinct, counts)):
        return _identifier(present, why)
    if (inorder := integer_levels.ordinal(name, distinct, counts)) is not None:
        return InferredColumn(_observed(Ordinal, levels=inorder), _ORDER_NOTE, "order")
    exact = np.abs(distinct).max() < MAX_EXACT_FLOAT  # levels must be, and from there on floats do not tell them apart
    if exact and ((d == 2 and n >= MAX_UNIQUE_LEVELS) or (column_names.says_code(name) and 1 < d <= 50 and n >= 5 * d)):
        note = "whole numbers taken for codes: if they are quantities, write numeric with min and max"
        return InferredColumn(_observed(Categorical, levels=tuple(int(v) for v in distinct)), (note,))
    if (column_names.says_code(name) and d > 50 and n >= 2 * d) or column_names.calls_code(name):
        return InferredColumn(_observed(Code), ("codes written as numbers: kept as text; name the `system`",))
    return None


def _moment(name: str, present: pd.Series) -> InferredColumn:
    """Cells that are moments already; of those that name a zone, the clock of their own one is taken."""
    how = MomentWriting(zone=datetime_format.zone_of(name, present))
    if np.isnat(read_datetimes(present, how)).any():
        note = "some cells lie beyond the calendar: correct the column"
        return InferredColumn(_observed(Datetime, zone=how.zone), (note,))
    notes = (f"moments with a time zone, on the clock of {how.zone}: name another `zone` if days are days there",)
    return _spanned(read_datetimes(present, how), how, notes * (how.zone is not None))


def _written(present: pd.Series, when: datetime_format.FoundFormat) -> InferredColumn:
    """Cells that write moments."""
    drafted = _spanned(read_datetimes(present, when.writing), when.writing, when.notes)
    return replace(drafted, about="date order") if when.other else drafted


def _spanned(t: NDArray[np.datetime64], how: MomentWriting, notes: tuple[str, ...]) -> InferredColumn:
    atoms = special(t)
    low, high, precision = span(t[~np.isin(t, atoms)])
    if len(atoms):
        notes += ("atoms: moments far from all others that are repeated; say what they mean, such as still open",)
    keys = {key: getattr(how, key) for key in MomentWriting.model_fields}
    keys |= {"min": low, "max": high, "precision": precision, "atoms": tuple(map(iso_text, atoms))}
    return InferredColumn(_observed(Datetime, **keys), notes)


def _without(drafted: InferredColumn) -> tuple[str, ...]:
    """The notes but for that on misfits."""
    return tuple(note for note in drafted.notes if drafted.misfits is None or note != drafted.misfits.note)


def _misfitting(drafted: InferredColumn, found: Misfits) -> InferredColumn:
    """The draft with a word on the cells that keep the others from being moments or numbers."""
    return replace(drafted, notes=(*drafted.notes, found.note), misfits=found)


def _text(name: str, present: pd.Series, *, pure: bool, learned: bool) -> InferredColumn:
    levels = distinct_levels(present)
    texts = [str(v) for v in levels]
    when = datetime_format.infer_datetime_format(name, texts) if pure else None
    if when is not None and not when.strange and not column_names.says_key(name):
        return _written(present, when)
    drafted = _no_moment(name, present, levels, texts, pure=pure, learned=learned)
    if when is not None and when.strange and not column_names.says_key(name):
        return _misfitting(
            replace(drafted, notes=_without(drafted)),
            Misfits("moments", count_misfits(present, when.strange), when.how),
        )
    if when is None and pure and datetime_format.has_foreign_months(texts):
        return replace(drafted, notes=(*drafted.notes, datetime_format.FOREIGN_MONTH_NOTE))
    return drafted


def _no_moment(
    name: str, present: pd.Series, levels: list[Level], texts: list[str], *, pure: bool, learned: bool
) -> InferredColumn:
    """Texts that do not all write moments."""
    found = text_shapes.code_catalogue(name, texts) if pure and len(texts) > MAX_UNIQUE_LEVELS else None
    bare = [text.strip() for text in texts] if pure and len(texts) > MAX_UNIQUE_LEVELS and not found else []
    said = Reading({}) if found or (bare and text_shapes.code_catalogue(name, bare)) else infer_notation(present)
    if (drafted := _as_numbers(name, present, said, learned=learned)) is not None:
        return drafted
    drafted = _named(name, present, texts, found, learned=learned) if pure else _mixed(present, levels)
    return _misfitting(drafted, Misfits("numbers", said.strange)) if said.strange else drafted


def _named(
    name: str, present: pd.Series, texts: Sequence[str], found: tuple[str, str] | None, *, learned: bool
) -> InferredColumn:
    """Texts that are no numbers: keys, moments, names, levels or codes."""
    n, d = len(present), len(texts)
    counts = np.asarray(present.value_counts(sort=False), dtype=np.int64)
    if not learned and (why := keys_of_entities.text_key(name, texts, counts)):
        return _identifier(present, why)
    if not found and not learned and (unlearned := _unlearned(name, present, texts, counts)):
        return unlearned
    if d <= MAX_INFERRED_LEVELS and (n >= 2 * d or d <= MAX_UNIQUE_LEVELS) and not found:
        return _closed(name, texts, n)
    return _catalogued(texts, found)


def _as_numbers(name: str, present: pd.Series, said: Reading, *, learned: bool) -> InferredColumn | None:
    """The draft of texts that are numbers, nothing if they are not, or seem to be a key."""
    if not said.numbers:
        return None
    known = present[[not censoring.censored_side(cell) for cell in present]]
    plain = number_formats.read_numbers(known, Numeric(**said.keys)).dropna()
    drafted = _number(name, plain.astype(object).map(read_number), learned=learned) if len(plain) else _empty("number")
    if not isinstance(drafted.column, Numeric):
        return None
    keys = {key: getattr(drafted.column, key) for key in drafted.column.observed if key != "kind"} | dict(said.keys)
    how = "numbers as people write them: check how they are read, and that none is a code or a key"
    column = _observed(Numeric, **keys)
    bounds = {key for key in column.implied if key != "atoms"}
    column = column.model_copy(update={"observed": tuple(key for key in column.observed if key not in bounds)})
    return InferredColumn(column, (how, *said.notes, *drafted.notes))


def _catalogued(texts: Sequence[str], found: tuple[str, str] | None) -> InferredColumn:
    if found:
        return InferredColumn(_observed(Code, system=found[0], pattern=found[1]), (f"matches {found[0]}",))
    note = f"{len(texts):,} distinct texts: taken for codes; name the `system`, or list `levels` to close it"
    return InferredColumn(_observed(Code, pattern=text_shapes.fixed_shape(texts)), (note,))


def _unlearned(name: str, present: pd.Series, texts: Sequence[str], counts: NDArray[np.int64]) -> InferredColumn | None:
    """Names of people, free text, and what nearly every row has of its own: nothing of it is learned."""
    n, d = int(counts.sum()), len(texts)
    if why := person_names.person_name_evidence(name, texts, counts):
        note = "names of people: made fresh, never learned; `faker: name` makes names (extra `fake`)"
        return InferredColumn(
            _observed(Identifier), (note,), "names", keys_of_entities.EntityKey(name, "other", n, d, why)
        )
    if why := free_text.free_text_evidence(name, texts, counts):
        note = "free text, which may name people: it is not learned; drop it from the table or turn it into levels"
        return InferredColumn(
            _observed(Identifier), (note,), "free text", keys_of_entities.EntityKey(name, "other", n, d, why)
        )
    if d >= MAX_UNIQUE_LEVELS and d >= 0.9 * n:
        return _identifier(present, "nearly every row has its own value: made fresh, never learned")
    return None


def _closed(name: str, texts: Sequence[str], rows: int) -> InferredColumn:
    """A short list of levels: truth, an order, or names."""
    if (numbered := integer_levels.ordinal_texts(name, texts, rows)) is not None:
        return InferredColumn(_observed(Ordinal, levels=numbered), _ORDER_NOTE, "order")
    lowered = {text.lower(): text for text in texts}
    if len(texts) == 2 and set(lowered) in _TRUTH_PAIRS:
        return InferredColumn(
            _observed(Boolean, levels=tuple(sorted(texts, key=lambda t: t.lower() not in _FALSE_WORDS)))
        )
    if (inorder := level_order.known_order(texts)) is not None:
        return InferredColumn(_observed(Ordinal, levels=inorder), ("an order, lowest first",))
    notes: tuple[str, ...] = ("constant",) if len(texts) == 1 else ()
    if all(text.replace(".", "", 1).isdigit() for text in texts):
        notes += ("text that looks like numbers: kept as text",)
    return InferredColumn(_observed(Categorical, levels=tuple(sorted(texts))), notes)


def _mixed(present: pd.Series, levels: list[Level]) -> InferredColumn:
    note = "numbers and text in one column: likely two things; consider splitting it"
    n, d = len(present), len(levels)
    if any(isinstance(v, float) and not np.isfinite(v) for v in levels):
        return InferredColumn(_observed(Code), (note, "some cells are infinite"))
    if d >= MAX_UNIQUE_LEVELS and d >= 0.9 * n:
        return InferredColumn(_observed(Identifier), (note, "nearly every row has its own value: not learned"))
    if d <= MAX_INFERRED_LEVELS:
        return InferredColumn(_observed(Categorical, levels=tuple(sorted(levels, key=str))), (note,))
    return InferredColumn(_observed(Code), (note,))
