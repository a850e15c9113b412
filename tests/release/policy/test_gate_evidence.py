"""Tables of which it is known what is wrong with them, from the evaluation to the gate and the verdict on the whole."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.runner import evaluate
from synthkit.release.policy.gate_decision import judge
from synthkit.release.policy.gate_evidence import GateEvidence
from synthkit.release.policy.limits import Policy
from synthkit.report.attack_verdicts import attack_verdicts, overall_verdict
from synthkit.schema import Schema
from synthkit.selftest.made_up_people import PEOPLE_SCHEMA, Experiment, people

WHO = {"id": "ours-v1", "owner": "A. Custodian", "justification": "a partner under contract"}
LENIENT = {  # but for copies, of which it says nothing
    "membership": {"eps_lb_max": 40.0},
    "utility": {"margin": 0.05},
    "evidence": {"min_control_units": 1, "whole": False},
}
PEOPLE = Schema.model_validate(PEOPLE_SCHEMA.model_dump(by_alias=True) | {"secrets": [], "targets": []})


def lines(comparison):
    policy = Policy.parse({"format": "synthkit-policy/1", "policy": WHO, **LENIENT})
    found = evaluate(comparison, quick=True, workers=1, run={"date": "2026-05-01"})
    gate = judge(policy, GateEvidence(evaluation=found, today=dt.date(2026, 5, 2)))
    return found, {line.clause: line for line in gate.lines}


@pytest.mark.parametrize("copied", [0, 20])
def test_copies_of_people_nobody_attacks_fail_a_release_and_decide_the_whole(copied):
    rng = np.random.default_rng(copied)
    here = Experiment.of(rng, units=300)
    never = here.train.loc[~pd.MultiIndex.from_frame(here.train).isin(pd.MultiIndex.from_frame(here.members()))]
    rows = pd.concat([never.head(copied), people(600 - copied, rng)], ignore_index=True)
    comparison = EvaluationData(
        train=here.train, holdout=here.holdout, synthetic=(rows,), schema=PEOPLE, pool=here.pool
    )
    found, decided = lines(comparison)
    line = decided["copying.people_max"]
    assert line.verdict == ("FAIL" if copied else "PASS")
    assert line.why.startswith("Even the lower end" if copied else "Nothing found")
    told = overall_verdict(attack_verdicts(found))
    assert (told["words"] == "Privacy on the whole: above the limit (Copies)") == bool(copied)


@pytest.mark.parametrize("rows", [28])
def test_a_few_rows_of_garbage_never_pass(rows):
    """Boosting with leaves of 20 rows said that nothing tells them apart and nothing is lost."""
    schema = Schema(
        columns={"a": {"kind": "numeric"}, "b": {"kind": "numeric"}, "ill": {"kind": "boolean", "levels": [0, 1]}},
        targets=[{"column": "ill", "task": "binary"}],
    )
    rng = np.random.default_rng(rows)

    def law(sign):
        a = rng.normal(size=rows)
        ill = (sign * a + 0.3 * rng.normal(size=rows) > 0).astype(int)
        return pd.DataFrame({"a": a, "b": a + 0.1 * rng.normal(size=rows), "ill": ill})

    garbage = law(-1).assign(b=lambda frame: rng.permutation(frame["b"]) + 3)
    found, decided = lines(EvaluationData(train=law(1), holdout=law(1), synthetic=(garbage,), schema=schema))
    assert decided["utility.margin"].verdict == "FAIL"
    assert found.score("fidelity.c2st").low > 0.5
    assert all(score.low < score.high for score in found.scores)
