"""Attacks on the synthetic tables of the cells: risks.json and the table in docs/evaluation.md.

Training rows and holdout of a cell are paired, as `synthkit evaluate` does; people are attacked as in a full
evaluation, attributes from the quasi-identifiers. Cells must have been made on this machine, by the commands `bench`
and `private`. With --lessened it is measured whether our first model gives less away on support2 if it is trained for
fewer steps, or fewer of its rows are released.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.contest import plan, private_plan
from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure.cells import Cell
from benchmarks.measure.machine import fingerprint
from benchmarks.measure.results import today
from benchmarks.measure.scoring import completed
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED
from benchmarks.tables.real_tables import parts, schema
from synthkit.metrics.attacks.attribute_inference import attributes
from synthkit.metrics.attacks.effect_size import EFFECT_TEST_LEVEL
from synthkit.metrics.attacks.identity_disclosure import identity, linkability
from synthkit.metrics.attacks.membership_inference import membership
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.metric import MetricOptions
from synthkit.metrics.result import Score
from synthkit.metrics.runner import one_thread
from synthkit.runtime.seeds import Seeds
from synthkit.synthesizer.synthesizer import Synthesizer

START, END = "<!-- risks -->", "<!-- /risks -->"
FILE, PAGE = MEASURED / "risks.json", DOCS / "evaluation.md"


def measured(synthetic: pd.DataFrame, table: str, seed: int) -> dict[str, Any]:
    """What attackers gain from a synthetic table."""
    meaning = schema(table)
    train, holdout = parts(table)
    comparison = EvaluationData(
        train=train, holdout=holdout, synthetic=(completed(synthetic, meaning)[0],), schema=meaning
    )
    chosen = {"membership": membership, "identity": identity, "linkability": linkability}
    chosen |= attributes(meaning, MetricOptions(quick=True))
    start, scores, panels = time.perf_counter(), {}, {}
    for name, metric in chosen.items():
        found, drawn = metric(comparison, Seeds(seed).numpy(name))
        scores |= {s.metric: [s.value, s.low, s.high] for s in found if isinstance(s, Score)}
        panels |= {"membership": drawn["membership"]} if name == "membership" else {}
    panel = panels["membership"]
    return {
        "verdict": panel["verdict"],
        "because": panel["because"],
        "p": panel["p"],
        "scores": {k: [v if np.isfinite(v) else None for v in each] for k, each in scores.items()},
        "seconds": round(time.perf_counter() - start, 1),
    }


def lessened(seeds: int = 3) -> list[dict[str, Any]]:
    """Membership AUC after fewer steps, and of fewer rows of a whole training; three sets of chance each."""
    meaning = schema("support2")
    train, holdout = parts("support2")
    out = []
    for steps, share in ((80, 1.0), (160, 1.0), (None, 1.0), (None, 0.25), (None, 0.1)):
        made = Synthesizer(meaning, "autoregressive", settings={"steps": steps} if steps else None).fit(train, seed=0)
        for seed in range(seeds):
            rows = made.sample(round(share * len(train)), seed=seed)
            comparison = EvaluationData(train=train, holdout=holdout, synthetic=(rows,), schema=meaning)
            panel = membership(comparison, Seeds(seed).numpy("membership"))[1]["membership"]
            whole = panel["strata"]["all"]
            told = {"auc": whole["auc"], "epsilon_lower_bound": whole["epsilon_lower_bound"]}
            out.append({"steps": steps, "rows": len(rows), "seed": seed, "verdict": panel["verdict"], **told})
            print(out[-1], flush=True)
    return out


def row(key: str, found: Mapping[str, Any]) -> str:
    """One line of the table: the worst secret by the lower end of its interval."""
    scores = found["scores"]
    secrets = {k: v for k, v in scores.items() if k.startswith("attribute.") and k.count(".") == 3}
    worst = max(secrets, key=lambda k: secrets[k][1])
    value, low, high = secrets[worst]
    auc, out = scores["membership.auc"], scores["identity.singling_out.clearest"]
    cells = [
        key,
        "yes" if min(found["p"].values()) < EFFECT_TEST_LEVEL else "no",
        f"{auc[0]:.3f} [{auc[1]:.3f}, {auc[2]:.3f}]",
        ", ".join(f"{scores[f'membership.{among}epsilon_lower_bound'][0]:.2f}" for among in ("", "isolated.")),
        f"{worst.split('.')[1]} {value:+.3f} [{low:+.3f}, {high:+.3f}]",
        f"{scores['identity.linkability.k1'][0]:+.3f}",
        f"{out[0]:.2f} [{out[1]:.2f}, {out[2]:.2f}]",
    ]
    return "| " + " | ".join(cells) + " |"


def markdown(found: Mapping[str, Mapping[str, Any]]) -> str:
    """A table for each data set."""
    heads = [
        "who",
        "told from chance",
        "membership AUC",
        "epsilon lost at least: all, isolated",
        "worst secret, excess",
        "linked, excess",
        "clearest cases who are members",
    ]
    out = []
    for table, each in found.items():
        out += [f"**{table}**, seed 0\n", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        out += [*(row(today(who), each[who]) for who in sorted(each)), ""]
    return "\n".join(out).rstrip()


def main(words: Sequence[str] | None = None) -> None:
    """Attack the tables that were not attacked yet, and write the page."""
    flags = parser("risks", __doc__)
    flags.add_argument("--tables", nargs="+", default=["support2", "adult"], metavar="NAME", help="support2 adult")
    flags.add_argument("--only", nargs="+", metavar="WHO", help="these contestants only")
    flags.add_argument("--lessened", action="store_true", help="fewer steps and fewer rows of ours, nothing else")
    asked = flags.parse_args(words)
    kept = read(FILE) if FILE.exists() else {"machine": fingerprint(), "tables": {}}
    if asked.lessened:
        with one_thread():
            kept["lessened"] = lessened()
        write(FILE, kept)
        return
    every: list[Cell] = [*plan.ours([0], 1), *private_plan.ours([0]), *plan.peers([0], 1), *private_plan.peers([0])]
    for cell in every:
        if cell.table not in asked.tables or (asked.only and cell.who.name not in asked.only):
            continue
        here = kept["tables"].setdefault(cell.table, {})
        if cell.who.name in map(today, here) or not cell.synthetic.exists():
            continue
        with one_thread():
            here[cell.who.name] = measured(pd.read_parquet(cell.synthetic), cell.table, cell.seed)
        write(FILE, kept)
        print(row(cell.who.name, here[cell.who.name]), flush=True)
    rewrite(PAGE, markdown(kept["tables"]), START, END)
