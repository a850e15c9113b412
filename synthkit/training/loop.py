"""The training loop: warm-up and cosine, an average of the weights, the best average kept; alone it seeds torch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic

import torch
from torch import Tensor, nn

from synthkit.encoding.layout import Rows
from synthkit.errors import ConfigError
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.early_stopping import BestWeights, spacing
from synthkit.training.loader import Batching, M, TrainingLoader, parts
from synthkit.training.matrix_precision import fast_matrices
from synthkit.training.memory import MicroBatch, footprint, free
from synthkit.training.state import TrainState, random_states, set_random_states
from synthkit.training.step_runner import StepRunner

EVALUATION_ROWS = 8192  # rows of a validation pass; more would tell nothing new


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
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
class TrainingCurve:
    """What training went through: see `models.base.TrainingLog`."""

    best_step: int
    steps: int
    planned: int
    seconds: float
    memory: int | None
    at: tuple[int, ...]
    train: tuple[float, ...]
    validation: tuple[float, ...] | None


def train(
    module: M,
    loss: Callable[[M, Rows], Tensor],
    loader: TrainingLoader,
    plan: TrainingPlan,
    seed: int,
    callbacks: TrainingCallbacks | None = None,
) -> TrainingCurve:
    """Train a module in place; it ends with its best average of weights, in evaluation mode.

    Under a budget the steps are those that were charged: the last average is kept, and no loss is told.

    Args:
        module: parameters to learn; those named `*bias*` or `query*` are not decayed.
        loss: loss of each row, nats. **Shape**: Rows of B -> (B,).
        loader: of the rows.
        plan: how long and how fast.
        seed: of batches and dropout.
        callbacks: who is told of each step, how long it may take, where its state is kept.

    Raises:
        ConfigError: there is a time budget or a state to be kept beside a privacy budget, or weights are no longer
            numbers.
    """
    callbacks = callbacks or TrainingCallbacks()
    refuse_traces(loader, callbacks)
    with seeded(seed, loader.device), fast_matrices():
        average = copy.deepcopy(module).eval()
        run = _Run(module.train(), average, loss, loader, plan, seed)
        if loader.planned_steps is None:
            curve = _keep_best(run, callbacks)
        else:
            curve = _make_all(run, loader.planned_steps, callbacks)
    module.load_state_dict(average.state_dict())
    module.eval()
    return curve


class _Run(Generic[M]):
    """The steps of a module and the average that follows them."""

    def __init__(
        self,
        module: M,
        average: M,
        loss: Callable[[M, Rows], Tensor],
        loader: TrainingLoader,
        plan: TrainingPlan,
        seed: int,
    ) -> None:
        self.module, self.average, self.loss, self.loader, self.plan = module, average, loss, loader, plan
        self.optimizer = _optimizer(module, plan)
        self.state = TrainState(
            modules={"module": module, "average": average},
            optimizers={"adamw": self.optimizer},
            device=loader.device,
        )
        self.micro_batch: MicroBatch | None = None
        self._seed = seed

    def makes(self, steps: int, start: int) -> Iterator[float]:
        """One step of the module, and its average follows."""
        plan, micro = self.plan, self.micro_batch
        made = self.loader.steps(
            self.module,
            self.loss,
            self.optimizer,
            Batching(plan.batch_size, steps, torch.Generator().manual_seed(self._seed), start),
            at_once=None if micro is None else lambda: micro.rows,
        )
        for t, step in enumerate(made, start):
            for group in self.optimizer.param_groups:
                group["lr"] = plan.learning_rate * schedule(t / steps)
            value = step()
            ema_update(self.average, self.module, min(plan.average, (1 + t) / (10 + t)))
            yield value


def _keep_best(run: _Run[M], callbacks: TrainingCallbacks) -> TrainingCurve:
    """Steps until the loss of rows held back no longer falls; the average ends as its best."""
    plan = run.plan
    micro = run.micro_batch = _micro_batch(run, callbacks)
    score = _score(run.average, run.loss, run.loader.validation(), micro)
    runner = StepRunner(
        run.makes,
        run.state,
        callbacks,
        wanted=plan.steps,
        check=score,
        checks=lambda n: 0 if score is None else n // spacing(n, plan.evaluations) + 1,
    )
    best = BestWeights(run.average, score, steps=runner.steps, evaluations=plan.evaluations, patience=plan.patience)
    for done, running in runner.run(best, micro):
        if best.stop(done, running):
            break
    run.average.load_state_dict(best.best)
    return TrainingCurve(
        steps=runner.done, planned=runner.steps, seconds=runner.seconds, memory=micro.bytes, **best.curve()
    )


def _make_all(run: _Run[M], steps: int, callbacks: TrainingCallbacks) -> TrainingCurve:
    """All steps of a plan that was charged; what is told of them is how many there are."""
    runner = StepRunner(run.makes, run.state, callbacks, wanted=steps)
    for _ in runner.run():
        pass
    finite(run.average)
    return TrainingCurve(
        steps=steps, planned=steps, best_step=steps, seconds=0.0, memory=None, at=(), train=(), validation=None
    )


def refuse_traces(loader: TrainingLoader, callbacks: TrainingCallbacks) -> None:
    """Refuse what would tell more of a private training than the number of its steps.

    Raises:
        ConfigError: there is a privacy budget, and beside it a time budget or a state to be kept.
    """
    if loader.planned_steps is not None and (callbacks.store is not None or callbacks.seconds is not None):
        asked = "a checkpoint" if callbacks.store is not None else "a wish for time"
        msg = f"under a privacy budget all steps must be made at once, as planned; however: there is {asked}. Drop it"
        raise ConfigError(msg)


def finite(module: nn.Module) -> None:
    """Refuse weights that are no numbers.

    Raises:
        ConfigError: there are some.
    """
    if not all(bool(p.isfinite().all()) for p in module.parameters()):
        msg = "weights must stay finite; however: after the last step some are not. Lower `learning_rate`"
        raise ConfigError(msg)


def schedule(progress: float) -> float:
    """Share of the peak learning rate: linear warm-up over 5 %, then a cosine to zero.

    Example:
        >>> [round(schedule(p), 2) for p in (0.0, 0.025, 0.05, 0.525, 1.0)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if progress < 0.05:
        return progress / 0.05
    return 0.5 * (1 + math.cos(math.pi * (progress - 0.05) / 0.95))


def _micro_batch(run: _Run[M], callbacks: TrainingCallbacks) -> MicroBatch:
    """How much of a batch is worked on at once; looking for it changes nothing."""
    before, loader = run.state.state(), run.loader
    needed = footprint(run.module, lambda rows: run.loss(run.module, rows), loader.layout, loader.device)
    run.state.restore(before)
    return MicroBatch(needed, min(run.plan.batch_size, int(loader.n)), free(loader.device), callbacks.log)


def _score(
    average: M, loss: Callable[[M, Rows], Tensor], held: Rows | None, micro: MicroBatch
) -> Callable[[], float] | None:
    """The mean loss of the average on the rows held back; None if none are."""
    if held is None:
        return None
    rows = held[slice(0, EVALUATION_ROWS)]

    def score() -> float:
        with torch.no_grad():
            return float(torch.cat([loss(average, part) for part in parts(rows, max(2 * micro.rows, 1))]).mean())

    return score


def _optimizer(module: nn.Module, plan: TrainingPlan) -> torch.optim.AdamW:
    return torch.optim.AdamW(_groups(module, plan), lr=plan.learning_rate, betas=(0.9, 0.99), fused=True)


def _groups(module: nn.Module, plan: TrainingPlan) -> list[dict[str, object]]:
    free = [p for name, p in module.named_parameters() if "bias" in name or "query" in name]
    held = [p for name, p in module.named_parameters() if not ("bias" in name or "query" in name)]
    return [{"params": held, "weight_decay": plan.weight_decay}, {"params": free, "weight_decay": 0.0}]


@torch.no_grad()
def ema_update(average: nn.Module, module: nn.Module, decay: float) -> None:
    """Move an average of weights towards the weights: a <- decay a + (1 - decay) w."""
    torch._foreach_lerp_(list(average.parameters()), list(module.parameters()), 1 - decay)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's own generators seeded, and put back afterwards, for dropout and initial weights; only here."""
    before = random_states(device)
    torch.random.manual_seed(seed)
    try:
        yield
    finally:
        set_random_states(device, before)
