"""One model of a comparison in a process of its own: fitted, drawn from, measured, written to its folder.

`python -m synthkit.pipeline.compare.worker` reads a task and two tables from stdin and tells its progress on
stdout, one JSON a line.
A process of its own makes peak memory the model's alone, and a crash or a full memory nobody else's.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TypeVar

from synthkit.errors import SynthkitError
from synthkit.io.atomic_files import replacing_folder
from synthkit.io.json_types import JSONObject
from synthkit.io.provenance_marks import provenance_mark
from synthkit.pipeline import run_info
from synthkit.pipeline.compare.model_result import RESULT, ModelResult
from synthkit.release import run_folder as folder
from synthkit.runtime.progress import Clock
from synthkit.schema import Schema

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.metrics.result import Evaluation
    from synthkit.synthesizer.protocol import SynthesizerProtocol

RAKED = "+raked"  # ending of the name of a model whose rows are chosen from a pool
STATUS = Path("/proc/self/status")
Side = TypeVar("Side")  # a table, or linked ones


@dataclass(frozen=True, kw_only=True)
class WorkerTask:
    """What one model is to do.

    Args:
        name: of the model or the reference; a model with the ending `+raked` draws raked rows.
        reference: whether it is made by others.
        settings: of the model, by name.
        schema: meaning of the tables, as plain data.
        source: name of the file the rows came from.
        folder: where its folder is to stand.
        seed: root of its random choices, the same for every model.
        rows: rows a draw.
        draws: how many.
        quick: whether to evaluate on samples.
        baselines: estimators of the user by name, as import paths.
        device: where to compute.
        max_minutes: a time budget of our models, a limit for a reference; none if not given.
    """

    name: str
    reference: bool
    settings: JSONObject
    schema: JSONObject
    source: str
    folder: str
    seed: int
    rows: int
    draws: int
    quick: bool
    baselines: JSONObject
    device: str
    max_minutes: float | None

    @property
    def model(self) -> str:
        """Name of the model or the reference alone."""
        return self.name.removesuffix(RAKED)

    @property
    def rake(self) -> bool:
        """Whether rows are chosen from a pool so that tables match."""
        return self.name != self.model

    @property
    def minutes(self) -> float | None:
        """After how long learning is stopped: models of ours plan steps by the time budget and may miss it a little."""
        return None if self.max_minutes is None else self.max_minutes * (1 if self.reference else 2)


class ProgressSender:
    """Progress as lines of JSON for the process that started this one.

    Args:
        stream: where the lines go.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def tell(self, **said: Any) -> None:
        """One line."""
        self._stream.write(json.dumps(said) + "\n")
        self._stream.flush()

    def stage(self, name: str) -> None:
        """A new stage begins."""
        self.tell(stage=name)

    def advance(self, done: int, total: int, note: str = "") -> None:
        """`done` of `total` steps of the stage are made."""
        self.tell(done=done, total=total, note=note)

    def say(self, sentence: str) -> None:
        """Something happened that people should know of."""
        self.tell(say=sentence)


def send(stream: BinaryIO, task: WorkerTask, *frames: pd.DataFrame) -> None:
    """Write a task and its tables; nothing touches the disk."""
    import pyarrow as pa

    stream.write(json.dumps(asdict(task)).encode() + b"\n")
    for frame in frames:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        with pa.ipc.new_stream(stream, table.schema) as writer:
            writer.write_table(table)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[WorkerTask, pd.DataFrame, pd.DataFrame]:
    """Read what `send` wrote: the task, the training and the holdout rows in canonical dtypes."""
    import pyarrow as pa

    from synthkit.schema.conform import conform

    task = WorkerTask(**json.loads(stream.readline()))
    schema = Schema.model_validate(task.schema)
    train, holdout = (conform(pa.ipc.open_stream(stream).read_pandas(), schema) for _ in range(2))
    return task, train, holdout


def main() -> None:
    """Do the task on stdin."""
    work(receive, enter)


