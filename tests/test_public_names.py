"""`synthkit.__all__` equals reality, and whoever asks for help about a public name gets some."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import synthkit

MODULES = sorted(m.name for m in pkgutil.walk_packages(synthkit.__path__, "synthkit."))


def test_all_names_are_there_and_no_other():
    assert sorted(synthkit.__all__) == sorted({*synthkit._HOMES, "__version__"})
    assert dir(synthkit) == sorted(synthkit.__all__)
    for name in synthkit.__all__:
        assert getattr(synthkit, name) is not None


def test_type_checkers_see_the_same_names():
    """The imports under TYPE_CHECKING are those that __getattr__ makes."""
    source = inspect.getsource(synthkit).split("if TYPE_CHECKING:")[1].split("__version__")[0]
    seen = {}
    for line in source.splitlines():
        if line.strip().startswith("from synthkit."):
            module, _, names = line.strip().removeprefix("from synthkit.").partition(" import ")
            seen |= dict.fromkeys(names.split(", "), module)
    assert seen == synthkit._HOMES


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'synthkit' has no attribute 'Curator'"):
        getattr(synthkit, "Curator")  # noqa: B009


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_of_a_module_is_documented(name):
    """Modules, classes, functions, methods and properties; what `__all__` lists exists."""
    module = importlib.import_module(name)
    assert module.__doc__
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public)
    silent = []
    for key, value in vars(module).items():
        if key.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if inspect.isfunction(value) and not value.__doc__:
            silent.append(key)
        if inspect.isclass(value):
            silent += [key] if not value.__doc__ else []
            silent += [f"{key}.{k}" for k, v in vars(value).items() if not k.startswith("_") and _silent(v)]
    assert not silent


def _silent(member: object) -> bool:
    function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
    return inspect.isfunction(function) and not function.__doc__


def test_evaluate_is_the_function_after_its_package_was_imported(toy):
    """No package has the name of a public function."""
    importlib.import_module("synthkit.metrics")
    comparison = synthkit.EvaluationData(train=toy.frame, holdout=toy.frame, synthetic=(toy.frame,), schema=toy.schema)
    measured = synthkit.evaluate(comparison, seed=0, quick=True)
    assert isinstance(measured, synthkit.Evaluation)
