"""Linked tables that differ by one unit, and everything a fit lets out of them, compared; see `differential`."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from differential import CRASHES, Difference, Ear, _seen, listening
from typer.testing import CliRunner

from synthkit.cli.app import app
from synthkit.encoding.slot_counts import AskedCounts
from synthkit.encoding.units.step_contexts import StepContexts
from synthkit.errors import SynthkitError
from synthkit.models.unit_layout import UnitLayout
from synthkit.models.unit_marginal.model import UnitMarginal
from synthkit.pipeline.linked.internal_linked_evaluation import LINKED_INSPECTION
from synthkit.privacy.access.linked_counts import NoisyLinkedCounts
from synthkit.privacy.access.private_unit_access import PrivateUnitAccess
from synthkit.privacy.access.unit_access import UnitFitPlan
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.privacy.mechanisms import rng, unit_sampling
from synthkit.release.run_folder import EVALUATION_FILE, INTERNAL_FOLDER, REPORT_FILE, REPORT_JSON_FILE
from synthkit.schema.linked import LinkedSchema
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

INTERNAL_FILES = (EVALUATION_FILE, REPORT_FILE, REPORT_JSON_FILE)
TINY = {"components": 6, "rounds": 1, "first": 3, "between": 1, "last": 3}


@dataclass
class UnitEar(Ear):
    """An ear for units of any number of rows, whose own row stands first or last among those of the units."""

    units: list[int] = field(default_factory=list)  # how many there are, as they were chosen from first
    places: list[np.ndarray] = field(default_factory=list)

    def rows_of(self, units: np.ndarray, most: int) -> np.ndarray:
        """`unit_sampling.kept`: all others' rows as before, the stranger's chosen anew."""
        if not self.units:
            self.units.append(int(units.max(initial=-1)) + 1)
        mask = unit_sampling.kept(units, most)
        if self.before is not None:
            old_units, old_mask = self.before.chosen[len(self.chosen)]
            shift = self.units[0] - self.before.units[0]
            if shift not in (0, 1):
                raise Difference(f"{shift} units more came of one")
            mine = units == (0 if self.first else self.units[0] - 1) if shift else np.zeros(len(units), dtype=bool)
            others = units[~mine] - shift * self.first
            if not np.array_equal(others, old_units):
                raise Difference("others have other rows")
            mask[~mine] = old_mask
        self.chosen.append((units, mask))
        return mask

    def place_of(self, groups: int) -> np.ndarray:
        """`rng.words`: where the rows of an owner that are kept begin; all others' as before."""
        found = rng.words(groups)
        if self.before is not None:
            old = self.before.places[len(self.places)]
            if groups < len(old):
                raise Difference("others have fewer owners")
            found[slice(groups - len(old), None) if self.first else slice(len(old))] = old
        self.places.append(found)
        return found


@contextmanager
def listening_to_units(ear: UnitEar) -> Iterator[None]:
    """All mechanisms and secret choices of a fit of linked tables go through an ear."""
    with (
        listening(ear),
        patch("synthkit.privacy.access.bounded_units.words", ear.place_of),
        patch("synthkit.pipeline.linked.unit_split.draw_roles", ear.split),
    ):
        yield


def ran(
    frames: Mapping[str, pd.DataFrame],
    schema: LinkedSchema,
    folder: Path,
    ear: UnitEar,
    *,
    words: Sequence[object] = (),
    inspected: bool = False,
) -> dict[str, Any]:
    """Everything that leaves in a run by command: exit status, what is said, names of all files, and public files.

    Args:
        frames: the tables, written as CSV files into a folder that is read again.
        schema: their meaning.
        folder: an empty one, for all of it.
        ear: listens.
        words: more of the command.
        inspected: whether the INTERNAL look is taken, in its process of its own; of it the names of files are compared.
    """
    ward = folder / "ward"
    ward.mkdir(parents=True)
    for name, frame in frames.items():
        frame.to_csv(ward / f"{name}.csv", index=False)
    schema.save(folder / "ward.yaml")
    asked = ["run", ward, "--schema", folder / "ward.yaml", "--out", folder / "out", "--model", "marginal", "--seed", 5]
    asked += ["--epsilon", 20, "--delta", 1e-3, "--quick", "--device", "cpu"]
    asked += [*(f"--set={name}={value}" for name, value in TINY.items()), *words]
    look = nullcontext() if inspected else patch(f"{LINKED_INSPECTION}.look")
    with listening_to_units(ear), look:
        said = CliRunner().invoke(app, [str(word) for word in asked], env={"COLUMNS": "120", "NO_COLOR": "1"})
    crash = said.exception
    if isinstance(crash, AssertionError):  # what the ear has heard; any other crash is an outcome
        raise crash
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and ward not in p.parents)
    return {
        "exit": said.exit_code,
        "said": (said.output + ("" if isinstance(crash, SystemExit) else repr(crash))).replace(str(folder), ""),
        "names": files,
        **{name: _seen(folder / name) for name in files if _public(name)},
    }


