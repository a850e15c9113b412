"""Formats of moments in text: a small language like strptime's, whose words are English whatever the machine speaks.

| directive | means | directive | means |
|---|---|---|---|
| `%Y` | year of four digits | `%y` | year of two digits, see `pivot` |
| `%m` | month, 01 to 12 | `%b`, `%B` | Jan, January |
| `%d` | day, 01 to 31 | `%j` | day of the year |
| `%H`, `%I` | hour of 24, of 12 | `%p`, `%P` | AM, am |
| `%M`, `%S` | minute, second | `%f`, `%3f` | fraction of a second, of three digits |
| `%z`, `%:z` | +0200, +02:00 | `%Z` | UTC |
| `%a`, `%A` | Mon, Monday | `%%` | % |

`%-d` is written without a leading zero, `%^b` in capital letters. Texts are read with or without either.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TWO_DIGIT_YEAR_PIVOT = (
    1969  # first of the hundred years that two digits mean where nobody says otherwise, as POSIX has it
)
DATETIME_BLANKS = "[ \t\u00a0\u2009\u202f]+"  # a blank, or one that looks like it
_COMPOSITE_DIRECTIVES = {"T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "F": "%Y-%m-%d"}
_FORMAT_TOKEN = re.compile(r"%([-^:1-9]?[A-Za-z%])|([^%]+)|(%)")
_UTC_SUFFIX = re.compile(r"(?:^|[^A-Za-z])(?:Z|UTC|GMT)$")
_DIRECTIVE_PATTERNS = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": "1[0-2]|0?[1-9]",
    "d": "3[01]|[12][0-9]|0?[1-9]",
    "H": "2[0-3]|[01]?[0-9]",
    "I": "1[0-2]|0?[1-9]",
    "M": "[0-5]?[0-9]",
    "S": "[0-5]?[0-9]",
    "j": "[0-9]{1,3}",
    "f": "[0-9]{1,9}",
    "p": r"[ap]\.?m\.?",
    "P": r"[ap]\.?m\.?",
    "b": "|".join(name[:3] for name in MONTH_NAMES),
    "B": "|".join(MONTH_NAMES),
    "a": "|".join(name[:3] for name in DAY_NAMES),
    "A": "|".join(DAY_NAMES),
    "z": "Z|[+-][0-9]{2}(?::?[0-9]{2})?",
    "Z": "Z|UTC|GMT",
}
_FIXED_WIDTH_PATTERNS = {
    "m": "1[0-2]|0[1-9]",
    "d": "3[01]|[12][0-9]|0[1-9]",
    "H": "2[0-3]|[01][0-9]",
    "I": "1[0-2]|0[1-9]",
} | {
    "M": "[0-5][0-9]",
    "S": "[0-5][0-9]",
    "j": "[0-9]{3}",
}  # beside other digits: how long a number is must follow from the format
_DIRECTIVE_WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3}
_DIRECTIVE_STEPS = (
    ("f", 1),
    ("S", 1_000_000),
    ("M", 60_000_000),
    ("HI", 3_600_000_000),
)  # what a format can tell, in microseconds
_REQUIRED_DIRECTIVES = (
    ("I", "pP", "the hour %I needs %p or %P, for the half of the day"),
    ("pP", "IH", "%p and %P need the hour, %I"),
    ("f", "S", "a fraction needs its second, %S"),
    ("S", "M", "a second needs its minute, %M"),
    ("M", "HI", "a minute needs its hour, %H or %I"),
)  # directives that tell nothing unless one of others stands in the format as well


@dataclass(frozen=True)
class Token:
    """A directive, or text that stands for itself.

    Args:
        name: letter of the directive, empty for text.
        flag: `-`, `^`, `:` or nothing.
        text: what stands for itself.
    """

    name: str = ""
    flag: str = ""
    text: str = ""


@dataclass(frozen=True)
class Format:
    """How moments are written as text.

    Args:
        pattern: the format.
        pivot: first of the hundred years that two digits mean.

    Raises:
        ValueError: the pattern has a directive that is not known, or one twice.

    Example:
        >>> Format("%d-%b-%y", pivot=1930).read("04-mar-29")
        datetime.datetime(2029, 3, 4, 0, 0)
        >>> Format("%-d %^b %Y, %I:%M %P").write(dt.datetime(2021, 3, 4, 19, 5))
        '4 MAR 2021, 07:05 pm'
    """

    pattern: str
    pivot: int = TWO_DIGIT_YEAR_PIVOT

    def __post_init__(self) -> None:
        names = [token.name for token in self.tokens if token.name]
        unknown = sorted({f"%{token.flag}{token.name}" for token in self.tokens if token.name and not _known(token)})
        twice = sorted({f"%{name}" for name in names if names.count(name) > 1})
        if unknown or twice:
            what = f"{', '.join(unknown)} not known" if unknown else f"{', '.join(twice)} stands twice"
            msg = f"`format` must be made of known directives, each once; however: {what} in {self.pattern!r}"
            raise ValueError(f"{msg}. Known: {' '.join('%' + name for name in _DIRECTIVE_PATTERNS)}")

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The parts, in order; short forms written out."""
        long = re.sub(r"%([TRDF])", lambda found: _COMPOSITE_DIRECTIVES[found[1]], self.pattern.replace("%%", "%\0"))
        out = []
        for directive, text, lone in _FORMAT_TOKEN.findall(long.replace("%\0", "%%")):
            if directive == "%" or lone:
                out.append(Token(text="%"))
            elif directive:
                out.append(Token(name=directive[-1], flag=directive[:-1]))
            else:
                out.append(Token(text=text))
        return tuple(out)

    @cached_property
    def names(self) -> str:
        """The letters of its directives, in order: the groups of `expression`."""
        return "".join(token.name for token in self.tokens)

    @cached_property
    def expression(self) -> str:
        """Regular expression, RE2, of a whole text of this format; to be matched without regard to case."""
        parts = []
        for k, token in enumerate(self.tokens):
            if token.name:
                beside = [t.name for t in (*self.tokens[max(k - 1, 0) : k], *self.tokens[k + 1 : k + 2])]
                tight = any(name in _DIRECTIVE_WIDTHS or name == "f" for name in beside)
                patterns = _DIRECTIVE_PATTERNS | _FIXED_WIDTH_PATTERNS if tight else _DIRECTIVE_PATTERNS
                parts.append(f"({patterns[token.name]})")
                if token.name == "f" and len(parts) > 1 and parts[-2].endswith("\\."):  # Python leaves out .000000
                    parts[-2:] = [parts[-2][:-2], f"(?:\\.{parts[-1]})?"]
            else:
                parts += [
                    DATETIME_BLANKS if re.fullmatch(DATETIME_BLANKS, p) else re.escape(p)
                    for p in re.split(f"({DATETIME_BLANKS})", token.text)
                ]
        return "".join(parts)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.expression, re.IGNORECASE)

    @property
    def plain(self) -> str:
        """A pattern that strptime of Python reads the same texts by."""
        names = [token.name.replace("P", "p") for token in self.tokens]
        texts = [token.text.replace("%", "%%") for token in self.tokens]
        return "".join(f"%{name}" if name else text for name, text in zip(names, texts, strict=True))

    @property
    def gaps(self) -> tuple[str, ...]:
        """What it leaves out of a moment though it needs it, in words: what is written would be read as another one.

        Example:
            >>> Format("%d.%m").gaps, Format("%Y-%m").gaps
            (('the year is left out, %Y or %y',), ())
        """
        names = set(self.names)
        said = [] if names & set("Yy") else ["the year is left out, %Y or %y"]
        said += [words for some, others, words in _REQUIRED_DIRECTIVES if names & set(some) and not names & set(others)]
        month, day = bool(names & set("mbB")), bool(names & set("dj"))
        if "d" in names and not month and "j" not in names:
            said.append("a day needs its month, %m or %b, or is %j")
        if names & set("HIaA") and not day:
            said.append("an hour or a weekday needs its day, %d or %j")
        return tuple(said)

    @property
    def zoned(self) -> bool:
        """Whether a text says how far its clock is from universal time."""
        return bool(set("zZ") & set(self.names))

    @property
    def universal(self) -> bool:
        """Whether the format ends in a Z, UTC or GMT of its own."""
        return bool(self.tokens) and _UTC_SUFFIX.search(self.tokens[-1].text) is not None

    @property
    def width(self) -> int | None:
        """Digits of a text if it has nothing else, so that it may be stored as a whole number; None otherwise."""
        widths = [_DIRECTIVE_WIDTHS.get(token.name) if token.flag == "" else None for token in self.tokens]
        return sum(w for w in widths if w is not None) if widths and None not in widths else None

    @property
    def step(self) -> int:
        """Microseconds of the finest step it can tell."""
        return next((step for names, step in _DIRECTIVE_STEPS if set(names) & set(self.names)), 86_400_000_000)

    @property
    def window(self) -> tuple[int, int]:
        """First and last year it can write."""
        return (self.pivot, self.pivot + 99) if "y" in self.names and "Y" not in self.names else (1, 9999)

    def read(self, text: str) -> dt.datetime | None:
        """The moment a text names, with its zone if the text says one; None if it is not of this format."""
        found = self._compiled.fullmatch(text.strip())
        if found is None:
            return None
        said = dict(zip(self.names, found.groups(""), strict=True))
        try:
            day, zone = self._day(said), self._zone(said)
            moment = dt.datetime(day.year, day.month, day.day, *_clock(said), tzinfo=zone)
        except (ValueError, OverflowError):
            return None
        return moment

    def _day(self, said: dict[str, str]) -> dt.date:
        year = int(said["Y"]) if "Y" in said else 1900
        if "Y" not in said and "y" in said:
            year = self.pivot + (int(said["y"]) - self.pivot) % 100
        if "j" in said:
            day = dt.date(year, 1, 1) + dt.timedelta(days=int(said["j"]) - 1)
            if day.year != year:
                raise ValueError
            return day
        month = said.get("B", said.get("b", ""))[:3].lower()
        known = [name[:3] for name in MONTH_NAMES]
        return dt.date(year, known.index(month) + 1 if month else int(said.get("m", 1)), int(said.get("d", 1)))

    def _zone(self, said: dict[str, str]) -> dt.tzinfo | None:
        offset = said.get("z", said.get("Z", ""))
        if not offset:
            return dt.UTC if self.universal else None
        digits = re.sub("[^0-9]", "", offset)
        if not digits:
            return dt.UTC
        minutes = 60 * int(digits[:2]) + int(digits[2:] or 0)
        return dt.timezone(dt.timedelta(minutes=-minutes if offset[0] == "-" else minutes))

    def write(self, moment: dt.datetime) -> str:
        """A moment as text; with a zone where the format writes one."""
        return "".join(_written(token, moment) if token.name else token.text for token in self.tokens)


