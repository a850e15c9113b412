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
# # How to read a report
#
# A report has hundreds of numbers. This notebook goes through it in the order in which a reviewer would: are the rows
# right, are they useful, and what do they give away about the people who are in the data? Then we *make* a table that
# gives people away, and see which numbers notice and which do not.

# %%
import math
import os

import numpy as np
import pandas as pd

import synthkit as sk
from synthkit.data import support2, support2_schema

ROWS = int(os.environ.get("READING_ROWS", 9105))  # the tests of this notebook use fewer rows and train less
STEPS = os.environ.get("READING_STEPS")
patients, schema = support2().head(ROWS), support2_schema()
config = sk.RunConfig(settings={"steps": int(STEPS)} if STEPS else {}, quick=True)
run = sk.synthesize(patients, schema, seed=1, config=config)
run.report

# %% [markdown]
# ## 1. No number stands alone
#
# Each has an interval of 95 %, and, wherever it can be measured, a *reference*: what real patients score who were held
# out. Real rows differ from other real rows too, so the question is never whether a score is perfect but whether it is as
# good as that of real people. All of them as one table:

# %%
numbers = run.evaluation.frame()
numbers.loc[["fidelity.tv1", "fidelity.tv2", "fidelity.c2st", "fidelity.rule_violations"]].round(3)

# %% [markdown]
# `tv2` compares all tables of two columns (1 is best). `c2st` is a classifier that tries to tell synthetic from real rows
# (0.5: it cannot). A rule that is broken would be listed with its sentence.
#
# ## 2. Useful: for what?
#
# The schema names the questions that are asked of these patients. For each a model is trained on synthetic rows and tested
# on real ones (`tstr`), beside one trained on real rows (`trtr`). What is lost is `gap`. A gap is small enough if the *upper
# end* of its interval is below the margin that was set beforehand; that a gap is "not significant" would prove nothing.

# %%
numbers[numbers.index.str.fullmatch(r"utility\.hospdead\.(tstr|trtr|gap)")].round(3)

# %% [markdown]
# ## 3. What is given away
#
# Before the fit every patient of the *pool* drew a fair coin: heads were trained on, tails were not. Whoever attacks must
# guess the coin. If the rows tell nothing, guesses are right half the time, and how far chance alone takes them is known
# exactly: the coins can be thrown again. That is why a verdict can be given at all:

# %%
panel = run.evaluation.panels["membership"]
print(f"{panel['units']:,} people attacked, by {panel['design']}: {panel['verdict']}")
for name, chance in panel["p"].items():
    print(f"  {name}: p {chance:.3f} (adjusted for four tests)")
for check in panel["checks"]:
    print(f"  {'holds' if check['holds'] else 'FAILS'}: {check['name']}")

# %% [markdown]
# PASS means that attacks which *would* have found twenty copied people (that is one of the conditions) found nothing.
# INCONCLUSIVE means that a condition fails: there is nothing to go by. FAIL means that a leak is shown, however small:
# whoever learns a few patients well draws rows that resemble them a little more than they resemble others. How large it
# is, the next two numbers say. An AUC of 0.53 ranks a member above a non-member in 53 of 100 pairs. The bound on
# epsilon says by how much the odds of a guess move *at least*:

# %%
bound = run.evaluation.score("membership.epsilon_lower_bound")
auc = run.evaluation.score("membership.auc")
print(f"AUC {auc.value:.3f} [{auc.low:.3f}, {auc.high:.3f}]")
print(
    f"epsilon at least {bound.value:.2f}: a guess that was even is now right with {1 / (1 + math.exp(-bound.value)):.0%}"
)

# %% [markdown]
# Secrets come next. An attacker who knows some columns of a person guesses another one. Much of it is right because it
# is true of everybody alike (who has metastatic cancer often dies); that is knowledge, and is as right about people who
# were *not* in the data. Only what is more often right about members was leaked by them:

# %%
secrets = numbers[numbers.index.str.fullmatch(r"attribute\..*\.excess")]
secrets.sort_values("low", ascending=False).head(3).round(3)

# %% [markdown]
# ## 4. An alarm
#
# Are these measurements able to fail? We divide the patients into three at random: members, non-members, and a third
# group that plays the part of synthetic rows. It is the best that one could wish for: patients like the others, who tell
# nothing about anybody else. Then we put copies of members among them, one row in thirty.

# %%
order = np.random.default_rng(3).permutation(len(patients))
members, others, harmless = (patients.iloc[part] for part in np.array_split(order, 3))
copied = len(harmless) // 30
leaking = harmless.copy()
leaking.iloc[:copied] = members.iloc[:copied]

# %%
from synthkit.metrics.copying.copied_rows import distances
from synthkit.metrics.attacks.membership_inference import membership


def looked_at(synthetic: pd.DataFrame) -> dict[str, object]:
    """Two ways of asking whether these rows give anybody away."""
    comparison = sk.EvaluationData(train=members, holdout=others, synthetic=(synthetic,), schema=schema)
    distance = {score.metric: score for score in distances(comparison, np.random.default_rng(4))[0]}
    scores, panels = membership(comparison, np.random.default_rng(5))
    attack = {score.metric: score for score in scores}
    return {
        "DCR share": round(distance["copying.dcr_share"].value, 3),
        "AUC": round(attack["membership.auc"].value, 3),
        "epsilon at least": round(attack["membership.epsilon_lower_bound"].value, 2),
        "smallest p": round(min(panels["membership"]["p"].values()), 3),
        "told from chance": panels["membership"]["detected"],
        "verdict": panels["membership"]["verdict"],
    }


found = pd.DataFrame({"harmless": looked_at(harmless), f"{copied} copied": looked_at(leaking)})
found

# %% [markdown]
# The DCR share, which many tools print as *the* privacy score, asks whether synthetic rows are nearer to training than to
# other rows: it stays near a coin toss while these people's records lie open. The AUC, an average over thousands of people,
# hardly moves either. The attack that may choose *whom* to guess, and answers for few people only, finds them. Therefore
# the verdict rests on both, and distances are boxed as "not evidence of privacy".
#
# ## 5. What a report cannot say
#
# - An attack that finds nothing bounds nothing from above: a better one may come. Only a privacy budget bounds it
#   (notebook 03), and then the report shows both: what was claimed, and what was measured.
# - What could not be measured is listed, with the reason, and never passes:

# %%
for failure in run.evaluation.failures:
    print(f"{failure.metric}: {failure.reason}")

# %% [markdown]
# - Whether the measurements themselves can be believed on your machine: `synthkit selftest` puts tables before them of
#   which it is known what they leak. One of its cases, 2,000 training rows released as they are:

# %%
from synthkit.selftest.cases import run_case as known_answers

for answer in known_answers("copies", seed=0):
    print("right:" if answer.holds else "WRONG:", answer)
