"""What of a schema is public, and what may be bought under a privacy budget.

A line is public because somebody answers for it: `declared_by`, of the column or of the schema. What was read off the
table all the same is marked `observed`; levels, bounds, spikes and gaps so marked are found with noise instead, and
everything else has to be declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthkit.errors import SchemaError
from synthkit.schema.columns import Boolean, Code, Column, Datetime, Identifier, Numeric
from synthkit.schema.expressions.grammar import columns_of, parse_expression
from synthkit.schema.level_texts import as_text, with_texts
from synthkit.schema.table import Schema

PAYABLE_KEYS = frozenset({"levels", "min", "max", "atoms", "nullable"})
RULES_KEY = "rules"  # the rules among the lines somebody answers for
NOT_STATED = "(not told)"  # level of a column of which no level could be told, and of what has none where it must


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A schema of which only public lines are used, and what is not known of its columns.

    Args:
        schema: bounds, spikes and levels that were read off the data left out, every column whose gaps were seen
            nullable. Cells of a column without levels are texts, and so is what rules and targets name of them.
        unknown: by learned column, the keys that must be paid for; columns of which all is known are left out.
    """

    schema: Schema
    unknown: Mapping[str, frozenset[str]]


def declared_domain(schema: Schema) -> Declared:
    """The public part of a schema.

    Raises:
        SchemaError: lines that noise cannot buy were read off the data, or nobody answers for a line; lists all.

    Example:
        >>> age = {"kind": "numeric", "decimals": 0, "min": 0, "max": 97, "observed": ["max"]}
        >>> public = declared_domain(Schema(columns={"age": age}, declared_by="A. Lee: codebook of 2019"))
        >>> public.schema.columns["age"].max, sorted(public.unknown["age"])
        (None, ['max'])
    """
    refuse_undeclared(schema)
    columns = {name: _public(column) for name, column in schema.columns.items()}
    unknown = {name: _unknown(columns[name]) for name in schema.learned}
    open_ = {name for name, keys in unknown.items() if "levels" in keys}
    rules, targets = with_texts(schema.rules, schema.targets, open_, as_text)
    return Declared(
        schema=schema.model_copy(update={"columns": columns, "rules": rules, "targets": targets}),
        unknown={name: keys for name, keys in unknown.items() if keys},
    )


def declarers(schema: Schema) -> dict[str, tuple[str, ...]]:
    """Who answers for which columns; `rules` among them stands for the rules. Lines of nobody are left out.

    Example:
        >>> sex = {"kind": "boolean", "levels": ["f", "m"], "declared_by": "B. Roth: form 12"}
        >>> declarers(Schema(columns={"age": {"kind": "numeric"}, "sex": sex}, declared_by="A. Lee: codebook of 2019"))
        {'A. Lee: codebook of 2019': ('age',), 'B. Roth: form 12': ('sex',)}
    """
    found: dict[str, list[str]] = {}
    for name, column in schema.columns.items():
        if (who := column.declared_by or schema.declared_by) is not None:
            found.setdefault(who, []).append(name)
    if schema.rules and schema.declared_by is not None:
        found.setdefault(schema.declared_by, []).append(RULES_KEY)
    return {who: tuple(names) for who, names in found.items()}


def taken_for_public(schema: Schema, declared_by: str) -> Schema:
    """The schema without marks of what was read off the data, and with who answers for that.

    Args:
        schema: a draft.
        declared_by: "NAME: reason".

    Raises:
        SchemaError: nobody is named, or no reason given.

    Example:
        >>> age = {"kind": "numeric", "min": 0, "max": 97, "observed": ["kind", "min", "max"]}
        >>> taken_for_public(Schema(columns={"age": age}), "A. Lee: codebook of 2019").columns["age"].observed
        ()
    """
    name, colon, reason = declared_by.partition(":")
    if not (name.strip() and colon and reason.strip()):
        msg = (
            "whoever declares a domain must be named with a reason; however: a part is not there. "
            'Write "NAME: reason", such as "A. Lee: codebook of 2019"'
        )
        raise SchemaError(msg)
    columns = {name: column.model_copy(update={"observed": ()}) for name, column in schema.columns.items()}
    rules = tuple(rule.model_copy(update={"observed": False}) for rule in schema.rules)
    return schema.model_copy(update={"columns": columns, "rules": rules, "declared_by": declared_by.strip()})


def refuse_undeclared(schema: Schema) -> None:
    """Refuse lines of which noise cannot make public ones, and lines nobody answers for.

    Raises:
        SchemaError: there are any; lists all.
    """
    lines = [
        f"  `{name}`: {', '.join(keys)}"
        for name, column in schema.columns.items()
        if (keys := [k for k in column.observed if k not in PAYABLE_KEYS or _fixed(schema, name, k)])
    ]
    lines += [f"  `rules[{k}]`: {rule.sentence}" for k, rule in enumerate(schema.rules) if rule.observed]
    silent = [f"`{name}`" for name, c in schema.columns.items() if not (c.declared_by or schema.declared_by)]
    silent += [f"`{RULES_KEY}`"] * bool(schema.rules and not schema.declared_by)
    problems, remedies = [], []
    if lines:
        problems.append(f"{len(lines)} lines were read off the data, and noise cannot buy them:\n" + "\n".join(lines))
        remedies.append("Check each against the codebook and take its name out of `observed`.")
    if silent:
        problems.append(f"nobody answers for {', '.join(silent)}")
    if problems:
        however = "\n".join(problems)
        msg = (
            f"under a privacy budget every line of the schema must be public; however: {however}\n"
            f"{' '.join([*remedies, _DECLARE_REMEDY])}"
        )
        raise SchemaError(msg)


DECLARED_AT_ONCE = '; of a draft `synthkit init --declared-by "NAME: reason"` writes it'  # of one table alone
_DECLARE_REMEDY = (
    'Say who answers for the lines, and why: `declared_by: "NAME: reason"` at the head of the schema or in the line of '
    f'a column, such as "A. Lee: codebook of 2019"{DECLARED_AT_ONCE}'
)


def _fixed(schema: Schema, name: str, key: str) -> bool:
    """Whether noise cannot find this key: of yes and no there are always two, and what is computed is not counted.

    Levels that are bought are texts, so that those an expression calculates with must be declared.
    """
    column = schema.columns[name]
    if key != "levels" or isinstance(column, Boolean) or name in schema.derived:
        return key == "levels"
    used = {c for expression in schema.derived.values() for c in columns_of(parse_expression(expression))}
    return name in used and not all(isinstance(level, str) for level in getattr(column, "levels", None) or ())


def _public(column: Column) -> Column:
    seen = set(column.observed)
    changes: dict[str, object] = {"observed": ()}
    if "nullable" in seen:
        changes["nullable"] = True
    changes |= {key: None for key in ("min", "max") if key in seen}
    if "atoms" in seen:
        changes["atoms"] = ()
    if "levels" in seen:
        changes["levels"] = None if isinstance(column, Code) else ()
    if isinstance(column, Numeric) and column.censored is not None:  # its limits are bounds and atoms again
        return Numeric.model_validate({**column.model_dump(), **changes})
    return column.model_copy(update=changes)


def _unknown(public: Column) -> frozenset[str]:
    if isinstance(public, Numeric | Datetime):
        return frozenset(key for key in ("min", "max") if getattr(public, key) is None)
    if isinstance(public, Identifier):
        return frozenset()
    return frozenset() if public.levels else frozenset({"levels"})
