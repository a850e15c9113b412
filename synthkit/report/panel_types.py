"""Typed dicts of the panels of an evaluation: the aggregates that charts and tables of a report are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

Matrix = Sequence[Sequence[float | None]]


class DistributionPanel(TypedDict):
    """Shares of rows by bin of one column."""

    column: str
    kind: str
    bins: Sequence[str]
    train: Sequence[float]
    holdout: NotRequired[Sequence[float] | None]
    synthetic: Sequence[float]
    error: NotRequired[float | None]
    reference: NotRequired[float | None]


class PairErrorsPanel(TypedDict):
    """Total variation distances of tables of two columns, as a matrix over columns."""

    columns: Sequence[str]
    error: Matrix
    reference: NotRequired[Matrix | None]
    of: NotRequired[int]


class CorrelationPanel(TypedDict):
    """Correlations of real and of synthetic columns, as matrices."""

    columns: Sequence[str]
    real: Matrix
    synthetic: Matrix


class WorstCellPanel(TypedDict):
    """A cell of a table of two columns whose counts lie far apart; counts too small to be shown are texts."""

    columns: Sequence[str]
    cell: Sequence[str] | str
    holdout: float | str
    synthetic: float | str
    holdout_rows: NotRequired[int | None]
    synthetic_rows: NotRequired[int | None]


class MissingnessPanel(TypedDict):
    """Shares of missing cells of one column."""

    column: str
    train: float | None
    holdout: NotRequired[float | None]
    synthetic: float | None


class RocPanel(TypedDict):
    """A receiver operating characteristic as two lists."""

    fpr: Sequence[float]
    tpr: Sequence[float]


class FeaturePanel(TypedDict):
    """How much one column helps a classifier."""

    column: str
    importance: float


class DetectionPanel(TypedDict):
    """What a classifier reaches that tells synthetic from real rows."""

    auc: NotRequired[float | None]
    low: float
    high: float
    features: NotRequired[Sequence[FeaturePanel]]
    roc: NotRequired[RocPanel]


class TellingColumnPanel(TypedDict):
    """AUC of telling synthetic from real rows by one column, and that of training rows in place of the synthetic."""

    column: str
    auc: float
    low: float
    high: float
    reference: float


class TellingPairPanel(TypedDict):
    """AUC by two columns, by the better of them alone, and what the second adds; the same gain of training rows."""

    columns: Sequence[str]
    auc: float
    single: float
    gain: float
    low: float
    high: float
    reference: float


class TellingColumnsPanel(TypedDict):
    """The most telling columns, of so many."""

    columns: Sequence[TellingColumnPanel]
    of: int


class TellingPairsPanel(TypedDict):
    """The most telling pairs of columns, of so many."""

    pairs: Sequence[TellingPairPanel]
    of: int


class LearnerCellPanel(TypedDict):
    """One learner, trained on one kind of rows and tested on another."""

    learner: str
    trained_on: str
    tested_on: str
    value: float | None
    low: float | None
    high: float | None


class GapPanel(TypedDict):
    """The loss by training on synthetic rows."""

    value: float
    low: float | None
    high: float | None


class NonInferiorityPanel(TypedDict):
    """Whether a loss is shown to be smaller than a margin."""

    verdict: str
    margin: float


class UtilityPanel(TypedDict):
    """What can be predicted of one target."""

    target: str
    task: str
    metric: str
    cells: Sequence[LearnerCellPanel]
    gap: NotRequired[GapPanel | None]
    non_inferiority: NotRequired[NonInferiorityPanel | None]


class SampleSizePanel(TypedDict):
    """Errors of real samples by their size, and the error of the synthetic rows."""

    sizes: Sequence[int]
    errors: Sequence[float]
    synthetic_error: float
    equivalent: NotRequired[float | None]


class TrainingPanel(TypedDict):
    """Losses by step of training."""

    steps: Sequence[int]
    train: Sequence[float | None]
    validation: NotRequired[Sequence[float | None] | None]
    best_step: NotRequired[int | None]


class RulePanel(TypedDict):
    """A declared rule, and how many of the rows looked at break it."""

    sentence: str
    violations: int
    rows: int


class SurvivalPanel(TypedDict):
    """Two Kaplan-Meier curves with their bands."""

    target: str
    event: str
    times: Sequence[float]
    real: Sequence[float]
    real_low: Sequence[float]
    real_high: Sequence[float]
    synthetic: Sequence[float]
    synthetic_low: Sequence[float]
    synthetic_high: Sequence[float]


_SameSign = TypedDict("_SameSign", {"same sign": float})  # a key with a space


class EffectsPanel(_SameSign):
    """Estimates of effects with their intervals, from real and from synthetic rows; the share of one sign."""

    target: str
    names: Sequence[str]
    real: Sequence[float | None]
    real_low: Sequence[float | None]
    real_high: Sequence[float | None]
    synthetic: Sequence[float | None]
    synthetic_low: Sequence[float | None]
    synthetic_high: Sequence[float | None]


class ReliabilityCurve(TypedDict):
    """Observed risk by predicted risk."""

    predicted: Sequence[float]
    observed: Sequence[float]


class CalibrationPanel(TypedDict):
    """Reliability of models trained on real and on synthetic rows."""

    target: str
    real: ReliabilityCurve
    synthetic: ReliabilityCurve


class SubgroupPanel(TypedDict):
    """One measure in one group of units; of groups that are too small nothing but the name."""

    group: str
    measure: str
    suppressed: bool
    target: NotRequired[str | None]
    units: NotRequired[int]
    similarity: NotRequired[float]
    gap: NotRequired[float]
    low: NotRequired[float]
    high: NotRequired[float]
    reference: NotRequired[float | None]


class AttackCheckPanel(TypedDict):
    """A condition that conclusions from an attack rest on."""

    name: str
    holds: bool
    measured: float
    limit: float
    words: str


class AttackStratumPanel(TypedDict):
    """What attacks reach among some of the units."""

    epsilon_lower_bound: float
    attacks: NotRequired[Mapping[str, object]]


class MembershipPanel(TypedDict):
    """Attacks on membership: their design, preconditions, tests and curve."""

    design: str
    units: int
    checks: Sequence[AttackCheckPanel]
    p: Mapping[str, float]
    strata: Mapping[str, AttackStratumPanel]
    roc: NotRequired[RocPanel]


class GapLinePanel(TypedDict):
    """Similarity of tables of so many columns to the rows trained on and to the holdout, and of these to each other."""

    ways: int
    train: float
    holdout: float
    floor: float
    gap: float
    low: float
    high: float
    p: float


class GeneralisationPanel(TypedDict):
    """Generalisation gaps, each part of so many rows."""

    rows: int
    gaps: Sequence[GapLinePanel]


class AttackedUnitsPanel(TypedDict):
    """How many units were attacked, and how many could have been."""

    trained_on: int
    attacked_trained_on: int
    attacked_held_out: int
    reference: int
    held_out: int


class CopiedUnitsPanel(TypedDict):
    """Units that one set of columns gives away: those with a copy, and all that can be told apart by it."""

    set: str
    trained: tuple[int, int]
    held: tuple[int, int]


class CopyingPanel(TypedDict, total=False):
    """Copies by set of columns."""

    excess: Sequence[CopiedUnitsPanel]


class Panels(TypedDict, total=False):
    """All panels of an evaluation by name; what was not measured is not there."""

    distributions: Sequence[DistributionPanel]
    pairs: PairErrorsPanel
    correlation: CorrelationPanel
    worst_cells: Sequence[WorstCellPanel]
    missingness: Sequence[MissingnessPanel]
    detection: DetectionPanel
    telling_columns: TellingColumnsPanel
    telling_pairs: TellingPairsPanel
    utility: Sequence[UtilityPanel]
    sample_size: SampleSizePanel
    training: TrainingPanel
    rules: Sequence[RulePanel]
    survival: Sequence[SurvivalPanel]
    effects: Sequence[EffectsPanel]
    calibration: Sequence[CalibrationPanel]
    subgroups: Sequence[SubgroupPanel]
    membership: MembershipPanel
    generalisation: GeneralisationPanel
    identity: Mapping[str, object]
    people: AttackedUnitsPanel
    copying: CopyingPanel
