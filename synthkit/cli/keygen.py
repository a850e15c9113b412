"""`keygen`: the custodian's keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import PASSPHRASE_VARIABLE, passphrase
from synthkit.cli.console import say, warn


def keygen(
    out: Annotated[Path, typer.Option("--out", help="Name of both files, without an ending.")],
    quiet: o.Quiet = False,
) -> None:
    """Make the custodian's keys: OUT.key, which stays secret, and OUT.pub, which recipients get by another way.

    If the environment variable SYNTHKIT_PASSPHRASE is set, it locks the private key.

    Example: synthkit keygen --out custodian
    """
    from synthkit.release.bundle.signature import fingerprint, public_key
    from synthkit.release.bundle.signature import keygen as make_keys

    private, public = make_keys(out, passphrase())
    if not passphrase():
        warn(f"{private} is not locked: set {PASSPHRASE_VARIABLE} to lock a key with a passphrase")
    say(f"{private} and {public}, fingerprint {fingerprint(public_key(public))}", quiet=quiet)
