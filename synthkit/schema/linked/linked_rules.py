"""What must hold across tables, and what would contradict itself."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from synthkit.schema.rules import Condition

DURATION = re.compile(r"(?P<count>\d+(?:\.\d+)?) ?(?P<unit>d|h|min|s|y|rows)?")
SECONDS = {"d": 86_400.0, "h": 3_600.0, "min": 60.0, "s": 1.0, "y": 365.25 * 86_400.0}


class _LinkedRule(BaseModel):
    """What all rules across tables share; `observed` marks one that was found in the data rather than declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    description: str | None = None
    observed: bool = False


class Within(_LinkedRule):
    """Rows of `table` happen inside the stay of the row of `of` that they belong to, or else inside all they point to.

    Args:
        table: whose rows happen inside.
        of: an owner further up, or the table of an `earlier` link; with `from` and `until`.
    """

    rule: Literal["within"] = "within"
    table: str
    of: str

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return f"{self.table} within {self.of}"


class NothingAfter(_LinkedRule):
    """Nothing in `tables` happens after a moment of the unit, such as death.

    Args:
        tables: names, or `all` that have an order.
        moment: TABLE.COLUMN, of the table of units.
    """

    rule: Literal["nothing_after"] = "nothing_after"
    tables: Literal["all"] | tuple[str, ...] = "all"
    moment: str

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return f"nothing after {self.moment}"


class Total(_LinkedRule):
    """A number of the owner is the sum over its rows.

    Args:
        parent: TABLE.COLUMN of the owner.
        child: TABLE.COLUMN that is summed; TABLE alone counts rows.
    """

    rule: Literal["total"] = "total"
    parent: str
    child: str

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return f"{self.parent} = sum of {self.child}"


class Once(_LinkedRule):
    """A unit has at most one row of a table, or at most one for each value of some columns.

    Args:
        table: whose rows happen once.
        of: (YAML: `columns`) columns that together happen once; none: the table has one row a unit.
        when: the rows the rule is about; all if not given.
    """

    rule: Literal["once"] = "once"
    table: str
    of: tuple[str, ...] = Field(default=(), alias="columns")
    when: dict[str, Condition] = {}

    @property
    def sentence(self) -> str:
        """The rule in words."""
        about = f" of {', '.join(self.of)}" if self.of else ""
        when = " where " + " and ".join(f"{name} {c.sentence}" for name, c in self.when.items()) if self.when else ""
        return f"{self.table}{about} once a unit{when}"


LinkedRule = Annotated[Within | NothingAfter | Total | Once, Field(discriminator="rule")]


class RowsWhere(BaseModel):
    """Rows of a table that meet conditions.

    Args:
        table: name of the table.
        when: conditions by column.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    when: dict[str, Condition] = {}


class Contradiction(BaseModel):
    """What a clinician would call impossible; it is counted in real and synthetic rows, not forbidden.

    Written in YAML as `{name: pregnant man, table: diagnoses, when: {icd9: {in: ["V22"]}}, unit: {sex: {in: [M]}}}`.

    Args:
        name: short name.
        table: whose rows are looked at.
        when: conditions by column of the row.
        unit: conditions by column of the unit that the row belongs to, which together with `when` contradict.
        without: rows of the same unit, not later than the row, one of which has to be there: a drug's indication.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    table: str
    when: dict[str, Condition] = {}
    unit: dict[str, Condition] = {}
    without: RowsWhere | None = None


class HistoryTarget(BaseModel):
    """Something somebody wants to predict from what happened to a unit before.

    Args:
        name: short name of the task.
        at: table whose rows are moments of prediction; all rows of the unit up to that one may be used.
        column: column of that row to be predicted from earlier rows alone; or
        event: rows of any table one of which happens after the moment.
        within: how long after, as "30 d", "12 h" or "1 rows" (of `event`'s table); until the end if not given.
        positive: of `column`, the level that counts as the event.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    at: str
    column: str | None = None
    event: RowsWhere | None = None
    within: str | None = None
    positive: str | int | float | bool | None = None

    @field_validator("within")
    @classmethod
    def _is_duration(cls, text: str | None) -> str | None:
        if text is not None and DURATION.fullmatch(text) is None:
            msg = f"`within` must be a number and one of d, h, min, s, y, rows; however: {text!r}. Write 30 d"
            raise ValueError(msg)
        return text
