"""What a released model of linked tables would say of each person attacked, against a model of the population."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from synthkit.privacy.accounting.ledger import Ledger
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synthkit.metrics.linked.attacks.unit_targets import UnitTargets
    from synthkit.tables.linked_tables import LinkedTables

REFERENCE_MODEL = "independent"  # shares alone: a few people are enough for it


def with_likelihood(pool: UnitTargets, synthesizer: LinkedSynthesizer, *, seed: int) -> UnitTargets:
    r"""The same people with $\log p(u) - \log r(u)$ of each, p the fitted model, r one of the people of the reference.

    Long histories are less probable than short ones whoever was trained on; r knows lengths and shares of the
    population, so that what is left says more of the person.

    Args:
        pool: the people attacked.
        synthesizer: the fitted model.
        seed: of the model of the reference.

    Example:
        >>> from synthkit.data import synthea, synthea_schema
        >>> from synthkit.pipeline.linked.unit_split import split_units
        >>> from synthkit.runtime.seeds import system_generator
        >>> from synthkit.tables.linked_tables import LinkedTables
        >>> tables = LinkedTables.of(synthea(), synthea_schema())
        >>> parts = split_units(tables, system_generator())
        >>> model = LinkedSynthesizer(tables.schema, "independent", seed=1)
        >>> fitted = model.fit(parts.train, ledger=Ledger.unlimited(unit=tables.schema.unit))
        >>> len(with_likelihood(parts.pool, model, seed=1).likelihood) == len(parts.pool.member)
        True
    """
    schema = pool.reference.schema
    known = LinkedSynthesizer(schema, REFERENCE_MODEL, seed=seed)
    known.fit(pool.reference, seed=seed, ledger=Ledger.unlimited(unit=schema.unit))
    return replace(pool, likelihood=_oddness(known, pool.tables) - _oddness(synthesizer, pool.tables))


def _oddness(synthesizer: LinkedSynthesizer, tables: LinkedTables) -> NDArray[np.float64]:
    frames = {**tables.frames, **tables.shared, **tables.references}
    return synthesizer.anomaly_score(frames)[tables.schema.unit]
