"""Synthesizers of other people behind our fit and sample, for comparison only: they need the raw rows.

They are no part of synthkit: sdv and ctgan are optional, come under the Business Source License 1.1, and are imported
inside functions of this room alone. A reference is not in `MODELS`: it cannot be saved, knows no rule, and charges no
ledger, for its reading of the rows is nobody's to bound.
"""

from synthkit.baselines.sdv_models import REFERENCES, ReferenceSynthesizer

__all__ = ["REFERENCES", "ReferenceSynthesizer"]
