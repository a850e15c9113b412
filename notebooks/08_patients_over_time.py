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
# # Patients over time
#
# A hospital's data are not one table. Patients have encounters, encounters have diagnoses and measurements, and all of it
# happens in an order. We take five linked tables, say how they belong together, and make synthetic patients with
# everything that belongs to them: no key that points nowhere, nobody measured before the encounter or after death.
#
# The patients come with the package. They are made up (by Synthea, a simulator), so nobody's rows are in here; 115 of them
# are too few to judge how good a model is, and enough to see how everything is done.

# %%
import os
import tempfile
from pathlib import Path

import pandas as pd
from IPython.display import SVG

import synthkit as sk
from synthkit.data import synthea, synthea_schema
from synthkit.schema.linked.table_drawing import draw_tables

STEPS = os.environ.get("LINKED_STEPS")  # the tests of this notebook train less, on fewer patients
PATIENTS = int(os.environ.get("LINKED_PATIENTS", 115))

tables, schema = synthea(), synthea_schema()
mine = tables["patients"]["patient"].head(PATIENTS)
tables = {n: t[t["patient"].isin(mine)].reset_index(drop=True) if "patient" in t else t for n, t in tables.items()}
{name: len(frame) for name, frame in tables.items()}

# %% [markdown]
# ## 1. How the tables belong together: the schema
#
# One file says it. Each table but one has an `owner`, the row it belongs to, so that all of them are a tree under the
# patients; `implied` links repeat a key from further up, `reference` links point into a public catalogue. `order` says when
# a row happens. For tables of your own, `synthkit init FOLDER --unit patients` drafts the file and draws this picture.

# %%
SVG(draw_tables(schema, {name: len(frame) for name, frame in tables.items()}))

# %%
for name, table in schema.tables.items():
    for link in table.links:
        print(f"{name}.{', '.join(link.columns)} -> {link.to}: {link.kind}")

# %% [markdown]
# Real tables are held against it before anything is learned. Here a measurement is given to an encounter that is not there,
# and another is taken before its encounter began; both are told by table and row, without any value.

# %%
wrong = dict(tables)
wrong["observations"] = tables["observations"].copy()
wrong["observations"].loc[3, "encounter"] = "E9999"
wrong["observations"].loc[5, "taken"] = pd.Timestamp("1950-01-01")
print(sk.validate(wrong, schema))

# %% [markdown]
# ## 2. The run
#
# The same call as for one table. Part of the patients is held out, with all their rows; the model `timeline` learns one
# sequence a patient, through all tables at once.

# %%
few = {"steps": int(STEPS), "root_steps": int(STEPS), "width": 32, "hidden": 16, "mixed": 32} if STEPS else {}
run = sk.synthesize(tables, schema, settings=few, seed=1, quick=True)
print(run)

# %% [markdown]
# One of the synthetic patients, with the beginning of what happened:

# %%
drawn = run.synthetic
somebody = drawn["encounters"]["patient"].value_counts().index[0]
theirs = {name: frame[frame["patient"] == somebody] for name, frame in drawn.items() if "patient" in frame}
events = [
    theirs["encounters"].assign(what=theirs["encounters"]["why"], at=theirs["encounters"]["began"]),
    theirs["conditions"].assign(what=theirs["conditions"]["condition"], at=theirs["conditions"]["since"]),
    theirs["observations"].assign(
        what=theirs["observations"]["test"] + " " + theirs["observations"]["value"].astype(str),
        at=theirs["observations"]["taken"],
    ),
]
pd.concat(events)[["at", "encounter", "what"]].sort_values("at", kind="stable").head(12)

# %% [markdown]
# ## 3. How good is it?
#
# Keys and rules hold by construction. Beside them: a classifier that tries to tell whole patients (`unit_c2st`) or single
# rows in their context (`row_c2st`) from real ones, 0.5 is a coin toss; gaps between rows, and which event follows which.
# `reference` is what real patients in the place of the synthetic ones score.

# %%
chosen = ["fidelity.integrity", "fidelity.unit_c2st", "fidelity.observations.row_c2st", "fidelity.gap_ks"]
scores = run.evaluation.frame()
scores.loc[[name for name in (*chosen, "fidelity.transitions_tv") if name in scores.index]].round(3)

# %% [markdown]
# No man is pregnant among these real patients. That is not forbidden but declared a contradiction, and counted in both:

# %%
scores[scores.index.str.startswith("fidelity.contradictions")].round(3)

# %% [markdown]
# The whole report, with the timelines of twenty synthetic patients and what each kind of link kept:

# %%
run.report

# %% [markdown]
# ## 4. Patients of whom something is known
#
# Values of a patient can be given, and everything else is drawn.

# %%
women = run.synthesizer.sample(20, given={"patients": {"gender": "F"}}, seed=2)
print(len(women["patients"]), "patients,", set(women["patients"]["gender"]), len(women["encounters"]), "encounters")

# %% [markdown]
# Or what has happened to real patients so far: it stays as it is, and is continued. Here each of three patients comes with
# the first five encounters.

# %%
some = tables["patients"].head(3)
begun = tables["encounters"][tables["encounters"]["patient"].isin(some["patient"])].groupby("patient").head(5)
further = run.synthesizer.sample(3, given={"patients": some, "encounters": begun}, seed=3)
for old, new in zip(some["patient"], further["patients"]["patient"]):
    before, after = begun[begun["patient"] == old], further["encounters"][further["encounters"]["patient"] == new]
    same = (after["began"].to_numpy()[: len(before)] == before["began"].to_numpy()).all()
    print(f"{len(before)} encounters given, kept as they were: {same}; {len(after) - len(before)} further ones drawn")

# %% [markdown]
# ## 5. Who is odd?
#
# The model says how improbable each row is after all that came before it, and each patient with all rows. A weight of
# ten times what it was is found.

# %%
odd = {name: frame.copy() for name, frame in tables.items()}
weights = odd["observations"].index[odd["observations"]["test"] == "Body Weight"]
row = weights[len(weights) // 2]
odd["observations"].loc[row, "value"] = 290.0
score = run.synthesizer.anomaly_score(tables)["observations"], run.synthesizer.anomaly_score(odd)["observations"]
print(f"as it was: {score[0].max():.1f} nats at most; with a weight of 290 kg: {score[1].max():.1f}")

# %% [markdown]
# ## 6. Keep it
#
# On the command line: `synthkit run hospital --schema hospital.yaml --out runs/hospital`, then `synthkit sample
# runs/hospital --units 1000 -o more`, where `hospital` is a folder with a CSV or Parquet file a table.

# %%
folder = run.save(Path(tempfile.mkdtemp()) / "release")
print(*sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.*")), sep="\n")
again = sk.LinkedSynthesizer.load(folder / "model")
assert again.sample(3, seed=4)["observations"].equals(run.synthesizer.sample(3, seed=4)["observations"])
