"""One model of a comparison of linked tables in a process of its own: fitted, drawn from, measured, written.

`python -m synthkit.pipeline.linked.linked_worker` reads a task and its tables from stdin and tells its progress on
stdout, as `synthkit.pipeline.compare.worker` does for one table.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from synthkit.io.atomic_files import replacing_folder
from synthkit.io.provenance_marks import provenance_mark
from synthkit.pipeline.compare.model_result import RESULT, ModelResult
from synthkit.pipeline.compare.worker import ProgressSender, WorkerTask, peak_mib, work
from synthkit.release import run_folder as folder
from synthkit.runtime.progress import Clock
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.metrics.result import Evaluation
    from synthkit.pipeline.linked.linked_results import Tables
    from synthkit.privacy.accounting.ledger import Ledger
    from synthkit.schema.linked.linked_validation import LinkedValidation
    from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer


@dataclass(frozen=True, kw_only=True)
class DrawnUnitsResult:
    """What a model of linked tables made of its task.

    Args:
        maker: the fitted synthesizer.
        ledger: what it looked at.
        draws: its tables.
        validations: of each draw.
        measured: scores of all of them.
    """

    maker: LinkedSynthesizer
    ledger: Ledger
    draws: tuple[Tables, ...]
    validations: tuple[LinkedValidation, ...]
    measured: Evaluation


def receive_linked(stream: BinaryIO) -> tuple[WorkerTask, LinkedTables, LinkedTables]:
    """Read what `send` wrote: the task, and the tables of units that are trained on and held out."""
    import pyarrow as pa

    task = WorkerTask(**json.loads(stream.readline()))
    schema = LinkedSchema.model_validate(task.schema)

    def side() -> LinkedTables:
        frames: Mapping[str, pd.DataFrame] = {name: pa.ipc.open_stream(stream).read_pandas() for name in schema.tables}
        return LinkedTables.of(frames, schema)

    return task, side(), side()


def main() -> None:
    """Do the task on stdin."""
    work(receive_linked, enter_linked)


def enter_linked(task: WorkerTask, train: LinkedTables, holdout: LinkedTables, teller: ProgressSender) -> None:
    """Fit, draw, measure, write.

    Raises:
        SynthkitError: whatever the model cannot do.
    """
    from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
    from synthkit.metrics.linked.linked_runner import evaluate_linked
    from synthkit.pipeline.linked.linked_input import typed_draw
    from synthkit.privacy.accounting.ledger import Ledger
    from synthkit.runtime.seeds import Seeds
    from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

    clock, seeds, cpu = Clock(teller), Seeds(task.seed), {}
    schema, settings = train.schema, dict(task.settings)
    maker = LinkedSynthesizer(schema, task.model, seed=task.seed, settings=settings, device=task.device)
    clock.stage("fit")
    spent, ledger = time.process_time(), Ledger.unlimited(unit=schema.unit)
    told = {"progress": clock.training, "stage": clock.part, "say": clock.say}
    maker.fit(train, max_minutes=task.max_minutes, ledger=ledger, **told)  # type: ignore[arg-type]
    cpu["fit"], spent = time.process_time() - spent, time.process_time()
    clock.stage("sample")
    own = [seeds.of(f"draw {k}") % 2**31 for k in range(task.draws)]
    draws = tuple(maker.sample(task.rows, seed=seed, progress=clock.rows) for seed in own)
    cpu["sample"], peak = time.process_time() - spent, peak_mib()
    clock.stage("evaluate")
    typed = [typed_draw(draw, schema) for draw in draws]
    first, *further = (tables for tables, _ in typed)
    compared = LinkedEvaluationData(train=train, holdout=holdout, synthetic=first, further=tuple(further))
    measured = evaluate_linked(compared, seed=seeds.of("evaluate"), quick=task.quick, progress=clock.metric)
    clock.stage("write")
    found = tuple(validation for _, validation in typed)
    made = DrawnUnitsResult(maker=maker, ledger=ledger, draws=draws, validations=found, measured=measured)
    _write(task, made, _outcome(task, made, clock, cpu, peak))


def _outcome(
    task: WorkerTask, made: DrawnUnitsResult, clock: Clock, cpu: Mapping[str, float], peak: float | None
) -> ModelResult:
    said = ("metric", "value", "low", "high", "goal", "reference")
    rows = tuple(sum(map(len, draw.values())) for draw in made.draws)
    broken = [v for found in made.validations for each in found.violations.values() for v in each]
    log = made.maker.log
    notes = list(clock.said)
    if log is not None and log.steps:
        notes.insert(0, f"Trained for {log.steps:,} steps; the weights of step {log.best_step:,} were kept.")
    return ModelResult(
        name=task.name,
        reference=False,
        settings=dict(task.settings),
        scores=tuple({k: getattr(score, k) for k in said} for score in made.measured.scores),
        failures=tuple({"metric": f.metric, "reason": f.reason} for f in made.measured.failures),
        seconds={k: clock.seconds[k] for k in ("fit", "sample", "evaluate")},
        cpu_seconds={k: round(v, 2) for k, v in cpu.items()},
        rows_per_second=sum(rows) / max(clock.seconds["sample"], 0.01),
        peak_mib=peak,
        rows=rows,
        broken_rows=sum(violation.count for violation in broken),
        broken_rules=len({(violation.columns, violation.rule) for violation in broken}),
        rules=sum(each.checked.expectations for each in made.validations[0].tables.values()),
        notes=tuple(notes),
    )


def _write(task: WorkerTask, made: DrawnUnitsResult, outcome: ModelResult) -> None:
    """The model's folder: what `run` leaves of it, and result.json."""
    from synthkit.pipeline.evaluate_tables import with_facts, with_training
    from synthkit.pipeline.linked.linked_facts import linked_facts, linked_report
    from synthkit.pipeline.linked.linked_results import write_draws

    schema, seconds = made.maker.schema, {k: outcome.seconds[k] for k in ("fit", "sample")}
    told = {"model": task.model, "seed": task.seed, "draws": task.draws, "compared": True}
    facts = linked_facts(schema, task.source, seconds, config={"settings": dict(task.settings)}, **told)
    measured = with_training(with_facts(made.measured, facts), made.maker.log)
    with replacing_folder(Path(task.folder), overwrite=True, marks=(RESULT,)) as temporary:
        made.maker.save(temporary / folder.MODEL)
        (temporary / folder.LEDGER).write_text(made.ledger.to_json(), encoding="utf-8")
        schema.save(temporary / folder.SCHEMA_FILE)
        (temporary / folder.EVALUATION_FILE).write_text(measured.to_json(), encoding="utf-8")
        linked_report(measured, schema, {}, ledger=made.ledger).save(temporary / folder.REPORT_FILE)
        write_draws(made.draws, temporary, schema, mark=provenance_mark())
        (temporary / RESULT).write_text(outcome.to_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
