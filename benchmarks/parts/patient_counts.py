"""Counts of test x value x period of patients with many rows: one row a patient, and all rows clipped as one vector.

patient_counts.json and the figure of docs/privacy_linked.md come of it, in a minute. The table is made: 15,666 patients
with 400,123 rows, few of them with very many. With --page nothing is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from benchmarks.flags import parser
from benchmarks.json_files import read, write
from benchmarks.measure.machine import fingerprint
from benchmarks.pages import rewrite
from benchmarks.places import DOCS, MEASURED
from synthkit.encoding.arrays import Floats, Ints
from synthkit.models.marginal.adaptive_measurement import projected
from synthkit.privacy.access.counts import NoisyCounting
from synthkit.privacy.access.unit_counts import UnitCounting
from synthkit.privacy.mechanisms.unit_sampling import kept

START, END = "<!-- patient_counts -->", "<!-- /patient_counts -->"
FILE, PAGE = MEASURED / "patient_counts.json", DOCS / "privacy_linked.md"
PATIENTS, ROWS, MOST = 15_666, 400_123, 500
SIZES = {"test x value": (8, 9), "test x value x period": (8, 9, 10)}
PRICES, DRAWS = (0.005, 0.05), 5
WAYS = ("one row a patient", "all rows, clipped as one vector")


@cache
def made() -> tuple[Ints, Ints]:
    """Patients of the rows, and test, value and period of each. **Shape**: (400,123,), (400,123, 3).

    Rows a patient has are spread like a lognormal; patients prefer tests and have levels of their own, and the number
    of rows hangs together with both.
    """
    rng = np.random.default_rng(2026)
    weight = np.exp(1.1 * rng.standard_normal(PATIENTS))
    many = 1 + rng.multinomial(ROWS - PATIENTS, weight / weight.sum())
    owner = np.repeat(np.arange(PATIENTS), many)
    often = np.log(many)[owner]
    taste = rng.gumbel(size=(PATIENTS, 8)) * 0.8 + np.linspace(1, -1, 8)
    test = (taste[owner] + 0.15 * often[:, None] * np.linspace(-1, 1, 8) + rng.gumbel(size=(ROWS, 8))).argmax(axis=1)
    level = rng.standard_normal(PATIENTS)[owner] + 0.3 * often + 0.6 * rng.standard_normal(ROWS)
    value = np.clip(np.round(1.4 * level + 3 + 0.3 * test), 0, 8).astype(np.int64)
    period = np.clip(rng.beta(1 + test / 4, 2)[:] * 10, 0, 9.999).astype(np.int64)
    return owner, np.stack([test, value, period], axis=1)


def error(way: str, scope: Sequence[int], rho: float) -> float:
    """Total variation between the shares that were told and those of all rows."""
    owner, cat = made()
    sizes = SIZES["test x value x period"]
    shape = [sizes[j] for j in scope]
    exact = np.bincount(np.ravel_multi_index([cat[:, j] for j in scope], shape), minlength=int(np.prod(shape)))
    if way == WAYS[0]:
        one = cat[kept(owner, 1)]
        told = NoisyCounting.of(one, sizes, rho, lambda charge: None).measure([tuple(scope)], rho)[0].counts
    else:
        counting = UnitCounting.of(cat, owner, sizes, bound=MOST, rho=rho, pay=lambda charge: None)
        told = counting.measure([tuple(scope)], counting.rho)[0].counts
    return 0.5 * float(np.abs(shares(told) - exact / exact.sum()).sum())


def shares(told: Floats | Ints) -> Floats:
    """The nearest law. **Shape**: any -> (cells,)."""
    flat = np.asarray(told, dtype=np.float64).ravel()
    return projected(flat / max(float(flat.sum()), 1.0))


def measure() -> dict[str, Any]:
    """Mean error over draws, by table, price and way."""
    found = [
        {
            "table": table,
            "rho": rho,
            **{way: float(np.mean([error(way, range(len(sizes)), rho) for _ in range(DRAWS)])) for way in WAYS},
        }
        for table, sizes in SIZES.items()
        for rho in PRICES
    ]
    return {"patients": PATIENTS, "rows": ROWS, "draws": DRAWS, "machine": fingerprint(), "found": found}


def markdown(content: Mapping[str, Any]) -> str:
    """The table of the page."""
    lines = [f"| table of counts | rho | {' | '.join(WAYS)} | share |", "|---|---|---|---|---|"]
    for each in content["found"]:
        one, all_ = (each[way] for way in WAYS)
        lines.append(f"| {each['table']} | {each['rho']:g} | {one:.3f} | {all_:.3f} | {all_ / one:.2f} |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and write both files."""
    flags = parser("patient_counts", __doc__)
    flags.add_argument("--page", action="store_true", help="measure nothing: write the page from patient_counts.json")
    if not flags.parse_args(words).page:
        write(FILE, measure())
    rewrite(PAGE, markdown(read(FILE)), START, END)
    print(markdown(read(FILE)))
