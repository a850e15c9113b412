"""From a schema, a number of rows and a budget to what can be expected; the private table is never touched."""

from __future__ import annotations

import math
from collections.abc import Sequence

from synthkit.errors import ConfigError
from synthkit.models.marginal.budget_schedule import Rounds, outcome_pairs
from synthkit.models.marginal.config import MarginalConfig
from synthkit.models.marginal.model import Marginal
from synthkit.models.marginal.pooled_levels import CLEAR
from synthkit.models.registry import models
from synthkit.planning.expected_error import ExpectedError, expected, off
from synthkit.planning.imagined_domain import ImaginedSlot, outcomes, slots
from synthkit.planning.outlook import Outlook
from synthkit.planning.simulation import TIE, Simulated, simulate
from synthkit.privacy.access.encoder_budget import encoder_queries
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.budget_plan import for_counts
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta
from synthkit.runtime.progress import Progress, Silent
from synthkit.schema import Schema
from synthkit.schema.public_domain import declared_domain

SINGLE = 0.1  # noise of tables of one column, from which on even those are not worth having: a fit keeps half of it
PAIR = 0.3  # of two: in simulations nothing was left of a dependence of .09 beyond, and half of it at .13
TIED = 0.09  # the dependence meant, in total variation; that of census tables
LARGE = 200_000  # units times epsilon from which on a network trained with noisy gradients may be tried
STRONG = 3.0  # and the epsilon it needs besides


def plan(
    schema: Schema,
    *,
    rows: int,
    epsilon: float,
    delta: float | None = None,
    max_rows_per_unit: int | None = None,
    model: str | None = None,
    simulated: bool = True,
    progress: Progress | None = None,
) -> Outlook:
    """What can be expected of a fit, before any budget is spent and without the table.

    Args:
        schema: meaning of the columns; what of it was read off the data is bought, or refused as a run would.
        rows: how many rows the table has, as somebody declares it.
        epsilon: of the budget.
        delta: of the budget; from the number of units if not given.
        max_rows_per_unit: rows of one unit that are used at most; the units are taken to have as many.
        model: one that is thought of; it is compared with the best one in words.
        simulated: whether imagined tables are fitted, which takes some seconds.
        progress: who is told how far things are.

    Raises:
        ConfigError: the budget, the number of rows or the model cannot be meant.
        SchemaError: lines of the schema are neither public nor can be bought.

    Example:
        >>> columns = {"sex": {"kind": "categorical", "levels": ["f", "m"]}, "dead": {"kind": "boolean"}}
        >>> schema = Schema(columns=columns, declared_by="A. Lee: codebook of 2019")
        >>> outlook = plan(schema, rows=10_000, epsilon=1.0, simulated=False)
        >>> outlook.model, outlook.warnings, outlook.one.error < 0.005
        ('marginal', (), True)
    """
    if not (isinstance(rows, int) and rows >= 2):
        msg = f"rows must be a whole number of 2 or more; however: {rows!r}. State about how many the table has"
        raise ConfigError(msg)
    if model is not None and model not in models():
        msg = f"`model` must be one of {', '.join(sorted(models()))}; however: `{model}`"
        raise ConfigError(msg)
    progress = progress or Silent()
    progress.stage("find the noise")
    units = math.ceil(rows / max_rows_per_unit) if schema.unit is not None and max_rows_per_unit else rows
    budget = _budget(schema, units, epsilon, delta, max_rows_per_unit)
    public = declared_domain(schema)
    outlay = for_counts(encoder_queries(public), EpsilonDelta(epsilon=budget.epsilon, delta=budget.delta))
    laid = slots(public, Marginal.coding, outlay.encoder_budget, units)
    sizes = [slot.size for slot in laid]
    rounds = Rounds.of(sizes, outlay.rho, MarginalConfig().split(), outcome_pairs(len(sizes), outcomes(laid)))
    one, two = expected(sizes, units, rounds)
    fits = [_fitted(laid, units, outlay.rho, tie, progress) if simulated else None for tie in (0.0, TIE)]
    progress.stage("")
    return Outlook(
        rows=rows,
        units=units,
        columns=len(laid),
        epsilon=budget.epsilon,
        delta=budget.delta,
        rho=outlay.rho,
        bought=tuple(q.words for q in outlay.encoder_budget.queries if q.kind in ("levels", "bounds")),
        one=one,
        two=two,
        alone=math.ceil(CLEAR * one.sigma),
        independent=fits[0],
        dependent=fits[1],
        model="marginal",
        why=_why(units, epsilon, model),
        warnings=tuple(_warnings(schema, laid, units, one, two, max_rows_per_unit)),
    )


