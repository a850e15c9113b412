"""Which model, and of which size, for a table of so many rows and columns: a page of thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AUTO = "auto"
SMALL_TABLE_ROWS = (
    2_000  # rows; half the width has the lower test loss on adult by .35 nats at 300 rows, .15 at 1,000, 0 at 3,000
)
MOSTLY_NUMERIC = (
    0.8  # share of columns; below FEW rows of numbers diffusion is harder to tell from real rows, see docs/models.md
)
WIDE_TABLE_COLUMNS = 150  # columns above which the network's width is what costs memory and time


@dataclass(frozen=True, kw_only=True)
class TableSize:
    """What is known before anything is learned; nothing here looks at a value.

    Args:
        rows: training rows; None under a budget, which is not spent on that.
        columns: columns to learn.
        numeric: how many of them are numbers or dates.
        device: where it will run: `cpu`, `cuda` or `mps`.
    """

    rows: float | None
    columns: int
    numeric: int
    device: str


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """A model, its size, and the reason.

    Args:
        model: its name.
        settings: what is set other than its defaults.
        why: one line.
    """

    model: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    why: str


def choose_model(task: TableSize) -> ModelChoice:
    """The model and its size for a table.

    Example:
        >>> choose_model(TableSize(rows=30_000, columns=15, numeric=6, device="cpu")).why
        'autoregressive: the most faithful model for 30,000 rows of 15 columns, in its usual size'
        >>> choose_model(TableSize(rows=300, columns=30, numeric=30, device="cpu")).model
        'diffusion'
    """
    if task.rows is None:
        return ModelChoice(model="marginal", why="marginal: under a budget, tables of counts say most for it")
    table = f"{task.rows:,.0f} rows of {task.columns} columns"
    small = {"width": 64, "hidden": 32}
    if task.columns > WIDE_TABLE_COLUMNS:
        why = f"half its usual width, for {table} are wide"
        return ModelChoice(model="autoregressive", settings=small, why=f"autoregressive: {why}")
    if task.rows < SMALL_TABLE_ROWS and task.numeric >= MOSTLY_NUMERIC * task.columns:
        why = f"smooth laws of numbers serve {table}, nearly all of them numbers, better than cells"
        return ModelChoice(model="diffusion", why=f"diffusion: {why}")
    if task.rows < SMALL_TABLE_ROWS:
        return ModelChoice(
            model="autoregressive", settings=small, why=f"autoregressive: half its usual width, for {table} are few"
        )
    return ModelChoice(
        model="autoregressive", why=f"autoregressive: the most faithful model for {table}, in its usual size"
    )
