"""How the texts or whole numbers of a column seem to write moments: the format that all of them keep, and what is open.

Day and month in numbers can often be read in either order. All cells are asked, not a few; where all of them can be
read both ways the draft takes one and says so, for only people know.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import pandas as pd

from synthkit.errors import SchemaError
from synthkit.schema.datetime_formats import DAY_NAMES, MONTH_NAMES, TWO_DIGIT_YEAR_PIVOT, format_of
from synthkit.schema.datetimes import MomentWriting, parse_moment
from synthkit.schema.infer.column_names import name_words
from synthkit.schema.time_zones import name_of

_ISO_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?", re.ASCII)
_DATE_AND_TIME = re.compile(
    r"(?P<date>.*?[0-9])"
    r"(?:(?P<sep>T|:|,?[ \u00a0\u202f]+)(?P<hour>[0-9]{1,2}):[0-9]{2}(?P<second>:[0-9]{2})?(?P<fraction>\.[0-9]{1,9})?"
    r"(?P<gap>[ \u00a0\u202f]?)(?P<half>[AaPp]\.?[Mm]\.?)?(?P<before> ?)"
    r"(?P<zone>Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_COMPACT_FORMATS = ("%Y%m%d", "%d%m%Y", "%m%d%Y", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ")
_FOREIGN_MONTH = re.compile(r"[0-9]{1,2}[.]?[ -]?(?:de )?([^\W\d_]{3,10})[.]?[ -]?(?:de )?(?:[0-9]{4}|[0-9]{2})")
_DATE_TOKENS = re.compile(r"[0-9]+|[^\W\d_]+|[\W_]+")
_DAY_MONTH_ORDERS = {
    ".": ("dmY", "mdY"),
    "/": ("mdY", "dmY"),
}  # which of two orders is likelier where both are possible
_PLAUSIBLE_YEARS = (1800, 2199)  # years of a date that is stored as a whole number
FOREIGN_MONTH_NOTE = (
    "days whose months have names of another language than English, which no `format` reads: real dates would be "
    "learned word by word. Write them as 2026-01-31 and draft again"
)
MAX_MISFIT_SHARE = 0.2  # share of cells that are no moments up to which the others are taken for some
_MIN_DATES_FOR_FORMAT = 5  # different moments without which cells that are none say nothing of the others
_DATE_COLUMN_WORDS = frozenset(("date", "day", "dob", "born", "birth", "datetime", "timestamp", "datum", "dt"))


@dataclass(frozen=True)
class FoundFormat:
    """A way to read the cells of a column.

    Args:
        writing: the format, the zone and what two digits of a year mean.
        notes: sentences for the reader of a draft.
        other: another format in which every cell could be read as well; empty if there is none.
        strange: the distinct cells, without blanks around them, that are no such moments.
    """

    writing: MomentWriting
    notes: tuple[str, ...] = ()
    other: str = ""
    strange: frozenset[str] = frozenset()

    @property
    def how(self) -> str:
        """How the moments are written, in words."""
        return self.writing.format or "ISO 8601"


def infer_datetime_format(name: str, texts: Sequence[str]) -> FoundFormat | None:
    """How the texts of a column write moments, None if they do not.

    Args:
        name: of the column.
        texts: its distinct cells.

    Example:
        >>> infer_datetime_format("seen", ["2021-03-04T07:00:00Z", "2021-03-05T08:30:00Z"]).writing
        MomentWriting(format='%Y-%m-%dT%H:%M:%SZ', zone='UTC', pivot=None)
        >>> infer_datetime_format("seen", ["03/04/2021", "05/06/2021"]).other
        '%d/%m/%Y'
    """
    texts = [text.strip() for text in texts]
    if not texts:
        return None
    if all(_ISO_TEXT.fullmatch(text) for text in texts):
        return _with_strange(
            FoundFormat(MomentWriting()), texts, [text for text in texts if parse_moment(text) is None]
        )
    if all(text[:8].isdigit() for text in texts):
        return _compact(name, texts)
    return _all_alike(name, texts) or _most_alike(name, texts)


def has_foreign_months(texts: Sequence[str]) -> bool:
    """Whether all texts are days whose months have names, though no English ones.

    Example:
        >>> has_foreign_months(["4. März 2021", "12. Mai 2020"]), has_foreign_months(["4 beds 2021 A"])
        (True, False)
    """
    split = [_FOREIGN_MONTH.fullmatch(text.strip()) for text in texts]
    return (
        bool(split)
        and all(split)
        and len({found_[1].lower() for found_ in split if found_ is not None}) <= len(MONTH_NAMES)
    )


def infer_numeric_format(name: str, whole: Sequence[int]) -> FoundFormat | None:
    """How distinct whole numbers write days, as 20210304 does; None if they do not.

    Example:
        >>> infer_numeric_format("seen", [20210304, 20201231]).writing.format
        '%Y%m%d'
    """
    return _compact(name, [str(number) for number in whole])


def _compact(name: str, texts: Sequence[str]) -> FoundFormat | None:
    """Digits alone: they must be plausible days, more than one of them unless the column is called a date."""
    told = bool(_DATE_COLUMN_WORDS & set(name_words(name)))
    if len(texts) < 2 and not told:
        return None
    for pattern in _COMPACT_FORMATS:
        how = MomentWriting(format=pattern, zone="UTC" if pattern.endswith("Z") else None)
        read = dict(zip(texts, map(how.by_format, texts), strict=True))
        strange = [text for text, t in read.items() if t is None or not _plausible(t.year)]
        note = f"whole numbers or digits read as {pattern}: check that they are days and no keys"
        if (drafted := _with_strange(FoundFormat(how, (note,)), texts, strange)) is not None:
            return drafted
    return None


def _plausible(year: int) -> bool:
    return _PLAUSIBLE_YEARS[0] <= year <= _PLAUSIBLE_YEARS[1] or year == 9999


def _with_strange(drafted: FoundFormat, texts: Sequence[str], strange: Sequence[str]) -> FoundFormat | None:
    """What was found with the cells that are no such moments, None if they are too many."""
    if strange and len(texts) - len(strange) < max(_MIN_DATES_FOR_FORMAT, (1 - MAX_MISFIT_SHARE) * len(texts)):
        return None
    return replace(drafted, strange=frozenset(strange))


def _all_alike(name: str, texts: Sequence[str]) -> FoundFormat | None:
    split = [_DATE_AND_TIME.fullmatch(text) for text in texts]
    if any(parts is None for parts in split):
        return None
    parts = [found_.groupdict() for found_ in split if found_ is not None]
    clock = _clock(parts)
    if clock is None:
        return None
    dates = list(dict.fromkeys(str(p["date"]) for p in parts))
    patterns = [pattern for pattern in _dates(dates) if _reads(pattern, dates)]
    return _drafted(name, patterns, clock, parts) if patterns else None


def _most_alike(name: str, texts: Sequence[str]) -> FoundFormat | None:
    """The same of the cells that are most alike, if nearly all are."""
    shapes = [_shape(text) for text in texts]
    ((usual, _),) = Counter(shapes).most_common(1)
    like = [text for text, shape in zip(texts, shapes, strict=True) if shape == usual]
    if len(like) < max(2, (1 - MAX_MISFIT_SHARE) * len(texts)):
        return None
    drafted = _all_alike(name, like) if len(like) < len(texts) else None
    if drafted is None and all(text.isdigit() for text in like):
        drafted = _compact(name, like)
    if drafted is None and len(good := _most_readable(like)) >= max(
        _MIN_DATES_FOR_FORMAT, (1 - MAX_MISFIT_SHARE) * len(texts)
    ):
        drafted = _all_alike(name, good)
    if drafted is None:
        return None
    strange = [text for text in texts if text in drafted.strange or drafted.writing.parse(text) is None]
    return replace(drafted, strange=frozenset(strange))


def _most_readable(texts: Sequence[str]) -> list[str]:
    """Of texts of one shape those that are moments by the format that most are by: 00.00.0000 is none."""
    split = {text: parts["date"] for text in texts if (parts := _DATE_AND_TIME.fullmatch(text)) is not None}
    how = [format_of(pattern) for pattern in _dates(list(dict.fromkeys(split.values())))]
    good = [[text for text, date in split.items() if one.read(date) is not None] for one in how]
    return max(good, key=len, default=[])


def _shape(text: str) -> str:
    return re.sub("[^\\W\\d_]+", "a", re.sub("[0-9]+", "0", text))


def _clock(parts: Sequence[dict[str, str | None]]) -> str | None:
    """Format of what stands behind the date, None if the cells differ in it."""
    kinds = {(p["sep"], p["second"] is None, p["gap"], _half(p["half"]), p["before"]) for p in parts}
    zones = {_zone(p["zone"]) for p in parts} - (
        {"Z"} if any(_zone(p["zone"]) in ("%z", "%:z") for p in parts) else set()
    )
    if len(kinds) != 1 or len(zones) != 1:
        return None
    ((sep, minutes, gap, half, before),) = kinds
    if sep is None:
        return ""
    hours = [str(p["hour"]) for p in parts]
    flag = "-" if _bare(hours) else ""
    fractions = {len(str(p["fraction"])) - 1 for p in parts if p["fraction"]}
    fraction = f".%{fractions.pop() if len(fractions) == 1 else ''}f" if fractions else ""
    seconds = "" if minutes else f":%S{fraction}"
    return f"{sep}%{flag}{'I' if half else 'H'}:%M{seconds}{gap}{half}{before}{zones.pop()}"


def _half(said: str | None) -> str:
    if said is None:
        return ""
    return "%p" if said.isupper() else "%P"


def _zone(said: str | None) -> str:
    if said is None or said in ("Z", "UTC", "GMT"):
        return said or ""
    return "%:z" if ":" in said else "%z"


def _bare(numbers: Sequence[str]) -> bool:
    """Whether numbers are written without a leading zero."""
    return any(len(n) == 1 for n in numbers) and not any(len(n) == 2 and n[0] == "0" for n in numbers)


def _dates(dates: Sequence[str]) -> Iterator[str]:
    """Formats that the dates may have, the likeliest first."""
    tokens = [_DATE_TOKENS.findall(date) for date in dates]
    if len({tuple("0" if t.isdigit() else "a" if t.isalpha() else t for t in row) for row in tokens}) != 1:
        return
    columns = list(zip(*tokens, strict=True))
    fixed = [_word(column) for column in columns]
    if None in fixed:
        return
    open_ = [k for k, word in enumerate(fixed) if word == ""]
    named = any(word[-1] in "bB" for word in fixed if word and word[0] == "%")
    between = columns[open_[0] + 1][0] if open_ and open_[0] + 1 < len(columns) else ""
    for order in _orders(named, between, len(open_)):
        marks = dict(zip(open_, order, strict=True))
        roles = [_role(columns[k], marks[k]) if k in marks else str(word) for k, word in enumerate(fixed)]
        if "" not in roles:
            yield "".join(roles)


def _orders(named: bool, between: str, numbers: int) -> Sequence[Sequence[str]]:
    if named:
        return list(permutations("dY")) if numbers == 2 else []
    likely = _DAY_MONTH_ORDERS.get(between.strip(), ("dmY", "mdY"))
    return [*likely, "Ymd"] if numbers == 3 else []


def _word(column: Sequence[str]) -> str | None:
    """What stands in a place of all dates: empty for numbers, a directive for names, else the text itself or None."""
    if column[0].isdigit():
        return ""
    said = {word.lower() for word in column}
    flag = "^" if all(word.isupper() for word in column) else ""
    for letter, known in (("b", MONTH_NAMES), ("a", DAY_NAMES)):
        if said <= {name[:3] for name in known}:
            return f"%{flag}{letter}"
        if said <= set(known):
            return f"%{flag}{letter.upper()}"
    return column[0].replace("%", "%%") if len(said) == 1 and not (column[0].isalpha() and len(column[0]) > 1) else None


def _role(column: Sequence[str], mark: str) -> str:
    """The directive of numbers, empty if they cannot be that."""
    lengths = {len(number) for number in column}
    if mark == "Y":
        return {4: "%Y", 2: "%y"}.get(lengths.pop(), "") if len(lengths) == 1 else ""
    return "" if lengths - {1, 2} else f"%-{mark}" if _bare(column) else f"%{mark}"


def _reads(pattern: str, dates: Sequence[str]) -> bool:
    how = format_of(pattern)
    return all(how.read(date) is not None for date in dates)


def _drafted(name: str, patterns: Sequence[str], clock: str, parts: Sequence[dict[str, str | None]]) -> FoundFormat:
    """The first of the formats, and what is to be said of it."""
    pattern = patterns[0] + clock
    pivot = TWO_DIGIT_YEAR_PIVOT if "%y" in pattern else None
    offsets = {str(p["zone"]) for p in parts if p["zone"]}
    zone = _one_zone(offsets) if offsets else None
    said = [f"moments written as {pattern}"]
    if pivot is not None:
        said.append(
            f"a year of two digits is one from {pivot} to {pivot + 99}: if it is not, such as for births, move `pivot`"
        )
    if zone is not None and len(offsets) > 1:
        said.append("the cells name several offsets and are shown in universal time: name the `zone` they come from")
    other = patterns[1] + clock if len(patterns) > 1 else ""
    return FoundFormat(MomentWriting(format=pattern, zone=zone, pivot=pivot), tuple(said), other)


def _one_zone(offsets: set[str]) -> str:
    """The zone of cells that all name the same offset, else universal time."""
    if len(offsets) > 1 or not (only := next(iter(offsets))).strip("+-").replace(":", "").isdigit():
        return "UTC"
    digits = re.sub("[^0-9]", "", only).ljust(4, "0")
    return "UTC" if digits == "0000" else f"{only[0]}{digits[:2]}:{digits[2:]}"


def zone_of(name: str, present: pd.Series) -> str | None:
    """The zone that moments name, whether their dtype holds it or each cell; None if none is named.

    Args:
        name: of the column.
        present: its moments.

    Raises:
        SchemaError: the cells name several zones, or some of them none; or nobody knows the name of the zone.

    Example:
        >>> zone_of("seen", pd.Series(pd.to_datetime(["2021-07-01"])).dt.tz_localize("Europe/Berlin"))
        'Europe/Berlin'
    """
    if isinstance(present.dtype, pd.DatetimeTZDtype):
        named = {name_of(present.iloc[0])}
    elif pd.api.types.is_object_dtype(present.dtype):
        named = {_named(cell) for cell in present}
    else:
        return None
    if len(named) == 1 and (only := named.pop()) is not None:
        return only or None
    what = f"moments with {len(named)} zones" if "" not in named else "moments with a zone beside moments without"
    what = what if named else "moments with a zone that has no name"
    msg = (
        f"the moments of a column must be in one zone, or all without; however: `{name}` holds {what} in "
        f"{len(present):,} cells. Bring them to one, such as pandas.to_datetime(frame[{name!r}], utc=True), or write "
        "the schema by hand and declare the `zone` of the column"
    )
    raise SchemaError(msg)


def _named(cell: object) -> str | None:
    """The zone a cell names, empty if it names none."""
    tz = getattr(cell, "tzinfo", None)
    return "" if tz is None or not isinstance(cell, dt.datetime) else name_of(cell)


def whole_numbers(present: pd.Series) -> list[int]:
    """The distinct cells if all are whole numbers, else none."""
    distinct = pd.unique(present)
    try:
        exact = [int(v) for v in distinct if v == np.floor(float(v))]
    except (TypeError, ValueError, OverflowError):
        return []
    return exact if len(exact) == len(distinct) else []