def work(
    read: Callable[[BinaryIO], tuple[WorkerTask, Side, Side]],
    do: Callable[[WorkerTask, Side, Side, ProgressSender], None],
) -> None:
    """Read a task from stdin and do it; the last line told is `ok`, or `failed` with the reason.

    Args:
        read: the task, what is trained on and what is held out.
        do: takes these and whom to tell.
    """
    teller = ProgressSender(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)  # what libraries print is no line of ours
    teller.stage("load libraries")
    task, train, holdout = read(sys.stdin.buffer)
    try:
        do(task, train, holdout, teller)
    except SynthkitError as error:
        teller.tell(failed=str(error))
    else:
        teller.tell(ok=True)


def enter(task: WorkerTask, train: pd.DataFrame, holdout: pd.DataFrame, teller: ProgressSender) -> None:
    """Fit, draw, measure, write.

    Raises:
        SynthkitError: whatever the model cannot do.
    """
    from synthkit.metrics.evaluation_data import EvaluationData
    from synthkit.metrics.runner import evaluate
    from synthkit.runtime.seeds import Seeds
    from synthkit.schema.conform import conform

    schema = Schema.model_validate(task.schema)
    clock, seeds, cpu = Clock(teller), Seeds(task.seed), {}
    maker = _maker(task, schema)
    clock.stage("fit")
    spent = time.process_time()
    ledger = _learn(maker, train, task, clock)
    cpu["fit"], spent = time.process_time() - spent, time.process_time()
    clock.stage("sample")
    draws = tuple(_drawn(maker, task, seeds.of(f"draw {k}") % 2**31) for k in range(task.draws))
    cpu["sample"] = time.process_time() - spent
    peak = peak_mib()
    clock.stage("evaluate")
    typed = tuple(conform(draw, schema) for draw in draws)
    comparison = EvaluationData(train=train, holdout=holdout, synthetic=typed, schema=schema)
    measured = evaluate(
        comparison,
        seed=seeds.of("evaluate"),
        quick=task.quick,
        baselines=task.baselines,
        progress=clock.metric,
    )
    clock.stage("write")
    outcome = _outcome(task, maker, measured, typed, clock, cpu, peak)
    _write(task, maker, ledger, measured, draws, outcome, schema)


def peak_mib() -> float | None:
    """The most memory this process has held, MiB; None where the system does not say.

    Linux counts in `ru_maxrss` what the parent held before it started this program; VmHWM is the program's own.
    """
    if STATUS.exists():
        lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        held = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return int(held[0]) / 1024 if held else None
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes


def _maker(task: WorkerTask, schema: Schema) -> SynthesizerProtocol:
    if task.reference:
        from synthkit.baselines import ReferenceSynthesizer

        return ReferenceSynthesizer(schema, task.model, settings=task.settings, device=task.device)
    from synthkit.synthesizer.synthesizer import Synthesizer

    return Synthesizer(schema, task.model, settings=task.settings, device=task.device)


def _learn(maker: SynthesizerProtocol, train: pd.DataFrame, task: WorkerTask, clock: Clock) -> JSONObject | None:
    """Fit: our models through the curator, whose ledger is returned; a reference on the rows themselves."""
    from synthkit.privacy.access.curator import Curator
    from synthkit.privacy.accounting.ledger import Ledger
    from synthkit.runtime.seeds import Seeds
    from synthkit.synthesizer.synthesizer import Synthesizer

    if not isinstance(maker, Synthesizer):
        maker.fit(train, seed=task.seed, progress=clock.training)
        return None
    ledger = Ledger.unlimited(unit=maker.schema.unit)
    curator = Curator(train, maker.schema, ledger, Seeds(task.seed))
    maker.fit(curator, seed=task.seed, max_minutes=task.max_minutes, progress=clock.training, say=clock.say)
    return ledger.to_dict()


def _drawn(maker: SynthesizerProtocol, task: WorkerTask, seed: int) -> pd.DataFrame:
    from synthkit.synthesizer.synthesizer import Synthesizer

    if isinstance(maker, Synthesizer):
        return maker.sample(task.rows, seed=seed, rake=task.rake)
    return maker.sample(task.rows, seed=seed)


