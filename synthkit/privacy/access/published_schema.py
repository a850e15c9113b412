"""The schema of a synthetic table under a budget: with what was bought in it, marked `paid`."""

from __future__ import annotations

from collections.abc import Mapping

from synthkit.encoding.codecs.codec import Codec
from synthkit.encoding.constraints import Recoding
from synthkit.schema import Code, Identifier, Schema
from synthkit.schema.public_domain import NOT_STATED, Declared


def published_schema(public: Declared, codecs: Mapping[str, Codec]) -> Schema:
    """The public schema with what the codecs were told; its units are made fresh.

    Args:
        public: what is known without the table.
        codecs: one a coded column.
    """
    columns = dict(public.schema.columns)
    if (unit := public.schema.unit) is not None and not isinstance(columns[unit], Identifier):
        columns[unit] = Identifier(description=columns[unit].description, declared_by=columns[unit].declared_by)
    coded = {c: codecs[name] for name, members in Recoding.of(public.schema).columns.items() for c in members}
    for name, keys in public.unknown.items():
        bought = coded[name].published_keys(public.schema, name) if name in coded else {}
        changes = {key: bought[key] for key in keys if key in bought}
        if changes:
            paid = tuple(sorted(changes))
            if changes.get("levels") == (NOT_STATED,) and isinstance(columns[name], Code):
                changes["pattern"] = None  # the stand-in has the shape of no code
            columns[name] = columns[name].model_copy(update={**changes, "paid": paid})
    return public.schema.model_copy(update={"columns": columns})
