"""What linked tables mean together: tables, the unit, links, order, and rules across tables."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from synthkit.errors import SchemaError
from synthkit.schema.columns import Declarer
from synthkit.schema.linked.history_problems import history_problems
from synthkit.schema.linked.linked_rules import Contradiction, HistoryTarget, LinkedRule
from synthkit.schema.linked.linked_table import LinkedTable
from synthkit.schema.linked.linked_yaml import write_linked_yaml
from synthkit.schema.linked.rule_problems import DeclaredTables, rule_problems
from synthkit.schema.linked.table_graph import TableGraph, graph_problems
from synthkit.schema.linked.table_problems import clock_problems, name_problems, table_problems
from synthkit.schema.schema_document import SchemaDocument
from synthkit.schema.table import Schema
from synthkit.schema.yaml_writer import Comments

LINKED_FORMAT: Final = "synthkit-linked/1"


class LinkedSchema(SchemaDocument):
    """Declared meaning of several linked tables.

    Args:
        name: short name of the whole.
        unit: the table whose rows are the people that are protected.
        declared_by: who declares that the lines are public knowledge, and why: "NAME: reason".
        tables: meaning of each table by name.
        rules: what must hold across tables; it holds by construction in what is drawn.
        contradictions: what would be impossible; counted, in real and synthetic tables.
        targets: prediction tasks on histories.

    Example:
        >>> patients = {"key": ["id"], "columns": {"id": {"kind": "identifier"}, "age": {"kind": "numeric"}}}
        >>> visits = {
        ...     "links": [{"columns": ["id"], "to": "patients", "kind": "owner"}],
        ...     "columns": {"id": {"kind": "identifier"}, "cost": {"kind": "numeric", "min": 0}},
        ... }
        >>> schema = LinkedSchema(unit="patients", tables={"patients": patients, "visits": visits})
        >>> schema.graph.records, schema.tables["visits"].payload
        (('patients', 'visits'), ('cost',))
    """

    form: ClassVar[str] = LINKED_FORMAT
    content_key: ClassVar[str] = "tables"

    format: Literal["synthkit-linked/1"] = LINKED_FORMAT
    name: str = "tables"
    description: str | None = None
    source: str | None = None
    licence: str | None = None
    unit: str
    declared_by: Declarer | None = None
    tables: Annotated[dict[str, LinkedTable], Field(min_length=1)]
    rules: tuple[LinkedRule, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    targets: tuple[HistoryTarget, ...] = ()

    def dumps(self, *, comments: Comments | None = None) -> str:
        """The schema as YAML text, defaults left out, one line a column where it fits.

        Args:
            comments: lines to put above a key, by its path: "" (the top), "unit", "tables.visits",
                "tables.visits.links[0]", "tables.visits.columns.cost", "rules[0]".

        Example:
            >>> patients = {"key": ["id"], "columns": {"id": {"kind": "identifier"}}}
            >>> print(LinkedSchema(unit="patients", tables={"patients": patients}).dumps(), end="")
            format: synthkit-linked/1
            name: tables
            unit: patients
            <BLANKLINE>
            tables:
              patients:
                key: [id]
                columns:
                  id: {kind: identifier}
        """
        return write_linked_yaml(self, comments or {})

    @classmethod
    def of(cls, schema: Schema) -> LinkedSchema:
        """One table as linked ones: each row is a unit.

        Raises:
            SchemaError: the schema names a unit that owns several rows, for which there is no table.
        """
        if schema.unit is not None:
            msg = (
                "one table becomes linked ones where each row is a unit; however: rows belong to "
                f"`{schema.unit}`. Declare a table with a row for each of them, and link this one to it"
            )
            raise SchemaError(msg)
        shared = {key: getattr(schema, key) for key in LinkedTable.model_fields if key in Schema.model_fields}
        told = {key: getattr(schema, key) for key in ("name", "source", "licence")}
        return cls(**told, unit=schema.name, tables={schema.name: LinkedTable(**shared)})

    @cached_property
    def graph(self) -> TableGraph:
        """Who owns whom."""
        return TableGraph.of(self.unit, self.tables)

    @model_validator(mode="after")
    def _consistent(self) -> LinkedSchema:
        problems = list(name_problems(self.name, self.tables))
        for name, table in self.tables.items():
            problems += table_problems(name, table, name == self.unit)
        problems += graph_problems(self.unit, self.tables)
        if not problems:
            problems += clock_problems(self.tables)
            problems += rule_problems(DeclaredTables(self.unit, self.tables), self.rules)
            problems += history_problems(DeclaredTables(self.unit, self.tables), self.contradictions, self.targets)
        if problems:
            raise ValueError("\n".join(problems))
        return self
