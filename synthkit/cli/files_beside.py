"""Files beside an output that outlive a command which is killed: its checkpoint, and the ledger of its table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthkit.pipeline.run_config import RunConfig
    from synthkit.runtime.progress import Progress
    from synthkit.synthesizer.checkpoints import Checkpoint


def with_ledger_beside(out: Path, config: RunConfig) -> RunConfig:
    """Under a budget, the ledger beside the output unless another file was named: it outlives a run that is killed.

    Folders above the output are made, as they are for the output itself, which comes last.
    """
    if config.epsilon is None or config.ledger is not None:
        return config
    out.parent.mkdir(parents=True, exist_ok=True)
    return config.model_copy(update={"ledger": out.with_name(f"{out.name}.ledger.json")})


def with_work_beside(out: Path, config: RunConfig) -> RunConfig:
    """The folder of the output for files of a large table, unless another was named: there is room where rows are."""
    return (
        config if config.work_folder is not None else config.model_copy(update={"work_folder": out.absolute().parent})
    )


@contextmanager
def checkpoint_beside(out: Path, progress: Progress, *, resume: bool, overwrite: bool) -> Iterator[Checkpoint]:
    """The checkpoint beside an output, gone when the block ends well; after Ctrl-C the way back is told."""
    from synthkit.synthesizer.checkpoints import Checkpoint

    checkpoint = Checkpoint.beside(out, resume=resume, replace=overwrite)
    if resume and not checkpoint.taken_up:
        progress.say(f"no training is kept in {checkpoint.folder}: it begins at the beginning")
    try:
        yield checkpoint
    except KeyboardInterrupt as error:
        if checkpoint.exists:
            msg = f"stopped; the training is kept in {checkpoint.folder}, and --resume goes on with it"
            raise KeyboardInterrupt(msg) from error
        raise
    checkpoint.remove()
