"""Commands by name, each imported when it is called: those of synthkit and those of other distributions."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final

import typer

from synthkit.errors import ConfigError
from synthkit.runtime.plugins import plugins

if TYPE_CHECKING:
    from typer.core import TyperCommand

COMMAND_PLUGINS: Final = "synthkit.commands"  # of entry points
HELP_FLAGS: Final = {"help_option_names": ["--help", "-h"]}


class LazyCommands(Mapping[str, "TyperCommand"]):
    """The commands in their order; asking for one imports its module, asking for names imports plugins alone.

    Args:
        summaries: what each command of synthkit does, by its name.

    Raises:
        ConfigError: by use, a plugin has the name of another command, cannot be imported, or is no function.

    Example:
        >>> LazyCommands({"epsilon": "Count again what a ledger has cost"})["epsilon"].name
        'epsilon'
    """

    def __init__(self, summaries: Mapping[str, str]) -> None:
        self._summaries = summaries
        self._commands: dict[str, TyperCommand] = {}

    @cached_property
    def _plugins(self) -> Mapping[str, object]:
        """What other distributions add."""
        return plugins(COMMAND_PLUGINS, taken=self._summaries)

    def __getitem__(self, name: str) -> TyperCommand:
        if name not in self._commands:
            self._commands[name] = _command(name, self._function(name))
        return self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._summaries, *self._plugins])

    def __len__(self) -> int:
        return len(self._summaries) + len(self._plugins)

    def summary(self, name: str) -> str:
        """What a command does, in a line: of a plugin the first of its docstring."""
        if name in self._summaries:
            return self._summaries[name]
        return (inspect.getdoc(self._plugins[name]) or "").partition("\n")[0].removesuffix(".")

    def _function(self, name: str) -> object:
        """What is called; a command of synthkit is the function of its name in the module of its name."""
        if name not in self._summaries:
            return self._plugins[name]
        word = name.replace("-", "_")
        return getattr(import_module(f"synthkit.cli.{word}"), word)


def _command(name: str, function: object) -> TyperCommand:
    if not callable(function):
        msg = f"a command must be a function; however: `{name}` is of type {type(function).__name__}. Name its function"
        raise ConfigError(msg)
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    single.command(name, context_settings=HELP_FLAGS)(function)
    command: TyperCommand = typer.main.get_command(single)  # type: ignore[assignment]
    return command
