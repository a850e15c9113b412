"""Typed dicts of the JSON that a report is drawn from: facts of the run, ledger, statement, gate and validations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict, cast

from synthkit.io.json_types import JSON

RowCounts = int | Mapping[str, int | Sequence[int]]  # of the synthetic table alone, or by table and draw


class RakedPool(TypedDict):
    """Sizes of a draw whose rows were selected from a pool so that their margins match."""

    rows: int
    pool: int


_PoolCounts = TypedDict("_PoolCounts", {"pool trained on": int, "pool held out": int})  # keys with spaces


class SplitCounts(_PoolCounts):
    """Units by role, as `Split.people` gives them, and how many were attacked in each fit."""

    units: int
    train: int
    reference: int
    test: int
    attacked: Sequence[int]


class RunFacts(TypedDict, total=False):
    """Facts of a run, an evaluation or a comparison, as its JSON holds them."""

    table: str
    source: str
    model: str
    why: str
    version: str
    date: str
    command: str
    seed: int
    quick: bool
    rows: RowCounts
    measured: RowCounts
    released: Sequence[int]
    draws: int
    columns: int | Sequence[str] | None
    calibrated: RakedPool
    watermark: JSON
    audited: str
    compared: JSON
    people: SplitCounts
    config: Mapping[str, JSON]
    settings: JSON
    hardware: JSON
    packages: Mapping[str, str]
    seconds: Mapping[str, float]


class ChargeJson(TypedDict):
    """A charge of a ledger."""

    what: str
    mechanism: str
    times: int
    detail: NotRequired[Mapping[str, JSON] | str | None]
    inside: NotRequired[bool]


class LedgerJson(TypedDict, total=False):
    """A ledger, `synthkit-ledger/2`."""

    epsilon: float | None
    unit: str | None
    charges: Sequence[ChargeJson]
    parts: Sequence[JSON]


class PrivacyParametersJson(TypedDict):
    """Epsilon and delta; None where nothing is claimed."""

    epsilon: float | None
    delta: float | None


class PrivacyLossJson(TypedDict):
    """What one unit loses at most."""

    privacy_parameters: PrivacyParametersJson


class DataTouchJson(TypedDict):
    """One thing that was learned from real rows, and how it is covered."""

    what: str
    covered: str


class ContributionJson(TypedDict):
    """How many rows of a unit are used; of linked tables by table too."""

    max_rows_per_unit: int | None
    by_unit: NotRequired[Mapping[str, int]]


class StatementJson(TypedDict):
    """A privacy statement, `synthkit-statement/1`."""

    privacy_loss: PrivacyLossJson
    sentences: Sequence[str]
    data_touches: Sequence[DataTouchJson]
    curve: Sequence[tuple[float, float]]
    end_to_end_dp: bool
    libraries: Mapping[str, str]
    contribution_bound: NotRequired[ContributionJson]


class GateLineJson(TypedDict):
    """A line of a gate: one limit of a policy, and what it was held against."""

    item: str
    clause: str
    measured: float | None
    bound: float | None
    limit: JSON
    verdict: str
    why: str
    sense: NotRequired[str]
    grade: NotRequired[str]


class PolicyJson(TypedDict):
    """Who decided on the limits of a policy."""

    id: str
    owner: str
    justification: NotRequired[str | None]
    decided: NotRequired[str | None]


class GateJson(TypedDict):
    """What a policy decided, `synthkit-gate/1`."""

    policy: PolicyJson
    lines: Sequence[GateLineJson]
    verdict: str
    valid_until: NotRequired[str | None]


class ViolationJson(TypedDict):
    """A rule of a schema that is broken."""

    columns: Sequence[str]
    rule: str
    count: int


class ChecksJson(TypedDict):
    """How much was checked."""

    expectations: int


class ValidationJson(TypedDict):
    """The validation of one table, `synthkit-validation/1`."""

    success: bool
    checked: ChecksJson
    violations: Sequence[ViolationJson]
    unchecked: Sequence[JSON]


def run_facts(run: Mapping[str, object]) -> RunFacts:
    """Facts of a run as they lie in an evaluation or a run.json."""
    return cast("RunFacts", dict(run))
