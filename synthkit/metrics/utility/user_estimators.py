"""The user's own discriminative baselines: scikit-learn estimators, given or imported by name, cloned and seeded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

from synthkit.errors import ConfigError
from synthkit.metrics.utility.learners import LEARNERS, Learner, LearnerPlan, Task, task_of

if TYPE_CHECKING:
    from synthkit.io.json_types import JSON
    from synthkit.metrics.estimator import Estimator
    from synthkit.schema import Target

ESTIMATOR_KEY = "estimator"  # of the import path, where a baseline has settings
FIXED_NAMES = frozenset(learner.name for learners in LEARNERS.values() for learner in learners)


def user_estimators(baselines: Mapping[str, object]) -> dict[str, Estimator]:
    """Estimators by name: those that are given, and those whose import path is.

    An import path is `package.module.Class` or `package.module:Class`; a mapping may give it under `estimator` and
    settings of the class beside it. Only what is named is imported; its code runs with the rights of this process.

    Args:
        baselines: by a name of one's own, each an estimator of scikit-learn's interface (unfitted; a pipeline is one),
            an import path, or a mapping.

    Raises:
        ConfigError: a name is that of a fixed learner, nothing can be imported, or what is found is no classifier
            with scores or no regressor.

    Example:
        >>> user_estimators({"svm": {"estimator": "sklearn.svm.LinearSVC", "C": 0.1}})
        {'svm': LinearSVC(C=0.1)}
    """
    found: dict[str, Estimator] = {}
    for name, given in baselines.items():
        if not name.strip() or name in FIXED_NAMES:
            msg = f"a baseline must have a name of its own; however: `{name}` is empty or that of a fixed learner"
            raise ConfigError(f"{msg}. Rename it")
        made = _built(name, given) if isinstance(given, str | Mapping) else given
        tasks = _tasks(made)
        if len(tasks) != 1:
            msg = f"a baseline must be a scikit-learn classifier or regressor, unfitted; however: `{name}` is "
            what = f"the class {made.__name__}" if isinstance(made, type) else f"a {type(made).__name__}"
            raise ConfigError(f"{msg}{what}. Give an estimator with `fit`, `predict` and `get_params`")
        if tasks == {"classification"} and not (hasattr(made, "predict_proba") or hasattr(made, "decision_function")):
            msg = f"a classifier must have `predict_proba` or `decision_function`; however: `{name}` has neither"
            raise ConfigError(f"{msg}. Calibrate it, by sklearn.calibration.CalibratedClassifierCV for example")
        found[name] = cast("Estimator", made)
    return found


def user_learners(estimators: Mapping[str, Estimator], task: Task) -> tuple[Learner, ...]:
    """The estimators that suit a task, as learners: fresh clones, seeded, fed with the inputs of linear models."""
    return tuple(
        Learner(name=name, make=_maker(each), is_probabilistic=hasattr(each, "predict_proba"))
        for name, each in estimators.items()
        if _tasks(each) == {task}
    )


def check_suits(estimators: Mapping[str, Estimator], targets: Sequence[Target]) -> None:
    """Refuse an estimator that none of the targets can use: survival takes none.

    Raises:
        ConfigError: there is one.
    """
    tasks = {task_of(target) for target in targets if target.task != "survival"}
    for name, each in estimators.items():
        if not _tasks(each) & tasks:
            kind = "classifier" if _tasks(each) == {"classification"} else "regressor"
            wanted = "binary or multiclass" if kind == "classifier" else "regression"
            msg = f"a baseline must suit a target; however: `{name}` is a {kind} and no target is {wanted}"
            raise ConfigError(f"{msg}. Declare one in the schema's `targets`, or leave the baseline out")


def _tasks(made: object) -> set[Task]:
    """What an estimator can learn; nothing if it is none."""
    from sklearn.base import is_classifier, is_regressor

    if isinstance(made, type) or not all(hasattr(made, need) for need in ("fit", "predict", "get_params")):
        return set()
    kinds: dict[Task, Callable[[object], bool]] = {"classification": is_classifier, "regression": is_regressor}
    try:
        return {task for task, holds in kinds.items() if holds(made)}
    except (AttributeError, TypeError):  # it has no tags, by which scikit-learn tells kinds
        return set()


def _maker(estimator: Estimator) -> Callable[[LearnerPlan], object]:
    def make(plan: LearnerPlan) -> object:
        from sklearn.base import clone

        fresh = clone(estimator)
        own = [key for key in fresh.get_params() if key == "random_state" or key.endswith("__random_state")]
        return fresh.set_params(**dict.fromkeys(own, plan.seed))

    return make


def _built(name: str, given: str | Mapping[str, JSON]) -> object:
    """The estimator that an import path and settings describe."""
    settings: Mapping[str, JSON] = {} if isinstance(given, str) else given
    path = given if isinstance(given, str) else given.get(ESTIMATOR_KEY)
    if not isinstance(path, str):
        msg = f"a baseline must name an import path; however: `{name}` has no text under `{ESTIMATOR_KEY}`"
        raise ConfigError(f"{msg}. Write `{ESTIMATOR_KEY}: package.module.Class`")
    module, _, attribute = path.rpartition(":" if ":" in path else ".")
    try:
        kind = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        msg = f"a baseline must be importable; however: `{path}` is not ({type(error).__name__})"
        raise ConfigError(f"{msg}. Write package.module.Class, and install the package") from error
    try:
        made: object = kind(**{key: value for key, value in settings.items() if key != ESTIMATOR_KEY})
    except (TypeError, ValueError) as error:
        msg = f"settings of a baseline must be those of its class; however: `{path}` refuses them"
        raise ConfigError(f"{msg} ({type(error).__name__}). See its documentation") from error
    return made
