"""Rows that happen once under a condition: whatever the order of the columns, and the limits of what can be kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthkit.errors import UnsupportedError
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

KINDS, STATES = list("abcd"), ["open", "halted", "done"]
LEVELS = {"kind": KINDS, "status": STATES}


def schema(order: list[str], rule: dict[str, object]) -> LinkedSchema:
    """People and their tasks, the columns of a task in some order."""
    columns = {c: {"kind": "categorical", "levels": LEVELS[c]} for c in order}
    tasks = {
        "links": [{"columns": ["id"], "to": "people", "kind": "owner"}],
        "columns": {"id": {"kind": "identifier"}, **columns},
    }
    people = {"key": ["id"], "columns": {"id": {"kind": "identifier"}}}
    rules = [{"rule": "once", "table": "tasks", **rule}]
    return LinkedSchema.parse({"unit": "people", "tables": {"people": people, "tasks": tasks}, "rules": rules})


def tables(once: list[str], n: int = 60) -> dict[str, pd.DataFrame]:
    """Tasks of which no two that are done agree in some columns."""
    rng = np.random.default_rng(0)
    ids = np.array([f"p{k}" for k in range(n)])
    owner = np.repeat(np.arange(n), rng.integers(0, 6, n))
    cells = {name: rng.choice(levels, len(owner)) for name, levels in LEVELS.items()}
    tasks = pd.DataFrame({"id": ids[owner], **cells})
    return {"people": pd.DataFrame({"id": ids}), "tasks": tasks[~again(tasks, once)]}


def again(tasks: pd.DataFrame, once: list[str]) -> pd.Series:
    """Tasks that are done and whose like was done before."""
    return tasks["status"].eq("done") & tasks.where(tasks["status"] == "done").duplicated(["id", *once])


@pytest.mark.parametrize("order", [["kind", "status"], ["status", "kind"]])
@pytest.mark.parametrize("once", [["kind"], ["status"], ["kind", "status"], []])
def test_rows_come_once_where_a_condition_is_met(order: list[str], once: list[str]) -> None:
    """The condition is drawn first or last, and may speak of a column that comes once itself."""
    rule = {"columns": once, "when": {"status": {"in": ["done"]}}} if once else {"when": {"status": {"in": ["done"]}}}
    real = tables(once)
    drawn = LinkedSynthesizer(schema(order, rule), "independent", seed=1, device="cpu").fit(real).sample(400, seed=2)
    assert drawn["tasks"]["status"].eq("done").sum() > 50
    assert not again(drawn["tasks"], once).any()


def test_too_many_combinations_are_refused() -> None:
    """Before anything is learned; a level by itself could be kept."""
    levels = [f"k{k}" for k in range(300)]
    content = schema(["kind", "status"], {"columns": ["kind", "status"]}).model_dump(by_alias=True, exclude_none=True)
    for column in LEVELS:
        content["tables"]["tasks"]["columns"][column]["levels"] = levels
    real = tables(["kind"])
    real["tasks"] = real["tasks"].assign(kind=levels[: len(real["tasks"])], status="k0")
    with pytest.raises(UnsupportedError, match=r"65,536 combinations at most; however: `tasks` has more"):
        LinkedSynthesizer(LinkedSchema.parse(content), "independent", seed=1, device="cpu").fit(real)
