"""Rows nobody has: what a network is tried out on where no real row may be looked at."""

from __future__ import annotations

import torch

from synthkit.encoding.layout import Layout, Rows


def dummy_rows(n: int, layout: Layout, generator: torch.Generator) -> Rows:
    """Rows of which every level that can occur is as likely as any other. **Shape**: Rows of n.

    Example:
        >>> import numpy as np
        >>> from synthkit.encoding.layout import Slot
        >>> slot = Slot(name="x", size=3, ordinal=False, missing=False, parent=None, prior=np.zeros(3, np.float32))
        >>> dummy_rows(4, Layout((slot,), ("x",)), torch.Generator().manual_seed(0)).cat.shape
        torch.Size([4, 1])
    """
    cat = torch.zeros((n, len(layout.slots)), dtype=torch.long)
    for j, slot in enumerate(layout.slots):
        law = torch.ones(n, slot.size)
        if slot.parent is not None:
            law = torch.from_numpy(slot.prior).isfinite().float()[cat[:, slot.parent]]
            law[:, 0] += law.sum(dim=1) == 0  # what does not apply is stored as 0
        if n:
            cat[:, j] = torch.multinomial(law, 1, generator=generator).squeeze(1)
    return Rows(cat, torch.rand((n, len(layout.residuals)), generator=generator))
