"""Synthetic tables of which it is certain whether they give members away, and what the attacks must find."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthkit.metrics.attacks.effect_grade import Grade
from synthkit.metrics.attacks.membership_inference import membership
from synthkit.metrics.copying.copied_rows import distances
from synthkit.metrics.result import Score
from synthkit.schema import Schema
from synthkit.selftest.answers import Answer, equals_figure, equals_word, interval_covers, lies_within
from synthkit.selftest.made_up_people import PEOPLE_SCHEMA, Experiment, jittered, people, with_isolated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from synthkit.metrics.evaluation_data import EvaluationData

NUMERIC_CASE_COLUMNS = ("age", "height", "pressure", "balance", "glucose")


def attack(comparison: EvaluationData, rng: np.random.Generator) -> tuple[Mapping[str, Score], Mapping[str, Any]]:
    """Scores of the attacks on membership by name, and their panel."""
    scores, panels = membership(comparison, rng)
    return {s.metric: s for s in scores if isinstance(s, Score)}, panels["membership"]


def dcr_share(comparison: EvaluationData, rng: np.random.Generator) -> Score:
    """The share of synthetic rows nearer to training rows than to the holdout."""
    return next(s for s in distances(comparison, rng)[0] if s.metric == "copying.dcr_share")


def copies(rng: np.random.Generator) -> tuple[Answer, ...]:
    """The training rows themselves are released."""
    here = Experiment.of(rng)
    scores, panel = attack(here.against(here.train), rng)
    bound = scores["membership.epsilon_lower_bound"]
    guesses, right = int(bound.parts["guesses"]), int(bound.parts["right"])
    most = bound.parts["largest it could be"]
    share = bound.value / most if most else 0.0
    return (
        equals_figure("AUC of the distance", scores["membership.auc"].parts["distance"], 1.0),
        lies_within("guesses that are wrong", guesses - right, 0, 2),
        lies_within("epsilon lost at least, of what it could be", share, 0.9, 1.0 + 1e-9),
        lies_within("largest p of four tests, adjusted", max(panel["p"].values()), 0.0, 0.01),
        equals_word("verdict", panel["verdict"], Grade.ABOVE),
    )


def fresh(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Rows of the same law, of nobody who was trained on; at half and a quarter of the holdout nothing changes.

    The verdict is right at a level of 5 % and no answer here; how often it is wrong is counted in the tests.
    """
    here = Experiment.of(rng)
    rows = people(2_000, rng)
    scores, panel = attack(here.against(rows), rng)
    auc = scores["membership.auc"]
    out = [
        lies_within("AUC", auc.value, 0.45, 0.55),
        lies_within("epsilon lost at least", panel["strata"]["all"]["epsilon_lower_bound"], 0.0, 1.0),
    ]
    alone = [panel["strata"][name][f"p_of_{test}"] for name in ("all", "isolated") for test in ("auc", "guesses")]
    out.append(
        equals_figure(
            "smallest p of four tests, adjusted", min(panel["p"].values()), min(1.0, 4 * min(alone)), off=1e-9
        )
    )
    rows_each = min(len(here.train), len(here.holdout))
    sides = here.train.iloc[:rows_each], here.holdout.iloc[:rows_each]
    there, back = (replace(here, train=a, holdout=b).against(rows) for a, b in (sides, sides[::-1]))
    both = dcr_share(there, rng).value + dcr_share(back, rng).value
    out.append(equals_figure("DCR share and that with train and holdout exchanged", both, 1.0, off=1e-9))
    for share in (1.0, 0.5, 0.25):
        fewer = replace(here, holdout=here.holdout.iloc[: round(share * len(here.holdout))])
        at = dcr_share(fewer.against(rows), rng)
        out.append(lies_within(f"DCR share with {share:.0%} of the holdout", at.value, 0.45, 0.55))
    return tuple(out)


