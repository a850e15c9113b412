"""Layouts of everything a model of units has slots for; its tensors follow from them and from settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthkit.encoding.layout import Layout
from synthkit.encoding.units.event_coding import EventCoding
from synthkit.encoding.units.feature_widths import feature_widths
from synthkit.encoding.units.step_state import HISTORY_FEATURES
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
        state, told = feature_widths(encoder)
        return cls(
            root=encoder.root.layout,
            events=encoder.events,
            payloads={name: each.layout for name, each in payloads.items()},
            owners=dict(encoder.schema.graph.owners),
            known={name: each.series_slot for name, each in payloads.items()},
            copied={n: {at: slots for at, (slots, _) in p.copied.items()} for n, p in payloads.items()},
            state=state,
            history=HISTORY_FEATURES * encoder.counters + encoder.means.width,
            told=told,
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """Those that have an owner, in order."""
        return tuple(self.payloads)
