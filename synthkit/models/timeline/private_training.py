"""What a timeline is trained with under a budget: a mixture for the units' own rows, and a plan of noisy steps."""

from __future__ import annotations

from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.timeline.config import TimelineConfig
from synthkit.training.loop import TrainingPlan

ROUNDS_STEPS = 6  # parts of the steps before the rounds that follow each of them


def private_root(config: TimelineConfig) -> MarginalConfig:
    """Settings of the mixture of the units' own rows; `root_steps` before and after its rounds, if they are given."""
    if config.root_steps is None:
        return MarginalConfig()
    steps = config.root_steps
    return MarginalConfig(first=steps, between=max(steps // ROUNDS_STEPS, 1), last=steps)


def private_plan(config: TimelineConfig) -> TrainingPlan:
    """How the steps that were charged are made: by settings alone, with no early end."""
    return TrainingPlan(
        steps=config.steps or 1,
        batch_size=config.batch_units or 1,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay or 0.0,
    )