def isolated(rng: np.random.Generator) -> tuple[Answer, ...]:
    """One row in twenty is a verbatim copy of a person unlike others: what distances miss and attacks must find."""
    here = Experiment.of(rng)
    rows = with_isolated(here, people(2_000, rng), 0.05)
    scores, panel = attack(here.against(rows), rng)
    return (
        lies_within("DCR share", dcr_share(here.against(rows), rng).value, 0.47, 0.55),
        lies_within("epsilon lost at least", scores["membership.epsilon_lower_bound"].value, 1.0),
        equals_word("verdict", panel["verdict"], Grade.ABOVE),
    )


def shaken(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Copies with noise of half a standard deviation on each number."""
    here = Experiment.of(rng)
    scores, panel = attack(here.against(jittered(here.train, 0.5, rng, NUMERIC_CASE_COLUMNS)), rng)
    return (
        lies_within("AUC of the relative distance", scores["membership.auc"].parts["relative distance"], 0.52),
        equals_word("told from chance", "yes" if panel["detected"] else "no", "yes"),
    )


def contaminated(rng: np.random.Generator) -> tuple[Answer, ...]:
    """The holdout is released: no leak about the training rows, and an error that is told apart from one."""
    here = Experiment.of(rng)
    scores, panel = attack(here.against(here.holdout), rng)
    held = next(check for check in panel["checks"] if check["name"] == "the holdout was held out")
    return (
        lies_within("AUC", scores["membership.auc"].value, 0.0, 0.1),
        equals_word("verdict", panel["verdict"], Grade.OPEN),
        equals_word("the holdout was held out", "yes" if held["holds"] else "no", "no"),
    )


def levels_only(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Five columns of two levels: 32 kinds of people, so that nobody is unlike others and every row has twins."""
    names = list("abcde")
    schema = Schema.model_validate({"columns": {c: {"kind": "categorical", "levels": [0, 1]} for c in names}})

    def law(rows: int, rng: np.random.Generator) -> pd.DataFrame:
        return pd.DataFrame({c: (rng.random(rows) < 0.1 * (k + 3)).astype(int) for k, c in enumerate(names)})

    here = Experiment.of(rng, schema=schema, law=law)
    scores, panel = attack(here.against(law(2_000, rng)), rng)
    auc = scores["membership.auc"]
    apart = next(check for check in panel["checks"] if check["name"] == "no twins across the coin")
    return (
        interval_covers("AUC of fresh rows", auc.low - 0.02, auc.high + 0.02, 0.5),
        lies_within("DCR share, ties half", dcr_share(here.against(law(2_000, rng)), rng).value, 0.45, 0.55),
        equals_word("no twins across the coin", "yes" if apart["holds"] else "no", "no"),
    )


def names_and_order(rng: np.random.Generator) -> tuple[Answer, ...]:
    """Other column names, the rows in another order, text for an index: the same attacks find the same."""
    here = Experiment.of(rng)
    rows = with_isolated(here, people(2_000, rng), 0.05)
    seed = int(rng.integers(2**31))
    before, _ = attack(here.against(rows), np.random.default_rng(seed))
    called = {name: f"column {k} of {len(rows.columns)}" for k, name in enumerate(rows.columns)}
    schema = Schema.model_validate(
        {"columns": {called[c]: PEOPLE_SCHEMA.columns[c].model_dump() for c in PEOPLE_SCHEMA.columns}}
    )
    pool = replace(
        here.pool, frame=here.pool.frame.rename(columns=called), reference=here.pool.reference.rename(columns=called)
    )
    there = replace(here, pool=pool, schema=schema)
    mixed = rows.rename(columns=called).iloc[np.random.default_rng(1).permutation(len(rows))]
    after, _ = attack(there.against(mixed.set_index(mixed.index.astype(str))), np.random.default_rng(seed))
    return tuple(
        equals_figure(
            f"AUC of {name}", after["membership.auc"].parts[name], before["membership.auc"].parts[name], off=1e-9
        )
        for name in ("distance", "relative distance", "marginals")
    )
