"""The command line: its commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

# Before torch is loaded: waiting threads spin briefly, then sleep, or two busy processes would stall each other.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

import typer
from typer.core import TyperGroup

from synthkit._version import __version__
from synthkit.cli import (
    audit as auditing,
)
from synthkit.cli import (
    compare as comparing,
)
from synthkit.cli import (
    detect as detecting,
)
from synthkit.cli import (
    epsilon as spending,
)
from synthkit.cli import (
    evaluate as reporting,
)
from synthkit.cli import (
    gate as gating,
)
from synthkit.cli import (
    init as drafting,
)
from synthkit.cli import (
    plan as planning,
)
from synthkit.cli import (
    register as registering,
)
from synthkit.cli import (
    release as releasing,
)
from synthkit.cli import (
    run as running,
)
from synthkit.cli import (
    sample as drawing,
)
from synthkit.cli import (
    selftest as testing,
)
from synthkit.cli import (
    shipped as showing,
)
from synthkit.errors import SynthkitError

STOPPED = "stopped; nothing was written"
REFUSED, INTERRUPTED = 2, 130


def _notes(error: BaseException) -> list[str]:
    """What was noted on the way of an error: what became of a budget."""
    return list(getattr(error, "__notes__", ()))


class Commands(TyperGroup):
    """The commands, in the order they were added, with errors as messages instead of tracebacks."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command: 0 done, 1 a table, claim or ledger is found wanting, 2 refused, 130 stopped by Ctrl-C."""
        try:
            return super().invoke(ctx)
        except SynthkitError as error:
            typer.echo("\n".join([f"error: {error}", *_notes(error)]), err=True)
            raise typer.Exit(REFUSED) from error
        except KeyboardInterrupt as error:
            typer.echo("\n".join(["", str(error) or STOPPED, *_notes(error)]), err=True)
            raise typer.Exit(INTERRUPTED) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is there twice as fast
    context_settings={"help_option_names": ["--help", "-h"]},
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


COMMANDS = (
    (running.demo, "Run on 9,105 real patients that come with synthkit"),
    (drafting.init, "Draft a schema from a table"),
    (drafting.validate, "Hold a table against its schema"),
    (running.run, "From a real table to synthetic rows, model and report"),
    (running.fit, "Learn all rows and save the model, without a report"),
    (drawing.sample, "Draw new rows from a saved model"),
    (drawing.impute, "Fill missing cells from a saved model"),
    (drawing.score, "Find odd records with a saved model"),
    (reporting.evaluate, "Measure synthetic tables made by any tool"),
    (comparing.compare, "Several models on one table, and one report on all of them"),
    (reporting.report, "Draw the report of a folder again"),
    (gating.gate, "Hold what was measured against a policy"),
    (releasing.release, "Pack what may leave into one signed file"),
    (releasing.verify, "Check such a file without the real rows"),
    (registering.register, "List what left of which table"),
    (registering.withdraw, "Sign a notice that a release is withdrawn"),
    (releasing.keygen, "Make the custodian's keys"),
    (planning.plan, "Say what a privacy budget can be expected to give, before it is spent"),
    (auditing.audit, "Hold what privacy rests on against its claims"),
    (detecting.watermark_key, "Make the key of a watermark"),
    (detecting.detect, "Say whether a table bears a watermark"),
    (spending.epsilon, "Count again what a ledger has cost"),
    (testing.selftest, "Attack tables of which it is known what they leak"),
    (showing.shipped, "List or print the schemas and policies that come with synthkit"),
)
for command, summary in COMMANDS:
    app.command(short_help=summary)(command)


def main() -> None:
    """Entry point of the command `synthkit`."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot write a sign is no reason to fail
    try:
        app()
    except KeyboardInterrupt as error:
        typer.echo(f"\n{str(error) or STOPPED}", err=True)
        sys.exit(INTERRUPTED)
