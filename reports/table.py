"""The table of `reports/README.md`, from the files that are kept beside it; nothing is written by hand.

Run: python reports/table.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
START, END = "<!-- releases -->", "<!-- /releases -->"
RELEASES = (
    "support2-autoregressive",
    "support2-marginal-epsilon-1",
    "adult-diffusion",
    "diabetes130-patient-epsilon-3",
)
SCORES = {
    "two-way tables": "fidelity.tv2",
    "real or synthetic? (AUC)": "fidelity.c2st",
    "membership (AUC)": "membership.auc",
}
VERDICTS = ("PASS", "INCONCLUSIVE", "NOT ASSESSED", "FAIL")


def markdown() -> str:
    """One row a release: what was promised, what was measured and what was decided."""
    head = ["release", "policy", "verdict", "lines", "epsilon", *SCORES, "largest loss of prediction"]
    return "\n".join([_row(head), _row(["---"] * len(head)), *(_row(_cells(name)) for name in RELEASES)])


def _cells(name: str) -> list[str]:
    twin, gate, statement = (
        json.loads((HERE / name / file).read_text(encoding="utf-8"))
        for file in ("report.json", "gate.json", "statement.json")
    )
    found = {row["metric"]: row for row in _scores(twin)}
    epsilon = statement["privacy_loss"]["privacy_parameters"]["epsilon"]
    told = [line["verdict"] for line in gate["lines"]]
    lines = ", ".join(f"{told.count(each)} {each}" for each in VERDICTS if each in told)
    losses = [row for metric, row in found.items() if metric.startswith("utility.") and metric.endswith(".gap")]
    worst = max(losses, key=lambda row: row["value"])
    return [
        f"[{name}]({_page(name, 'report')}) ([shareable]({_page(name, 'shareable')}))",
        gate["policy"]["id"],
        f"**{gate['verdict']}**",
        lines,
        "∞" if epsilon is None else f"{epsilon:.3g}",
        *(f"{found[metric]['text']} {found[metric]['interval']}" for metric in SCORES.values()),
        f"{worst['text']} {worst['interval']} ({worst['metric'].split('.')[1]})",
    ]


def _page(name: str, edition: str) -> str:
    """The page if it is kept, else its JSON."""
    page = HERE / name / f"{edition}.html"
    return f"{name}/{edition}.{'html' if page.exists() else 'json'}"


def _scores(x: object) -> list[dict[str, Any]]:
    """Rows of scores anywhere in a page's JSON."""
    if isinstance(x, dict):
        here = [x] if {"metric", "value", "interval"} <= set(x) else []
        return here + [row for each in x.values() for row in _scores(each)]
    return [row for each in x for row in _scores(each)] if isinstance(x, list) else []


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the table into the page."""
    page = HERE / "README.md"
    text = page.read_text(encoding="utf-8")
    before, after = text.split(START)[0], text.split(END)[1]
    page.write_text(f"{before}{START}\n\n{markdown()}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
