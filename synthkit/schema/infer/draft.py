"""A schema drafted from a frame, with the reasons; every key read off the data is marked `observed`."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from synthkit.errors import SchemaError
from synthkit.io.plain_columns import TYPES_ATTRIBUTE, as_frame
from synthkit.schema import reformatted_numbers
from synthkit.schema.cells import invalid_texts
from synthkit.schema.columns import DERIVED_KEY, Column, Discrete, Identifier, Level, Numeric
from synthkit.schema.conform import type_column
from synthkit.schema.infer import (
    direct_identifiers,
    key_names,
    keys_of_entities,
    prediction_targets,
    questions,
    survival_pairs,
)
from synthkit.schema.infer.column_names import name_words
from synthkit.schema.infer.keys_of_entities import EntityKey
from synthkit.schema.infer.lattices import shortened_alike, without_lattice
from synthkit.schema.infer.prediction_targets import Proposal
from synthkit.schema.infer.questions import DraftQuestion
from synthkit.schema.infer.relations import relations
from synthkit.schema.infer.sums import find_sums
from synthkit.schema.infer.type_inference import InferredColumn, as_identifier, as_ordinal, infer_column
from synthkit.schema.infer.unrestorable_types import find_unrestorable
from synthkit.schema.public_domain import taken_for_public
from synthkit.schema.table import Schema, is_plain
from synthkit.schema.value_types import category_orders, with_value_types
from synthkit.schema.yaml_writer import yaml_flow

_DRAFT_HEAD = (
    "Drafted by `synthkit init` from a look at the table. Check every line: say what the table may hold, not what it "
    "happens to hold, and correct the kinds. `observed` lists the keys of a line that were read off the data. They are "
    "facts about patients until somebody who knows the table declares them: then delete the key from the list."
)
_DECLARED_DRAFT_HEAD = (
    "Drafted by `synthkit init` from a look at the table. Whoever is named under `declared_by` answers for every line "
    "being public knowledge, known without the table; a privacy statement prints the name and the reason."
)
_QUASI_IDENTIFIER_WORDS = frozenset(
    (
        *("age", "sex", "gender", "race", "ethnicity", "ethnic", "zip", "zipcode", "postcode", "birth", "born"),
        *("marital", "education", "edu", "occupation", "country", "state", "county", "city", "region", "religion"),
        *("language", "nationality", "income", "insurance", "site", "ward", "relationship", "workclass"),
    )
)
_PROTECTED_WORDS = frozenset(("sex", "gender", "race", "ethnicity", "ethnic", "religion", "nationality"))
_COMMENT_WIDTH = 112
_COMMENTED_ELSEWHERE = ("unit", "target", "misfits")  # questions that a comment of the draft says in another way


def infer_schema(frame: pd.DataFrame, *, name: str = "table", unit: str | None = None) -> Schema:
    """A schema the frame satisfies, but for infinite cells and time zones; roles are left to people.

    Args:
        frame: the rows, a frame or an Arrow table.
        name: short name of the table.
        unit: column that names the person whose privacy is protected; becomes an identifier.

    Raises:
        TableError: what came is no table.
        SchemaError: a name no table may have, no rows, no columns, column names that are no text or stand twice,
            `unit` that is no column, or cells no kind of column can mean or give back.
    """
    _check_name(name)
    frame, guesses = _looked_at(frame, unit)
    return _schema(frame, guesses, name, unit)


@dataclass(frozen=True)
class Draft:
    """A drafted schema, and what is to be asked of whoever knows the table.

    Args:
        schema: the draft.
        text: the same as YAML, with a comment for each guess and each question.
        questions: what only people know.
        owner: the column that seems to name the person whose rows these are, if `unit` was not given.
        targets: what somebody may want to predict, best first.
    """

    schema: Schema
    text: str
    questions: tuple[DraftQuestion, ...]
    owner: EntityKey | None
    targets: tuple[Proposal, ...] = ()


def draft(frame: pd.DataFrame, *, name: str = "table", unit: str | None = None, declared_by: str | None = None) -> str:
    """The inferred schema as YAML text, with a comment for each guess and suggestions for what was left empty.

    Args:
        frame: the rows.
        name: short name of the table.
        unit: column that names the person whose privacy is protected; suggested in a comment if not given.
        declared_by: who declares all lines to be public knowledge, and why, "NAME: reason"; nothing is marked then.

    Raises:
        SchemaError: as `infer`; or nobody or no reason is named in `declared_by`.
    """
    return examine(frame, name=name, unit=unit, declared_by=declared_by).text


def examine(
    frame: pd.DataFrame,
    *,
    name: str = "table",
    unit: str | None = None,
    declared_by: str | None = None,
    learned: Collection[str] = (),
) -> Draft:
    """The inferred schema with everything that was seen.

    Args:
        frame: the rows.
        name: short name of the table.
        unit: column that names the person whose privacy is protected.
        declared_by: who declares all lines to be public knowledge, and why, "NAME: reason".
        learned: columns that look like keys or sums and are none.

    Raises:
        SchemaError: as `draft`.
    """
    _check_name(name)
    levels = [str(n) for n in getattr(getattr(frame, "index", None), "names", ()) if n is not None and n not in frame]
    frame, guesses = _looked_at(frame, unit, learned)
    schema = _schema(frame, guesses, name, unit, learned)
    if declared_by is not None:
        schema = taken_for_public(schema, declared_by)
    keys = _keys(frame, guesses)
    learning = {c: schema.columns[c] for c in schema.learned}
    typed = _with_numbers(frame, learning)
    pairs = survival_pairs.find_survival_pairs(typed, learning)
    proposals = prediction_targets.proposals(typed, learning, pairs)
    abouts = {column: drafted.about for column, drafted in guesses.items()}
    asked = (*questions.of_keys(keys, abouts, unit), *questions.of_orders(schema.columns, abouts))
    asked += questions.of_dates(schema.columns, abouts)
    misfits = {column: drafted.misfits for column, drafted in guesses.items() if drafted.misfits is not None}
    asked += questions.of_misfits(misfits, schema.columns)
    asked += questions.of_outcomes(proposals, pairs)
    asked += questions.of_sums(schema, len(frame))
    codes = {name: column for name, column in schema.columns.items() if name not in misfits}
    asked += (*questions.of_groups(schema.rules, len(frame)), *questions.of_codes(frame, codes))
    if declared_by is not None:  # for use under a budget: nothing that was counted in the rows
        asked = tuple(replace(question, evidence="") for question in asked if question.about != "rare codes")
        proposals = tuple(replace(proposal, evidence="a suggestion") for proposal in proposals)
        keys = tuple(replace(key, evidence="by its name or its cells") for key in keys)
    notes = {column: [*drafted.notes, *_filled(drafted.column)] for column, drafted in guesses.items()}
    for suspicion in direct_identifiers.find_direct_identifiers(frame, schema.columns):
        done = isinstance(schema.columns[suspicion.column], Identifier)
        notes[suspicion.column].append(suspicion.sentence if done else str(suspicion))
    for question in asked:
        notes[question.column] += [f"QUESTION: {question}"] * (question.about not in _COMMENTED_ELSEWHERE)
    head = _DRAFT_HEAD if declared_by is None else _DECLARED_DRAFT_HEAD
    comments = {"": textwrap.wrap(head, _COMMENT_WIDTH)} | _suggestions(schema, keys, proposals)
    if levels:
        index = f"The index of the frame ({', '.join(levels)}) is no column; `frame.reset_index()` makes it one."
        comments["columns"] = textwrap.wrap(index, _COMMENT_WIDTH)
    for column, said in notes.items():
        comments[f"columns.{column}"] = [line for note in said for line in textwrap.wrap(note, _COMMENT_WIDTH)]
    found = keys_of_entities.owner_key(keys) if unit is None else None
    return Draft(schema, schema.dumps(comments=comments), asked, found, proposals)


def _filled(column: Column) -> list[str]:
    """A word on identifiers with missing cells: nothing of them is learned, and so not how many are missing."""
    said = "cells are missing here: synthetic rows have a fresh value in every one, and none is missing"
    return [said] * (isinstance(column, Identifier) and column.nullable)


def _check_name(name: str) -> None:
    if not is_plain(name):
        msg = (
            "a table is called by a short name; however: it is empty, longer than 100 letters, begins with a point, or "
            "holds a slash or a sign that cannot be printed. Give another `name`"
        )
        raise SchemaError(msg)


def _looked_at(
    table: object, unit: str | None, learned: Collection[str] = ()
) -> tuple[pd.DataFrame, dict[str, InferredColumn]]:
    """The cells of a table, whatever stores them, and what its columns seem to be."""
    stored = as_frame(table, "what a schema is drafted from")
    _check_columns(stored, unit)
    frame = with_value_types(stored)
    found = _guesses(frame, unit, learned, category_orders(stored))
    _check_given_back(stored, found)
    for name, drafted in found.items():
        plain = isinstance(drafted.column, Numeric) and not drafted.column.told
        if (
            plain
            and pd.api.types.is_numeric_dtype(frame[name].dtype)
            and (cells := reformatted_numbers.reformatted(stored[name]))
        ):
            found[name] = replace(drafted, notes=(*drafted.notes, reformatted_numbers.reformatted_note(cells)))
    return frame, found


def _check_given_back(stored: pd.DataFrame, guesses: Mapping[str, InferredColumn]) -> None:
    """Refuse cells of a type that nothing drawn from the draft could be given back as."""
    types = stored.attrs.get(TYPES_ATTRIBUTE, {})
    for name, drafted in guesses.items():
        found = find_unrestorable(stored[name], drafted.column, types.get(name, ""))
        if found is not None and found.where.any():
            kind = drafted.column.kind
            msg = (
                f"a column must hold what can be given back; however: `{name}` holds {found.what} in "
                f"{int(found.where.sum()):,} cells, drafted as {kind}, and {found.why}. "
                f"To draft its schema, {found.remedy}"
            )
            raise SchemaError(msg)


def _check_columns(frame: pd.DataFrame, unit: str | None) -> None:
    problem = ""
    if not len(frame.columns) or not len(frame):
        problem = f"{len(frame):,} rows and {len(frame.columns):,} columns. Give a table with at least one of each"
    elif not all(isinstance(c, str) for c in frame.columns):
        strange = ", ".join(str(c) for c in frame.columns if not isinstance(c, str))
        problem = f"columns named {strange} are no text. Rename them, for example with frame.rename(columns=str)"
    elif blank := [str(k + 1) for k, c in enumerate(frame.columns) if not c.strip()]:
        problem = f"column {', '.join(blank)} has no name. Name it"
    elif frame.columns.has_duplicates:
        twice = ", ".join(dict.fromkeys(frame.columns[frame.columns.duplicated()]))
        problem = f"columns named twice: {twice}. Rename them"
    elif unit is not None and unit not in frame.columns:
        problem = f"`{unit}` is to be the unit and is no column. Name one of {', '.join(frame.columns)}"
    elif torn := [f"`{c}`" for c in frame if invalid_texts(frame[c]).any()]:
        problem = f"NUL (U+0000) or half letters (surrogates) in texts of {', '.join(torn)}. Take these signs out"
    if problem:
        msg = f"a schema is drafted from rows in columns with different names; however: {problem}"
        raise SchemaError(msg)


def _guesses(
    frame: pd.DataFrame, unit: str | None, learned: Collection[str], inorder: Mapping[str, Sequence[Level]]
) -> dict[str, InferredColumn]:
    found = {str(c): infer_column(str(c), frame[c], unit=c == unit, learned=c in learned) for c in frame.columns}
    for key in keys_of_entities.find_repeated_keys(
        frame, {c: drafted.column for c, drafted in found.items() if c not in learned}
    ):
        drafted = as_identifier(frame[key.column], "a key by how it repeats: made fresh, never learned")
        found[key.column] = replace(drafted, key=key)
    for key in key_names.find_keys_by_name(frame, {c: drafted.column for c, drafted in found.items()}, learned):
        drafted = as_identifier(frame[key.column], "a key by its name and its cells: made fresh, never learned")
        found[key.column] = replace(drafted, key=key)
    for name, levels in inorder.items():
        if isinstance(found[name].column, (*Discrete, Numeric)):
            found[name] = as_ordinal(found[name], levels)
    columns = {c: drafted.column for c, drafted in found.items()}
    for event, column in survival_pairs.event_kinds(
        survival_pairs.find_survival_pairs(_with_numbers(frame, columns), columns), columns
    ):
        found[event] = replace(found[event], column=column, notes=("whether the event was seen, not seen first",))
    return found


def _keys(frame: pd.DataFrame, guesses: Mapping[str, InferredColumn]) -> tuple[EntityKey, ...]:
    known = [drafted.key for drafted in guesses.values() if drafted.key is not None]
    return keys_of_entities.entity_keys(frame, {column: drafted.column for column, drafted in guesses.items()}, known)


def _schema(
    frame: pd.DataFrame,
    guesses: Mapping[str, InferredColumn],
    name: str,
    unit: str | None,
    learned: Collection[str] = (),
) -> Schema:
    columns = {column: drafted.column for column, drafted in guesses.items()}
    typed = _with_numbers(frame, columns)
    found = {each.total: each.expression for each in find_sums(typed, columns) if each.total not in learned}
    for total in found:
        plain = without_lattice(columns[total])
        columns[total] = plain.model_copy(update={"observed": (*plain.observed, DERIVED_KEY)})
    rules = relations(typed, {c: column for c, column in columns.items() if c not in found})
    columns = shortened_alike(columns, rules)
    return Schema(name=name, unit=unit, columns=columns, derived=found, rules=rules)


def _with_numbers(frame: pd.DataFrame, columns: Mapping[str, Column]) -> pd.DataFrame:
    """The frame with texts that are drafted as numbers as numbers."""
    written = {name: column for name, column in columns.items() if isinstance(column, Numeric) and column.written}
    typed = {name: type_column(frame[name].reset_index(drop=True), column)[0] for name, column in written.items()}
    return frame.reset_index(drop=True).assign(**typed) if typed else frame


def _suggestions(schema: Schema, keys: Sequence[EntityKey], proposals: Sequence[Proposal]) -> dict[str, list[str]]:
    """Comments on the unit, the roles and the rules."""
    comments = {}
    if schema.unit is None:
        comments["unit"] = [line for said in _unit(keys) for line in textwrap.wrap(said, _COMMENT_WIDTH)]
    known = [c for c in schema.learned if _QUASI_IDENTIFIER_WORDS & set(name_words(c))]
    groups = [
        c for c in schema.learned if _PROTECTED_WORDS & set(name_words(c)) and isinstance(schema.columns[c], Discrete)
    ]
    role = "quasi_identifiers: what an outsider may know about a person, such as age, sex, address, dates of a stay"
    comments["quasi_identifiers"] = [role, *_line("quasi_identifiers", known)]
    comments["secrets"] = ["secrets: what an outsider would like to learn, such as diagnoses and outcomes"]
    comments["protected"] = ["protected: groups to be treated fairly", *_line("protected", groups)]
    comments["targets"] = ["targets: what somebody wants to predict", *_targets(proposals)]
    if schema.rules:
        comments["rules"] = ["These hold in every row of the table. Keep those that must hold, delete chance."]
    return comments


def _line(key: str, columns: list[str]) -> list[str]:
    return [f"{key}: {yaml_flow(columns)}"] if columns else []


def _targets(proposals: Sequence[Proposal]) -> list[str]:
    """Targets as they would be written, each with what speaks for it."""
    why = [line for p in proposals for line in textwrap.wrap(f"`{p.column}`: {p.evidence}", _COMMENT_WIDTH)]
    if len(proposals) == 1:
        return [*why, f"targets: [{yaml_flow(proposals[0].target)}]"]
    return [*why, *["targets:"] * bool(proposals), *(f"  - {yaml_flow(p.target)}" for p in proposals)]


def _unit(keys: Sequence[EntityKey]) -> list[str]:
    """Which column may name the person: a key that repeats, never a place or an event."""
    if (person := keys_of_entities.owner_key(keys)) is not None:
        why = f"`{person.column}` repeats, so a person may own several rows ({person.evidence}): if it names the person"
        return [f"{why}, write", f"unit: {yaml_flow(person.column)}"]
    rows = "each row is taken for a person of its own; if a column names the person, write `unit: COLUMN`"
    if repeating := [key for key in keys if key.repeats and key.role in ("other", "event")]:
        return [
            f"`{repeating[0].column}` repeats ({repeating[0].evidence}): if it names the person, it is the unit",
            rows,
        ]
    return [f"`{keys[0].column}` differs in every row: {rows}" if keys else rows]
