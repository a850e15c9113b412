"""Everything that changes while something is trained, as tensors and plain data: for checkpoints and for probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class State:
    """A state of something.

    Args:
        tensors: copies, by name.
        facts: plain data that JSON can hold.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    @staticmethod
    def together(states: Mapping[str, State]) -> State:
        """Several states as one."""
        tensors = {f"{name}/{k}": v for name, state in states.items() for k, v in state.tensors.items()}
        return State(tensors, {name: state.facts for name, state in states.items()})

    def part(self, name: str) -> State:
        """One of the states put together."""
        head = f"{name}/"
        tensors = {k.removeprefix(head): v for k, v in self.tensors.items() if k.startswith(head)}
        return State(tensors, self.facts[name])


class Stateful(Protocol):
    """Something with a state."""

    def state(self) -> State:
        """A copy of what it is now."""
        ...

    def restore(self, state: State) -> None:
        """Be again what it was."""
        ...


@dataclass(frozen=True, kw_only=True)
class TrainState:
    """Modules, optimizers and generators of random numbers, torch's own included.

    A model with a loop of its own, such as two networks against each other, names all of them here:

        state = TrainState(
            modules={"generator": g, "critic": c, "average": a},
            optimizers={"generator": for_g, "critic": for_c},
            generators={"conditions": drawn},
            device=training.device,
        )

    and hands it to a `StepRunner`. The order of batches is no part of it: it follows from the seed.

    Args:
        modules: weights and buffers, averages included.
        optimizers: moments, counts and rates.
        generators: generators a step draws from, besides torch's own.
        device: where the modules live; its generator of random numbers is part of the state.
    """

    modules: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    generators: Mapping[str, torch.Generator] = field(default_factory=dict)
    device: torch.device

    def state(self) -> State:
        """A copy of everything. **Shape**: tensors by `module.name.parameter` and the like."""
        tensors = {f"module.{m}.{k}": v for m, module in self.modules.items() for k, v in module.state_dict().items()}
        for o, optimizer in self.optimizers.items():
            for index, moments in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{o}.{index}.{k}": torch.as_tensor(v) for k, v in moments.items()}
        tensors |= {f"generator.{name}": g.get_state() for name, g in self.generators.items()}
        tensors |= {f"torch.{name}": v for name, v in random_states(self.device).items()}
        rates = {o: [group["lr"] for group in x.param_groups] for o, x in self.optimizers.items()}
        return State({k: v.detach().clone() for k, v in tensors.items()}, {"rates": rates})

    def restore(self, state: State) -> None:
        """Be again what it was, in place.

        Raises:
            KeyError: the state is that of something else.
        """
        for m, module in self.modules.items():
            module.load_state_dict(_below(state.tensors, f"module.{m}."))
        for o, optimizer in self.optimizers.items():
            moments: dict[int, dict[str, Tensor]] = {}
            for name, value in _below(state.tensors, f"optimizer.{o}.").items():
                index, _, key = name.partition(".")
                moments.setdefault(int(index), {})[key] = value
            optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
            for group, rate in zip(optimizer.param_groups, state.facts["rates"][o], strict=True):
                group["lr"] = rate
        for name, generator in self.generators.items():
            generator.set_state(state.tensors[f"generator.{name}"].cpu())
        set_random_states(self.device, _below(state.tensors, "torch."))


def _below(tensors: Mapping[str, Tensor], head: str) -> dict[str, Tensor]:
    return {k.removeprefix(head): v for k, v in tensors.items() if k.startswith(head)}


def random_states(device: torch.device) -> dict[str, Tensor]:
    """States of torch's own generators: the processor's and the device's."""
    out = {"cpu": torch.random.get_rng_state()}
    if device.type == "cuda":
        out["cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        out["mps"] = torch.mps.get_rng_state()
    return out


def set_random_states(device: torch.device, states: Mapping[str, Tensor]) -> None:
    """Put torch's own generators back."""
    torch.random.set_rng_state(states["cpu"].cpu())
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"].cpu(), device)
    if device.type == "mps":
        torch.mps.set_rng_state(states["mps"].cpu())
