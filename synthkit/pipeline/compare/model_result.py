"""What became of one model of a comparison: its scores and costs, or why there are none."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from synthkit.errors import ArtefactError
from synthkit.io.documents import MALFORMED_DATA_ERRORS, read_json
from synthkit.io.json_types import JSONDict, JSONObject

FORMAT = "synthkit-outcome/1"
RESULT = "result.json"


@dataclass(frozen=True, kw_only=True)
class ModelResult:
    """One model or reference: what it scored, what it cost, or why it failed.

    Args:
        name: of the model or the reference.
        reference: whether it was made by others.
        settings: those it was given; the rest are its defaults.
        reason: why it failed; empty if it did not.
        scores: every score as plain data: metric, value, low, high, goal, reference.
        failures: metrics that could not run, each with its reason.
        seconds: wall-clock seconds of fit, sample and evaluate.
        cpu_seconds: processor seconds of fit and sample, over all threads.
        rows_per_second: rows drawn in a second.
        peak_mib: most memory the process held until the last row was drawn, libraries and tables included; MiB.
        rows: rows of each draw.
        broken_rows: rows, of all draws, that break a declared rule.
        broken_rules: declared rules that some row breaks.
        rules: declared rules.
        notes: what a reader must know of it, in sentences.
    """

    name: str
    reference: bool
    settings: JSONObject = field(default_factory=dict)
    reason: str = ""
    scores: tuple[JSONObject, ...] = ()
    failures: tuple[Mapping[str, str], ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    rows_per_second: float | None = None
    peak_mib: float | None = None
    rows: tuple[int, ...] = ()
    broken_rows: int = 0
    broken_rules: int = 0
    rules: int = 0
    notes: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether it was fitted, drawn from and measured."""
        return not self.reason

    def score(self, metric: str) -> JSONObject | None:
        """The score called `metric`, open ends of its interval infinite; None if it was not measured."""
        for score in self.scores:
            if score["metric"] == metric and score["value"] is not None:
                low, high = score["low"], score["high"]
                return {**score, "low": -math.inf if low is None else low, "high": math.inf if high is None else high}
        return None

    def to_dict(self) -> JSONDict:
        """As plain data."""
        return asdict(self)

    def to_json(self) -> str:
        """JSON text in the format `synthkit-outcome/1`; infinite ends of intervals become null."""
        return json.dumps(_finite({"format": FORMAT, **self.to_dict()}), indent=1, allow_nan=False, ensure_ascii=False)

    @classmethod
    def read(cls, path: Path) -> ModelResult:
        """The outcome in a file.

        Raises:
            ArtefactError: the file holds none, or is damaged.
        """
        try:
            data: JSONDict = read_json(path)
            said = data.pop("format")
            lists = {k: tuple(data[k]) for k in ("scores", "failures", "rows", "notes")}
            outcome = cls(**{**data, **lists})
        except (OSError, *MALFORMED_DATA_ERRORS) as error:
            msg = (
                f"{path} must hold an outcome in format {FORMAT}; however: it cannot be read ({type(error).__name__}). "
                "Remove its folder and compare again"
            )
            raise ArtefactError(msg) from error
        if said != FORMAT:
            msg = f"{path} must have format {FORMAT}; however: {said!r}. Remove its folder and compare again"
            raise ArtefactError(msg)
        return outcome


def _finite(x: Any) -> Any:
    if isinstance(x, Mapping):
        return {str(k): _finite(v) for k, v in x.items()}
    if isinstance(x, list | tuple):
        return [_finite(v) for v in x]
    return None if isinstance(x, float) and not math.isfinite(x) else x
