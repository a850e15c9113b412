"""What linked tables can be asked: the configuration settled, and a sentence for each wish that waits for later."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from synthkit.errors import ConfigError
from synthkit.pipeline.run_config import RunConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from synthkit.synthesizer.checkpoints import Checkpoint

LINKED_MODEL = "timeline"  # where none is named and there is no budget


def _given(value: object) -> bool:
    return value is not None and value is not False and value != {}


# Options of one table that linked ones have not: whether one is asked for, and what can be done instead.
_NOT_OF_LINKED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "rows": (_given, "Say `units`: people are drawn, each with all that belongs to them"),
    "unit": (_given, "The schema names the table whose rows are the people, under `unit`"),
    "max_rows_per_unit": (
        _given,
        "Bounds stand in the schema: `max_rows_per_owner` of a link, and `max_rows_per_unit` of a table",
    ),
    "rake": (_given, "Leave it out: rows come as the model draws them"),
    "fits": (lambda fits: (fits or 1) > 1, "Leave it out: one fit is measured"),
    "final": (_given, "Leave it out, or fit all people with `synthkit fit`"),
    "release_model": (_given, "Leave it out, and keep the model inside"),
    "population": (_given, "Leave it out, or evaluate the table of people by itself"),
    "baselines": (_given, "Leave them out, or evaluate one table"),
    "clamp": (_given, "`synthkit validate` lists what is outside: mend the cells, or declare them"),
    "suite": (_given, "Hold one table against it, or give `validate_linked` a suite by table"),
}


def settled_config(config: RunConfig | None, checkpoint: Checkpoint | None = None, **asked: Any) -> RunConfig:
    """The configuration of a run of linked tables: what was said, the usual model and a seed in any case.

    Args:
        config: what the run is asked.
        checkpoint: where the training is kept; the seed of one that is taken up is its own, if none is said.
        asked: keys over those of `config`; what is None says nothing.

    Raises:
        ConfigError: linked tables cannot be asked for it; every such option is listed.

    Example:
        >>> settled_config(None, seed=3).model
        'timeline'
    """
    said = {} if config is None else config.model_dump(exclude_unset=True)
    config = RunConfig.of(**said | {key: value for key, value in asked.items() if value is not None})
    refuse_not_of_linked(config)
    update: dict[str, Any] = {} if "model" in config.model_fields_set else {"model": LINKED_MODEL}
    kept = None if checkpoint is None else checkpoint.seed
    seed = next(s for s in (config.seed, kept, secrets.randbits(31)) if s is not None)
    return config.model_copy(update={**update, "seed": seed})


def refuse_not_of_linked(config: RunConfig) -> None:
    """Refuse what linked tables have not in this version, before any work is done.

    Raises:
        ConfigError: one or more such options are given.
    """
    sentences = list(_refusals(config))
    if sentences:
        raise ConfigError("\n".join(sentences))


def refuse_budget(config: RunConfig, what: str) -> None:
    """Refuse a budget for what is done without one.

    Args:
        config: what is asked.
        what: a sentence that says what is done.

    Raises:
        ConfigError: there is a budget.
    """
    if config.epsilon is not None:
        msg = f"{what} without a privacy budget in this version; however: `epsilon` is given. Leave it out"
        raise ConfigError(msg)


def _refusals(config: RunConfig) -> Iterator[str]:
    for name, (asked, remedy) in _NOT_OF_LINKED.items():
        if asked(getattr(config, name)):
            yield f"linked tables are made without `{name}` in this version; however: it is given. {remedy}"
