"""Layouts of everything a model of units has slots for; its tensors follow from them and from settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from synthkit.encoding.layout import Layout
from synthkit.encoding.units.event_coding import EventCoding
from synthkit.encoding.units.step_state import HISTORY_FEATURES, StepState, row_features
from synthkit.encoding.units.unit_clock import MISSING_TICK
from synthkit.encoding.units.unit_encoder import UnitEncoder


@dataclass(frozen=True, kw_only=True)
class UnitLayout:
    """The slots of units.

    Args:
        root: slots of a unit.
        events: slots of an event.
        payloads: slots of a row of each table.
        owners: the table that owns each; that of units where it has no slots of its own.
        known: by table, the slot that is known from the event.
        copied: by table and copy slot, the slots of the value it speaks of.
        state: features of what is known before a step.
        history: how many of them, the last, tell what happened before, and not where the step stands.
        told: features of what is known once the event is.
    """

    root: Layout
    events: EventCoding
    payloads: Mapping[str, Layout]
    owners: Mapping[str, str]
    known: Mapping[str, int | None]
    copied: Mapping[str, Mapping[int, tuple[int, ...]]]
    state: int
    history: int
    told: int

    @classmethod
    def of(cls, encoder: UnitEncoder) -> UnitLayout:
        """The slots of an encoder."""
        payloads = encoder.payloads
        return cls(
            root=encoder.root.layout,
            events=encoder.events,
            payloads={name: each.layout for name, each in payloads.items()},
            owners=dict(encoder.schema.graph.owners),
            known={name: each.series_slot for name, each in payloads.items()},
            copied={n: {at: slots for at, (slots, _) in p.copied.items()} for n, p in payloads.items()},
            state=_state_features(encoder) + encoder.means.width,
            history=HISTORY_FEATURES * encoder.counters + encoder.means.width,
            told=row_features(encoder.scale, *np.zeros((5, 1), dtype=np.int64)).shape[1] + 2 * encoder.ranks.width,
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """Those that have an owner, in order."""
        return tuple(self.payloads)


def _state_features(encoder: UnitEncoder) -> int:
    tables = len(encoder.tables)
    none = np.full(1, MISSING_TICK)
    zero = np.zeros(1, dtype=np.int64)
    owed, kinds = np.zeros((1, tables), dtype=np.int64), np.zeros((1, encoder.counters), dtype=np.int64)
    state = StepState(
        owed=owed,
        owed_unit=owed,
        owner=zero,
        now=none,
        first=none,
        last=none,
        begin=none,
        end=none,
        index=zero,
        place=zero,
        run=zero,
        happened=kinds,
        latest=kinds,
    )
    return int(state.features(encoder.scale).shape[1])