def _budget(schema: Schema, units: int, epsilon: float, delta: float | None, max_rows_per_unit: int | None) -> Budget:
    """The budget as a run would have it, with the number of units as a public one."""
    most = max_rows_per_unit if schema.unit is not None else None
    if delta is None:
        return Budget.of_public_n(epsilon=epsilon, public_n=units, unit=schema.unit, max_rows_per_unit=most)
    return Budget(epsilon=epsilon, delta=delta, public_n=units, unit=schema.unit, max_rows_per_unit=most)


def _fitted(laid: Sequence[ImaginedSlot], units: int, rho: float, tie: float, progress: Progress) -> Simulated:
    progress.stage("fit imagined rows, dependent columns" if tie else "fit imagined rows, independent columns")
    return simulate(laid, units, rho, tie=tie, told=lambda step, steps, loss: progress.advance(step, steps))


def _why(units: int, epsilon: float, model: str | None) -> str:
    """Which model, for which reason."""
    why = (
        "Tables of counts need noise once each; the gradients of a network need it in every step, and say less for the "
        "same budget"
    )
    if units * epsilon >= LARGE and epsilon >= STRONG:
        why += f". With {units:,} units at epsilon {epsilon:g}, autoregressive may be worth a trial on public data too"
    if model not in (None, "marginal"):
        why += f". `{model}` was thought of: no figure here is of it, expect less"
    return f"{why}."


def _warnings(
    schema: Schema, laid: Sequence[ImaginedSlot], units: int, one: ExpectedError, two: ExpectedError, most: int | None
) -> list[str]:
    """What makes the result meaningless; every threshold is on the closed form of `expected_error.off`."""
    out = []
    if schema.unit is not None and most is None:
        out.append(
            f"one row of each `{schema.unit}` is counted, and how many there are is not known: all rows were taken "
            "for units of their own. Give max_rows_per_unit, or the number of units as rows"
        )
    if one.error > SINGLE:
        out.append(
            f"meaningless: noise alone moves tables of one column by {one.error:.2f} in the mean, more than {SINGLE}. "
            f"{_remedy(units, one.error / SINGLE)}"
        )
    wide = [slot.name for slot in laid if off(slot.size, one.sigma, units) > 2 * SINGLE]
    if wide and len(wide) <= len(laid) / 2:
        out.append(
            f"noise alone moves {', '.join(wide)} by more than {2 * SINGLE:g}: too many levels for so few units. "
            "Group their levels, or leave them out"
        )
    if two.error > PAIR:
        out.append(
            f"columns will come out nearly independent: noise alone moves tables of two by {two.error:.2f} in the "
            f"mean, more than {PAIR}, where usual dependences of about {TIED} are lost. "
            f"{_remedy(units, two.error / PAIR)}"
        )
    return out


def _remedy(units: int, factor: float) -> str:
    """What would bring an error below its threshold: errors fall with units, and with the root of rho."""
    enough = math.ceil(units * factor)
    return (
        f"About {rounded(enough):,} units would be enough at this budget, or noise {factor:.1f} times smaller: raise "
        "epsilon, or leave out columns and group levels"
    )


def rounded(number: int) -> int:
    """A number upwards to two digits that count.

    Example:
        >>> rounded(12_345)
        13000
    """
    unit = int(10.0 ** max(len(str(number)) - 2, 0))
    return -(-number // unit) * unit
