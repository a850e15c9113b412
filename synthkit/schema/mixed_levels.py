"""Lists of levels that mix numbers and texts: read as texts, for a column of a file has one type."""

from __future__ import annotations

from typing import Final

from pydantic import AfterValidator


def one_type(levels: tuple[object, ...]) -> tuple[object, ...]:
    """The levels as they are if all are texts, all numbers or all truths; as texts if they mix.

    Example:
        >>> one_type((1, 2, "unknown")), one_type((0, 1)), one_type((True, "unknown"))
        (('1', '2', 'unknown'), (0, 1), ('true', 'unknown'))
    """
    texts = sum(isinstance(level, str) for level in levels)
    return tuple(map(level_text, levels)) if 0 < texts < len(levels) else levels


OneType: Final = AfterValidator(one_type)


def level_text(level: object) -> str:
    """A level as the text that stands for it in a file: a whole number without a point, truths as YAML writes them.

    Example:
        >>> [level_text(level) for level in (1, 2.0, 2.5, True, "x")]
        ['1', '2', '2.5', 'true', 'x']
    """
    if isinstance(level, bool):
        return str(level).lower()
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)


def spellings(levels: tuple[object, ...]) -> dict[str, object]:
    """Texts that mean a level: its own, and of `true` and `false` those that other programs write.

    Example:
        >>> spellings(("true", "unknown"))["True"]
        'true'
    """
    own = {str(level): level for level in levels}
    truths = {word: own[text] for text in ("true", "false") if text in own for word in (text.title(), text.upper())}
    return truths | own
