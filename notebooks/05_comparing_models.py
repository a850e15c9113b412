# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Which model for my table?
#
# No model is best on every table. `sk.compare` splits a table once, fits several models to the same rows, measures them
# in the same way, and writes one report on all of them. Each model runs in a process of its own, so that its memory is its
# own and a crash is nobody else's. Here: the intensive-care patients that come with the package.

# %%
import os
import tempfile
from pathlib import Path

import synthkit as sk
from synthkit.data import support2, support2_schema
from synthkit.models.registry import MODELS
from synthkit.baselines import REFERENCES

ROWS = int(os.environ.get("COMPARING_ROWS", 9105))  # the tests of this notebook use fewer rows and train less
STEPS = os.environ.get("COMPARING_STEPS")
patients, schema = support2().head(ROWS), support2_schema()

print("models of synthkit:", *sorted(MODELS))
print("made by others:    ", *REFERENCES)

# %% [markdown]
# ## 1. The comparison
#
# `independent` draws each column by itself: whatever does no better has learned no relation between columns.
# `gaussian_copula` is SDV's, fitted and drawn as SDV does it. References are optional (`pip install 'synthkit[sdv]'`), come
# under the Business Source License, know no row rules, and cannot be saved. A model of ours with the ending `+raked`
# draws from a larger pool of rows, chosen so that tables match.

# %%
out = Path(tempfile.mkdtemp()) / "compared"
compared = sk.compare(
    patients,
    schema,
    models=["independent", "autoregressive", "gaussian_copula"],
    out=out,
    settings={"autoregressive": {"steps": int(STEPS)}} if STEPS else None,
    config=sk.RunConfig(seed=1, quick=True),
)
compared

# %% [markdown]
# ## 2. The numbers
#
# A classifier tries to tell synthetic from real rows: 0.5 is a coin toss (`fidelity.c2st`). `gap` is what a prediction of
# death in hospital loses when it is trained on synthetic instead of real patients.

# %%
headline = ["fidelity.c2st", "fidelity.tv3", "fidelity.rule_violations", "utility.hospdead.gap"]
compared.table().loc[headline].round(3)

# %% [markdown]
# What it cost, and whether the rules hold:

# %%
for outcome in compared.outcomes:
    share = outcome.broken_rows / sum(outcome.rows)
    print(
        f"{outcome.name}: learned in {outcome.seconds['fit']:.1f} s, {outcome.rows_per_second:,.0f} rows a second, "
        f"{outcome.peak_mib:,.0f} MiB, {100 * share:.1f} % of the rows break a rule"
    )

# %% [markdown]
# ## 3. It goes on where it was
#
# What is done is kept. Asked again, nothing is fitted a second time; another model may join, and meets the same rows.

# %%
again = sk.compare(
    patients, schema, models=["independent", "gaussian_copula"], out=out, config=sk.RunConfig(seed=1, quick=True)
)
assert again.table().equals(compared.table()[["independent", "gaussian_copula"]])
print("kept:", *[outcome.name for outcome in again.outcomes])

# %% [markdown]
# ## 4. The winner
#
# The folder of each model holds its rows, its own report, and, if it is one of ours, the fitted model.

# %%
print(*sorted(path.name for path in (out / "models" / "autoregressive").iterdir()), sep="\n")
winner = sk.Synthesizer.load(out / "models" / "autoregressive" / "model")
winner.sample(5, given={"hospdead": 1}, seed=2).iloc[:, :8]

# %% [markdown]
# On the command line: `synthkit compare patients.csv --schema schema.yaml --models independent,autoregressive
# --out compared`. Whoever ranks models by such scores alone should remember: a model that repeats its training rows scores
# well on all of them. Privacy is another question.
