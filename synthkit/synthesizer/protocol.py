"""Table in, table out: what a comparison asks of whatever makes synthetic rows, ours or somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.schema import Schema


@runtime_checkable
class SynthesizerProtocol(Protocol):
    """What learns a table and draws new rows of it: `Synthesizer`, or a `ReferenceSynthesizer` made elsewhere."""

    schema: Schema

    def fit(
        self, table: pd.DataFrame, *, seed: int | None = None, progress: Callable[[int, int, float], None] | None = None
    ) -> SynthesizerProtocol:
        """Learn a table; `progress` is called with step, steps and loss."""
        ...

    def sample(self, n: int, *, seed: int | None = None) -> pd.DataFrame:
        """Draw n rows: the schema's columns in order; same seed, same rows."""
        ...
