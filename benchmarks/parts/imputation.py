"""Adult: a fifth of the test cells are hidden and imputed; each column against its mean or most frequent level.

Numbers: mean absolute error of the mean of ten draws, against that of the training mean. Levels: share of wrong cells
of the most frequent of ten draws, against that of the training mode. A ratio below 1 beats the column by itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.flags import parser
from benchmarks.places import MEASURED
from benchmarks.tables.real_tables import data, schema
from synthkit.schema import Numeric
from synthkit.schema.conform import conform
from synthkit.synthesizer.synthesizer import Synthesizer

DRAWS, HIDDEN, ROWS = 10, 0.2, 4000


def ratio(name: str, truth: pd.Series, train: pd.Series, draws: list[pd.Series], *, number: bool) -> dict[str, object]:
    """Error of the draws and of the column by itself on the hidden cells."""
    if number:
        guess = np.mean([d.to_numpy(dtype=float) for d in draws], axis=0)
        own, plain = (float(np.abs(truth.to_numpy(dtype=float) - g).mean()) for g in (guess, train.mean()))
    else:
        votes = pd.concat([d.astype(str) for d in draws], axis=1).mode(axis=1)[0]
        own, plain = (float((truth.astype(str) != g).mean()) for g in (votes, str(train.mode()[0])))
    return {"column": name, "error": own, "column_by_itself": plain, "ratio": own / plain}


def main(words: Sequence[str] | None = None) -> None:
    """Fit adult, hide and impute, and write imputation.json."""
    parser("imputation", __doc__).parse_args(words)
    meaning = schema("adult")
    train, test = (conform(pd.read_parquet(data("adult") / f"{part}.parquet"), meaning) for part in ("train", "test"))
    test = test.head(ROWS)
    synthesizer = Synthesizer(meaning).fit(train, seed=0)
    hidden = test.notna() & (np.random.default_rng(0).random(test.shape) < HIDDEN)
    gaps = test.astype(object).mask(hidden, None)
    filled = [synthesizer.impute(gaps, seed=k) for k in range(DRAWS)]
    results = [
        ratio(
            c,
            test.loc[hidden[c], c],
            train[c].dropna(),
            [f.loc[hidden[c], c] for f in filled],
            number=isinstance(meaning.columns[c], Numeric),
        )
        for c in meaning.learned
    ]
    (MEASURED / "imputation.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for r in sorted(results, key=lambda r: float(str(r["ratio"]))):
        print(f"{r['column']:16} {r['error']:.4g} against {r['column_by_itself']:.4g}, ratio {r['ratio']:.3f}")
