"""Rows of a saved model drawn in shards into a folder: when that is meant, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synthkit.cli.console import say
from synthkit.cli.progress_display import progress_display
from synthkit.errors import ConfigError
from synthkit.pipeline.run_config import RunConfig


@dataclass(frozen=True, kw_only=True)
class ShardsAsked:
    """What flags say of shards.

    Args:
        shard_rows: rows of a shard; None if nobody says.
        engine: who draws.
        workers: how many draw at once.
        insecure: whether a cluster may be joined without encryption.
    """

    shard_rows: int | None
    engine: str
    workers: int | None
    insecure: bool

    def meant(self, out: Path) -> bool:
        """Whether a folder of shards is asked for: by a flag, or by an output that is a folder, or has no ending."""
        return self.shard_rows is not None or self.engine != "local" or bool(self.workers) or _is_folder(out)


def refuse_of_shards(given: list[str] | None, given_file: Path | None) -> None:
    """Values that rows must have are given to a table that is drawn whole.

    Raises:
        ConfigError: some are given.
    """
    if given or given_file is not None:
        what = "--given" if given else "--given-file"
        msg = f"`{what}` is for a table that is drawn whole; however: shards are asked for. Name a file with --out"
        raise ConfigError(msg)


def _is_folder(out: Path) -> bool:
    return out.is_dir() or not out.suffix


def sample_shards(
    model: Path, out: Path, rows: int | None, config: RunConfig, asked: ShardsAsked, *, quiet: bool
) -> None:
    """Draw what is missing of a folder, and say where it is.

    Raises:
        ConfigError: the number of rows is not said, or the output is a file.
        SynthkitError: as `synthkit.synthesizer.shards.draw_shards`.
    """
    from synthkit.pipeline.engines import engine_of
    from synthkit.synthesizer.shards import SHARD_ROWS, draw_shards, plan_of

    if rows is None:
        msg = "the number of rows must be said; however: there is no --rows. For example: --rows 1000000"
        raise ConfigError(msg)
    if not _is_folder(out):
        msg = f"shards are written into a folder; however: {out.name} is a file. Name a folder, such as {out.stem}/"
        raise ConfigError(msg)
    plan = plan_of(model, out, rows, asked.shard_rows or SHARD_ROWS, config.seed, config.raked, config.watermark)
    engine = engine_of(asked.engine, asked.workers, config.memory, insecure=asked.insecure)
    with progress_display(quiet=quiet) as progress:
        progress.stage("sample")
        try:
            draw_shards(
                model,
                out,
                plan,
                engine=engine,
                watermark=config.watermark,
                device=config.device,
                progress=progress.advance,
            )
        except KeyboardInterrupt as error:
            msg = f"stopped; whole shards stay in {out}, and the same command goes on with those that are missing"
            raise KeyboardInterrupt(msg) from error
        progress.stage("")
    if not quiet:
        say(f"{out}: {plan.rows:,} synthetic rows in {plan.shards:,} shards (seed {plan.seed})")
