"""Published synthetic tables of players and their seasons, scored by our evaluation of linked tables.

TabularARGN, REaLTabFormer, RC-TGAN and SDV PAR as the authors of TabularARGN published them, against held-out players;
names and dates are left out, for TabularARGN has none. Half of the published test players are training players too:
they are left out of the holdout. Needs published_argn_baseball (benchmarks/README.md says where from).
"""

from __future__ import annotations

import json
import resource
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.flags import parser
from benchmarks.tables.real_tables import data
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.linked.linked_runner import evaluate_linked
from synthkit.metrics.result import Evaluation
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

PUBLISHED: Mapping[str, tuple[str, str]] = {  # players and fielding, by who made them
    "TabularARGN": ("TabARGN_baseball_players", "TabARGN_baseball_fielding_run_1"),
    "REaLTabFormer": ("RTF_baseball_players", "RTF_baseball_fielding_run_1"),
    "RC-TGAN": ("RCTGAN_baseball_players_run_1", "RCTGAN_baseball_fielding_run_1"),
    "SDV PAR": ("SDV_PAR_baseball_players_run_1", "SDV_PAR_baseball_fielding_run_1"),
}
SHOWN: Mapping[str, str] = {  # scores, and what the design notes call them
    "fidelity.unit_c2st": "C2ST aggregates",
    "fidelity.fielding.row_c2st": "C2ST row in context",
    "fidelity.lag_one": "lag-1 correlation, error",
    "fidelity.within_unit_sd": "sd within a unit, error",
    "fidelity.transitions_tv": "transitions, TV",
    "fidelity.level_transitions_tv": "transitions of levels, TV",
    "fidelity.length_ks": "sequence length, KS",
    "fidelity.fan_out_ks": "fan-out, KS",
    "fidelity.gap_ks": "gap, KS",
    "fidelity.unit_correlations": "correlation of aggregates, error",
    "fidelity.owner_pairs_tv": "owner x row, TV",
    "fidelity.fielding.tv1": "fielding, one-way",
    "fidelity.fielding.tv2": "fielding, two-way",
    "fidelity.repeats": "repeated values, error",
    "fidelity.integrity": "units with a rule broken",
    "copying.shared_runs": "units sharing a run",
    "copying.nearer_units": "nearer to train (DCR share)",
    "fidelity.sdmetrics.quality": "SDMetrics all",
    "fidelity.sdmetrics.intertable_trends": "SDMetrics inter-table",
}
NUMBERS = ("G", "GS", "InnOuts", "PO", "A", "E", "DP")
UNITS = 4_000  # judged a side


def table(name: str) -> pd.DataFrame:
    """One published table in plain types, keys as texts."""
    frame = pd.read_parquet(data("published_argn_baseball") / f"{name}.parquet")
    texts = frame.astype({c: object for c in frame if not pd.api.types.is_numeric_dtype(frame[c].dtype)})
    return texts.assign(playerID=frame["playerID"].astype(str).to_numpy())


def meaning(players: pd.DataFrame, fielding: pd.DataFrame, series: str | None = None) -> LinkedSchema:
    """The schema, levels from the real tables; `series` names a column whose rows continue each other."""

    def levels(column: pd.Series) -> dict[str, Any]:
        return {"kind": "categorical", "levels": sorted(column.dropna().unique().tolist()), "nullable": True}

    number = {"kind": "numeric", "decimals": 0, "nullable": True}
    owner = {"columns": ["playerID"], "to": "players", "kind": "owner"}
    codes = {name: levels(fielding[name]) for name in ("lgID", "POS")}
    seasons = {"playerID": {"kind": "identifier"}, "yearID": {"kind": "numeric", "decimals": 0}}
    seasons |= {"teamID": {"kind": "code", "nullable": True}, **codes, **dict.fromkeys(NUMBERS, number)}
    people = {"playerID": {"kind": "identifier"}, "birthCountry": {"kind": "code", "nullable": True}}
    people |= {"weight": number, "height": number, "bats": levels(players["bats"]), "throws": levels(players["throws"])}
    children = {"links": [owner], "order": {"from": "yearID"}, "series": series, "columns": seasons}
    tables = {"players": {"key": ["playerID"], "columns": people}, "fielding": children}
    return LinkedSchema.parse({"name": "baseball", "unit": "players", "tables": tables})


