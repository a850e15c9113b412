"""What a table breaks of its schema, asked through Great Expectations; the only file that imports GX.

GX asks the questions about values. Dtypes are settled before (`typed_columns`), because GX knows few names of them.
"""

from __future__ import annotations

import json
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from synthkit.errors import ConfigError, DocumentError
from synthkit.io.documents import read_json
from synthkit.schema.expectation_batches import Expectation, Stack, alike, stacked
from synthkit.schema.expectation_suite import expectation_suite, helper_columns, row_check_questions
from synthkit.schema.narrow_patterns import narrow_pattern_faults
from synthkit.schema.typed_columns import TypedColumns
from synthkit.schema.violations import ROWS_SHOWN, Checked, Unchecked, Validation, Violation

if TYPE_CHECKING:
    from synthkit.schema.row_checks import RowCheck
    from synthkit.schema.table import Schema


def validate(
    frame: pd.DataFrame, schema: Schema, *, extra: str | Path | None = None, rows_shown: int = ROWS_SHOWN
) -> Validation:
    """Hold a table against its schema, and against a suite of the user's own.

    Args:
        frame: any frame; typed by the schema first.
        schema: the declared meaning.
        extra: path of the JSON of a Great Expectations suite on the same columns.
        rows_shown: how many row numbers each violation keeps.

    Returns:
        Every violation at once, and what could not be checked; both without any value of the table.

    Raises:
        ConfigError: `extra` is not such a suite.
    """
    return validate_typed(TypedColumns.of(frame, schema), schema, extra=extra, rows_shown=rows_shown)


def validate_typed(
    typed: TypedColumns,
    schema: Schema,
    *,
    extra: str | Path | None = None,
    answered: Sequence[RowCheck] = (),
    rows_shown: int = ROWS_SHOWN,
) -> Validation:
    """As `validate`, of a frame that the schema has typed already.

    Args:
        typed: the frame.
        schema: the declared meaning.
        extra: path of the JSON of a Great Expectations suite on the same columns.
        answered: what else must hold in every row, such as rules across tables.
        rows_shown: how many row numbers each violation keeps.

    Raises:
        ConfigError: `extra` is no suite.
    """
    frame = typed.frame
    asked, extras = expectation_suite(schema)["expectations"], read_suite(extra) if extra is not None else []
    more, answers = row_check_questions(answered)
    asked = [*asked, *more]
    checked = Checked(len(frame), typed.width, len(asked) + len(extras))
    if typed.misnamed:  # which answers the first question of the suite, to the letter
        why = "the columns of the table are not those of the schema"
        unasked = tuple(Unchecked(about(e), said(e), why) for e in [*asked[1:], *extras])
        return Validation(checked, typed.misnamed, unasked)
    untyped = {v.columns[0] for v in typed.untyped}
    able = [[e for e in each if not untyped & set(about(e))] for each in (asked[1:], extras)]
    added = helper_columns(frame.drop(columns=list(untyped)), schema) | answers
    table = _table() if any(able) else None
    broken, unchecked = _run(table, pd.concat([frame, pd.DataFrame(added)], axis=1), able[0], rows_shown)
    theirs, unanswered = _run_own(table, frame, able[1], rows_shown)
    why = "cells of the column have the wrong type"
    mistyped = [Unchecked(about(e), said(e), why) for e in [*asked[1:], *extras] if untyped & set(about(e))]
    faults = (*typed.untyped, *typed.rounded, *narrow_pattern_faults(schema, len(frame), unique=True))
    return Validation(checked, (*faults, *broken, *theirs), (*unchecked, *unanswered, *mistyped))


def about(e: Expectation) -> tuple[str, ...]:
    """Columns of the table an expectation speaks of."""
    if "columns" in e["meta"]:
        return tuple(e["meta"]["columns"])
    kwargs = e["kwargs"]
    named = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return tuple(dict.fromkeys([*named, *kwargs.get("column_list", ())])) or ("(table)",)


