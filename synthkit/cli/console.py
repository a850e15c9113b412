"""Lines that people read: results on stdout, warnings on stderr, and figures in a file beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from synthkit.schema.linked.orphans import OrphanCount


def say(text: str = "", *, quiet: bool = False) -> None:
    """A line of the result, on stdout."""
    if not quiet:
        typer.echo(text)


def formulas(names: Sequence[str]) -> str:
    """That texts of these columns begin like formulas, in words.

    Example:
        >>> formulas(["rh"])
        'texts of `rh` begin with =, +, -, @ or a tab, which a spreadsheet takes for formulas'
    """
    named = ", ".join(f"`{name}`" for name in names)
    return f"texts of {named} begin with =, +, -, @ or a tab, which a spreadsheet takes for formulas"


def warn(text: str) -> None:
    """A line nobody should miss, on stderr."""
    typer.echo(f"warning: {text}", err=True)


def warn_orphans(orphans: Mapping[str, OrphanCount], side: str = "") -> None:
    """Say how many rows and keys of linked tables were left out, by table; and of which side, if there are several."""
    from synthkit.schema.linked.row_keys import SPELLED_ALIKE

    of = f"{side}: " if side else ""
    for name, count in orphans.items():
        rows = "1 row that belongs to nobody" if count.rows == 1 else f"{count.rows:,} rows that belong to nobody"
        keys = "1 key that names no row" if count.keys == 1 else f"{count.keys:,} keys that name no row"
        said = [words for words, many in ((rows, count.rows), (keys, count.keys)) if many]
        was = "was" if count.rows + count.keys == 1 else "were"
        spelled = f"; {count.alike:,} of their keys {SPELLED_ALIKE}" if count.alike else ""
        warn(f"{of}`{name}`: {' and '.join(said)} {was} left out (--orphans drop){spelled}")


def warn_copied(copied: Mapping[str, int]) -> None:
    """Say which catalogues of linked tables leave as they came, though nobody declared them public."""
    from synthkit.schema.linked.linked_validation import copied_notes

    for note in copied_notes(copied):
        warn(note)


def warn_clamped(clamped: Mapping[str, int]) -> None:
    """Say how many cells were mapped into the declared domain, by column."""
    if clamped:
        each = ", ".join(f"{name} {count:,}" for name, count in clamped.items())
        warn(f"--clamp mapped {sum(clamped.values()):,} cells into the declared domain: {each}")


def show_paths(contents: Mapping[Path, str]) -> None:
    """Where everything is, one line each saying what it is."""
    width = max(len(str(path)) for path in contents)
    say("")
    for path, what in contents.items():
        say(f"{str(path).ljust(width)}  {what}")


def write_json(path: Path | None, figures: Mapping[str, object], indent: int = 1) -> None:
    """Write figures where `--json` says; nothing if it says nothing."""
    if path is None:
        return
    from json import dumps

    from synthkit.io.atomic_files import replacing

    with replacing(path) as temporary:
        temporary.write_text(dumps(figures, indent=indent) + "\n", encoding="utf-8")
