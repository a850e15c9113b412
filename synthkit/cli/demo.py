"""`demo`: the whole way on real patients that come with synthkit."""

from __future__ import annotations

from pathlib import Path

from synthkit.cli import options as o
from synthkit.cli.config_flags import config_flags
from synthkit.cli.console import say
from synthkit.cli.run import run_and_save
from synthkit.pipeline.run_config import RunConfig


@config_flags("model", "rows", "draws", "seed", "steps", "quick", "epsilon", "delta", "public_n", "ledger")
def demo(
    out: o.OutFolder = Path("runs/demo"),
    *,
    config: RunConfig,
    overwrite: o.Overwrite = False,
    quiet: o.Quiet = False,
) -> None:
    """Run on 9,105 real intensive-care patients that come with synthkit (SUPPORT2), judged by an example of a policy.

    The policy is that for research in the same house; nobody has put their name to it, and your own decides on your
    rows: see `synthkit gate`.

    Example: synthkit demo --out runs/demo
    """
    from synthkit.data import DEMO_POLICY, path

    files = path("support2.parquet"), path("support2.yaml")
    run_and_save(*files, out, config, policy=path(DEMO_POLICY), resume=False, overwrite=overwrite, quiet=quiet)
    if config.epsilon is not None:
        say(
            f"An example of a policy to hold it against: synthkit gate {out} --policy {path(DEMO_POLICY).stem}",
            quiet=quiet,
        )
