"""`audit`: the mechanisms that privacy rests on, held against their claims on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.console import say, write_json
from synthkit.cli.progress_display import progress_display
from synthkit.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from synthkit.audit import AuditResult

FORMAT = "synthkit-audit/1"


def audit(
    only: Annotated[
        Optional[list[str]],
        typer.Option("--only", metavar="NAME", help="One audit by its name; may be repeated; all if not given."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer trials: a minute or two; enough to see half the noise missing.")
    ] = False,
    json: Annotated[Optional[Path], typer.Option("--json", help="Write the results to this file as well.")] = None,
    quiet: o.Quiet = False,
) -> None:
    """Hold noise, choices, batches, clipping and fits against what they claim; exit 1 if one does not keep it.

    No table of yours is read and no budget is spent: tables of a few made-up rows that differ by one unit are told
    apart as well as can be, and what is seen must not exceed the claim. Each line: what was claimed, what was measured,
    and a verdict. `holds`; `broken`, more is lost than claimed; `loose`, the noise is larger than was paid for.

    An audit finds errors; it proves nothing. A right build is called broken or loose about once in a thousand times.

    Example: synthkit audit --quick --json audit.json
    """
    with progress_display(quiet=quiet) as progress:
        progress.stage("load libraries")
        from synthkit.audit import AUDITS

        found: dict[str, tuple[AuditResult, ...]] = {}
        names = _chosen(only, AUDITS)
        progress.stage("audit")
        for k, name in enumerate(names):
            progress.advance(k, len(names), name)
            found[name] = AUDITS[name].run(quick=quick)
        progress.advance(len(names), len(names))
        progress.stage("")
    write_json(json, _figures(found, quick=quick), indent=2)
    failed = [f"{name}, {result}" for name, results in found.items() for result in results if not result.holds]
    if not quiet:
        _show(found)
    if failed:
        say(f"{len(failed)} of {sum(map(len, found.values()))} claims are not kept:")
        for line in failed:
            say(f"  {line}")
        raise typer.Exit(1)
    say("Every claim is kept, as far as these experiments can see.", quiet=quiet)


def _chosen(only: list[str] | None, audits: Collection[str]) -> list[str]:
    """The audits asked for, in the order of the registry."""
    unknown = [name for name in only or () if name not in audits]
    if unknown:
        msg = f"`--only` must name an audit of {', '.join(audits)}; however: `{unknown[0]}`. Choose one of them"
        raise ConfigError(msg)
    return [name for name in audits if not only or name in only]


def _show(found: Mapping[str, tuple[AuditResult, ...]]) -> None:
    """One line each, the verdict first."""
    for name, results in found.items():
        for result in results:
            claimed = f"{result.measure} {result.claim} claimed, {result.found} measured"
            say(f"{result.verdict:<7} {name}, {result.what}: {claimed}")
    say()


def _figures(found: Mapping[str, tuple[AuditResult, ...]], *, quick: bool) -> dict[str, object]:
    """The results as they are written to a file."""
    from synthkit._version import __version__
    from synthkit.audit.lower_bounds import CONFIDENCE

    results = [{"audit": name, **result.to_dict()} for name, each in found.items() for result in each]
    return {
        "format": FORMAT,
        "synthkit": __version__,
        "quick": quick,
        "confidence": CONFIDENCE,
        "holds": all(result["verdict"] == "holds" for result in results),
        "results": results,
    }
