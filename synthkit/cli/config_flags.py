"""Flags made from the options of a run: name, type, range, default and words stand once, at the field.

A command says which options it takes, and gets them as one configuration:

```python
@config_flags("suite", CSVOptions)
def validate(table: InputTable, config: RunConfig, quiet: Quiet = False) -> None: ...
```
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Optional, Union, cast, get_args, get_origin

import typer
from typer.models import OptionInfo

from synthkit.cli.arguments import settings
from synthkit.pipeline.run_config import OptionGroup, RunConfig
from synthkit.runtime.docstrings import arguments

Command = Callable[..., None]

_CONFIG_FILE = Annotated[
    Optional[Path], typer.Option("--config", help="YAML file with any of these settings; a flag beats it.")
]
_MODEL_SETTINGS = Annotated[
    Optional[list[str]], typer.Option("--set", metavar="KEY=VALUE", help="A setting of the model; may be repeated.")
]
_TRAINING_STEPS = Annotated[
    Optional[int], typer.Option("--steps", min=1, help="Steps of training; chosen from the table if not given.")
]
IN_A_FILE_ONLY = ("baselines",)  # mappings of mappings, which a flag cannot say
_NOT_A_FIELD = {"set_": _MODEL_SETTINGS, "steps": _TRAINING_STEPS, "config_file": _CONFIG_FILE}  # flags, by parameter


def config_flags(*chosen: type[OptionGroup] | str, file: bool = False) -> Callable[[Command], Command]:
    """A decorator: the parameter `config` of a command becomes flags, and holds what they say when it is called.

    Args:
        chosen: groups of options, and names of single ones; `settings` are the flags `--set` and `--steps`, and
            `steps` is the second of them alone.
        file: whether there is a `--config` too.
    """
    names = [name for each in chosen for name in ([each] if isinstance(each, str) else each.model_fields)]
    names = [name for name in names if name not in IN_A_FILE_ONLY]
    names = [flag for name in names for flag in (("set_", "steps") if name == "settings" else (name,))]
    parameters = [_parameter(name) for name in [*names, *(["config_file"] if file else [])]]

    def decorate(function: Command) -> Command:
        @wraps(function)
        def command(**words: object) -> None:
            given = {each.name: words.pop(each.name) for each in parameters}
            function(config=_config(given), **words)

        signature = inspect.signature(function, eval_str=True)
        own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in signature.parameters.values()]
        place = [each.name for each in own].index("config")
        whole = [*own[:place], *parameters, *own[place + 1 :]]
        command.__signature__ = signature.replace(parameters=whole)  # type: ignore[attr-defined]
        return command

    return decorate


def flag(name: str) -> OptionInfo:
    """The flag of one option, for a command that takes it by itself: its name and its words.

    Example:
        >>> flag("max_rows_per_unit").help
        'Rows of one person that are used at most, under a budget; of linked tables the schema says.'
    """
    words = name.replace("_", "-")
    switch = _plain_type(RunConfig.model_fields[name].annotation) is bool
    option: OptionInfo = typer.Option(f"--{words}/--no-{words}" if switch else f"--{words}", help=_help(name))
    return option


def _parameter(name: str) -> inspect.Parameter:
    """What a command takes for an option; None says that nothing was said."""
    if name in _NOT_A_FIELD:
        kind = _NOT_A_FIELD[name]
    else:
        kind = Annotated[Optional[_plain_type(RunConfig.model_fields[name].annotation)], flag(name)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def _plain_type(annotation: object) -> object:
    """The type of a field as the command line has it: without None and bounds, a choice as text."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _plain_type(inner[0])
    if origin in (Union, UnionType):
        return _plain_type(next(each for each in inner if each is not NoneType))
    if origin is tuple:
        return list[str]
    return str if origin is Literal else annotation


def _help(name: str) -> str:
    """The words of an option under `Args:` of its group as a sentence, its default said at the end."""
    texts = {key: text for group in RunConfig.__mro__ for key, text in arguments(group.__doc__ or "").items()}
    default = RunConfig.model_fields[name].default
    usual = f"; {default} by default" if default and not isinstance(default, bool) else ""
    return f"{texts[name][0].upper()}{texts[name][1:].removesuffix('.')}{usual}."


def _config(given: Mapping[str, object]) -> RunConfig:
    """The configuration of what was said; an empty list of a repeatable flag says nothing."""
    pairs, steps, path = (given.get(name) for name in _NOT_A_FIELD)
    flags = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if value != []}
    flags = {name: value for name, value in flags.items() if name not in _NOT_A_FIELD}
    chosen = settings(cast(list[str] | None, pairs), cast(int | None, steps))
    return RunConfig.of(cast(Path | None, path), settings=chosen, **flags)
