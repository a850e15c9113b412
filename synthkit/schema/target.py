"""A prediction task: the column somebody wants to predict, and how."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Target(BaseModel):
    """A column somebody wants to predict, and how.

    Args:
        column: the outcome; for survival, the time.
        task: kind of prediction.
        event: for survival, the column that says whether the event was seen.
        positive: for binary tasks, the level that counts as the event.
        exclude: columns a model must not use, because they are known only after the outcome or are made from it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    task: Literal["binary", "multiclass", "regression", "survival"]
    event: str | None = None
    positive: Any = None
    exclude: tuple[str, ...] = ()
