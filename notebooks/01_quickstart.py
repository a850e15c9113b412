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
# # Synthetic patients in five minutes
#
# We take a table of real intensive-care patients, say what its columns mean, and let synthkit make rows that look like
# them: with a saved model, and a report on how good and how risky they are. The patients are those of the SUPPORT2 study
# (9,105 seriously ill people in five American hospitals), which come with the package.

# %%
import os

import synthkit as sk
from synthkit.data import support2, support2_schema

patients = support2()
patients.iloc[:5, :8]

# %% [markdown]
# ## 1. What the columns mean: the schema
#
# Nothing is learned without a schema: kinds, bounds, levels, who a row belongs to, what must hold in every row. For a table
# of your own, `synthkit init TABLE` (or `sk.infer_schema(frame)`) drafts one, and somebody who knows the data corrects it.
# SUPPORT2's was written with care. One column of it, and one of its rules:

# %%
schema = support2_schema()
print(schema.columns["meanbp"])
print(schema.rules[0].sentence)

# %% [markdown]
# The same schema is checked at the entrance and at the exit. Here is a table that breaks it: everything is listed at once,
# with row numbers, and never with a value.

# %%
wrong = patients.copy()
wrong.loc[[3, 8], "meanbp"] = 4000.0
print(sk.validate(wrong, schema))

# %% [markdown]
# ## 2. The run
#
# `synthesize` holds out part of the patients, fits a model to the rest, draws as many rows as it fitted, and measures them.
# It takes a minute or two; to be quicker, set `steps` (less training) and `quick` (evaluation on samples).

# %%
STEPS = os.environ.get("QUICKSTART_STEPS")  # the tests of this notebook train less
ROWS = int(os.environ.get("QUICKSTART_ROWS", len(patients)))
config = sk.RunConfig(settings={"steps": int(STEPS)} if STEPS else {}, quick=STEPS is not None)

run = sk.synthesize(patients.head(ROWS), schema, seed=1, config=config)
run.synthetic.iloc[:5, :8]

# %% [markdown]
# ## 3. The report
#
# Is it good? A classifier tries to tell synthetic from real rows: 0.5 is a coin toss, and `reference` is what real patients
# who were held out score. Is it useful? `gap` is what a prediction of death in hospital loses when it is trained on synthetic
# instead of real patients, both tested on real ones. Each number has an interval.

# %%
for metric in ("fidelity.c2st", "utility.hospdead.gap", "fidelity.rule_violations"):
    score = run.evaluation.score(metric)
    print(f"{metric}: {score.value:.3f} [{score.low:.3f}, {score.high:.3f}], reference {score.reference}")
print("epsilon:", run.ledger.epsilon())

# %% [markdown]
# Epsilon is infinite: without a privacy budget nothing bounds what the rows reveal about one person, and the report says so.
# The whole report is one page, and shows itself:

# %%
run.report

# %% [markdown]
# ## 4. Patients of one kind
#
# The model can be asked for rows in which some values are given. As many come back as were asked for, however rare they are.

# %%
coma = run.synthesizer.sample(200, given={"dzgroup": "Coma", "hospdead": 1}, seed=2)
print(len(coma), "rows, groups:", set(coma["dzgroup"]), "deaths:", int((coma["hospdead"] == 1).sum()))
coma[["dzgroup", "hospdead", "age", "meanbp", "scoma"]].head()

# %% [markdown]
# ## 5. What is missing, filled
#
# A missing cell is drawn from what the model learned about such patients. Known cells stay as they are.

# %%
gaps = patients.tail(200).reset_index(drop=True)
filled = run.synthesizer.impute(gaps, seed=3)
print("missing cells before:", int(gaps.isna().sum().sum()), "after:", int(filled.isna().sum().sum()))

# %% [markdown]
# ## 6. Keep it
#
# One folder holds rows, model, report and ledger; what is marked internal there never leaves the house. The same on the
# command line: `synthkit run patients.csv --schema schema.yaml --out release`, then `synthkit sample release --rows 1000
# --out more.csv`.

# %%
import tempfile
from pathlib import Path

folder = run.save(Path(tempfile.mkdtemp()) / "release")
print(*sorted(p.name for p in folder.iterdir()), sep="\n")
again = sk.Synthesizer.load(folder / "model")
assert again.sample(3, seed=4).equals(run.synthesizer.sample(3, seed=4))