def said(e: Expectation) -> str:
    """What must hold, in words: ours, the user's description, or the expectation's name and arguments."""
    if "rule" in e["meta"]:
        return str(e["meta"]["rule"])
    if e.get("description"):
        return str(e["description"])
    words = {k: v for k, v in e["kwargs"].items() if k not in ("column", "column_A", "column_B", "column_list")}
    return f"{e['type']} {json.dumps(words, default=str) if words else ''}".strip()


def read_suite(path: str | Path) -> list[Expectation]:
    """Expectations of a suite file of the user's own.

    Raises:
        ConfigError: the file holds no suite, or one that Great Expectations does not know.
    """
    path = Path(path)
    remedy = 'Give a JSON file {"name": ..., "expectations": [{"type": ..., "kwargs": {...}}]}'
    try:
        content = read_json(path)
    except OSError as error:
        msg = f"a suite of your own is a file that can be read; however: {path}: {error.strerror}. {remedy}"
        raise ConfigError(msg) from error
    except DocumentError as error:
        msg = f"a suite of your own must be JSON text; however: {path} is not. {remedy}"
        raise ConfigError(msg) from error
    listed = content.get("expectations") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not all(isinstance(e, dict) and isinstance(e.get("type"), str) for e in listed):
        msg = f"a suite of your own must list `expectations`, each with a `type`; however: {path} does not. {remedy}"
        raise ConfigError(msg)
    return [_known(path, k, e) for k, e in enumerate(listed)]


def _known(path: Path, k: int, e: Mapping[str, Any]) -> Expectation:
    """An expectation GX knows, with arguments it takes."""
    gx = _gx()
    try:
        clean = {"type": e["type"], "kwargs": dict(e.get("kwargs") or {}), "meta": {}}
        of = gx.expectations.expectation_configuration.ExpectationConfiguration
        kept = of(**clean).to_domain_obj().configuration.to_json_dict()
        of(type=kept["type"], kwargs=kept["kwargs"]).to_domain_obj()  # in a suite it is written and read again
    except (gx.exceptions.GreatExpectationsError, ValueError, TypeError) as error:
        msg = (
            f"each expectation of a suite must be one Great Expectations knows, with its arguments; however: "
            f"{path}: expectations[{k}] ({e['type']}) is refused ({type(error).__name__}). Correct its type and kwargs"
        )
        raise ConfigError(msg) from error
    return {**clean, "description": e.get("description")}


def _gx() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "False"  # before the import: GX reads it once
    import great_expectations as gx

    return gx


