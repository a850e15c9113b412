"""The training loop: warm-up and cosine, an average of the weights, the best average kept; alone it seeds torch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from synthkit.encoding.layout import Rows, TrainingLoader
from synthkit.errors import ConfigError
from synthkit.privacy.dpsgd.dpsgd_plan import PrivateTraining
from synthkit.training.callbacks import TrainingCallbacks
from synthkit.training.early_stopping import BestWeights, spacing
from synthkit.training.matrix_precision import fast_matrices
from synthkit.training.memory import MicroBatch, footprint, free
from synthkit.training.state import TrainState, random_states, set_random_states
from synthkit.training.step_runner import StepRunner

M = TypeVar("M", bound=nn.Module)
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
    training: TrainingLoader | PrivateTraining,
    plan: TrainingPlan,
    seed: int,
    watch: TrainingCallbacks | None = None,
) -> TrainingCurve:
    """Train a module in place; it ends with its best average of weights, in evaluation mode.

    Behind a private door the plan is fixed: the last average is kept, and no loss is told.

    Args:
        module: parameters to learn; those named `*bias*` or `query*` are not decayed.
        loss: loss of each row, nats. **Shape**: Rows of B -> (B,).
        training: the door.
        plan: how long and how fast.
        seed: of batches and dropout.
        watch: who is told of each step, how long it may take, where its state is kept.

    Raises:
        ConfigError: under a budget a time is wished for or a state is to be kept, or weights are no longer numbers.
    """
    watch = watch or TrainingCallbacks()
    if isinstance(training, PrivateTraining):
        return _descend(module, loss, training, plan, seed, watch)
    with seeded(seed, training.device), fast_matrices():
        optimizer = _optimizer(module, plan)
        average = copy.deepcopy(module).eval()
        module.train()

        def makes(steps: int, start: int) -> Iterator[float]:
            """One step of the module, and its average follows."""
            shuffled = torch.Generator().manual_seed(seed)
            batches = training.steps(
                optimizer, batch_size=plan.batch_size, steps=steps, generator=shuffled, start=start
            )
            for t, (rows, step) in enumerate(batches, start):
                for group in optimizer.param_groups:
                    group["lr"] = plan.learning_rate * schedule(t / steps)
                value = step(loss(module, part) for part in _parts(rows, portion.rows))
                ema_update(average, module, min(plan.average, (1 + t) / (10 + t)))
                yield value

        trainee = TrainState(
            modules={"module": module, "average": average}, optimizers={"adamw": optimizer}, device=training.device
        )
        portion = _portion(module, loss, training, plan, trainee, watch)
        score = _score(average, loss, training.validation(), portion)
        course = StepRunner(
            makes,
            trainee,
            watch,
            wanted=plan.steps,
            check=score,
            checks=lambda n: 0 if score is None else n // spacing(n, plan.evaluations) + 1,
        )
        keeper = BestWeights(average, score, steps=course.steps, evaluations=plan.evaluations, patience=plan.patience)
        for done, running in course.run(keeper, portion):
            if keeper.stop(done, running):
                break
    module.load_state_dict(keeper.best)
    module.eval()
    return TrainingCurve(
        steps=course.done, planned=course.steps, seconds=course.seconds, memory=portion.bytes, **keeper.curve()
    )


def _descend(
    module: M,
    loss: Callable[[M, Rows], Tensor],
    training: PrivateTraining,
    plan: TrainingPlan,
    seed: int,
    watch: TrainingCallbacks,
) -> TrainingCurve:
    """All steps of a plan that was charged; what is told of them is how many there are."""
    steps = unwatched(training, watch)
    with seeded(seed, training.device), fast_matrices():
        optimizer = _optimizer(module, plan)
        average = copy.deepcopy(module).eval()
        module.train()
        step = training.stepping(module, loss, optimizer)
        for t in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = plan.learning_rate * schedule(t / steps)
            step()
            ema_update(average, module, min(plan.average, (1 + t) / (10 + t)))
            watch.tell(t + 1, steps, math.nan)
    finite(average)
    module.load_state_dict(average.state_dict())
    module.eval()
    return TrainingCurve(
        steps=steps, planned=steps, best_step=steps, seconds=0.0, memory=None, at=(), train=(), validation=None
    )


def unwatched(training: PrivateTraining, watch: TrainingCallbacks) -> int:
    """The steps of a private plan, once it is clear that nothing but their number may be known of them.

    Raises:
        ConfigError: a time is wished for, or a state is to be kept.
    """
    if watch.store is not None or watch.seconds is not None:
        asked = "a checkpoint" if watch.store is not None else "a wish for time"
        msg = f"under a privacy budget all steps must be made at once, as planned; however: there is {asked}. Drop it"
        raise ConfigError(msg)
    return training.descent.steps


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


def _portion(
    module: M,
    loss: Callable[[M, Rows], Tensor],
    training: TrainingLoader,
    plan: TrainingPlan,
    trainee: TrainState,
    watch: TrainingCallbacks,
) -> MicroBatch:
    """How much of a batch is worked on at once; looking for it changes nothing."""
    before = trainee.state()
    needed = footprint(module, lambda rows: loss(module, rows), training.layout, training.device)
    trainee.restore(before)
    return MicroBatch(needed, min(plan.batch_size, int(training.n)), free(training.device), watch.note)


def _score(
    average: M, loss: Callable[[M, Rows], Tensor], held: Rows | None, portion: MicroBatch
) -> Callable[[], float] | None:
    """The mean loss of the average on the rows held back; None if none are."""
    if held is None:
        return None
    rows = held[slice(0, EVALUATION_ROWS)]

    def score() -> float:
        with torch.no_grad():
            return float(torch.cat([loss(average, part) for part in _parts(rows, max(2 * portion.rows, 1))]).mean())

    return score


def _parts(rows: Rows, size: int) -> Iterator[Rows]:
    """A batch in parts; whole if it is no larger, so that nothing is copied."""
    if len(rows) <= size:
        yield rows
        return
    for start in range(0, len(rows), size):
        yield rows[slice(start, start + size)]


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
