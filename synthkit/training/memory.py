"""How much memory a training takes, measured before it begins, and how batches are cut where there is not enough."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from synthkit.encoding.layout import Layout, Rows
from synthkit.training.state import State

COPIES = 6  # of the weights: themselves, gradients, two moments, the average, the best average
PASSING = 2.5  # peak of a step over what autograd keeps for it, without the weights; 2.2 was measured on 300 columns
MEMORY_SHARE = 0.5  # of the memory that is free, to be used at most
PROBE_ROWS = 8  # rows on which a loss is measured
GIB = 2**30


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """Memory of a training, bytes.

    Args:
        fixed: whatever the batch.
        row: for each row worked on at once.
    """

    fixed: int
    row: int

    def of(self, rows: int) -> int:
        """With so many rows at once."""
        return self.fixed + rows * self.row

    def fitting(self, batch_size: int, free: int | None) -> int:
        """The largest half, quarter ... of a batch that fits into half of what is free; at least one row.

        Example:
            >>> Footprint(fixed=0, row=2).fitting(512, free=1000)
            128
        """
        rows = batch_size
        while free is not None and rows > 1 and self.of(rows) > MEMORY_SHARE * free:
            rows = (rows + 1) // 2
        return rows


def footprint(module: nn.Module, loss: Callable[[Rows], Tensor], layout: Layout, device: torch.device) -> Footprint:
    """What training a module takes: counted by autograd over rows of noughts, of which no real one is needed.

    Args:
        module: what is trained.
        loss: loss of each row. **Shape**: Rows of B -> (B,).
        layout: of the rows.
        device: where they live.
    """
    few, many = (_kept(lambda n=n: loss(_noughts(n, layout, device))) for n in (PROBE_ROWS, 2 * PROBE_ROWS))  # type: ignore[misc]
    weights = sum(t.numel() * t.element_size() for t in module.state_dict().values())
    row = max(many - few, 0) // PROBE_ROWS
    return Footprint(fixed=COPIES * weights + max(few - PROBE_ROWS * row, 0), row=round(PASSING * row))


def free(device: torch.device) -> int | None:
    """Bytes a device has left for us; None if it does not tell."""
    if device.type == "cuda":
        ours = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + ours
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return _free_here(Path("/proc/meminfo"), Path("/sys/fs/cgroup"))


class MicroBatch:
    """Rows of a batch worked on at once: all, or what memory allows; part of a state, for draws depend on it.

    Args:
        needed: what the training takes.
        batch_size: rows a step.
        free: bytes there are, None if nobody knows.
        say: told if a batch is cut, or a lot of memory is taken.
    """

    def __init__(self, needed: Footprint, batch_size: int, free: int | None, say: Callable[[str], None]) -> None:
        self.rows = needed.fitting(batch_size, free)
        self.bytes = needed.of(self.rows)
        gib, whole = f"{self.bytes / GIB:.1f} GiB", f"{needed.of(batch_size) / GIB:.1f} GiB"
        if free is not None and self.rows < batch_size:
            cut = f"a batch would take about {whole} and {free / GIB:.1f} GiB are free: it is worked off"
            say(f"{cut} {self.rows} rows at a time, in about {gib}")
            if self.bytes > free:
                say("even so there may be too little memory: a smaller `width` takes less")
        elif self.bytes > GIB:
            say(f"training takes about {gib} of memory")

    def state(self) -> State:
        """The number."""
        return State({}, {"rows": self.rows})

    def restore(self, state: State) -> None:
        """The number it was begun with, whatever is free today."""
        self.rows = int(state.facts["rows"])


def _noughts(n: int, layout: Layout, device: torch.device) -> Rows:
    cat = torch.zeros((n, len(layout.slots)), dtype=torch.int16, device=device)
    return Rows(cat, torch.zeros((n, len(layout.residuals)), device=device))


def _kept(loss: Callable[[], Tensor]) -> int:
    """Bytes that autograd keeps for the backward pass of a loss, each storage once."""
    found: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = loss()  # held until all is counted: what is freed could give its place to something else
    total = sum(found.values())
    del result
    return total


def _free_here(meminfo: Path, group: Path) -> int | None:
    """Free memory of this machine, or of the container that we are in if that has less."""
    left = []
    try:
        lines = dict(line.split(":") for line in meminfo.read_text().splitlines() if ":" in line)
        left.append(int(lines["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError):
        names = getattr(os, "sysconf_names", {})
        if {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= set(names):  # macOS: all there is; half of it may be used
            left.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        limit, used = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        left += [] if limit == "max" else [max(int(limit) - int(used), 0)]
    except OSError:
        pass
    return min(left) if left else None
