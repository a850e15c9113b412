"""Whether a device computes what the processor does, and what a private step and many rows take there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.tables.real_tables import parts, schema
from synthkit.encoding.layout import Rows
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity.classifier_two_sample import c2st
from synthkit.metrics.runner import one_thread
from synthkit.privacy.dpsgd.clipping import Clipper, private_gradient
from synthkit.privacy.mechanisms.rng import gaussian
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.training.layers.masked_network import MaskedNetwork, Sizes

TABLE = "adult"
LOSS, LAW = 0.01, 0.02  # how far losses may be apart, relatively, and C2ST of draws of both sides beyond its interval
LOSSES = ("autoregressive", "diffusion", "tvae")  # whose training tells a loss of rows held back


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is done.

    Args:
        rows: of the table.
        steps: of each fit.
        drawn: rows drawn at once, to measure speed.
        times: how often.
        batch: rows of a private step.
    """

    rows: int = 20_000
    steps: int = 300
    drawn: int = 1_000_000
    times: int = 10
    batch: int = 2_048


DRY = Scale(rows=400, steps=4, drawn=500, times=2, batch=64)


@cache
def _train(rows: int) -> pd.DataFrame:
    return parts(TABLE, rows=rows)[0]


def fitted(model: str, device: str, scale: Scale) -> Synthesizer:
    """The model after so many steps on the device."""
    synthesizer = Synthesizer(schema(TABLE), model, settings={"steps": scale.steps}, device=device)
    return synthesizer.fit(_train(scale.rows), seed=0)


def apart(one: pd.DataFrame, two: pd.DataFrame) -> tuple[float, float]:
    """C2ST between two tables of draws, and half of its 95 % interval."""
    comparison = EvaluationData(train=one, holdout=one, synthetic=(two,), schema=schema(TABLE))
    with one_thread():
        scores, _ = c2st(replace(comparison), np.random.default_rng(0))
    return scores[0].value, (scores[0].high - scores[0].low) / 2


def same_law(model: str, device: str, scale: Scale) -> dict[str, Any]:
    """Fits on both sides: how far their losses are apart, and whether their draws can be told from each other."""
    here, there = fitted(model, "cpu", scale), fitted(model, device, scale)
    drawn = [side.sample(scale.rows, seed=1 + k) for k, side in enumerate((here, there))]
    value, half = apart(*drawn)
    out: dict[str, Any] = {"check": "same law", "model": model, "c2st": value, "half": half}
    out["holds"] = bool(value <= 0.5 + half + LAW)
    losses = [side.log.validation[-1] for side in (here, there) if side.log is not None and side.log.validation]
    if model in LOSSES and len(losses) == 2:
        out["loss"] = {"cpu": losses[0], "device": losses[1]}
        out["holds"] &= bool(abs(losses[1] - losses[0]) <= LOSS * abs(losses[0]))
    return out


def wait(device: str) -> None:
    """Until the device has done all it was given."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def seconds(work: Callable[[], object], device: str, times: int) -> float:
    """Median seconds on the wall, after one that is not counted."""
    took = []
    for _ in range(times + 1):
        since = time.perf_counter()
        work()
        wait(device)
        took.append(time.perf_counter() - since)
    return float(np.median(took[1:]))


def private_step(device: str, scale: Scale) -> dict[str, Any]:
    """Milliseconds of a DP-SGD step of the autoregressive network on rows of the table, and of a plain one."""
    synthesizer = fitted("autoregressive", "cpu", replace(scale, steps=1))
    encoder, _ = synthesizer._fitted()
    rows: Rows = encoder.encode(_train(scale.rows))[slice(0, scale.batch)]
    cat, layout = rows.cat.long().to(device), encoder.layout
    net = MaskedNetwork(layout, Sizes(width=128, hidden=64, blocks=1, dropout=0.0, input_dropout=0.0)).to(device)
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)
    order = torch.ones(cat.shape[1], cat.shape[1], dtype=torch.bool, device=device).tril(-1)[None]

    def loss(network: MaskedNetwork, some: torch.Tensor) -> torch.Tensor:
        return network.nll(some, order)

    sums = Clipper(net, loss, clip=1.0)
    units = torch.arange(len(cat), device=device)

    def private() -> None:
        private_gradient(sums, cat, units, multiplier=1.0, expected=len(cat), noise=gaussian, size=len(cat))
        optimizer.step()

    def plain() -> None:
        optimizer.zero_grad()
        torch.autograd.backward(loss(net, cat).mean())
        optimizer.step()

    found = {name: 1e3 * seconds(work, device, scale.times) for name, work in (("private", private), ("plain", plain))}
    return {"check": "private step", "rows": len(cat), "milliseconds": found, "holds": True}


def many_rows(device: str, scale: Scale) -> dict[str, Any]:
    """Coded rows drawn in parts, and how many a second; a part is decoded too, which the processor does."""
    synthesizer = fitted("autoregressive", device, scale)
    encoder, model = synthesizer._fitted()
    generator, since = torch.Generator().manual_seed(0), time.perf_counter()
    for _ in range(scale.times):
        part = model.sample(scale.drawn, generator)
    wait(device)
    took, rows = time.perf_counter() - since, scale.times * scale.drawn
    since = time.perf_counter()
    encoder.decode(part[slice(0, scale.drawn // 10)], np.random.default_rng(0))
    decoding = 10 * (time.perf_counter() - since) / scale.drawn
    return {"check": "many rows", "rows": rows, "seconds": took, "decoding_a_row": decoding, "holds": True}


def checks(device: str, scale: Scale, models: Sequence[str]) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Names of the checks, and how each is made; what matters most stands first."""
    for model in models:
        yield f"same law, {model}", lambda model=model: same_law(model, device, scale)  # type: ignore[misc]
    yield "private step", lambda: private_step(device, scale)
    yield "many rows", lambda: many_rows(device, scale)


def said(found: Mapping[str, Any]) -> str:
    """A check in one line."""
    word = "met" if found["holds"] else "**not met**"
    if found["check"] == "same law":
        losses = found.get("loss")
        shown = "" if losses is None else f", loss {losses['device']:.4f} for {losses['cpu']:.4f} (≤ 1 % apart)"
        return f"- {found['model']}, as on the processor: C2ST {found['c2st']:.3f} ± {found['half']:.3f}{shown}: {word}"
    if found["check"] == "private step":
        times = found["milliseconds"]
        return (
            f"- A private step of {found['rows']:,} rows: {times['private']:.1f} ms, a plain one {times['plain']:.1f}"
        )
    rate = found["rows"] / max(found["seconds"], 1e-9)
    return (
        f"- {found['rows']:,} rows drawn in {found['seconds']:.1f} s ({rate:,.0f} a second), without decoding "
        f"({1e6 * found['decoding_a_row']:.1f} s a million rows on the processor)"
    )
