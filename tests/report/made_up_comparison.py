"""A made-up comparison: four models that finished, one that failed."""

from __future__ import annotations


def score(metric, value, low, high, goal="low", reference=None):
    return {"metric": metric, "value": value, "low": low, "high": high, "goal": goal, "reference": reference}


def entrant(name, c2st, seconds, *, gap=0.05, broken=0, reference=False, reason="", failures=()):
    scores = [
        score("fidelity.c2st", c2st, c2st - 0.02, c2st + 0.02, reference=0.5),
        score("fidelity.shape", 0.9, 0.88, 0.92, goal="high", reference=0.95),
        score("copying.dcr_share", 0.5 + c2st / 100, 0.4, 0.6, goal="none", reference=0.5),
        score("fidelity.c2st_train", c2st, c2st - 0.02, c2st + 0.02),
        score("utility.dead.gap", gap, gap - 0.01, gap + 0.01, reference=0.0),
        score("fidelity.novel_levels", 0.0, None, None),
    ]
    return {
        "name": name,
        "reference": reference,
        "settings": {"epochs": 3} if reference else {},
        "reason": reason,
        "scores": [] if reason else scores,
        "failures": list(failures),
        "seconds": {} if reason else {"fit": seconds, "sample": 1.0, "evaluate": 2.0},
        "cpu_seconds": {},
        "rows_per_second": None if reason else 1000 / (seconds + 1),
        "peak_mib": None if reason else 300.0,
        "rows": [] if reason else [500, 500],
        "broken_rows": broken,
        "broken_rules": int(broken > 0),
        "rules": 4,
        "notes": ["First.", "Second.", "Third <b>.", "Fourth."],
    }


FAILED = {"metric": "utility.time", "reason": "not measured in this version"}
DATA = {
    "format": "synthkit-comparison/1",
    "table": "ward",
    "source": "ward.csv",
    "columns": 7,
    "date": "2026-01-02T03:04:05+00:00",
    "version": "0.1.0",
    "plan": {"seed": 1, "train": 2000, "holdout": 900, "rows": 500, "draws": 2, "quick": True},
    "entrants": [
        entrant("independent", 0.9, 0.0, gap=0.3, failures=[FAILED]),
        entrant("autoregressive", 0.55, 40.0, failures=[FAILED]),
        entrant("diffusion", 0.565, 80.0, failures=[FAILED]),
        entrant("gaussian_copula", 0.97, 5.0, gap=0.2, broken=250, reference=True, failures=[FAILED]),
        entrant("reference_ctgan", 0, 0, reference=True, reason="it had <i>not</i> learned"),
    ],
}
