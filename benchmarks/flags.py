"""The command line of one subcommand, whose help is the text its module opens with."""

from __future__ import annotations

import argparse


def parser(name: str, says: str | None) -> argparse.ArgumentParser:
    """A parser without flags yet.

    Args:
        name: of the subcommand.
        says: the docstring of its module.
    """
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks {name}", description=says, formatter_class=argparse.RawDescriptionHelpFormatter
    )
