"""Several linked tables: keys, links, order in time, and rules across tables."""

from synthkit.schema.linked.linked_schema import LinkedSchema

__all__ = ["LinkedSchema"]
