"""Patterns of a schema, which a stranger may have written: matched in time linear in the text, and made in bounds."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from functools import lru_cache
from math import prod

MAX_PATTERN_LENGTH = 1000  # letters of a pattern
MAX_PATTERN_MEMORY = 2**20  # bytes of a compiled one
MAX_PATTERN_POSITIONS, MAX_ALPHABET = 256, 1000  # of a fresh identifier; of one of its classes
_GENERATING_PATTERN = re.compile(r"(?:(?:\\[^\w]|\\d|\[[^\]\\^\[]+\]|[^\\\[\](){}|*+?.^$])(?:\{\d{1,3}\})?)+")
_PATTERN_TOKEN = re.compile(r"(\[[^\]]+\]|\\d|\\.|[^\[\]{}\\])(?:\{(\d+)\})?", re.DOTALL)


@lru_cache(maxsize=1024)
def full_matcher(pattern: str) -> Callable[[str], bool]:
    r"""A test whether a text matches a pattern in full, in time linear in the text whatever the pattern is.

    The engine is RE2: a regular expression in the mathematical sense, without backreferences and without looking ahead
    or behind. `\d`, `\w` and `\s` are those of ASCII.

    Args:
        pattern: of at most 1,000 letters.

    Raises:
        ValueError: it is no such expression, or asks for more states than fit in 1 MiB.

    References:
        Cox (2010), Regular expression matching in the wild.

    Example:
        >>> full_matcher("[A-Z][0-9]{2}")("I21"), full_matcher("(a+)+b")("a" * 100_000)
        (True, False)
    """
    import re2

    options = re2.Options()
    options.log_errors, options.never_capture, options.max_mem = False, True, MAX_PATTERN_MEMORY
    if len(pattern) > MAX_PATTERN_LENGTH:
        msg = (
            f"`pattern` must have at most {MAX_PATTERN_LENGTH:,} letters; however: it has {len(pattern):,}. "
            "List levels instead"
        )
        raise ValueError(msg)
    try:
        compiled = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        said = error.args[0].decode(errors="replace") if isinstance(error, re2.error) else "it is not Unicode text"
        msg = (
            f"`pattern` must be a regular expression of RE2; however: {said}. Write it without backreferences, without "
            "looking ahead or behind, and with counts up to 1000"
        )
        raise ValueError(msg) from error

    def matches(text: str) -> bool:
        try:
            return compiled.fullmatch(text) is not None
        except UnicodeEncodeError:  # half a letter, which no file in UTF-8 can hold
            return False

    return matches


def is_fresh(pattern: str) -> bool:
    """Whether a pattern is made of literals, classes and counts alone, so that fresh values can be drawn from it."""
    return _GENERATING_PATTERN.fullmatch(pattern) is not None


def pattern_alphabets(pattern: str) -> list[str]:
    r"""The letters of each position of a pattern made of literals, `[A-Z0-9]` classes, `\d` and `{n}` counts.

    Raises:
        ValueError: there is something else in it, or more than 256 positions, or more than 1,000 letters in a class.

    Example:
        >>> pattern_alphabets("P[0-2]{2}")
        ['P', '012', '012']
    """
    found: list[str] = []
    at = 0
    while at < len(pattern):
        token = _PATTERN_TOKEN.match(pattern, at)
        if token is None or token[1] in "*+?|()^$.":
            msg = (
                "an identifier's pattern must be made of literals, [classes], \\d and {n}; however: "
                f"position {at + 1} is something else. Rewrite `pattern`, for example P[0-9]{{6}}"
            )
            raise ValueError(msg)
        times = int(token[2] or 1) if len(token[2] or "") <= 3 else MAX_PATTERN_POSITIONS + 1
        if len(found) + times > MAX_PATTERN_POSITIONS:
            msg = (
                f"an identifier's pattern must have at most {MAX_PATTERN_POSITIONS} positions; however: it has more. "
                "Shorten it"
            )
            raise ValueError(msg)
        found += [_letters(token[1])] * times
        at = token.end()
    return found


def pattern_space(pattern: str) -> int:
    """How many different values a pattern has.

    Example:
        >>> pattern_space("P[0-9]{3}"), pattern_space("bed")
        (1000, 1)
    """
    return prod(map(len, pattern_alphabets(pattern)))


def _letters(token: str) -> str:
    if token == r"\d":
        return string.digits
    if not token.startswith("["):
        return token[-1]
    spans = [(a or c, b or c) for a, b, c in re.findall(r"(.)-(.)|(.)", token[1:-1], re.DOTALL)]
    if sum(max(0, ord(b) - ord(a) + 1) for a, b in spans) > MAX_ALPHABET:
        msg = f"a class of an identifier's pattern must have at most {MAX_ALPHABET:,} letters; however: it has more"
        raise ValueError(msg)
    letters = "".join(chr(k) for a, b in spans for k in range(ord(a), ord(b) + 1))
    if not letters or any(0xD800 <= ord(c) <= 0xDFFF for c in letters):
        msg = "a class of an identifier's pattern must have letters, the lower end first; however: one has none"
        raise ValueError(msg)
    return "".join(dict.fromkeys(letters))
