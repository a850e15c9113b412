"""`withdraw`: a signed notice that a release is called back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from synthkit.cli import options as o
from synthkit.cli.arguments import passphrase
from synthkit.cli.console import say, warn


def withdraw(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The zip that was released.")],
    key: Annotated[Path, typer.Option("--key", help="The private key that signed it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in one line; it is published with the notice.")],
    out: Annotated[
        Optional[Path],
        typer.Option("--out", help="File of notices, added to if it is there; BUNDLE.withdrawn.json if not given."),
    ] = None,
    register: Annotated[
        Optional[Path], typer.Option("--register", help="Register in which the release is marked as withdrawn.")
    ] = None,
    quiet: o.Quiet = False,
) -> None:
    """Sign a notice that a release is withdrawn. `synthkit verify --revocations` heeds it; what left stays where it is.

    A passphrase of the key is read from the environment variable SYNTHKIT_PASSPHRASE.

    Example: synthkit withdraw bundle.zip --key custodian.key --reason "a person has objected" --out withdrawn.json
    """
    from synthkit.release.bundle.release_register import mark_withdrawn
    from synthkit.release.bundle.withdrawal_notice import withdraw as sign_notice

    out = bundle.with_name(f"{bundle.name}.withdrawn.json") if out is None else out
    notice = sign_notice(bundle, out, key=key, reason=reason, passphrase=passphrase())
    if register is None:
        warn("no register was named, so none says that the release is withdrawn: name it with --register")
    else:
        mark_withdrawn(register, notice.said["manifest"], notice.said["withdrawn"])
    say(f"{out}: {bundle.name} is withdrawn; publish the file where recipients look for it", quiet=quiet)
