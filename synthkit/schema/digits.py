"""One way of writing numbers: signs between digits, texts beside them; a text is read under it, or is no number."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

GROUPING_BLANKS = (
    " \u00a0\u2009\u202f"  # blank, no-break, thin, and narrow no-break: one is read where another is declared
)
GROUPING_QUOTES = "'\u2019"
PLUS_AND_MINUS_SIGNS = "+-\u2212"
SURROUNDING_BLANKS = f"\t\r\n{GROUPING_BLANKS}"  # what may stand beside a number or a word
OPTIONAL_BLANKS = f"[{SURROUNDING_BLANKS}]*"


@dataclass(frozen=True)
class Writing:
    """How the digits of a number are written.

    Args:
        decimal: sign between whole number and fraction.
        thousands: sign between groups of three digits, None if there are no groups.
        prefix: text before the digits.
        ending: text behind them; the blank before one such as 10^9/L must be there.
        minus: sign of numbers below nought, as it is written; any is read.
        plus: sign of all others, empty if they have none.
    """

    decimal: str = "."
    thousands: str | None = None
    prefix: str = ""
    ending: str = ""
    minus: str = "-"
    plus: str = ""

    @property
    def pattern(self) -> str:
        """Regular expression, RE2, of a whole text that is a number; its groups are two signs and the digits."""
        sign, point, whole = f"[{re.escape(PLUS_AND_MINUS_SIGNS)}]?", re.escape(self.decimal), "[0-9]+"
        if self.between is not None:
            whole = f"(?:[0-9]{{1,3}}(?:{self.between}[0-9]{{3}})+|[0-9]+)"
        digits = f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
        return f"{OPTIONAL_BLANKS}({sign}){_loose(self.prefix)}({sign})({digits}){_loose(self.ending)}{OPTIONAL_BLANKS}"

    @property
    def between(self) -> str | None:
        """Regular expression, RE2, of the sign between groups: what looks alike is read alike."""
        if self.thousands is None:
            return None
        alike = next((signs for signs in (GROUPING_BLANKS, GROUPING_QUOTES) if self.thousands in signs), self.thousands)
        return f"[{alike}]" if len(alike) > 1 else re.escape(alike)

    def read(self, text: str) -> str | None:
        """A text as a plain one that Python reads, None if it is no number written this way.

        Example:
            >>> [Writing(",", ".").read(text) for text in ("-1.234,5", "1.5")]
            ['-1234.5', None]
        """
        return self.reader()(text)

    def reader(self) -> Callable[[str], str | None]:
        """`read` for many texts."""
        number = re.compile(self.pattern)
        between = None if self.between is None else re.compile(self.between)

        def read(text: str) -> str | None:
            found = number.fullmatch(text)
            if found is None or (found[1] and found[2]):
                return None
            digits = found[3] if between is None else between.sub("", found[3])
            minus = (found[1] or found[2]) not in ("", "+")
            return "-" * minus + digits.replace(self.decimal, ".")

        return read

    def write(self, plain: str) -> str:
        """The text of a plain number without exponent.

        Example:
            >>> Writing(",", ".", ending=" mg").write("-1234.5")
            '-1.234,5 mg'
        """
        whole, _, fraction = plain.removeprefix("-").partition(".")
        if self.thousands is not None:
            whole = f"{int(whole):,}".replace(",", self.thousands)
        digits = f"{whole}{self.decimal}{fraction}" if fraction else whole
        return f"{self.minus if plain.startswith('-') else self.plus}{self.prefix}{digits}{self.ending}"


def has_powers(text: str) -> bool:
    """Whether a unit begins with a power of ten, as 10^9/L does: only a blank tells it from the digits before it."""
    return text.startswith(("10^", "10*"))


def _loose(text: str) -> str:
    """Expression of what stands beside a number: the blanks around it may be there or not."""
    parts = [re.escape(part) for part in re.split(f"[{SURROUNDING_BLANKS}]+", text) if part]
    first = OPTIONAL_BLANKS.replace("*", "+") if has_powers(text.strip(SURROUNDING_BLANKS)) else OPTIONAL_BLANKS
    return f"{first}{OPTIONAL_BLANKS.join(parts)}{OPTIONAL_BLANKS}" if parts else ""
