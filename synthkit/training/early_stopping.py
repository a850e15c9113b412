"""Keeps the best of what a training passes through, by its loss on the rows held back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from synthkit.errors import ConfigError
from synthkit.training.state import State


class BestWeights:
    """Scores a module (an average of weights) now and then and keeps the best; without a score, the last.

    Args:
        module: whose weights are kept.
        score: its loss on rows held back; None if none are.
        steps: steps of the plan.
        evaluations: how often it is scored over the plan.
        patience: scores without improvement after which training should stop.
    """

    def __init__(
        self, module: nn.Module, score: Callable[[], float] | None, *, steps: int, evaluations: int, patience: int
    ) -> None:
        self._module, self._score, self._patience = module, score, patience
        self._steps, self._every = steps, spacing(steps, evaluations)
        self._lowest, self._since = math.inf, 0
        self.best_step = 0
        self.best: dict[str, Tensor] = {}
        self.at: list[int] = []
        self.train: list[float] = []
        self.validation: list[float] = []

    def stop(self, step: int, running: float) -> bool:
        """Whether training should end after this step.

        Raises:
            ConfigError: the loss is no longer a number.
        """
        last = step == self._steps
        if step % self._every and not last:
            return False
        if not math.isfinite(running):
            msg = f"the training loss must stay finite; however: at step {step} it is not. Lower `learning_rate`"
            raise ConfigError(msg)
        self.at.append(step)
        self.train.append(running)
        if self._score is None:
            self._keep(step)
            return False
        with torch.no_grad():
            value = self._score()
        self.validation.append(value)
        if value < self._lowest:
            self._lowest, self._since = value, 0
            self._keep(step)
        else:
            self._since += 1
        return self._since >= self._patience

    def curve(self) -> dict[str, Any]:
        """What training went through, as a `TrainingLog` wants it."""
        return {
            "best_step": self.best_step,
            "at": tuple(self.at),
            "train": tuple(self.train),
            "validation": None if self._score is None else tuple(self.validation),
        }

    def state(self) -> State:
        """The best weights and the curve so far."""
        facts = {
            "lowest": self._lowest if math.isfinite(self._lowest) else None,
            "since": self._since,
            "best_step": self.best_step,
            "at": list(self.at),
            "train": list(self.train),
            "validation": list(self.validation),
        }
        return State({k: v.clone() for k, v in self.best.items()}, facts)

    def restore(self, state: State) -> None:
        """Go on from there."""
        facts = state.facts
        self._lowest = math.inf if facts["lowest"] is None else facts["lowest"]
        self._since, self.best_step = facts["since"], facts["best_step"]
        self.at, self.train, self.validation = (list(facts[k]) for k in ("at", "train", "validation"))
        here = self._module.state_dict()
        self.best = {k: v.to(here[k].device) for k, v in state.tensors.items()}

    def _keep(self, step: int) -> None:
        self.best_step = step
        self.best = {k: v.clone() for k, v in self._module.state_dict().items()}


def spacing(steps: int, evaluations: int) -> int:
    """Steps between two scores."""
    return max(1, steps // evaluations)
