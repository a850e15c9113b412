"""Two tables that differ by one person, and everything public that is made of them, compared byte by byte.

What a private fit tells follows from three things: what is public, the answers of its mechanisms, and a seed. So the
fit of a table is listened to, and the fit of the table with one person more is given the *same answers*: then every
public byte must be the same. What the mechanisms were asked is compared too: what is counted may differ by no more than
the charge says, and the noise by nothing. Secret choices (which row of a person, who is held out, who takes part in a
step) are the same for all others.

Nothing of ours is replaced by something else: each mechanism is called through what listens, or its earlier answer is
given in its place.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch

from synthkit.cli.console import show_paths
from synthkit.cli.score_summary import show_statement
from synthkit.encoding.coding import Coding
from synthkit.errors import SynthkitError
from synthkit.pipeline import synthesize
from synthkit.pipeline.run_config import RunConfig
from synthkit.pipeline.split import Split, draw_roles
from synthkit.privacy.access.encoder_budget import EncoderBudget, encoder_queries
from synthkit.privacy.access.private_curator import PrivateCurator
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import DiscreteGaussian, StackedGaussian
from synthkit.privacy.dpsgd import clipping
from synthkit.privacy.mechanisms import noise as mechanisms
from synthkit.privacy.mechanisms import rng, sparse_histogram, unit_sampling
from synthkit.release.run_folder import INTERNAL_FOLDER, contents
from synthkit.schema import Schema
from synthkit.schema.public_domain import declared_domain

ROUNDING = 1 + 1e-6  # norms are computed in float32
UNSEEN = {"run.json": ("date",)}  # keys that differ from one second to the next: no row has a part in them
CRASHES = (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


class Difference(AssertionError):
    """What shows that a person was there, though nobody paid for it."""


@dataclass(frozen=True)
class Asked:
    """One question a mechanism was asked: what it is, with which noise, of what, and what it told."""

    mechanism: str
    spent: Any
    exact: Any
    told: Any


@dataclass
class Ear:
    """Listens to a fit; with an earlier one, gives its answers and holds the questions against its own.

    Args:
        before: the fit of the table without the stranger.
        rows: rows of the stranger.
        first: whether they come before those of all others, else behind them.
    """

    before: Ear | None = None
    rows: int = 0
    first: bool = True
    asked: list[Asked] = field(default_factory=list)
    chosen: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    masks: list[np.ndarray] = field(default_factory=list)
    parts: list[Split] = field(default_factory=list)
    _stranger: int | None = None  # number of the stranger

    def answer(self, mechanism: str, spent: Any, exact: Any, draw: Callable[[], Any]) -> Any:
        """What a mechanism tells: drawn, or what it told before."""
        if self.before is None:
            told = draw()
        else:
            k = len(self.asked)
            if k >= len(self.before.asked):
                raise Difference(f"{mechanism}: a question more was asked")
            old = self.before.asked[k]
            if (old.mechanism, old.spent) != (mechanism, spent):
                raise Difference(f"question {k}: {mechanism} with {spent} for {old.mechanism} with {old.spent}")
            _moved(old, exact)
            told = old.told
        self.asked.append(Asked(mechanism, spent, exact, told))
        return told

    def noise(self, counts: np.ndarray, spent: Any, norm: float = 1.0) -> Any:
        """`mechanisms.add_noise`."""
        exact = np.array(counts)
        if not isinstance(spent, StackedGaussian):
            return self.answer("noise", spent, exact, lambda: mechanisms.add_noise(counts, spent))
        told = (spent, norm)
        return self.answer("stacked", told, exact, lambda: mechanisms.add_noise(counts, spent, norm))

    def levels(self, names: Any, counts: np.ndarray, spent: Any) -> Any:
        """`sparse.tell_levels`."""
        exact = dict(zip(names, np.asarray(counts).tolist(), strict=True))
        return self.answer("levels", spent, exact, lambda: sparse_histogram.tell_levels(names, counts, spent))

    def choice(self, scores: np.ndarray, spent: Any) -> Any:
        """`mechanisms.choose`."""
        return self.answer("choice", spent, np.array(scores), lambda: mechanisms.choose(scores, spent))

    def gradient(self, sums: Any, rows: Any, units: torch.Tensor, **figures: Any) -> None:
        """`clipping.private_gradient`: with the stranger alone in the batch, for all others are the same in both."""
        spent = {k: v for k, v in figures.items() if k != "noise"} | {"clip": sums.clip}

        def draw() -> list[torch.Tensor]:
            clipping.private_gradient(sums, rows, units, **figures)
            return [p.grad.clone() for p in sums.parameters]

        exact = None
        if self.before is not None and len(units):
            alone = sums(rows, units, figures["copies"])
            exact = math.sqrt(sum(float((g.double() ** 2).sum()) for g in alone))
        for p, told in zip(sums.parameters, self.answer("gradient", spent, exact, draw), strict=True):
            p.grad = told.clone()

    def rows_of(self, units: np.ndarray, most: int) -> np.ndarray:
        """`unit_sampling.kept`: all others' rows as before, the stranger's chosen anew."""
        if self.before is None:
            mask = unit_sampling.kept(units, most)
        else:
            old_units, old_mask = self.before.chosen[len(self.chosen)]
            mine = self._mine(len(units), len(old_units))
            self._same_people(units, mine, old_units)
            mask = np.zeros(len(units), dtype=bool)
            mask[~mine] = old_mask
            mask[mine] = unit_sampling.kept(units[mine], most)
            numbers = np.unique(units[mask])
            self._stranger = int(np.searchsorted(numbers, units[mine][0])) if mine.any() else None
        self.chosen.append((units, mask))
        return mask

    def coins(self, n: int, q: float) -> np.ndarray:
        """`randomness.bernoulli`, who takes part in a step."""
        mask = rng.bernoulli(n, q)
        if self.before is not None:
            mask = np.zeros(n, dtype=bool)
            if self._stranger is not None:
                mask[self._stranger] = True
        self.masks.append(mask)
        return mask

    def split(self, *args: Any, **more: Any) -> Split:
        """`split.draw_roles`: all others as before, the stranger is trained on."""
        parts = draw_roles(*args, **more)
        if self.before is not None:
            old = self.before.parts[len(self.parts)]
            mine = self._mine(len(parts.unit), len(old.unit))
            self._same_people(parts.unit, mine, old.unit)
            hers = old.roles.head(1).assign(role="train", coin=pd.NA)
            both = [hers, old.roles] if self.first else [old.roles, hers]
            roles = pd.concat(both, ignore_index=True) if mine.any() else old.roles
            if len(roles) != len(parts.roles):
                raise Difference("there are other people when roles are drawn")
            kinds = old.roles.dtypes.drop("unit").to_dict()
            parts = replace(parts, roles=roles.assign(unit=parts.roles["unit"]).astype(kinds))
        self.parts.append(parts)
        return parts

    def _mine(self, now: int, then: int) -> np.ndarray:
        if now - then not in (0, self.rows):
            raise Difference(f"{now - then} rows more came of a stranger with {self.rows}")
        mine = np.zeros(now, dtype=bool)
        if now > then:
            mine[slice(None, self.rows) if self.first else slice(-self.rows, None)] = True
        return mine

    def _same_people(self, units: np.ndarray, mine: np.ndarray, then: np.ndarray) -> None:
        if not (pd.factorize(units[~mine])[0] == pd.factorize(then)[0]).all():
            raise Difference("people are told apart in another way")
        if set(units[mine]) & set(units[~mine]):
            raise Difference("the stranger is taken for somebody else")
        if len(set(units[mine])) > 1:
            raise Difference("the stranger is taken for several people")


def _moved(old: Asked, exact: Any) -> None:
    """The exact input of a mechanism moved by no more than its record says."""
    if old.mechanism == "gradient":
        if exact is not None and exact > old.spent["clip"] * ROUNDING:
            raise Difference(f"a gradient of norm {exact:g} is clipped to {old.spent['clip']:g}")
        return
    if old.mechanism == "levels":
        names = old.exact.keys() | exact.keys()
        moved, most = sum(abs(exact.get(n, 0) - old.exact.get(n, 0)) for n in names), 1.0
    elif old.exact.shape != exact.shape:
        raise Difference(f"{old.mechanism}: {exact.shape} values were asked for {old.exact.shape}")
    elif old.mechanism == "stacked":
        moved, most = math.sqrt(float(((exact - old.exact) ** 2).sum())), old.spent[1]
    elif old.mechanism == "choice":
        moved, most = float(np.abs(exact - old.exact).max(initial=0)), old.spent.sensitivity
    else:
        cells = getattr(old.spent, "cells", 1)
        moved, most = float(np.abs(exact - old.exact).sum()), old.spent.change * cells
        if np.count_nonzero(exact != old.exact) > cells:
            raise Difference(f"{old.mechanism}: more than {cells} cells moved")
    if moved > most * ROUNDING:
        raise Difference(f"{old.mechanism}: one person moved it by {moved:g}, charged are {most:g}")


@contextmanager
def listening(ear: Ear) -> Iterator[None]:
    """All mechanisms and secret choices of a private fit go through an ear."""
    with (
        patch("synthkit.privacy.access.private_curator.add_noise", ear.noise),
        patch("synthkit.privacy.access.counts.add_noise", ear.noise),
        patch("synthkit.privacy.mechanisms.bounds.add_noise", ear.noise),
        patch("synthkit.privacy.mechanisms.stacked_counts.add_noise", ear.noise),
        patch("synthkit.privacy.mechanisms.noisy_quantile.choose", ear.choice),
        patch("synthkit.privacy.access.unit_counts.choose", ear.choice),
        patch("synthkit.privacy.access.private_curator.tell_levels", ear.levels),
        patch("synthkit.privacy.access.counts.choose", ear.choice),
        patch("synthkit.privacy.access.private_loader.private_gradient", ear.gradient),
        patch("synthkit.privacy.access.private_curator.kept", ear.rows_of),
        patch("synthkit.privacy.access.private_loader.kept", ear.rows_of),
        patch("synthkit.privacy.mechanisms.unit_sampling.bernoulli", ear.coins),
        patch("synthkit.pipeline.synthesize.draw_roles", ear.split),
    ):
        yield


@dataclass(frozen=True)
class Case:
    """What is asked of a fit, but for the table: the schema, the model, its settings."""

    schema: Schema
    model: str = "marginal"
    settings: Mapping[str, Any] = field(default_factory=dict)
    suffix: str = ".csv"
    held_out: bool = True
    rake: bool = False
    epsilon: float = 60.0


def public(case: Case, table: pd.DataFrame, folder: Path, ear: Ear) -> dict[str, Any]:
    """Everything public that comes of a table: exit status, what is said, and every file that is not INTERNAL."""
    folder.mkdir(parents=True, exist_ok=True)
    path, out = folder / f"table{case.suffix}", folder / "out"
    if case.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        typed(table).to_parquet(path, index=False)
    config = RunConfig(
        model=case.model,
        settings=dict(case.settings),
        rake=case.rake,
        epsilon=case.epsilon,
        delta=1e-2,
        seed=5,
        quick=True,
        ledger=folder / "ledger.json",
    )
    said, code = io.StringIO(), 0
    with redirect_stdout(said), redirect_stderr(said), listening(ear):
        try:
            made = (synthesize.release if case.held_out else synthesize.fit)(path, case.schema, config=config)
            made.save(out)
            show_statement(made.statement)
            show_paths(contents(out))
        except SynthkitError as error:
            code = 2
            said.write(str(error))
        except CRASHES as error:  # a traceback is an outcome like any other: what it shows is compared
            code = 1
            said.write(f"Traceback: {error!r}")
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file() and p != path}
    return {
        "exit": code,
        "said": said.getvalue().replace(str(folder), ""),
        "files": sorted(name for name in files if f"/{INTERNAL_FOLDER}/" not in f"/{name}"),
        **{name: _seen(file) for name, file in files.items() if f"/{INTERNAL_FOLDER}/" not in f"/{name}"},
    }


def coded(case: Case, table: pd.DataFrame, ear: Ear) -> dict[str, Any]:
    """What a fit learns before its model: coding, schema, tables of counts and what raked draws match.

    Faster than `public`, for many strangers.
    """
    known = declared_domain(case.schema)
    plan = EncoderBudget(queries=encoder_queries(known, counted=True), rho=50.0, delta=1e-2)
    paid: list[Charge] = []
    with listening(ear):
        curator = PrivateCurator.of(table, known)
        rows = curator.rows(plan, paid.append)
        encoder = curator.encoder(plan, Coding(coarse=14, fine=256), paid.append)
        pairs = Charge(what="tables", spent=DiscreteGaussian(sigma=3.0), times=len(case.schema.learned))
        targets = curator.margins(encoder, pairs, paid.append)
        counting = curator.counting(encoder, list(encoder.layout.coarse), 10.0, paid.append)
        told = counting.measure([(k,) for k in range(len(counting.sizes))], 1.0)
    return {
        "exit": 0,
        "said": rows,
        "files": [charge.what for charge in paid],
        "schema": encoder.schema.dumps(),
        "coding": json.dumps(encoder.to_dict()),
        "targets": json.dumps(targets.to_dict()),
        "counts": [each.counts.tolist() for each in told],
    }


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table as a Parquet file holds it: each column of one type, texts where cells are of several."""
    out = table.copy()
    for name in out:
        cells = out[name].convert_dtypes() if out[name].dtype == object else out[name]
        kinds = {type(cell) for cell in cells.dropna()}
        out[name] = cells.map(str, na_action="ignore") if len(kinds) > 1 else cells
    return out