def _public(name: str) -> bool:
    """Whether a file of a run is not INTERNAL."""
    return INTERNAL_FOLDER not in Path(name).parts and Path(name).name not in INTERNAL_FILES


def let_out(
    frames: Mapping[str, pd.DataFrame],
    schema: LinkedSchema,
    folder: Path,
    ear: UnitEar,
    *,
    epsilon: float = 20.0,
    settings: Mapping[str, Any] = TINY,
    more: Callable[[LinkedSynthesizer], Any] = lambda model: None,
) -> dict[str, Any]:
    """Everything that a fit lets out: what is said and charged, coding, schema, tensors, log, and the saved folder."""
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger.new(folder / "ledger.json", Budget(epsilon=epsilon, delta=1e-3, unit="patients"))
    model = LinkedSynthesizer(schema, "marginal", device="cpu", settings=settings)
    said, heard, code = io.StringIO(), list[Any](), 0
    with redirect_stdout(said), redirect_stderr(said), listening_to_units(ear):
        try:
            model.fit(
                frames,
                seed=5,
                ledger=ledger,
                say=heard.append,
                stage=heard.append,
                progress=lambda *told: heard.append(told),
            )
            model.save(folder / "model")
            drawn = model.sample(7, seed=3)
        except SynthkitError as error:
            return {"exit": 2, "said": str(error), "heard": heard}
        except CRASHES as error:  # a traceback is an outcome like any other
            return {"exit": 1, "said": f"Traceback: {error!r}", "heard": heard}
    return {
        "exit": code,
        "said": said.getvalue(),
        "heard": heard,
        "ledger": json.dumps(ledger.to_dict()),
        "schema": model.schema.dumps(),
        "coding": json.dumps(model._encoder.to_dict()),  # type: ignore[union-attr]
        "settings": model.settings,
        "log": model.log,
        "drawn": {name: frame.to_csv(index=False) for name, frame in drawn.items()},
        "more": more(model),
        **{p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()},
    }


def hold(without: Mapping[str, Any], with_: Mapping[str, Any]) -> None:
    """Nothing that is let out differs.

    Raises:
        Difference: something does.
    """
    if list(without) != list(with_):
        told = "exit, " if without["exit"] != with_["exit"] else ""
        raise Difference(f"{told}{list(with_)} for {list(without)}: {with_['said']} for {without['said']}")
    other = [name for name in without if without[name] != with_[name]]
    if other:
        shown = "; ".join(f"{str(with_[name])[:300]} for {str(without[name])[:300]}" for name in other[:2])
        raise Difference(f"{', '.join(other)}: {shown}")


def bought(frames: Mapping[str, pd.DataFrame], schema: LinkedSchema, folder: Path, ear: UnitEar) -> dict[str, Any]:
    """Every kind of count that is bought of linked tables, and every choice, without a model: faster than `let_out`."""
    folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger.new(folder / "ledger.json", Budget(epsilon=20.0, delta=1e-3, unit="patients"))
    with listening_to_units(ear):
        access = PrivateUnitAccess(frames, schema, ledger)
        access.reserve(UnitFitPlan(coding=UnitMarginal.coding, root=UnitMarginal.root_coding))
        encoder = access.fit_encoder()
        root = access.root().counts()
        told = [table.counts.tolist() for table in root.measure([(j,) for j in range(len(root.sizes))], 0.1 * root.rho)]
        parts = access.below(StepContexts(layout=UnitLayout.of(encoder))).parts
        asked = []
        for k, part in enumerate(parts.values()):  # several prices, several tables each, some slots pooled
            groups = [np.minimum(np.arange(size), 2) for size in part.sizes]
            counting = part.pooled(groups) if k % 2 else part
            scopes = [(j,) for j in range(min(3, len(part.sizes)))] + [(0, 1)] * (k % 2)
            asked.append(AskedCounts(counting=counting, scopes=scopes, rho=0.1 * part.rho / 2**k))
        told += [table.counts.tolist() for each in NoisyLinkedCounts(parts).measure(asked) for table in each]
        for part in parts.values():
            scopes = [(0, j) for j in range(1, min(4, len(part.sizes)))]
            tables = [np.full([part.sizes[j] for j in scope], 2.0) for scope in scopes]
            told.append(part.worst(scopes, tables, [0.0] * len(scopes), many=1, rho=0.1 * part.rho))
    return {
        "said": "",
        "coding": json.dumps(encoder.to_dict()),
        "schema": encoder.schema.dumps(),
        "told": told,
        "ledger": json.dumps(ledger.to_dict()),
        "charges": [charge.what for charge in ledger.charges],
    }