def linked(players: pd.DataFrame, fielding: pd.DataFrame, schema: LinkedSchema) -> LinkedTables:
    """Both tables typed and sorted; seasons of players who are not there are left out."""
    known = fielding[fielding["playerID"].isin(players["playerID"])]
    columns = {name: list(each.columns) for name, each in schema.tables.items()}
    frames = {"players": players.drop_duplicates("playerID"), "fielding": known}
    return LinkedTables.of({name: frame[columns[name]] for name, frame in frames.items()}, schema)


def some(tables: LinkedTables, units: int, seed: int) -> LinkedTables:
    """So many units at random."""
    size = len(tables.frames[tables.schema.unit])
    chosen = np.random.default_rng(seed).choice(size, min(units, size), replace=False)
    return tables.take(np.sort(chosen))


def strangers(real: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]], schema: LinkedSchema) -> LinkedTables:
    """Test players who are no training players: of the published 9,878 there are 4,923."""
    players, fielding = real["test"]
    return linked(players[~players["playerID"].isin(real["train"][0]["playerID"])], fielding, schema)


def scored(
    names: Sequence[str], *, units: int = UNITS, quick: bool = False, series: str | None = None
) -> dict[str, Evaluation]:
    """An evaluation of each published pair of tables."""
    real = {part: (table(f"baseball-players-{part}"), table(f"baseball-fielding-{part}")) for part in ("train", "test")}
    both = [pd.concat([real["train"][k], real["test"][k]]) for k in (0, 1)]
    schema = meaning(*both, series=series)
    train, holdout = linked(*real["train"], schema), some(strangers(real, schema), units, 0)
    found = {}
    for name in names:
        players, fielding = (table(each) for each in PUBLISHED[name])
        drawn = some(linked(players, fielding, schema), units, 1)
        found[name] = evaluate_linked(LinkedEvaluationData(train=train, holdout=holdout, synthetic=drawn), quick=quick)
    return found


def page(found: Mapping[str, Evaluation]) -> str:
    """The figures as a table, the holdout's floor first."""
    lines = [f"| | floor | {' | '.join(found)} |", "|---|" + "---|" * (len(found) + 1)]
    first = next(iter(found.values()))
    for metric, label in SHOWN.items():
        cells = [{s.metric: s for s in each.scores}.get(metric) for each in found.values()]
        floor = next((s.reference for s in first.scores if s.metric == metric), None)
        values = ["-" if s is None else f"{s.value:.3f} [{s.low:.3f}, {s.high:.3f}]" for s in cells]
        lines.append(f"| {label} | {'-' if floor is None else f'{floor:.3f}'} | {' | '.join(values)} |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Score the published tables and print the figures."""
    flags = parser("published_baseball", __doc__)
    flags.add_argument("--only", nargs="*", choices=list(PUBLISHED), default=list(PUBLISHED), help="whose tables")
    flags.add_argument("--units", type=int, default=UNITS, help="players a side")
    flags.add_argument("--quick", action="store_true", help="2,000 players, without SDMetrics' report")
    flags.add_argument("--json", action="store_true", help="print the scores as JSON")
    asked = flags.parse_args(words)
    found = scored(asked.only, units=asked.units, quick=asked.quick)
    print(json.dumps({n: json.loads(e.to_json()) for n, e in found.items()}) if asked.json else page(found))
    for name, each in found.items():
        for failure in each.failures:
            print(f"{name}: {failure.metric}: {failure.reason}")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_utime:.0f} CPU s")
    return 0
