"""`release`, `verify`, `keygen`: one signed file that leaves, and whether it is what it says."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.console import formulas, say, warn

if TYPE_CHECKING:
    from synthkit.release.bundle.finding import Outcome

SIGNS: Mapping[Outcome, str] = {"holds": "✓", "unvouched": "?", "broken": "✗"}
STATUS: Mapping[Outcome, int] = {"holds": 0, "unvouched": 3, "broken": 1}
PASSPHRASE = "SYNTHKIT_PASSPHRASE"  # the name of a variable of the environment


def release(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    out: Annotated[Path, typer.Option("--out", help="The zip to write.")],
    key: Annotated[Optional[Path], typer.Option("--key", help="Private key, of `synthkit keygen`.")] = None,
    recipient: Annotated[Optional[str], typer.Option("--recipient", help="For whom the bundle is.")] = None,
    input_: Annotated[
        Optional[Path], typer.Option("--input", help="The table that was learned from, to commit to it.")
    ] = None,
    although: Annotated[
        Optional[str],
        typer.Option("--although", help="Why it is released though its gate does not say PASS; the manifest keeps it."),
    ] = None,
    register: o.Register = None,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Pack what may leave of a run: rows, schema, shareable report, statement, ledger, gate, and a signed manifest.

    A run whose gate does not say PASS, or that has none, is refused without --although. The release is entered in a
    register. A passphrase of the key is read from the environment variable SYNTHKIT_PASSPHRASE.

    Example: synthkit release runs/demo --out bundle.zip --key custodian.key --recipient "University B"
    """
    from synthkit.io.atomic_files import check_file
    from synthkit.release.bundle.build_bundle import release as pack
    from synthkit.release.run_folder import SCHEMA
    from synthkit.schema import Schema
    from synthkit.schema.spreadsheet_formulas import declared_formulas

    check_file(out, overwrite=overwrite)
    said = os.environ.get(PASSPHRASE)
    path = pack(
        folder,
        out,
        key=key,
        passphrase=said,
        recipient=recipient,
        table=input_,
        although=although,
        register=register,
    )
    if although is not None:
        warn(
            f"{path.name} did not pass its gate; the manifest says so, with the reason, and `synthkit verify` tells it"
        )
    if begun := declared_formulas(Schema.load(folder / SCHEMA)):
        warn(f"{formulas(begun)}: tell whoever makes a CSV file of the rows")
    if key is None:
        warn("the bundle is not signed: nobody can tell that it is yours. Make a key with `synthkit keygen`")
    say(f"{path}: {path.stat().st_size:,} bytes; check it with `synthkit verify {path.name}`", quiet=quiet)


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A zip that `synthkit release` wrote.")],
    public_key: Annotated[
        Optional[Path], typer.Option("--public-key", help="The custodian's public key, had by another way.")
    ] = None,
    on: Annotated[
        Optional[dt.datetime],
        typer.Option("--on", formats=["%Y-%m-%d"], help="Day for which it is asked; today in UTC if not given."),
    ] = None,
    cells: Annotated[
        Optional[int],
        typer.Option("--cells", min=1, help="Most cells that are read; time and memory grow alike. [10,000,000]"),
    ] = None,
    revocations: Annotated[
        Optional[Path], typer.Option("--revocations", help="Notices of `synthkit withdraw`, had from the custodian.")
    ] = None,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print keys and rules of the schema as SQL, and what was checked as comments.")
    ] = False,
    quiet: o.Quiet = False,
) -> None:
    """Check a bundle without the real rows: bytes, digests, signature, epsilon, every row, every number, the verdict.

    Exit 0 if it holds and the signer is the one whose key you gave; 3 if it holds, but nothing here vouches for the
    signer or the page; 1 if it does not hold. The last line says which.

    Example: synthkit verify bundle.zip --public-key custodian.pub
    """
    from synthkit.release.bundle.opened_bundle import CELLS
    from synthkit.release.bundle.verification import last_word, outcome
    from synthkit.release.bundle.verification import sql as query
    from synthkit.release.bundle.verification import verify as check
    from synthkit.schema.rules_sql import comment

    day = None if on is None else on.date()
    found = check(bundle, public_key, on=day, revocations=revocations, cells=cells or CELLS)
    lines = [(each.holds, f"{SIGNS[each.outcome]} {each.name}: {each.words}") for each in found]
    for holds, line in [*lines, (outcome(found) == "holds", last_word(found))]:
        say(f"-- {comment(line)}" if sql else line, quiet=quiet and holds)
    if sql and found[0].holds:
        typer.echo(query(bundle), nl=False)
    raise typer.Exit(STATUS[outcome(found)])


def keygen(
    out: Annotated[Path, typer.Option("--out", help="Name of both files, without an ending.")],
    quiet: o.Quiet = False,
) -> None:
    """Make the custodian's keys: OUT.key, which stays secret, and OUT.pub, which recipients get by another way.

    If the environment variable SYNTHKIT_PASSPHRASE is set, it locks the private key.

    Example: synthkit keygen --out custodian
    """
    from synthkit.release.bundle.signature import fingerprint, public_key
    from synthkit.release.bundle.signature import keygen as make

    private, public = make(out, os.environ.get(PASSPHRASE))
    if not os.environ.get(PASSPHRASE):
        warn(f"{private} is not locked: set {PASSPHRASE} to lock a key with a passphrase")
    say(f"{private} and {public}, fingerprint {fingerprint(public_key(public))}", quiet=quiet)
