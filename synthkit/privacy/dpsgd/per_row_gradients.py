"""Sums of clipped gradients for layers without a closed form: the gradient of every row, written out by Opacus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

import torch
from torch import Tensor, nn

from synthkit.errors import UnsupportedError
from synthkit.privacy.dpsgd.clipping import B, M
from synthkit.privacy.dpsgd.unit_batches import Units, clip_norm, learned
from synthkit.training.matrix_precision import exact


class Sampled(Generic[M, B]):
    """As `clipping.Clipper`, for networks of layers that Opacus knows; much slower, and it holds B gradients at once.

    Layers must be called as modules, and a parameter that a module owns itself is learned only if the module is called.

    Args:
        module: network.
        loss: loss of each row. **Shape**: module, B rows -> (B,).
        clip: C, above 0.

    Raises:
        ConfigError: the clip norm is not positive and finite; a weight is coarser than float32.
        UnsupportedError: Opacus has no gradient of each row for a parameter.

    References:
        Yousefpour et al.: Opacus: user-friendly differential privacy library in PyTorch (2021).
    """

    def __init__(self, module: M, loss: Callable[[M, B], Tensor], *, clip: float) -> None:
        self.module, self.loss, self.clip = module, loss, clip_norm(clip)
        self.parameters = learned(module)

    def __call__(self, rows: B, units: Tensor, copies: int = 1) -> list[Tensor]:
        """The sum, a tensor for each parameter; arguments as of `clipping.Clipper`."""
        if len(rows) == 0:
            return [torch.zeros_like(p) for p in self.parameters]
        if copies > 1:
            every = torch.arange(len(rows), device=units.device).repeat_interleave(copies)
            rows, units = rows[every], units[every]
        together = Units(units)
        by_row = self._by_row(rows)
        with torch.no_grad(), exact():
            by_unit = [together.sums(g.float()) / copies for g in by_row]
            norm = torch.stack([g.flatten(1).square().sum(dim=1) for g in by_unit]).sum(dim=0).sqrt()
            weight = torch.where(norm.isfinite(), (self.clip / norm).clamp(max=1), 0.0)
            fine = norm.isfinite()
            return [torch.tensordot(weight[fine], g[fine], dims=1) for g in by_unit]

    def _by_row(self, rows: B) -> list[Tensor]:
        """Gradients of each row. **Shape**: a (B, ..) for each parameter."""
        from opacus.grad_sample.utils import prepare_module

        hooks = prepare_module(self.module, "hooks", wrap_model=False, loss_reduction="sum")
        try:
            torch.autograd.backward(self.loss(self.module, rows).sum())
            found = [getattr(p, "grad_sample", None) for p in self.parameters]
        finally:
            hooks.remove_hooks()
            for p in self.parameters:
                p.grad = None
                p.__dict__.pop("grad_sample", None)
        missing = [
            name
            for (name, _), g in zip(_learned(self.module), found, strict=True)
            if not isinstance(g, Tensor) or len(g) != len(rows)
        ]
        if missing:
            msg = (
                f"every parameter needs a gradient of each row; however: there is none for {', '.join(missing)}. "
                "Call the layer that owns it as a module, with rows as the first axis"
            )
            raise UnsupportedError(msg)
        return [g for g in found if isinstance(g, Tensor)]


def _learned(module: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(name, p) for name, p in module.named_parameters() if p.requires_grad]
