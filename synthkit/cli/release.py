"""`release`: what may leave of a run packed into one signed file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import passphrase
from synthkit.cli.console import formulas, say, warn


def release(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    out: Annotated[Path, typer.Option("--out", help="The zip to write.")],
    key: Annotated[Optional[Path], typer.Option("--key", help="Private key, of `synthkit keygen`.")] = None,
    recipient: Annotated[Optional[str], typer.Option("--recipient", help="For whom the bundle is.")] = None,
    input_: Annotated[
        Optional[Path],
        typer.Option("--input", help="The table that was learned from, or the folder of linked ones, to commit to it."),
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
    from synthkit.release.bundle.build_bundle import release as pack_bundle
    from synthkit.release.run_folder import SCHEMA_FILE
    from synthkit.schema.linked.either_schema import load_either
    from synthkit.schema.spreadsheet_formulas import declared_formulas

    check_file(out, overwrite=overwrite)
    path = pack_bundle(
        folder,
        out,
        key=key,
        passphrase=passphrase(),
        recipient=recipient,
        table=input_,
        although=although,
        register=register,
    )
    if although is not None:
        warn(
            f"{path.name} did not pass its gate; the manifest says so, with the reason, and `synthkit verify` tells it"
        )
    if begun := declared_formulas(load_either(folder / SCHEMA_FILE)):
        warn(f"{formulas(begun)}: tell whoever makes a CSV file of the rows")
    if key is None:
        warn("the bundle is not signed: nobody can tell that it is yours. Make a key with `synthkit keygen`")
    say(f"{path}: {path.stat().st_size:,} bytes; check it with `synthkit verify {path.name}`", quiet=quiet)