@lru_cache(maxsize=512)
def format_of(pattern: str, pivot: int = TWO_DIGIT_YEAR_PIVOT) -> Format:
    """The format of a pattern, made once."""
    return Format(pattern, pivot)


def _known(token: Token) -> bool:
    flags = {"-": "mdHIMSj", "^": "bBaA", ":": "z", "": "".join(_DIRECTIVE_PATTERNS)}
    return token.name in flags.get(token.flag, "f")


def _clock(said: dict[str, str]) -> tuple[int, int, int, int]:
    hour = int(said.get("H", said.get("I", 0)))
    if "H" not in said and "I" in said:
        hour = hour % 12 + 12 * (said.get("p", said.get("P", "a"))[0].lower() == "p")
    fraction = said.get("f", "")[:6].ljust(6, "0")
    return hour, int(said.get("M", 0)), int(said.get("S", 0)), int(fraction)


def _written(token: Token, t: dt.datetime) -> str:
    """One directive of a moment."""
    numbers = {"Y": t.year, "y": t.year % 100, "m": t.month, "d": t.day, "H": t.hour, "I": (t.hour - 1) % 12 + 1}
    numbers |= {"M": t.minute, "S": t.second, "j": t.timetuple().tm_yday}
    if token.name in numbers:
        return (
            str(numbers[token.name])
            if token.flag == "-"
            else f"{numbers[token.name]:0{_DIRECTIVE_WIDTHS[token.name]}d}"
        )
    if token.name in "bBaA":
        name = (MONTH_NAMES[t.month - 1] if token.name in "bB" else DAY_NAMES[t.weekday()]).capitalize()
        name = name if token.name in "BA" else name[:3]
        return name.upper() if token.flag == "^" else name
    if token.name == "f":
        return f"{t.microsecond:06d}000"[: int(token.flag or 6)]
    if token.name in "pP":
        half = "PM" if t.hour >= 12 else "AM"
        return half if token.name == "p" else half.lower()
    return "UTC" if token.name == "Z" else _offset(t, ":" if token.flag else "")


def _offset(t: dt.datetime, between: str) -> str:
    minutes = int((t.utcoffset() or dt.timedelta()).total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{between}{abs(minutes) % 60:02d}"
