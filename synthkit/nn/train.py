"""The training loop: warm-up and cosine, an average of the weights, the best average kept; alone it seeds torch."""

from __future__ import annotations

import copy
import ctypes
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from synthkit.encode.rows import Rows, Training
from synthkit.errors import ConfigError
from synthkit.nn.watch import Watch

M = TypeVar("M", bound=nn.Module)
EVALUATION_ROWS = 8192  # rows of a validation pass; more would tell nothing new


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train.

    Args:
        steps: optimizer steps; learning rate and average are scheduled over them.
        batch_size: rows a step.
        learning_rate: peak rate, reached after 5 % of the steps, then a cosine to zero.
        weight_decay: decoupled decay, in units of the learning rate.
        average: largest decay of the running average of the weights, min(average, (1 + t) / (10 + t)).
        evaluations: how often the average is scored on the rows held back.
        patience: evaluations without improvement after which training stops.
    """

    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    average: float = 0.995
    evaluations: int = 12
    patience: int = 3


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What training went through: see `models.base.TrainingLog`."""

    best_step: int
    steps: int
    seconds: float
    at: tuple[int, ...]
    train: tuple[float, ...]
    validation: tuple[float, ...] | None


def train(
    module: M,
    loss: Callable[[M, Rows], Tensor],
    training: Training,
    plan: Plan,
    seed: int,
    watch: Watch | None = None,
) -> Curve:
    """Train a module in place; it ends with its best average of weights, in evaluation mode.

    Args:
        module: parameters to learn; those named `*bias*` or `query*` are not decayed.
        loss: loss of each row, nats. **Shape**: Rows of B -> (B,).
        training: the door.
        plan: how long and how fast.
        seed: of batches and dropout.
        watch: who is told of each step.
    """
    started, watch = time.perf_counter(), watch or Watch()
    with seeded(seed, training.device), fast_matrices():
        generator = torch.Generator().manual_seed(seed)
        optimizer = torch.optim.AdamW(_groups(module, plan), lr=plan.learning_rate, betas=(0.9, 0.99), fused=True)
        average = copy.deepcopy(module).eval()
        keeper = _Keeper(average, loss, training, plan)
        module.train()
        running = math.nan
        batches = training.steps(optimizer, batch_size=plan.batch_size, steps=plan.steps, generator=generator)
        done = 0
        for t, (rows, step) in enumerate(batches):
            for group in optimizer.param_groups:
                group["lr"] = plan.learning_rate * schedule(t / plan.steps)
            value = step(loss(module, rows))
            running = value if t == 0 else 0.98 * running + 0.02 * value
            _blend(average, module, min(plan.average, (1 + t) / (10 + t)))
            done = t + 1
            watch.tell(done, plan.steps, running)
            if keeper.stop(done, running):
                break
    module.load_state_dict(keeper.best)
    module.eval()
    return Curve(
        best_step=keeper.best_step,
        steps=done,
        seconds=time.perf_counter() - started,
        at=tuple(keeper.at),
        train=tuple(keeper.train),
        validation=tuple(keeper.validation) if keeper.held is not None else None,
    )


def schedule(progress: float) -> float:
    """Share of the peak learning rate: linear warm-up over 5 %, then a cosine to zero.

    Example:
        >>> [round(schedule(p), 2) for p in (0.0, 0.025, 0.05, 0.525, 1.0)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if progress < 0.05:
        return progress / 0.05
    return 0.5 * (1 + math.cos(math.pi * (progress - 0.05) / 0.95))


class _Keeper(Generic[M]):
    """Scores the average on the rows held back and keeps the best; without such rows, the last."""

    def __init__(self, average: M, loss: Callable[[M, Rows], Tensor], training: Training, plan: Plan) -> None:
        held = training.validation()
        self.held = None if held is None else held[slice(0, EVALUATION_ROWS)]
        self._average, self._loss, self._plan = average, loss, plan
        self._every = max(1, plan.steps // plan.evaluations)
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
        last = step == self._plan.steps
        if step % self._every and not last:
            return False
        if not math.isfinite(running):
            msg = f"the training loss must stay finite; however: at step {step} it is not. Lower `learning_rate`"
            raise ConfigError(msg)
        self.at.append(step)
        self.train.append(running)
        if self.held is None:
            self._keep(step)
            return False
        with torch.no_grad():
            value = float(torch.cat([self._loss(self._average, part) for part in _parts(self.held)]).mean())
        self.validation.append(value)
        if value < self._lowest:
            self._lowest, self._since = value, 0
            self._keep(step)
        else:
            self._since += 1
        return self._since >= self._plan.patience

    def _keep(self, step: int) -> None:
        self.best_step = step
        self.best = {k: v.clone() for k, v in self._average.state_dict().items()}


def _parts(rows: Rows, size: int = 1024) -> Iterator[Rows]:
    for start in range(0, len(rows), size):
        yield rows[slice(start, start + size)]


def _groups(module: nn.Module, plan: Plan) -> list[dict[str, object]]:
    free = [p for name, p in module.named_parameters() if "bias" in name or "query" in name]
    held = [p for name, p in module.named_parameters() if not ("bias" in name or "query" in name)]
    return [{"params": held, "weight_decay": plan.weight_decay}, {"params": free, "weight_decay": 0.0}]


@torch.no_grad()
def _blend(average: nn.Module, module: nn.Module, decay: float) -> None:
    torch._foreach_lerp_(list(average.parameters()), list(module.parameters()), 1 - decay)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's own generator forked and seeded, for dropout and initial weights; the only place that does so."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.random.manual_seed(seed)
        yield


@contextmanager
def fast_matrices() -> Iterator[None]:
    """Float32 matrix products through bfloat16 or TF32 units where the processor has them, restored afterwards.

    Freed memory is kept by the process from the first use on.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    _keep_freed_memory()
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _keep_freed_memory() -> None:
    """Ask glibc to keep large freed blocks: giving them back and faulting them in again costs a quarter of a step."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        trim_threshold, mmap_threshold = -1, -3
        libc.mallopt(mmap_threshold, 1 << 30)
        libc.mallopt(trim_threshold, 2_000_000_000)
