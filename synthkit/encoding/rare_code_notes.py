"""What a fit says of catalogues of which most codes are too rare to be learned by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from synthkit.encoding.encoder import TableEncoder
from synthkit.schema import Code, Schema
from synthkit.schema.public_domain import NOT_STATED
from synthkit.schema.rare_codes import rare_codes_note


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