def _outcome(
    task: WorkerTask,
    maker: SynthesizerProtocol,
    measured: Evaluation,
    draws: tuple[pd.DataFrame, ...],
    clock: Clock,
    cpu: Mapping[str, float],
    peak: float | None,
) -> ModelResult:
    from synthkit.schema.rules import rows_obeying

    said = ("metric", "value", "low", "high", "goal", "reference")
    rows, schema = tuple(len(draw) for draw in draws), maker.schema
    return ModelResult(
        name=task.name,
        reference=task.reference,
        settings=dict(task.settings),
        scores=tuple({k: getattr(score, k) for k in said} for score in measured.scores),
        failures=tuple({"metric": f.metric, "reason": f.reason} for f in measured.failures),
        seconds={k: clock.seconds[k] for k in ("fit", "sample", "evaluate")},
        cpu_seconds={k: round(v, 2) for k, v in cpu.items()},
        rows_per_second=sum(rows) / max(clock.seconds["sample"], 0.01),
        peak_mib=peak,
        rows=rows,
        broken_rows=sum(int((~rows_obeying(draw, schema.rules)).sum()) for draw in draws),
        broken_rules=sum(any(not rule.holds(draw).all() for draw in draws) for rule in schema.rules),
        rules=len(schema.rules),
        notes=(*_notes(maker, task), *clock.said),
    )


def _notes(maker: SynthesizerProtocol, task: WorkerTask) -> tuple[str, ...]:
    from synthkit.baselines import ReferenceSynthesizer
    from synthkit.synthesizer.synthesizer import Synthesizer

    if isinstance(maker, ReferenceSynthesizer):
        return maker.notes
    plain = "Not raked: rows come as the model draws them."
    chosen = "Raked: rows are chosen from a larger pool so that tables match those of the training rows."
    notes = [chosen if task.rake else plain]
    log = maker.log if isinstance(maker, Synthesizer) else None
    if log is not None and log.steps:
        notes.append(f"Trained for {log.steps:,} steps; the weights of step {log.best_step:,} were kept.")
    return tuple(notes)


def _write(
    task: WorkerTask,
    maker: SynthesizerProtocol,
    ledger: JSONObject | None,
    measured: Evaluation,
    draws: tuple[pd.DataFrame, ...],
    outcome: ModelResult,
    schema: Schema,
) -> None:
    """The model's folder: what `run` leaves of it, and result.json."""
    from synthkit.pipeline.evaluate_tables import with_facts, with_training
    from synthkit.synthesizer.synthesizer import Synthesizer
    from synthkit.tables import table_files

    facts = run_info.facts(
        schema,
        task.source,
        {k: outcome.seconds[k] for k in ("fit", "sample")},
        model=task.model,
        calibrated={"rows": task.rows, "pool": draws[0].attrs["synthkit_pool"]} if task.rake else None,
        seed=task.seed,
        draws=task.draws,
        config={"settings": dict(task.settings)},
        compared=True,
    )
    measured = with_facts(measured, facts)
    with replacing_folder(Path(task.folder), overwrite=True, marks=(RESULT,)) as temporary:
        if isinstance(maker, Synthesizer):
            measured = with_training(measured, maker.log)
            maker.save(temporary / folder.MODEL)
            (temporary / folder.LEDGER).write_text(json.dumps(ledger, indent=1), encoding="utf-8")
        schema.save(temporary / folder.SCHEMA_FILE)
        (temporary / folder.EVALUATION_FILE).write_text(measured.to_json(), encoding="utf-8")
        folder.page(measured, ledger=ledger, schema=schema, validations=None).save(temporary / folder.REPORT_FILE)
        table_files.write(draws[0], temporary / folder.SYNTHETIC, mark=provenance_mark())
        if len(draws) > 1:
            (temporary / folder.DRAWS_FOLDER).mkdir()
            for k, draw in enumerate(draws):
                table_files.write(
                    draw, temporary / folder.DRAWS_FOLDER / f"{k + 1:02d}.parquet", mark=provenance_mark()
                )
        (temporary / RESULT).write_text(outcome.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
