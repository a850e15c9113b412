"""All audits, by name, in the order in which they are run: those that copy the process first, the slow ones last."""

from __future__ import annotations

from typing import Any

from synthkit.audit import (
    gradient_clipping,
    linked_patients,
    linked_plan,
    marginal_counts,
    mechanism_audits,
    unit_sensitivity,
)
from synthkit.audit.canaries import CanaryTraining, training
from synthkit.audit.experiment import Audit
from synthkit.audit.linked_fits import shipped_access
from synthkit.privacy.access.bounded_units import bounded_units
from synthkit.privacy.mechanisms.noise import add_noise, choose
from synthkit.privacy.mechanisms.rng import gaussian
from synthkit.privacy.mechanisms.sparse_histogram import tell_levels
from synthkit.privacy.mechanisms.unit_sampling import kept

AUDITS: dict[str, Audit[Any]] = {
    "freshness": Audit(
        about="two copies of a process never draw the same",
        ours=mechanism_audits.shipped_draws(),
        experiment=mechanism_audits.freshness,
        trials=3,
        quick=1,
    ),
    "gaussian": Audit(
        about="noise on gradients against its mu",
        ours=gaussian,
        experiment=mechanism_audits.gradients,
        trials=1_000_000,
        quick=200_000,
    ),
    "discrete-gaussian": Audit(
        about="normal noise on counts against its mu",
        ours=add_noise,
        experiment=lambda draw, trials: mechanism_audits.counts(draw, trials, mechanism_audits.NORMAL),
        trials=200_000,
        quick=30_000,
    ),
    "discrete-laplace": Audit(
        about="Laplace noise on counts against its pure epsilon",
        ours=add_noise,
        experiment=lambda draw, trials: mechanism_audits.counts(draw, trials, mechanism_audits.LAPLACE),
        trials=200_000,
        quick=30_000,
    ),
    "choices": Audit(
        about="choices by noisy scores against their epsilon",
        ours=choose,
        experiment=mechanism_audits.choices,
        trials=50_000,
        quick=10_000,
    ),
    "sparse-histogram": Audit(
        about="levels nobody declared against an exaggerated delta, and against mu",
        ours=tell_levels,
        experiment=mechanism_audits.levels,
        trials=600_000,
        quick=100_000,
    ),
    "bounds": Audit(
        about="bounds bought with noise against their epsilon",
        ours=mechanism_audits.GRID.draw,
        experiment=mechanism_audits.limits,
        trials=15_000,
        quick=3_000,
    ),
    "quantiles": Audit(
        about="edges of bins bought with noise against their epsilon",
        ours=mechanism_audits.BINS.draw,
        experiment=mechanism_audits.quantiles,
        trials=50_000,
        quick=10_000,
    ),
    "batches": Audit(
        about="batches are a Poisson sample",
        ours=mechanism_audits.poisson,
        experiment=mechanism_audits.batches,
        trials=5_000,
        quick=1_000,
    ),
    "rows-of-a-unit": Audit(
        about="no unit brings more rows than promised, and which ones is chance",
        ours=kept,
        experiment=mechanism_audits.rows_of_a_unit,
        trials=100_000,
        quick=20_000,
    ),
    "one-unit": Audit(
        about="a unit of any kind moves one cell of each table by one, however it is spelled",
        ours=unit_sensitivity.shipped,
        experiment=unit_sensitivity.one_unit,
        trials=100_000,
        quick=20_000,
    ),
    "linked-rows": Audit(
        about="no patient brings more rows than declared to any table, and rows of nobody are nobody's",
        ours=bounded_units,
        experiment=linked_patients.rows_in_bounds,
        trials=20,
        quick=3,
    ),
    "linked-patients": Audit(
        about="a patient with any number of rows moves linked counts by what is charged at most",
        ours=shipped_access,
        experiment=linked_patients.patients,
        trials=len(linked_patients.STRANGERS),
        quick=3,
    ),
    "clipping": Audit(
        about="a unit moves a sum of gradients by the clip norm at most",
        ours=gradient_clipping.ours,
        experiment=gradient_clipping.clipping,
        trials=100,
        quick=10,
    ),
    "private-step": Audit(
        about="one noisy step against its mu",
        ours=gradient_clipping.shipped_step,
        experiment=gradient_clipping.private_step,
        trials=10_000,
        quick=2_500,
    ),
    "training": Audit(
        about="one training with canaries: an alarm, from above only",
        ours=CanaryTraining(),
        experiment=training,
        trials=2_000,
        quick=1_000,
    ),
    "marginal": Audit(
        about="fits of counts to tiny tables against the mu of the whole budget",
        ours=marginal_counts.shipped_counting,
        experiment=marginal_counts.marginal,
        trials=8_000,
        quick=3_500,
    ),
    "linked-plan": Audit(
        about="the noise on all tables of a linked fit against the mu of its charges",
        ours=shipped_access,
        experiment=linked_plan.plan,
        trials=42_000,
        quick=3_000,
    ),
}
