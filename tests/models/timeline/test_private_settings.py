"""Settings of a timeline under a budget: the plan they mean, and those that would let units bear on each other."""

from __future__ import annotations

import pytest

from synthkit.errors import ConfigError
from synthkit.models.settings import is_private, resolve_settings, suited_settings
from synthkit.models.timeline.config import TimelineConfig
from synthkit.models.timeline.model import Timeline
from synthkit.models.timeline.private_training import private_plan, private_root


def config(**settings) -> TimelineConfig:
    found = resolve_settings("timeline", TimelineConfig, settings, private=True)
    assert isinstance(found, TimelineConfig)
    return found


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"swap_noise": 0.1}, r"swap_noise 0\.1 \(0 under a budget\)"),
        ({"pairs": True}, r"pairs \(False under a budget\)"),
        ({"augmentation_multiplicity": 2}, r"augmentation_multiplicity 2 \(1\)"),
        ({"root_share": 1.0}, r"root_share 1 \(above 0 and below 1\)"),
        ({"root_share": 0.0}, r"root_share 0 \(above 0 and below 1\)"),
        ({"batch_units": 0}, r"batch_units 0 \(at least 1\)"),
    ],
)
def test_what_no_budget_can_mean_is_refused(settings, said):
    with pytest.raises(ConfigError, match=said):
        config(**settings)


def test_the_rate_follows_from_public_numbers_or_is_a_tenth():
    assert config(batch_units=500).dpsgd_plan(10_000.0).sampling_rate == 0.05
    assert config(batch_units=500).dpsgd_plan(None).sampling_rate == 0.1
    assert config(batch_units=500).dpsgd_plan(20.0).sampling_rate == 1.0
    assert config(sampling_rate=0.2).dpsgd_plan(10_000.0).sampling_rate == 0.2
    plan = config(steps=7, clip_norm=0.3).dpsgd_plan(None)
    assert (plan.steps, plan.clip_norm) == (7, 0.3)


def test_the_training_is_as_planned():
    plan = private_plan(config(steps=7, learning_rate=0.02))
    assert (plan.steps, plan.learning_rate, plan.weight_decay) == (7, 0.02, 0.0)
    root = private_root(config(root_steps=12))
    assert (root.first, root.between, root.last) == (12, 2, 12)
    assert private_root(config()).first == 150


def test_what_is_asked_under_a_budget_is_a_training_beside_counts():
    private = Timeline.fit_plan(config(classes=3), None, private=True)
    assert (private.classes, private.root_share) == (3, 0.15)  # classes are refused by the access
    assert private.dpsgd is not None
    assert private.dpsgd(None).steps == 300
    plain = Timeline.fit_plan(TimelineConfig(), 500.0, private=False)
    assert (plain.dpsgd, plain.root_share, plain.classes) == (None, None, 8)
    assert private.root != plain.root


def test_settings_of_a_budget_need_one():
    assert is_private(TimelineConfig, {"batch_units"})
    assert not is_private(TimelineConfig, {"steps", "width"})
    assert suited_settings("timeline", TimelineConfig, {"width": 8}, private=False).width == 8
    with pytest.raises(ConfigError, match="those of a private training came without a budget"):
        suited_settings("timeline", TimelineConfig, {"batch_units": 9}, private=False)
    assert not {"batch_units", "clip_norm", "root_share"} & set(TimelineConfig().plain())
    assert TimelineConfig(**config().plain()) == config()
