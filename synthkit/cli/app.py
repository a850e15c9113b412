"""The command line: its commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, NoReturn

# Before torch is loaded: waiting threads spin briefly, then sleep, or two busy processes would stall each other.
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

import typer
from typer.core import TyperGroup

from synthkit._version import __version__
from synthkit.cli.lazy_commands import HELP_FLAGS, LazyCommands
from synthkit.errors import SynthkitError

NOTHING_WRITTEN = "stopped; nothing was written"
REFUSED, INTERRUPTED = 2, 130

# Each command is the function of its name in the module of its name, which is imported when it is called.
COMMANDS: Final = {
    "demo": "Run on 9,105 real patients that come with synthkit",
    "init": "Draft a schema from a table",
    "validate": "Hold a table against its schema",
    "run": "From a real table to synthetic rows, model and report",
    "fit": "Learn all rows and save the model, without a report",
    "sample": "Draw new rows from a saved model",
    "impute": "Fill missing cells from a saved model",
    "score": "Find odd records with a saved model",
    "evaluate": "Measure synthetic tables made by any tool",
    "compare": "Several models on one table, and one report on all of them",
    "review": "Lay out synthetic and real people for clinicians, blind",
    "report": "Draw the report of a folder again",
    "gate": "Hold what was measured against a policy",
    "release": "Pack what may leave into one signed file",
    "verify": "Check such a file without the real rows",
    "register": "List what left of which table",
    "withdraw": "Sign a notice that a release is withdrawn",
    "keygen": "Make the custodian's keys",
    "plan": "Say what a privacy budget can be expected to give, before it is spent",
    "audit": "Hold what privacy rests on against its claims",
    "watermark-key": "Make the key of a watermark",
    "detect": "Say whether a table bears a watermark",
    "epsilon": "Count again what a ledger has cost",
    "selftest": "Attack tables of which it is known what they leak",
    "shipped": "List or print the schemas and policies that come with synthkit",
}


class CommandGroup(TyperGroup):
    """The commands, in the order of their table, with errors as messages instead of tracebacks."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._lazy = LazyCommands(COMMANDS)
        self.commands = self._lazy  # type: ignore[assignment]

    def list_commands(self, ctx: object) -> list[str]:
        """The names, without importing what they name."""
        return list(self._lazy)

    def format_commands(self, ctx: object, formatter: Any) -> None:
        """A line for each command in the help, without importing it; plugins alone are imported."""
        with errors_as_messages():
            lines = [(name, self._lazy.summary(name)) for name in self._lazy]
        with formatter.section("Commands"):
            formatter.write_dl(lines)

    def invoke(self, ctx: Any) -> object:
        """Run a command: 0 done, 1 a table, claim or ledger is found wanting, 2 refused, 130 stopped by Ctrl-C."""
        with errors_as_messages():
            return super().invoke(ctx)


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """What was refused or interrupted is said on stderr, with the notes of the way, such as what became of a budget."""
    try:
        yield
    except SynthkitError as error:
        _end(REFUSED, f"error: {error}", error)
    except KeyboardInterrupt as error:
        _end(INTERRUPTED, f"\n{str(error) or NOTHING_WRITTEN}", error)


def _end(code: int, message: str, error: BaseException) -> NoReturn:
    typer.echo("\n".join([message, *getattr(error, "__notes__", ())]), err=True)
    raise typer.Exit(code) from error


app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is there twice as fast
    context_settings=HELP_FLAGS,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"synthkit {__version__}")
        raise typer.Exit


@app.callback()
def synthkit(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Share patient tables without sharing patients: synthetic rows, and a report on how good and how risky they are.

    Start with: synthkit demo
    """


def main() -> None:
    """Entry point of the command `synthkit`, and of `python -m synthkit`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot write a sign is no reason to fail
    try:
        app()
    except KeyboardInterrupt as error:
        typer.echo(f"\n{str(error) or NOTHING_WRITTEN}", err=True)
        sys.exit(INTERRUPTED)
