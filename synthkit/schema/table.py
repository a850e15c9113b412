"""What a table means: ordered columns, the unit, roles and row rules, checked against each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from synthkit.errors import SchemaError
from synthkit.schema import yaml_writer
from synthkit.schema.columns import Boolean, Column, Datetime, Declarer, Discrete, Identifier, Numeric, level_key
from synthkit.schema.derived_checks import problems as derived_problems
from synthkit.schema.level_texts import with_texts
from synthkit.schema.mixed_levels import level_text
from synthkit.schema.number_steps import storage
from synthkit.schema.rules import Comparison, Condition, ExactlyOne, FixedCombination, Implication, Rule
from synthkit.schema.schema_document import SchemaDocument
from synthkit.schema.target import Target
from synthkit.schema.yaml_writer import Comments

FORMAT: Final = "synthkit-schema/1"


class Schema(SchemaDocument):
    """Declared meaning of one table.

    Args:
        name: short name of the table; a ledger that is given no name is called by it.
        unit: column that names the person whose privacy is protected; each row is a unit if not given.
        declared_by: who declares that the lines are public knowledge, and why: "NAME: reason"; a column may name
            somebody else.
        columns: kinds by column name, in the table's order.
        derived: columns that are never learned but computed, with the expression of others that each of them is.
        quasi_identifiers: columns an outsider may know about a person.
        secrets: columns an outsider would like to learn.
        protected: columns that define groups to be treated fairly.
        targets: prediction tasks.
        rules: what must hold in every row.

    Example:
        >>> Schema(columns={"age": {"kind": "numeric", "min": 0, "max": 120, "decimals": 0}}).columns["age"].max
        120.0
    """

    form: ClassVar[str] = FORMAT
    content_key: ClassVar[str] = "columns"

    format: Literal["synthkit-schema/1"] = FORMAT
    name: str = "table"
    description: str | None = None
    source: str | None = None
    licence: str | None = None
    unit: str | None = None
    declared_by: Declarer | None = None
    columns: Annotated[dict[str, Column], Field(min_length=1)]
    derived: dict[str, str] = Field(default={})
    quasi_identifiers: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    rules: tuple[Rule, ...] = ()

    @classmethod
    def _refuse_other_kinds(cls, data: Mapping[str, Any], name: str) -> None:
        if "tables" in data and "columns" not in data:
            msg = (
                f"{name} must describe one table for what was asked; however: it describes linked tables. They can be "
                "used with init, validate, run, fit, sample, impute, score, evaluate, compare, report, review, plan, "
                "gate, release, verify, watermark-key and detect; the other commands are for one table in this version"
            )
            raise SchemaError(msg)

    def dumps(self, *, comments: Comments | None = None) -> str:
        """The schema as YAML text, defaults left out, one line a column where it fits.

        Args:
            comments: lines to put above a key, by its path: `""` (the top), `unit`, `columns.age`, `rules[0]`.

        Example:
            >>> print(Schema(columns={"age": {"kind": "numeric", "max": 120}}).dumps(), end="")
            format: synthkit-schema/1
            name: table
            <BLANKLINE>
            columns:
              age: {kind: numeric, max: 120}
        """
        return yaml_writer.write_schema_yaml(self, comments or {})

    @property
    def learned(self) -> tuple[str, ...]:
        """Columns a model may learn: all but identifiers, the unit and what is computed."""
        return tuple(c for c in self.described if c not in self.derived)

    @property
    def described(self) -> tuple[str, ...]:
        """Columns that describe a row: all but identifiers and the unit."""
        return tuple(c for c, kind in self.columns.items() if not isinstance(kind, Identifier) and c != self.unit)

    @property
    def outcomes(self) -> frozenset[str]:
        """Columns somebody wants to predict: of survival, the time and whether the event was seen."""
        return frozenset(name for t in self.targets for name in (t.column, t.event) if name is not None)

    @model_validator(mode="after")
    def _consistent(self) -> Schema:
        self._name_texts()
        problems = [
            f"{where} must name declared columns; however: `{name}` is not declared under `columns`"
            for where, names in self._named()
            for name in names
            if name not in self.columns
        ]
        if not problems:
            for k, target in enumerate(self.targets):
                problems += _target_problems(f"`targets[{k}]`", target, self.columns)
            for k, rule in enumerate(self.rules):
                problems += _rule_problems(f"`rules[{k}]`", rule, self.columns)
                if self.unit in rule.columns:
                    problems.append(f"`rules[{k}]` must not speak of the unit; however: `{self.unit}` is made fresh")
        problems += derived_problems(self.derived, self.columns, self.unit)
        problems += [
            f"what is computed has the `decimals` of its column; however: `{name}` has a `step`. Take it out"
            for name in self.derived
            if isinstance(column := self.columns.get(name), Numeric) and column.step is not None
        ]
        if not is_plain(self.name):
            problems.append(
                "`name` must be a short name, for files are called by it; however: it is empty, longer than 100 "
                "letters, begins with a point, or holds a slash or a sign that cannot be printed"
            )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _name_texts(self) -> None:
        """Numbers that rules and targets name of a column of texts become the texts they are there."""
        levels = {name: getattr(column, "levels", None) or () for name, column in self.columns.items()}
        texts = {name: {str(v) for v in each} for name, each in levels.items() if isinstance((each or (0,))[0], str)}
        plain = ((name, value) for name, value in _values(self) if not isinstance(value, str | None))
        named = {name for name, value in plain if level_text(value) in texts.get(name, ())}
        if named:
            rules, targets = with_texts(self.rules, self.targets, named, level_text)
            self.__dict__.update(rules=rules, targets=targets)

    def _named(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        yield "`unit`", (self.unit,) if self.unit else ()
        yield "`quasi_identifiers`", self.quasi_identifiers
        yield "`secrets`", self.secrets
        yield "`protected`", self.protected
        for k, t in enumerate(self.targets):
            yield f"`targets[{k}]`", (t.column, *((t.event,) if t.event else ()), *t.exclude)
        for k, r in enumerate(self.rules):
            yield f"`rules[{k}]`", r.columns


def is_plain(name: str) -> bool:
    """Whether a name can be that of a file in the folder at hand, and of no other."""
    return 0 < len(name) <= 100 and name.isprintable() and not name.startswith(".") and not set(name) & {"/", "\\"}


def _values(schema: Schema) -> Iterator[tuple[str, object]]:
    """Values that rules and targets name, each with its column."""
    for target in schema.targets:
        yield target.column, target.positive
    for rule in schema.rules:
        if isinstance(rule, Implication):
            for name, condition in (*rule.if_.items(), *rule.then.items()):
                yield from ((name, value) for value in condition.in_ or ())
        elif isinstance(rule, FixedCombination):
            yield from (pair for row in rule.combinations or () for pair in zip(rule.of, row, strict=True))


def _target_problems(where: str, target: Target, columns: Mapping[str, Column]) -> Iterator[str]:
    column = columns[target.column]
    if isinstance(column, Identifier):
        yield f"{where} must not predict an identifier; however: `{target.column}` is one"
    elif target.task in ("regression", "survival") and not isinstance(column, Numeric):
        yield f"{where} must be numeric for {target.task}; however: `{target.column}` is {column.kind}"
    elif target.task in ("binary", "multiclass") and not isinstance(column, Discrete):
        yield f"{where} must have levels for a {target.task} task; however: `{target.column}` is {column.kind}"
    elif target.task == "binary" and not isinstance(column, Boolean):
        levels = {level_key(v) for v in getattr(column, "levels", None) or ()}
        if target.positive is None or level_key(target.positive) not in levels:
            yield f"{where}: `positive` must be a level of `{target.column}`; however: {target.positive!r}"
    if target.task == "survival" and target.event is None:
        yield f"{where}: a survival task must name its `event` column; however: none is given"


def _comparison_problems(where: str, rule: Comparison, columns: Mapping[str, Column]) -> Iterator[str]:
    kinds = {type(columns[c]) for c in rule.columns}
    if kinds not in ({Numeric}, {Datetime}) or rule.left == rule.right:
        yield f"{where}: a comparison needs two numeric or two datetime columns; however: {rule.sentence}"
    if len({storage(columns[name]) for name in rule.columns}) > 1:
        yield (
            f"{where}: numbers that are compared must be shortened alike, or their order may be lost; however: "
            f"{rule.sentence} is between columns of which one is, or both are in other ways. Give both the same "
            "`stored_as`, `significant_digits` and `written_decimals`, or neither"
        )
    zones = {zone for c in rule.columns if (zone := getattr(columns[c], "zone", None)) is not None}
    if len(zones) > 1:
        yield f"{where}: moments compare on one clock; however: {rule.sentence}, in {' and '.join(sorted(zones))}"


def _rule_problems(where: str, rule: Rule, columns: Mapping[str, Column]) -> Iterator[str]:
    if isinstance(rule, Comparison):
        yield from _comparison_problems(where, rule, columns)
    elif isinstance(rule, FixedCombination):
        for c in rule.of:
            if not isinstance(columns[c], (*Discrete, Numeric)):
                yield f"{where}: a fixed combination needs columns with levels; however: `{c}` is {columns[c].kind}"
    elif isinstance(rule, ExactlyOne):
        for c in rule.of:
            kind = columns[c]
            if not isinstance(kind, Boolean) or {level_key(v) for v in kind.levels} != {0.0, 1.0}:
                what = "has other levels than 0 and 1" if isinstance(kind, Boolean) else f"is {kind.kind}"
                yield f"{where}: exactly one of needs boolean columns with the levels 0 and 1; however: `{c}` {what}"
    else:
        for name, condition in [*rule.if_.items(), *rule.then.items()]:
            yield from condition_problems(where, name, condition, columns[name])


def _all_levels(column: Column) -> Sequence[object] | None:
    """All levels that a column has; None where others are conceivable, as beside levels that were bought."""
    return column.levels if isinstance(column, Discrete) and "levels" not in column.paid else None


def condition_problems(where: str, name: str, condition: Condition, column: Column) -> Iterator[str]:
    """What is wrong with a condition on a column, as sentences that begin with the place they are about."""
    if isinstance(column, Identifier):
        yield f"{where}: a rule must not speak of an identifier; however: `{name}` is one"
        return
    if (condition.min is not None or condition.max is not None) and not isinstance(column, Numeric):
        yield f"{where}: `min` and `max` need a numeric column; however: `{name}` is {column.kind}"
    if condition.in_ is not None and isinstance(column, Datetime):
        yield f"{where}: `in` needs a column with levels or numbers; however: `{name}` is datetime"
    levels = _all_levels(column)
    if condition.in_ is not None and levels is not None:
        known = {level_key(v) for v in levels}
        strange = [str(v) for v in condition.in_ if level_key(v) not in known]
        if strange:
            yield f"{where}: `in` must list levels of `{name}`; however: {', '.join(strange)} not among them"