def _seen(path: Path) -> Any:
    """The bytes of a file, what no row has a part in left out."""
    if path.name in UNSEEN:
        return {k: v for k, v in json.loads(path.read_text("utf-8")).items() if k not in UNSEEN[path.name]}
    return path.read_bytes()


def compare(without: Mapping[str, Any], with_: Mapping[str, Any]) -> None:
    """Nothing public differs.

    Raises:
        Difference: something does.
    """
    for name in ("exit", "said", "files"):
        if without[name] != with_[name]:
            raise Difference(f"{name}: {with_[name]!r} for {without[name]!r}")
    for name in without:
        if without[name] != with_[name]:
            raise Difference(f"{name} differs")


def joined(table: pd.DataFrame, stranger: pd.DataFrame, *, first: bool) -> pd.DataFrame:
    """The table with the rows of a stranger, cells as they are."""
    parts = [stranger, table] if first else [table, stranger]
    cells = {name: [cell for part in parts for cell in part[name].tolist()] for name in table}
    out = pd.DataFrame(index=range(len(table) + len(stranger)), columns=list(table), dtype=object)
    for name, column in cells.items():
        out[name] = objects(column)
    return out


def objects(cells: list[Any]) -> pd.Series:
    """Cells as they are, whatever they are; a list is one cell."""
    held = np.empty(len(cells), dtype=object)
    for k, cell in enumerate(cells):
        held[k] = cell
    return pd.Series(held, dtype=object)