@contextmanager
def _quiet() -> Iterator[None]:
    """No word of GX or pandas to the log or the screen: what they say of a crash may hold values of the table."""
    logger = logging.getLogger("great_expectations")
    before, handlers = logger.propagate, logger.handlers[:]
    logger.propagate, logger.handlers = False, [logging.NullHandler()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.propagate, logger.handlers = before, handlers


def _run(
    table: Any, frame: pd.DataFrame, expectations: list[Expectation], rows_shown: int
) -> tuple[list[Violation], list[Unchecked]]:
    """Ask GX the schema's questions: for yes or no on everything, then for row numbers where the answer was no."""
    questions = stacked(frame, expectations)
    results = _ask_stacks(table, questions, _YES_OR_NO)
    crashed = {k: _crash(r) for q, r in zip(questions, results, strict=True) if _crash(r) for k in q.members}
    failed = [q for q, r in zip(questions, results, strict=True) if not r.success and not _crash(r)]
    rows: dict[int, set[int]] = {}
    for question, result in zip(failed, _ask_stacks(table, failed, _WHICH_ROWS), strict=True):
        for member, where in question.split(_labels(result.result)):
            rows.setdefault(member, set()).update(where.tolist())
    violations = [
        _violation(e, sorted(rows[k]), len(rows[k]), rows_shown) for k, e in enumerate(expectations) if rows.get(k)
    ]
    return violations, [Unchecked(about(expectations[k]), said(expectations[k]), crashed[k]) for k in crashed]


def _run_own(
    table: Any, frame: pd.DataFrame, expectations: list[Expectation], rows_shown: int
) -> tuple[list[Violation], list[Unchecked]]:
    """Ask GX a suite of the user's own as it stands, but for columns that GX would take for others."""
    mistaken = alike([str(name) for name in frame.columns])
    lost = [e for e in expectations if mistaken & {name.casefold() for name in about(e)}]
    why = "names of columns differ only in case, which Great Expectations does not tell apart"
    unchecked = [Unchecked(about(e), said(e), why) for e in lost]
    expectations = [e for e in expectations if e not in lost]
    results = _ask(table, frame, expectations, _YES_OR_NO)
    unchecked += [
        Unchecked(about(e), said(e), _crash(r)) for e, r in zip(expectations, results, strict=True) if _crash(r)
    ]
    failed = [e for e, r in zip(expectations, results, strict=True) if not r.success and not _crash(r)]
    violations = []
    for e, r in zip(failed, _ask(table, frame, failed, _WHICH_ROWS), strict=True):
        labels = _labels(r.result)
        violations.append(_violation(e, labels, int(r.result.get("unexpected_count") or len(labels)), rows_shown))
    return violations, unchecked


_YES_OR_NO = {"result_format": "BOOLEAN_ONLY"}
_WHICH_ROWS = {"result_format": "COMPLETE", "exclude_unexpected_values": True}


def _labels(result: Mapping[str, Any]) -> list[int]:
    """Numbers of the rows that were not as expected, from 0."""
    return sorted(int(i) for i in result.get("unexpected_index_list") or ())


def _violation(e: Expectation, rows: Sequence[int], count: int, rows_shown: int) -> Violation:
    remedy = e["meta"].get("remedy", "correct the table, or change your own suite")
    return Violation(about(e), said(e), count, tuple(i + 1 for i in rows[:rows_shown]), remedy)


def _crash(result: Any) -> str:
    """Names of the errors that kept an expectation from being checked; their texts may hold values of the table."""
    info = result.exception_info or {}
    each = [info] if "raised_exception" in info else list(info.values())
    traces = "".join(str(i.get("exception_traceback")) for i in each if i.get("raised_exception"))
    names = re.findall(r"^(?:\w+\.)*(\w+(?:Error|Exception)\w*)\b", traces, flags=re.MULTILINE)
    return ", ".join(dict.fromkeys(names)) or ("it crashed" if traces else "")


def _ask_stacks(table: Any, questions: list[Stack], result_format: Mapping[str, object]) -> list[Any]:
    """GX's results in the order of the questions; those of one height make one table."""
    results: dict[int, Any] = {}
    for height in dict.fromkeys(q.height for q in questions):
        mine = [k for k, q in enumerate(questions) if q.height == height]
        cells: dict[str, pd.Series] = {}
        expectations = []
        for k in mine:
            named = {side: f"c{len(cells) + j}" for j, side in enumerate(questions[k].sides)}
            cells |= {named[side]: column for side, column in questions[k].columns().items()}
            expectations.append({"type": questions[k].kind, "kwargs": {**questions[k].kwargs, **named}})
        results |= zip(mine, _ask(table, pd.DataFrame(cells, copy=False), expectations, result_format), strict=True)
    return [results[k] for k in range(len(questions))]


def _table() -> Any:
    """What GX takes for a table, whatever frame it is given; made once a validation, which costs as much as an answer.

    Not once a process: a context that the user made meanwhile would be GX's current one, and know nothing of ours.
    """
    context = _gx().get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("whole")


def _ask(
    table: Any, frame: pd.DataFrame, expectations: list[Expectation], result_format: Mapping[str, object]
) -> list[Any]:
    """GX's results in the order of the expectations (it returns them in an order of its own)."""
    if not expectations:
        return []
    numbered = [{"type": e["type"], "kwargs": e["kwargs"], "meta": {"number": k}} for k, e in enumerate(expectations)]
    asked = _gx().ExpectationSuite(name="schema", expectations=numbered)
    with _quiet():
        results = table.get_batch({"dataframe": frame}).validate(asked, result_format=result_format).results
    by_number = {r.expectation_config.meta["number"]: r for r in results}
    return [by_number[k] for k in range(len(expectations))]
