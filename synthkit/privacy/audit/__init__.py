"""Experiments that hold mechanisms against their claims: losses seen, batches, units, noise that repeats."""

from synthkit.privacy.audit.batches import Check, audit_batches
from synthkit.privacy.audit.evidence import Finding, delta_seen, epsilon_seen, mu_of_odds, mu_seen
from synthkit.privacy.audit.freshness import Freshness, audit_freshness
from synthkit.privacy.audit.guesses import epsilon_of_guesses
from synthkit.privacy.audit.noise import (
    audit_bounds,
    audit_choice,
    audit_counts,
    audit_gradients,
    audit_levels,
    audit_quantiles,
)
from synthkit.privacy.audit.units import audit_kept

__all__ = [
    "Check",
    "Finding",
    "Freshness",
    "audit_batches",
    "audit_bounds",
    "audit_choice",
    "audit_counts",
    "audit_freshness",
    "audit_gradients",
    "audit_kept",
    "audit_levels",
    "audit_quantiles",
    "delta_seen",
    "epsilon_of_guesses",
    "epsilon_seen",
    "mu_of_odds",
    "mu_seen",
]
