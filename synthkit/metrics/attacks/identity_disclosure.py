"""Identity disclosure: replicated uniques, disclosive groups, singling out and linkability of members and others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthkit.errors import MetricError
from synthkit.io.json_types import JSON
from synthkit.metrics.attacks import record_matching
from synthkit.metrics.attacks.population_disclosure import MEANINGFUL_LABELS, meaningful
from synthkit.metrics.attacks.risk_difference import RiskDifference, coin_p_value
from synthkit.metrics.attacks.secret_inference import distinct_points
from synthkit.metrics.attacks.secrets import Knowledge
from synthkit.metrics.attacks.singling_out import (
    SinglingOutRates,
    extremes,
    logs_of_shares,
    singling_out_rates,
    subsets,
    true_of_one,
)
from synthkit.metrics.attacks.value_combinations import column_codes, combinations, joint
from synthkit.metrics.metric import MetricLabel, MetricSpec
from synthkit.metrics.result import Failure, Found, Panels, Score, Scored
from synthkit.metrics.stats.binning import numbers, quantities

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from synthkit.metrics.evaluation_data import EvaluationData

MAX_LINKED_ROWS = 50_000  # synthetic rows among which the most similar are sought
LINKED_NEIGHBOURS = (1, 5)
NO_QUASI_IDENTIFIERS = "not assessed: the schema declares no `quasi_identifiers`"
NO_POPULATION_COUNTS = "not assessed: no population counts were given"
EXPECTED_ANYWAY = "Matches as frequent among people who were not in the data would have come about without them"


def identity(comparison: EvaluationData, rng: np.random.Generator) -> Found:
    """Replicated uniques, disclosive groups, exact matches and singling out, each of members beside non-members.

    With counts of the population also meaningful identity disclosure.

    Uniqueness is counted among all who are attacked, so that nothing that is compared depends on who was trained on.
    Levels of keys are kept apart; quantities among the keys are cut into at most 20 parts with about equal shares of
    the reference, one with 20 values or fewer keeps them. One random row stands for a unit.

    Raises:
        MetricError: nobody can be attacked.

    References:
        Privacy Risk from Synthetic Data: Practical Proposals (Raab, 2024); SDNist (National Institute of Standards
        and Technology, 2023) for unique exact matches.
    """
    frames = [[fit.attacked.one_row_each(rng), fit.released, fit.train] for fit in comparison.fits]
    scores: Sequence[Score]
    panel: Panels
    scores, panel = _exact(comparison, frames)
    if comparison.schema.quasi_identifiers:
        found, drawn = _by_keys(comparison, frames)
        scores, panel = [*found, *scores], {**panel, **drawn}
    else:
        panel = {**panel, "keys": NO_QUASI_IDENTIFIERS}
    found, drawn = _singled_out(comparison, rng)
    among, disclosed = _in_population(comparison, rng)
    return [*scores, *found, *among], {"identity": {**panel, **drawn, "meaningful": disclosed}}


def _in_population(comparison: EvaluationData, rng: np.random.Generator) -> tuple[Sequence[Score | Failure], JSON]:
    """Meaningful identity disclosure where counts were given; what cannot be used fails by itself."""
    if comparison.population is None:
        return [], NO_POPULATION_COUNTS
    try:
        return meaningful(comparison, comparison.population, rng)
    except MetricError as error:
        return [Failure(metric="identity.meaningful", reason=str(error))], f"failed: {error}"


def linkability(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    """Whose two halves of columns lead to one synthetic row: members beside non-members.

    Halves are the quasi-identifiers and all other columns, or the two halves of the columns where none are declared. A
    person is linked if a synthetic row is at one of the k nearest points by both halves; rows equal in a half are one
    point.

    Raises:
        MetricError: nobody can be attacked, or there is only one column.

    References:
        A Unified Framework for Quantifying Privacy Risk in Synthetic Data (Giomi, Boenisch, Wehmeyer & Tasnádi, 2023).
    """
    halves = _halves(comparison)
    found = [_linked(fit, halves, rng) for fit in comparison.fits]
    scores, panel = [], {}
    for k in LINKED_NEIGHBOURS:
        holds = np.concatenate([each[k] for each in found])
        note = (
            f"People for whom one synthetic row is at one of the {k} nearest points by {len(halves[0])} of the columns "
        )
        note += f"and by the other {len(halves[1])}: members less non-members. {EXPECTED_ANYWAY}. Newcombe interval."
        scores.append(_score(f"linkability.k{k}", holds, comparison, note))
        panel[f"k{k}"] = RiskDifference.of(holds, comparison.everybody.member).plain()
    return scores, {"identity": {"linkability": {**panel, "halves": [list(names) for names in halves]}}}


def _linked(
    fit: EvaluationData, halves: Sequence[tuple[str, ...]], rng: np.random.Generator
) -> dict[int, NDArray[np.bool_]]:
    """Whether each person attacked in a fit is linked, by number of neighbours."""
    people, rows = fit.attacked.one_row_each(rng), fit.released
    if len(rows) > MAX_LINKED_ROWS:
        rows = rows.iloc[np.sort(rng.choice(len(rows), MAX_LINKED_ROWS, replace=False))]
    near, of = [], []
    for names in halves:
        known = Knowledge.of(names, fit.schema, fit.attacked.reference, people)
        points, place = distinct_points(known.space.coordinates(rows))
        near.append(known.space.nearest(known.at, points, min(max(LINKED_NEIGHBOURS), len(points)))[1])
        of.append(place)
    return {k: record_matching.linked(near[0][:, :k], near[1][:, :k], of[0], of[1]) for k in LINKED_NEIGHBOURS}


def _halves(comparison: EvaluationData) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = comparison.schema.described
    keys = tuple(name for name in names if name in comparison.schema.quasi_identifiers)
    rest = tuple(name for name in names if name not in keys)
    if keys and rest:
        return keys, rest
    if len(names) < 2:
        msg = "linking needs two columns, one for each half; however: the schema has one to learn"
        raise MetricError(msg)
    return names[: len(names) // 2], names[len(names) // 2 :]


@dataclass(frozen=True, kw_only=True)
class _Keys:
    """Quasi-identifiers of one fit as codes: of those attacked, of synthetic rows and of training rows."""

    columns: Mapping[str, Sequence[NDArray[np.int64]]]
    people: NDArray[np.int64]
    synthetic: NDArray[np.int64]
    train: NDArray[np.int64]

    @classmethod
    def of(cls, frames: Sequence[pd.DataFrame], fit: EvaluationData, names: Sequence[str]) -> _Keys:
        """Codes of the columns `names`, equal for equal values in all three tables."""
        columns = {name: column_codes(frames, fit.schema, name, fit.attacked.reference) for name in names}
        people, synthetic, train = joint(list(columns.values()))
        return cls(columns=columns, people=people, synthetic=synthetic, train=train)


def _by_keys(comparison: EvaluationData, frames: Sequence[Sequence[pd.DataFrame]]) -> Scored:
    """Replicated uniques, and what groups of equal keys disclose; shares of the training rows are of the first fit."""
    schema, member = comparison.schema, comparison.everybody.member
    names = [name for name in schema.described if name in schema.quasi_identifiers]
    keys = [_Keys.of(each, fit, names) for each, fit in zip(frames, comparison.fits, strict=True)]
    first = keys[0]
    holds = np.concatenate([record_matching.replicated_unique(each.people, each.synthetic) for each in keys])
    note = f"People unique by {len(names)} quasi-identifiers whose combination one synthetic row has: members less "
    note += f"non-members. {EXPECTED_ANYWAY}. Newcombe interval."
    alone = np.concatenate([record_matching.unique(each.people) for each in keys])
    panel: dict[str, JSON] = {
        "keys": names,
        "replicated_uniques": {
            **RiskDifference.of(holds, member).plain(),
            "train": float(record_matching.replicated_unique(first.train, first.synthetic).mean()),
        },
        "uniques": {
            "members": float(alone[member].mean()),
            "non_members": float(alone[~member].mean()),
            "train": float(record_matching.unique(first.train).mean()),
        },
    }
    secrets = [name for name in schema.secrets if name in schema.described and name not in names]
    found = [_disclosed_groups(secret, keys, frames, comparison) for secret in secrets]
    scores = [_score("replicated_uniques", holds, comparison, note), *(score for score, _ in found)]
    return scores, {**panel, "disclosive": [each for _, each in found]}


def _disclosed_groups(
    secret: str, keys: Sequence[_Keys], frames: Sequence[Sequence[pd.DataFrame]], comparison: EvaluationData
) -> tuple[Score, JSON]:
    """Of whom all synthetic rows with their keys say one secret, and it is theirs."""
    codes = [column_codes(each, comparison.schema, secret) for each in frames]
    found = [
        record_matching.disclosed(key.people, code[0], key.synthetic, code[1])
        for key, code in zip(keys, codes, strict=True)
    ]
    first, holds, (mine, said, trained) = keys[0], np.concatenate(found), codes[0]
    anyway = record_matching.expected_anyway(found[0], mine, {name: each[0] for name, each in first.columns.items()})
    records = int(found[0].sum())
    return _disclosive(secret, holds, anyway, comparison, records), {
        "secret": secret,
        **RiskDifference.of(holds, comparison.everybody.member).plain(),
        "train": float(record_matching.disclosed(first.train, trained, first.synthetic, said).mean()),
        "train_itself": float(record_matching.disclosed(first.train, trained, first.train, trained).mean()),
        "one_way": anyway.one_way,
        "two_way": list(anyway.two_way),
        "expected_records": anyway.records,
        "records": records,
    }


def _disclosive(
    secret: str,
    holds: NDArray[np.bool_],
    anyway: record_matching.ExpectedMatches,
    comparison: EvaluationData,
    records: int,
) -> Score:
    note = (
        f"People of whom all synthetic rows with their quasi-identifiers say one `{secret}`, and it is theirs: members "
    )
    note += f"less non-members. {EXPECTED_ANYWAY}. Newcombe interval."
    if anyway.one_way or anyway.two_way:
        note += f" {anyway.records:,} of {records:,} could be expected by anyone who knows the subject."
    parts = {"expected anyway": anyway.records / max(1, records)}
    return _score(f"disclosive.{secret}", holds, comparison, note, parts)


def _exact(comparison: EvaluationData, frames: Sequence[Sequence[pd.DataFrame]]) -> Scored:
    """Unique rows that occur among the synthetic ones, equal in every learned column."""
    schema = comparison.schema
    found = [combinations(each, schema, schema.described) for each in frames]
    _, theirs, train = found[0]
    holds = np.concatenate([record_matching.unique_match(mine, said) for mine, said, _ in found])
    note = "People unique by all columns of whom a synthetic row is an exact copy: members less non-members. "
    note += f"{EXPECTED_ANYWAY}. "
    note += "Newcombe interval."
    panel = {
        **RiskDifference.of(holds, comparison.everybody.member).plain(),
        "train": float(record_matching.unique_match(train, theirs).mean()),
    }
    return [_score("unique_exact_matches", holds, comparison, note)], {"unique_exact_matches": panel}


def _singled_out(comparison: EvaluationData, rng: np.random.Generator) -> Scored:
    pool = comparison.everybody
    found = np.concatenate([statements(fit, rng) for fit in comparison.fits])
    per = "replacing one person by another" if pool.design == "pairs" else "adding or removing one person"
    scores, panel = [], {}
    for clearest in (False, True):
        each = singling_out_rates(found, pool.member, pool.pair, clearest=clearest)
        name = "singling_out.clearest" if clearest else "singling_out"
        whom = "people" if not clearest else "people with the most surprising statements, a hundredth or 20 of those"
        scores.append(_odds(name, each, whom, per))
        panel[name.replace(".", "_")] = {
            **each.at._asdict(),
            "people": each.people,
            "members": each.members,
            "p": each.p,
        }
        panel[name.replace(".", "_")]["epsilon_lower_bound"] = each.epsilon
    return scores, panel


def _odds(name: str, each: SinglingOutRates, whom: str, per: str) -> Score:
    return Score(
        metric=f"identity.{name}",
        value=each.at.value,
        low=each.at.low,
        high=each.at.high,
        goal="low",
        reference=0.5,
        parts={"people": each.people, "members": each.members, "p": each.p, "epsilon lower bound": each.epsilon},
        note=f"Members among {each.people:,} {whom} of whom a statement is true that is true of nobody else and of one "
        f"synthetic row; 1/2 if nothing was learned of anybody. p = {each.p:.2g}; at least epsilon {each.epsilon:.2f} "
        f"was lost, for {per}. Clopper-Pearson interval.",
    )


def statements(comparison: EvaluationData, rng: np.random.Generator) -> NDArray[np.float64]:
    """Surprise of the most surprising statement that is true of each person alone, -inf if none is. **Shape**: -> (m,).

    A statement says which values a person has in at most four columns, or that a quantity lies beyond all synthetic
    ones; it is true of one synthetic row. Its surprise is minus the logarithm of the number of rows it would be true
    of if columns were independent. Sets of columns take turns: exact values, and quantities cut into 20 parts.
    """
    pool, schema = comparison.attacked, comparison.schema
    frames, units = [comparison.released, pool.frame], len(pool.member)
    exact, rough = (
        [column_codes(frames, schema, name, cut_on) for name in schema.described] for cut_on in (None, pool.reference)
    )
    ways = [(codes, [logs_of_shares(*column) for column in codes]) for codes in (exact, rough)]
    found = np.full(units, -np.inf)
    for turn, chosen in enumerate(subsets(len(exact), rng)):
        columns, shares = ways[0] if len(chosen) == 1 else ways[turn % 2]
        theirs, ours = joint([columns[c] for c in chosen])
        surprise = -np.log(len(theirs)) - np.sum([shares[c] for c in chosen], axis=0)
        found = np.maximum(found, true_of_one(theirs, ours, pool.unit, surprise, units))
    for name in quantities(schema):
        ends = extremes(numbers(frames[0][name]), numbers(frames[1][name]), pool.unit, units)
        found = np.maximum(found, ends)
    return found


def _score(
    name: str, holds: NDArray[np.bool_], comparison: EvaluationData, note: str, parts: dict[str, float] | None = None
) -> Score:
    pool = comparison.everybody
    excess = RiskDifference.of(holds, pool.member)
    matched, anyway = int(holds[pool.member].sum()), excess.non_members * excess.counts[0]
    note += f" Of {matched:,} matches {min(matched, anyway):,.0f} would have come about anyway."
    return Score(
        metric=f"identity.{name}",
        value=excess.at.value,
        low=excess.at.low,
        high=excess.at.high,
        goal="low",
        reference=0.0,
        parts={
            "members": excess.members,
            "non-members": excess.non_members,
            "p": coin_p_value(holds, pool.member, pool.pair),
            **(parts or {}),
        },
        note=note,
    )


IDENTITY_SPEC = MetricSpec(
    name="identity",
    measure=identity,
    labels={
        "identity.replicated_uniques": MetricLabel(
            "Unique people found again", "Who is unique by what outsiders know, and so is one synthetic row.", "share"
        ),
        "identity.disclosive": MetricLabel(
            "Group that gives a secret away",
            "Synthetic rows with one's keys all tell one secret, and it is true.",
            "share",
        ),
        "identity.unique_exact_matches": MetricLabel(
            "Unique people copied whole", "Equal to a synthetic row throughout.", "share"
        ),
        "identity.singling_out": MetricLabel(
            "Singled out who are members",
            "Of people that a statement read off synthetic rows is true of alone.",
            "share",
        ),
        "identity.singling_out.clearest": MetricLabel(
            "Singled out who are members, clearest cases",
            "The same of people that most statements single out.",
            "share",
        ),
        **MEANINGFUL_LABELS,
    },
)
LINKABILITY_SPEC = MetricSpec(
    name="identity.linkability",
    measure=linkability,
    labels={
        "identity.linkability.k1": MetricLabel(
            "Records linked (nearest)", "Two halves of a person's columns lead to one synthetic row.", "share"
        ),
        "identity.linkability.k5": MetricLabel(
            "Records linked (five nearest)", "The same with five candidates by half.", "share"
        ),
    },
)
