"""What is asked of each model, against whom, on which tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Relation = Literal["ratio", "difference", "value"]
TIMES = ("training", "rows/s")


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A limit that a number must keep.

    Args:
        limit: the number.
        below: whether it is an upper limit.
        floor: a value of ours, not of the comparison, that is good enough by itself.
    """

    limit: float
    below: bool = True
    floor: float | None = None

    def holds(self, number: float, own: float) -> bool:
        """Whether the number, or our own value, is within.

        Example:
            >>> Bound(limit=0.3).holds(0.25, 9.0), Bound(limit=1.0, floor=0.005).holds(2.0, 0.004)
            (True, True)
            >>> Bound(limit=1.7, below=False).holds(1.5, 9.0)
            False
        """
        if self.floor is not None and own <= self.floor:
            return True
        return number <= self.limit if self.below else number >= self.limit

    def text(self, relation: Relation) -> str:
        """As the table prints it."""
        sign, times = "≤" if self.below else "≥", "x" if relation == "ratio" else ""
        number = f"{self.limit:+g}" if relation == "difference" else f"{self.limit:.3g}"
        return f"{sign} {number}{times}" + ("" if self.floor is None else f" or ≤ {self.floor:g}")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One line of the table.

    Args:
        ours: who of ours.
        peer: whom it is held against; none if the value itself is bounded.
        table: on which table.
        figure: one of `results.FIGURES`, or a time.
        relation: ours over theirs, ours minus theirs, or ours.
        must: what must hold.
        aim: what is hoped for.
        clock: for times: `cpu` always, or `wall` where the machine was quiet.
    """

    ours: str
    table: str
    figure: str
    relation: Relation = "ratio"
    peer: str | None = None
    must: Bound | None = None
    aim: Bound | None = None
    clock: Literal["cpu", "wall"] = "cpu"


def most(limit: float, floor: float | None = None) -> Bound:
    """An upper limit."""
    return Bound(limit=limit, floor=floor)


def least(limit: float) -> Bound:
    """A lower limit."""
    return Bound(limit=limit, below=False)


def autoregressive() -> Iterator[Target]:
    """Against mostlyai-engine."""

    def line(table: str, figure: str, must: Bound | None, aim: Bound | None = None, suffix: str = "") -> Target:
        ours = f"autoregressive{suffix}"
        return Target(ours=ours, peer="mostlyai", table=table, figure=figure, must=must, aim=aim)

    yield line("adult", "e", most(0.3), most(0.15))
    yield line("adult", "t3", most(0.7))
    yield Target(ours="autoregressive", table="adult", figure="g", relation="value", must=most(0.005))
    yield line("adult", "training", most(0.25), most(0.15))
    yield line("adult", "rows/s", least(2.5), least(3))
    for table in ("diabetes130", "support2", "default_credit"):
        yield line(table, "e", most(0.65), most(0.3))
        yield line(table, "e", most(0.55), suffix="+rake")
        yield line(table, "t3", most(0.6))
        yield line(table, "g", most(1.0, floor=0.005), suffix="+rake")


def related_numbers() -> Iterator[Target]:
    """Tables of many related numbers: what a classifier tells, plain and raked to the tables of the sample."""
    limits = {
        ("autoregressive", "support2"): (0.62, 0.57),
        ("autoregressive+rake", "support2"): (0.58, 0.54),
        ("autoregressive", "default_credit"): (0.60, 0.56),
        ("autoregressive+rake", "default_credit"): (0.57, 0.54),
        ("autoregressive", "diabetes130"): (0.545, 0.53),
        ("autoregressive+rake", "diabetes130"): (0.54, 0.52),
        ("diffusion", "breast_cancer"): (0.58, 0.55),
    }
    for (ours, table), (must, aim) in limits.items():
        yield Target(ours=ours, table=table, figure="C2ST", relation="value", must=most(must), aim=most(aim))
    loss = {"figure": "loss of R2, charges", "relation": "value", "must": most(0.06), "aim": most(0.03)}
    yield Target(ours="autoregressive", table="support2", **loss)
    seconds = {"figure": "training", "relation": "value", "must": most(200.0)}
    yield Target(ours="autoregressive", table="diabetes130", **seconds)


def nearness_to_the_sample() -> Iterator[Target]:
    """How much nearer draws are to the rows that were fitted than to others, and how near to those others."""
    pair = {"ours": "autoregressive", "relation": "value"}
    for table, must in (("adult", 0.004), ("support2", 0.005)):
        yield Target(**pair, table=table, figure="G3", must=most(must), aim=most(0.002))
    for table, (floor, aim) in {"adult": (0.956, 0.958), "support2": (0.791, 0.796)}.items():
        yield Target(**pair, table=table, figure="three-way, holdout", must=least(floor), aim=least(aim))


def gan_and_vae() -> Iterator[Target]:
    """Against the package ctgan; its clock is that of the wall."""

    def line(ours: str, table: str, figure: str, must: Bound, aim: Bound | None = None) -> Target:
        relation: Relation = "difference" if figure == "TSTR" else "ratio"
        who = {"ours": ours, "peer": f"peer-{ours}", "table": table}
        return Target(**who, figure=figure, relation=relation, must=must, aim=aim, clock="wall")

    for table in ("adult", "support2"):
        yield line("ctgan", table, "shape error", most(0.4))
        yield line("ctgan", table, "trend error", most(0.4))
        yield line("ctgan", table, "TSTR", least(0))
        yield line("ctgan", table, "training", most(0.15), most(0.1))
    yield Target(ours="ctgan", table="adult", figure="C2ST", relation="value", aim=most(0.75))
    for table in ("adult", "support2"):
        yield line("tvae", table, "shape error", most(0.3))
        yield Target(ours="tvae", table=table, figure="C2ST", relation="value", must=most(0.85), aim=most(0.7))
        yield line("tvae", table, "TSTR", least(0.012))
        yield line("tvae", table, "training", most(0.6))


def diffusion() -> Iterator[Target]:
    """Against what was published, and against autoregressive on numbers."""
    yield Target(ours="diffusion", table="adult", figure="C2ST", relation="value", must=most(0.66), aim=most(0.58))
    yield Target(ours="diffusion", table="adult", figure="training", relation="value", must=most(600.0))
    for table in ("breast_cancer", "default_credit"):
        yield Target(
            ours="diffusion",
            peer="autoregressive",
            table=table,
            figure="C2ST, numbers only",
            relation="difference",
            must=most(0.0),
        )


def raked(plain: Sequence[tuple[str, str]]) -> Iterator[Target]:
    """The same model with and without."""
    for name, table in plain:
        pair = {"ours": f"{name}+rake", "peer": name, "table": table}
        yield Target(**pair, figure="t2", must=most(0.8))
        yield Target(**pair, figure="t2 to holdout")
        yield Target(**pair, figure="rows/s", must=least(1 / 8), aim=least(1 / 3))


def all_of(plain: Sequence[tuple[str, str]]) -> list[Target]:
    """Every line, in the order they are printed; `plain` are the models and tables that are measured."""
    return [
        *autoregressive(),
        *related_numbers(),
        *nearness_to_the_sample(),
        *gan_and_vae(),
        *diffusion(),
        *raked(plain),
    ]
