"""Names and texts as SQL writes them."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A name of a column or a table.

    Example:
        >>> print(quoted('the "age" now'))
        "the ""age"" now"
    """
    return '"' + name.replace('"', '""') + '"'


def text_literal(text: str) -> str:
    """A text.

    Example:
        >>> text_literal("it's")
        "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"
