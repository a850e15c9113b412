"""A made-up evaluation with every panel: drawn from plain numpy, so that no real table is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthkit.metrics.result import Evaluation, Failure, Score

KINDS = ("numeric", "categorical", "boolean", "ordinal", "datetime")
HOSTILE = '<script>alert("x")</script>'


def _shares(rng, k, around=None):
    base = rng.gamma(2.0, size=k) if around is None else around * rng.uniform(0.8, 1.25, size=k)
    return base / base.sum()


def _distribution(rng, column, kind):
    k = {"numeric": 12, "datetime": 12, "boolean": 2, "categorical": 9, "ordinal": 5}[kind]
    if kind in ("numeric", "datetime"):
        bins = [f"{10 * i} – {10 * i + 9}" for i in range(k)] + ["missing"]
    else:
        bins = [f"level {i}" for i in range(k)] + ["missing"]
    train = _shares(rng, k + 1)
    holdout, synthetic = _shares(rng, k + 1, train), _shares(rng, k + 1, train)
    distance = lambda a, b: float(np.abs(a - b).sum() / 2)  # noqa: E731
    return {
        "column": column,
        "kind": kind,
        "unit": "mmHg" if kind == "numeric" else None,
        "error": distance(holdout, synthetic),
        "reference": distance(holdout, train),
        "bins": bins,
        **{name: x.tolist() for name, x in (("train", train), ("holdout", holdout), ("synthetic", synthetic))},
    }


def _symmetric(rng, d, scale):
    a = rng.normal(scale=scale, size=(d, d))
    a = np.clip((a + a.T) / 2, -1, 1)
    np.fill_diagonal(a, 1)
    return a


def _utility(rng, target, task, metric, top):
    learners = {"logistic": 0.0, "linear SVM": -0.01, "RBF SVM": 0.01, "boosting": 0.02, "dummy": 0.5 - top}
    cells = []
    for learner, shift in learners.items():
        for trained, tested, loss in (
            ("real", "real", 0.0),
            ("synthetic", "real", 0.012),
            ("real", "synthetic", 0.02),
            ("synthetic", "synthetic", 0.005),
        ):
            value = top + shift - (0 if learner == "dummy" else loss + rng.normal(scale=0.003))
            cell = {"learner": learner, "trained_on": trained, "tested_on": tested, "value": value}
            cells.append({**cell, "low": value - 0.015, "high": value + 0.015})
    gap = {"value": 0.012, "low": 0.003, "high": 0.021}
    return {"target": target, "task": task, "metric": metric, "cells": cells, "gap": gap}


def _score(metric, value, goal, reference=None, width=0.01, note=""):
    low, high = value - width, value + width
    return Score(metric=metric, value=value, low=low, high=high, goal=goal, reference=reference, note=note)


def _scores():
    yield _score("fidelity.shape", 0.971234567, "high", 0.985)
    yield _score("fidelity.trend", 0.94, "high", 0.966)
    yield _score("fidelity.tv1", 0.972, "high", 0.986)
    yield _score("fidelity.tv2", 0.941, "high", 0.961)
    yield _score("fidelity.tv3", 0.902, "high", 0.931)
    yield _score("fidelity.c2st", 0.5631, "low", 0.508, 0.02)
    yield _score("fidelity.c2st_one_column", 0.542, "low", 0.512, 0.02)
    yield _score("fidelity.two_column_gain", 0.131, "low", 0.012, 0.03)
    yield _score("fidelity.correlation_difference", 0.021, "low", 0.012, 0.004)
    yield _score("fidelity.missingness", 0.012, "low", 0.008, 0.005)
    yield _score("fidelity.rule_violations", 0.0, "low", 0.0, 0.0, "No violation in 4,552 rows.")
    yield _score("fidelity.range_violations", 0.0, "low", 0.0, 0.0)
    yield _score("fidelity.novel_levels", 0.0, "low", 0.0004, 0.0)
    yield _score("fidelity.equivalent_sample_size", 1830.4, "high", 4552.0, 260.0)
    for target in ("hospdead", "totcst"):
        yield _score(f"utility.{target}.trtr", 0.86, "high")
        yield _score(f"utility.{target}.tstr", 0.848, "high", 0.86)
        yield _score(f"utility.{target}.gap", 0.012, "low", 0.0, 0.009)
    yield _score("utility.death.km_gap", 0.02, "low", 0.01)
    yield _score("membership.auc", 0.512, "low", 0.5, 0.012)
    for room, guesses in (("membership", 180), ("membership.isolated", 100)):
        lost = {"metric": f"{room}.epsilon_lower_bound", "value": 0.1, "low": 0.1, "high": np.inf, "reference": 0.0}
        yield Score(goal="low", **lost)
        share = {"value": 0.52, "low": 0.43, "high": 0.61, "reference": 0.5}
        counted = {"guesses": guesses, "right": round(0.52 * guesses)}
        yield Score(metric=f"{room}.surest", goal="low", parts=counted, **share)
    yield _score("membership.generalisation_gap_tv2", 0.009, "low", 0.0, 0.004)
    yield _score("membership.generalisation_gap_tv3", 0.009, "low", 0.0, 0.004)
    yield _score(
        "attribute.hospdead.quasi_identifiers.excess", 0.013, "low", 0.0, 0.02, "Of 317 people 23 were guessed."
    )
    yield _score("identity.linkability.k1", 0.001, "low", 0.0, 0.002)
    yield _score("identity.replicated_uniques", 0.001, "low", 0.0, 0.004)
    yield _score("identity.unique_exact_matches", 0.0, "low", 0.0, 0.001)
    yield _score("copying.excess.whole_rows", 0.0, "low", 0.0, 0.0009)
    yield _score("copying.identical_matches", 0.0, "low", 0.0, 0.0)
    yield _score("copying.dcr_share", 0.503, "none", 0.5, 0.012)


def _membership(p=0.31):
    rates = np.geomspace(1e-3, 1, 30)
    stratum = {"units": 1800, "auc": {"value": 0.512, "low": 0.5, "high": 0.524}, "epsilon_lower_bound": 0.1}
    tests = [f"{who}, {test}" for who in ("all", "isolated") for test in ("all attacks", "few guesses")]
    check = {"name": "enough people", "holds": True, "measured": 871, "limit": 100, "words": "people on a side"}
    return {
        "design": "coins",
        "units": 1800,
        "verdict": "no evidence",
        "because": "",
        "detected": p < 0.05,
        "p": dict.fromkeys(tests, p),
        "checks": [check, {**check, "name": "copies would be found", "measured": 0.0004, "limit": 0.05}],
        "strata": {"all": stratum, "isolated": {**stratum, "epsilon_lower_bound": 0.05}},
        "rates": [],
        "roc": {"fpr": [0.0, *rates], "tpr": [0.0, *np.minimum(1, rates * 1.2)]},
    }


def _effects(rng, target, k=8):
    names = [f"column_{i:02d}" for i in range(k)]
    real = rng.normal(0, 0.3, k)
    made = real + rng.normal(0, 0.05, k)
    both = {"real": real, "synthetic": made}
    ends = {f"{name}_{end}": x + sign * 0.1 for name, x in both.items() for end, sign in (("low", -1), ("high", 1))}
    told = {name: x.tolist() for name, x in {**both, **ends}.items()}
    return {"target": target, "task": "binary", "names": names, **told, "same sign": 0.875, "draws": 1}


def _telling_columns(rng, names):
    aucs = np.sort(0.5 + rng.exponential(0.02, len(names)))[::-1].tolist()
    return [
        {"column": n, "auc": x, "low": x - 0.02, "high": x + 0.02, "reference": 0.505}
        for n, x in zip(names, aucs, strict=True)
    ]


def _telling_pairs(rng, names):
    gains = np.sort(rng.exponential(0.05, len(names) - 1))[::-1].tolist()
    ends = [{"gain": x, "low": x - 0.02, "high": x + 0.02, "reference": 0.004} for x in gains]
    return [
        {"columns": [a, b], "auc": 0.51 + each["gain"], "single": 0.51, **each}
        for a, b, each in zip(names, names[1:], ends, strict=False)
    ]


def _generalisation():
    near = {"train": 0.964, "holdout": 0.955, "floor": 0.959, "gap": 0.009, "low": 0.005, "high": 0.013, "p": 0.0025}
    return {"rows": 2276, "gaps": [{"ways": 2, **near}, {"ways": 3, **near}]}


def _survival():
    times = np.linspace(0, 1500, 60)
    real, made = np.exp(-times / 900), np.exp(-times / 850)
    curves = {"real": real, "synthetic": made}
    ends = {
        f"{name}_{end}": np.clip(x + sign * 0.02, 0, 1)
        for name, x in curves.items()
        for end, sign in (("low", -1), ("high", 1))
    }
    told = {name: x.tolist() for name, x in {**curves, **ends}.items()}
    return {"target": "d.time", "event": "death", "tau": 1430.2, "times": times.tolist(), **told}


def _outcomes(rng):
    """Panels of what analysts would find, and of groups of people."""
    tenths = np.linspace(0.03, 0.9, 10)
    risk = {"predicted": tenths.tolist(), "observed": np.clip(tenths + rng.normal(0, 0.02, 10), 0, 1).tolist()}
    group = {"measure": "fidelity", "target": None, "group": "race: asian", "units": 12, "suppressed": True}
    wide = {"low": 0.84, "high": 0.89, "suppressed": False, "units": 890}
    return {
        "membership": _membership(),
        "generalisation": _generalisation(),
        "effects": [_effects(rng, "hospdead")],
        "survival": [_survival()],
        "calibration": [{"target": "hospdead", "learner": "gradient boosting", "real": risk, "synthetic": risk}],
        "subgroups": [
            group,
            {**group, **wide, "group": "race: white", "similarity": 0.87, "reference": 0.86},
            {**group, **wide, "measure": "utility", "target": "hospdead", "group": "sex: female", "gap": 0.86},
        ],
    }


def with_facts(evaluation, **facts):
    """The evaluation of a run with further facts; seconds are joined."""
    seconds = {**facts.get("seconds", {}), **(evaluation.run.get("seconds") or {})}
    return replace(evaluation, run={**evaluation.run, **facts, "seconds": seconds})


def make_evaluation(columns: int = 24, hostile: bool = False) -> Evaluation:
    """An evaluation of a made-up table with so many columns."""
    rng = np.random.default_rng(11)
    names = [f"column_{i:02d}" for i in range(columns)]
    if hostile:
        names[0] = HOSTILE
    real = _symmetric(rng, columns, 0.3)
    synthetic = np.clip(real + _symmetric(rng, columns, 0.04) - np.eye(columns), -1, 1)
    entries = [_distribution(rng, n, KINDS[i % len(KINDS)]) for i, n in enumerate(names)]
    fpr = np.linspace(0, 1, 41)
    panels = {
        "distributions": sorted(entries, key=lambda e: -e["error"]),
        "pairs": {
            "columns": names,
            "error": np.abs(_symmetric(rng, columns, 0.05)).tolist(),
            "reference": np.abs(_symmetric(rng, columns, 0.03)).tolist(),
        },
        "correlation": {"columns": names, "real": real.tolist(), "synthetic": synthetic.tolist()},
        "missingness": [
            {
                "column": n,
                **{
                    k: float(p)
                    for k, p in zip(("train", "holdout", "synthetic"), rng.normal(0.3, 0.02, 3), strict=True)
                },
            }
            if i % 3 == 0
            else {"column": n, "train": 0.0, "holdout": 0.0, "synthetic": 0.0}
            for i, n in enumerate(names)
        ],
        "utility": [
            _utility(rng, "hospdead", "binary", "auroc", 0.86),
            _utility(rng, "totcst", "regression", "r2", 0.52),
        ],
        "detection": {
            "auc": 0.5631,
            "low": 0.5431,
            "high": 0.5831,
            "features": [
                {"column": n, "importance": float(x)}
                for n, x in zip(names, rng.exponential(0.01, columns), strict=True)
            ],
            "roc": {"fpr": fpr.tolist(), "tpr": (fpr**0.77).tolist()},
        },
        "telling_columns": {"columns": _telling_columns(rng, names), "of": columns},
        "telling_pairs": {"pairs": _telling_pairs(rng, names), "of": columns * (columns - 1) // 2},
        "rules": [
            {"sentence": "hospdead in {1} then death in {1}", "violations": 0, "rows": 4552},
            {"sentence": "slos <= d_time", "violations": 0, "rows": 4552},
        ],
        "worst_cells": [
            {
                "columns": [names[0], names[1]],
                "cell": ["level 1", "level 3"],
                "holdout": 71,
                "synthetic": 250,
                "holdout_rows": 2276,
                "synthetic_rows": 4552,
            },
            {
                "columns": [names[2], names[3]],
                "cell": ["missing", "level 0"],
                "holdout": 32,
                "synthetic": "<10",
                "holdout_rows": 2276,
                "synthetic_rows": 4552,
            },
        ],
        "sample_size": {
            "sizes": [100, 200, 400, 800, 1600, 3200, 4552],
            "errors": [0.19, 0.14, 0.1, 0.075, 0.055, 0.043, 0.039],
            "synthetic_error": 0.052,
            "equivalent": 1830.4,
        },
        "training": {
            "steps": list(range(100, 3100, 100)),
            "train": [40 + 20 * float(np.exp(-i / 8)) for i in range(30)],
            "validation": [41 + 20 * float(np.exp(-i / 8)) + 0.02 * i for i in range(30)],
        },
    }
    panels |= _outcomes(rng)
    run = {"version": "0.1.0", "model": "autoregressive", "columns": columns, "seed": 7, "date": "2026-01-31"}
    run["rows"] = {"train": 4552, "holdout": 2276, "synthetic": 4552}
    run["source"] = "/home/somebody/tables/wards.parquet"
    failures = (Failure(metric="utility.sfdm2", reason="the holdout holds one class only"),)
    return Evaluation(run=run, scores=tuple(_scores()), failures=failures, panels=panels)


LEDGER = {
    "format": "synthkit-ledger/1",
    "unit": None,
    "budget": None,
    "epsilon": None,
    "charges": [
        {"what": "histogram of column_00", "mechanism": "non-private", "times": 2, "detail": "exact, no noise"},
        {"what": "training of the model", "mechanism": "non-private", "times": 1, "detail": "exact, no noise"},
    ],
}
CHECKED = {"rows": 4552, "columns": 24, "expectations": 130}
BROKEN = {"columns": ["column_00"], "rule": "column_00 >= 0", "count": 3, "rows": [7, 9, 12], "remedy": "raise `min`"}
VALIDATION = {
    "input": {"success": True, "checked": CHECKED, "violations": [], "unchecked": []},
    "output": {"success": False, "checked": CHECKED, "violations": [BROKEN], "unchecked": []},
}
RUN = {
    "command": "synthkit run wards.parquet --schema wards.yaml --out release",
    "packages": {"python": "3.11.9", "torch": "2.13.0", "pandas": "2.3.3"},
    "seconds": {"fit": 61.2, "sample": 1.4, "evaluate": 142.0},
    "hardware": "2 cores",
    "config": {"model": {"name": "autoregressive", "steps": 3000}},
}


LINE = {
    "item": "Secret that is guessed most often: hospdead, from quasi-identifiers",
    "clause": "attribute.excess_max_upper",
    "measured": 0.013,
    "low": -0.007,
    "high": 0.033,
    "bound": 0.033,
    "limit": 0.05,
    "direction": "upper",
    "verdict": "PASS",
    "why": "The upper end of the interval, 0.033, is below the limit of 0.05: nobody's secret is told because of them.",
}
VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE", "NOT ASSESSED")
GATE = {  # twelve lines, each with a long reason
    "format": "synthkit-gate/1",
    "policy": {"id": "wards-v1", "owner": "A. Custodian", "justification": "for a partner", "decided": "2026-01-02"},
    "verdict": "FAIL",
    "lines": [{**LINE, "clause": f"{LINE['clause']}_{k}", "verdict": VERDICTS[k % 4]} for k in range(12)],
    "valid_until": "2027-01-02",
}
