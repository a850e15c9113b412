"""Loss of whole units: minus the log-probability of every event and row, from running sums over the unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from synthkit.encoding.arrays import Floats, Ints
from synthkit.encoding.units.sequences import Sequences
from synthkit.models.timeline.network import RECENT, Past, TimelineNetwork
from synthkit.models.timeline.relatives import RelatedCodes


@dataclass(frozen=True, kw_only=True)
class BatchSteps:
    """The steps of some units, one after the other, and which of them are judged.

    Args:
        units: number of each unit. **Shape**: (B,).
        step: number of each step among all. **Shape**: (n,).
        unit: which of the units it belongs to. **Shape**: (n,).
        begin: where the steps of its unit begin here. **Shape**: (n,).
        judged: places here of the steps that count. **Shape**: (m,).
        weight: how much they count. **Shape**: (m,).
    """

    units: Ints
    step: Ints
    unit: Ints
    begin: Ints
    judged: Ints
    weight: Floats

    @classmethod
    def of(cls, sequences: Sequences, units: Ints, window: int | None) -> BatchSteps:
        """The steps of units; of longer ones a window at random, if one is given, which stands for all of them."""
        lengths = sequences.lengths[units]
        ends = lengths.cumsum()
        unit = np.repeat(np.arange(len(units)), lengths)
        begin = (ends - lengths)[unit]
        at = np.arange(len(unit))
        step = sequences.offsets[units][unit] + at - begin
        judged, weight = at, np.ones(len(unit))
        if window is not None and (lengths > window).any():
            first = (torch.rand(len(units)).numpy() * np.maximum(lengths - window + 1, 1)).astype(np.int64)
            place = at - begin
            judged = np.flatnonzero((place >= first[unit]) & (place < first[unit] + window))
            weight = (lengths / np.minimum(lengths, window))[unit[judged]]
        return cls(units=units, step=step, unit=unit, begin=begin, judged=judged, weight=weight)

    def only(self, steps: Ints) -> BatchSteps:
        """The same, with some steps judged. **Shape**: (m,), sorted."""
        here = np.flatnonzero(np.isin(self.step, steps))
        return replace(self, judged=here, weight=np.ones(len(here)))


class UnitLoss:
    """What units cost, step by step.

    Args:
        network: the conditionals.
        sequences: the units.
        window: see `TimelineConfig`; None to judge all.
    """

    def __init__(self, network: TimelineNetwork, sequences: Sequences, window: int | None) -> None:
        self.network, self.sequences, self.window = network, sequences, window
        self.device = network.to_event.device

    def of(self, units: Ints) -> Tensor:
        """Minus the log-probability of each unit below its root, nats. **Shape**: (B,) -> (B,)."""
        batch = BatchSteps.of(self.sequences, units, self.window)
        event, payload = self.parts(batch)
        total = (event + payload) * self._tensor(batch.weight).float()
        return total.new_zeros(len(units)).index_add(0, self._tensor(batch.unit[batch.judged]), total)

    def parts(self, batch: BatchSteps) -> tuple[Tensor, Tensor]:
        """What the event and the row of each judged step cost. **Shape**: (m,), (m,)."""
        net = self.network
        if not len(batch.judged):
            none = net.to_event.new_zeros(0)
            return none, none
        rows = self._rows(batch)
        past = self._past(batch, rows)
        event = self._index(self.sequences.event, batch.step[batch.judged]).long()
        summary = self._summary(batch, rows, past, net.event_words(event, net.words.table()))
        return self._event(batch, past, event), self._payload(batch, summary)

    def summaries(self, batch: BatchSteps) -> Tensor:
        """What is known of the row of each judged step once its event is. **Shape**: (m, H)."""
        net, rows = self.network, self._rows(batch)
        event = self._index(self.sequences.event, batch.step[batch.judged]).long()
        return self._summary(batch, rows, self._past(batch, rows), net.event_words(event, net.words.table()))

    def _event(self, batch: BatchSteps, past: Past, event: Tensor) -> Tensor:
        """What the event of each judged step costs. **Shape**: Past of m, (m, E) -> (m,)."""
        net = self.network
        context = net.event_context(past)
        order = torch.ones(event.shape[1], event.shape[1], dtype=torch.bool, device=self.device).tril(-1)[None]
        parts = net.event.losses(event, order, context=context)
        free = self._tensor(self.sequences.free[batch.step[batch.judged]])
        at = net.layout.events.gap_slot
        counted = torch.ones_like(parts, dtype=torch.bool)
        counted[at:] = (free & (event[:, at] != 0))[None]
        return torch.where(counted, parts, 0.0).sum(dim=0)

    def _summary(self, batch: BatchSteps, rows: Tensor, past: Past, words: Tensor) -> Tensor:
        """The same, of value vectors of the events. **Shape**: (m, H) -> (m, H)."""
        twin, series = self._series(batch, rows)
        told = self._index(self.sequences.told, batch.step[batch.judged]).float()
        return self.network.row_summary(past, words, twin, series, told)

    def _rows(self, batch: BatchSteps) -> Tensor:
        """Value vectors of all steps, and nought behind them. **Shape**: (n + 1, H)."""
        net, sequences = self.network, self.sequences
        table = net.words.table()
        out = net.event_words(self._index(sequences.event, batch.step).long(), table)
        of = sequences.table[batch.step]
        for t, name in enumerate(net.layout.tables):
            here = np.flatnonzero(of == t)
            if len(here):
                cat = self._index(sequences.payload[name].cat, sequences.row[batch.step[here]]).long()
                out = out.index_add(0, self._tensor(here), net.row_words(t, cat, table))
        return torch.nn.functional.pad(out, (0, 0, 0, 1))

    def _past(self, batch: BatchSteps, rows: Tensor) -> Past:
        """What came before each judged step."""
        sequences, none = self.sequences, len(rows) - 1
        at, begin = batch.judged, batch.begin[batch.judged]
        running = self._running(rows[:-1])
        owner = sequences.owner[batch.step]
        place = np.where(owner >= 0, owner - batch.step + np.arange(len(owner)), none)
        above = np.concatenate([place, [none]])
        near = above[at]
        recent = np.maximum(at - RECENT, begin)
        moment = at + (sequences.moment[batch.step[at]] - batch.step[at])
        vectors = [
            self._roots(batch),
            rows[self._tensor(near)],
            rows[self._tensor(above[near])] + rows[self._tensor(above[above[near]])],
            rows[self._tensor(np.where(at - 1 >= begin, at - 1, none))],
            rows[self._tensor(np.where(at - 2 >= begin, at - 2, none))],
            self._mean(running, at, begin),
            self._mean(running, at, recent),
            self._mean(running, at, moment),
        ]
        numbers = self._index(sequences.state, batch.step[at]).float()
        before = self._index(sequences.event, batch.step[np.maximum(at - 1, begin)]).long()
        before = before.masked_fill(self._tensor(at - 1 < begin)[:, None], -1)
        direct = self._opened(owner[at]) + self.network.latest_words(before)
        return Past(torch.stack(vectors, dim=1), numbers, direct)

    def _roots(self, batch: BatchSteps) -> Tensor:
        """Value vectors of the unit of each judged step. **Shape**: (m, H)."""
        roots = self.network.root_words(self._index(self.sequences.roots.cat, batch.units).long())
        return roots[self._tensor(batch.unit[batch.judged])]

    def _opened(self, owner: Ints) -> Tensor:
        """What the open owner of each judged step tells of its next event. **Shape**: (m,) -> (m, H)."""
        net, sequences = self.network, self.sequences
        out = net.to_event.new_zeros(len(owner), net.config.width)
        for t, name in enumerate(net.layout.tables):
            here = np.flatnonzero((owner >= 0) & (sequences.table[np.maximum(owner, 0)] == t))
            if len(here):
                cat = self._index(sequences.payload[name].cat, sequences.row[owner[here]]).long()
                out = out.index_add(0, self._tensor(here), net.opened_words(t, cat))
        return out

    def related(self, t: int, batch: BatchSteps, here: Ints) -> RelatedCodes:
        """Codes of the rows that some judged steps are related to, all of them rows of one table."""
        sequences, layout = self.sequences, self.network.layout
        at = batch.judged[here]
        step, name = batch.step[at], layout.tables[t]
        above = layout.owners[name]
        return RelatedCodes(
            unit=self._index(sequences.roots.cat, batch.units[batch.unit[at]]).long(),
            owner=self._codes(above, sequences.owner[step]) if above in layout.payloads else None,
            twin=self._codes(name, sequences.twin[step]),
        )

    def _codes(self, name: str, steps: Ints) -> Tensor:
        """Codes of steps of one table, -1 for none. **Shape**: (n,) -> (n, D)."""
        row = self.sequences.row[np.maximum(steps, 0)]
        cat = self._index(self.sequences.payload[name].cat, np.where(steps >= 0, row, 0)).long()
        return cat.masked_fill(self._tensor(steps < 0)[:, None], -1)

    def _running(self, rows: Tensor) -> Tensor:
        """What means of rows that follow each other are told from. **Shape**: (n, H) -> (n + 1, H)."""
        return torch.nn.functional.pad(rows.cumsum(dim=0), (0, 0, 1, 0))

    def _mean(self, running: Tensor, end: Ints, begin: Ints) -> Tensor:
        """Means of rows from places on up to others. **Shape**: (m,), (m,) -> (m, H)."""
        many = self._tensor(np.maximum(end - begin, 1).astype(np.float32))[:, None]
        return (running[self._tensor(end)] - running[self._tensor(begin)]) / many

    def _payload(self, batch: BatchSteps, summary: Tensor) -> Tensor:
        """What the row of each judged step costs. **Shape**: (m, H) -> (m,)."""
        net, sequences = self.network, self.sequences
        step = batch.step[batch.judged]
        out = torch.zeros(len(step), device=self.device)
        of = sequences.table[step]
        for t, name in enumerate(net.layout.tables):
            here = np.flatnonzero(of == t)
            if len(here):
                cat = self._index(sequences.payload[name].cat, sequences.row[step[here]]).long()
                mine = self._tensor(here)
                context = net.row_context(t, summary[mine], self.related(t, batch, here))
                out = out.index_add(0, mine, self._row(t, name, cat, context))
        return out

    def _row(self, t: int, name: str, cat: Tensor, context: Tensor) -> Tensor:
        """What rows of one table cost. **Shape**: (n, D), (n, D, H) -> (n,)."""
        net = self.network.table_network(t)
        d, known = cat.shape[1], self.network.layout.known[name]
        if self.network.training:
            before = net.orders(len(cat), self.network.config.canonical, cat.device)
        else:
            before = torch.ones(d, d, dtype=torch.bool, device=cat.device).tril(-1)[None]
        if known is not None:
            before = before.clone()
            before[:, :, known] = True
            before[:, known] = False
        losses = net.losses(cat, before, None, context)
        counted = torch.ones_like(losses, dtype=torch.bool)
        if known is not None:
            counted[known] = False
        for at, slots in self.network.layout.copied[name].items():
            counted[list(slots)] &= (cat[:, at] == 0)[None]
        return torch.where(counted, losses, 0.0).sum(dim=0)

    def _series(self, batch: BatchSteps, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Last row of the same series before each judged step, and the mean of the series. **Shape**: (m, H) each."""
        sequences, none = self.sequences, len(rows) - 1
        twin = sequences.twin[batch.step]
        local = np.where(twin >= 0, twin - batch.step + np.arange(len(twin)), none)[batch.judged]
        place = batch.begin + sequences.twin_place[batch.step]
        ordered = np.empty_like(place)
        ordered[place] = np.arange(len(place))
        running = self._running(rows[self._tensor(ordered)])
        end = place[batch.judged]
        return rows[self._tensor(local)], self._mean(running, end, end - sequences.twin_rank[batch.step[batch.judged]])

    def _index(self, values: Tensor, at: Ints) -> Tensor:
        return values[torch.from_numpy(at).to(values.device)].to(self.device)

    def _tensor(self, x: np.ndarray) -> Tensor:
        return torch.from_numpy(x).to(self.device)
