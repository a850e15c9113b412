"""What a fit says of catalogues of which most codes are too rare to be learned by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from synthkit.encoding.encoder import TableEncoder
from synthkit.schema import Code, Schema
from synthkit.schema.public_domain import NOT_STATED
from synthkit.schema.rare_codes import MIN_ROWS_OF_COMMON_CODE, rare_codes_note


def pooled_codes(encoder: TableEncoder) -> Iterator[str]:
    """A sentence for each catalogue of which most codes were too rare, with the number of codes that are left.

    Args:
        encoder: fitted to exact histograms.
    """
    for name, codec in encoder.codecs.items():
        slot, rare = encoder.layout.slots[encoder.layout.slots_of(name)[0]], codec.rare_level_count
        levels = slot.size - slot.missing
        if rare > levels:
            yield rare_codes_note(name, levels, levels + rare)


def pooled_rows(
    encoders: Mapping[str, TableEncoder], shared: Mapping[str, tuple[int, int]], unit: str
) -> Iterator[str]:
    """What a fit of linked tables says: codes too rare to be learned, by table, and rows that too few units share.

    Args:
        encoders: of the learned columns of each table, fitted to exact histograms.
        shared: of each shared table how many of its rows are told apart, and how many there are.
        unit: what the units are called.

    Example:
        >>> next(pooled_rows({}, {"providers": (2, 627)}, "patients"))[:54]
        '`providers`: 2 of 627 rows are told apart; the others,'
    """
    for table, encoder in encoders.items():
        yield from (f"{table}: {note}" for note in pooled_codes(encoder))
    for table, (kept, rows) in shared.items():
        if 2 * kept < rows:
            few = f"the others, to which fewer than {MIN_ROWS_OF_COMMON_CODE} {unit} point each, are one row"
            yield f"`{table}`: {kept:,} of {rows:,} rows {'is' if kept == 1 else 'are'} told apart; {few}"


def bought_codes(requested: Schema, schema: Schema) -> Iterator[str]:
    """A sentence for each catalogue whose codes were bought with noise, from what was measured alone.

    Args:
        requested: the schema that was asked for.
        schema: that of the synthetic table, with what was bought.
    """
    for name, column in requested.columns.items():
        bought = schema.columns[name]
        if isinstance(column, Code) and isinstance(bought, Code) and "levels" in bought.paid:
            codes = sum(level != NOT_STATED for level in bought.levels or ())
            other = "each other one counts as its nearest relative"
            yield f"`{name}`: {codes:,} of its codes could be told inside the budget; {other}"
