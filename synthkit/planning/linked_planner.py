"""From a schema of linked tables, a number of units and a budget to what can be expected; no table is ever touched."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from synthkit.encoding.units.step_contexts import EVENTS
from synthkit.errors import ConfigError
from synthkit.models.marginal.budget_schedule import Rounds
from synthkit.models.unit_marginal.config import UnitMarginalConfig
from synthkit.pipeline.linked.linked_input import resolve_linked
from synthkit.planning.expected_error import ExpectedError, expected
from synthkit.planning.expected_steps import ALONE, ExpectedTables, expected_steps
from synthkit.planning.imagined_access import IMAGINED_ROWS, ImaginedAccess, imagined_frames
from synthkit.planning.linked_outlook import (
    CLIPPED_PERCENT,
    EVENT_WORDS,
    LinkedOutlook,
    Purchase,
    RowsBound,
    TablesOutlook,
)
from synthkit.planning.planner import PAIR, SINGLE, rounded
from synthkit.planning.simulation import TIE
from synthkit.privacy.access.bounded_units import most_rows
from synthkit.privacy.access.unit_counts import CLIPPED_AT, SETTLED_SHARE
from synthkit.privacy.accounting.budget import Budget
from synthkit.privacy.accounting.budget_plan import affordable
from synthkit.privacy.accounting.noise_calibration import EpsilonDelta
from synthkit.privacy.mechanisms.noisy_quantile import NoisyQuantile
from synthkit.runtime.progress import Progress, Silent
from synthkit.schema.linked import LinkedSchema
from synthkit.schema.linked.public_tables import declared_tables
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer

LINKED_BUDGET_MODEL = "marginal"
FACTORS = (0.3, 1.0, 3.0, 10.0)  # of epsilon, at which errors are told
TWO = "two columns"
MOST_NAMED = 4  # of the tables that a warning is about
UNFOUND = 2.0  # times what 85 % of the units bring: from there on a clip that noise alone chose is a loss
WHY = (
    "Tables of counts need noise once each, and one patient with many rows is one vector among them; `timeline`, whose "
    "gradients need noise at every step, is fitted where it is asked for by name."
)


def plan_linked(
    schema: LinkedSchema,
    *,
    units: int,
    epsilon: float,
    delta: float | None = None,
    rows_per_unit: Mapping[str, float] | None = None,
    model: str | None = None,
    progress: Progress | None = None,
) -> LinkedOutlook:
    """What can be expected of a fit of linked tables, before any budget is spent and without the tables.

    Units are made up from the schema, within its bounds, and handed to the access that a run has: what is bought, how
    much noise there is and how all is coded are those of a run. Errors follow in closed form.

    Args:
        schema: meaning of the tables; what of it was read off the data is bought, or refused as a run would.
        units: how many units there are, as somebody declares it.
        epsilon: of the budget.
        delta: of the budget; from the number of units if not given.
        rows_per_unit: rows of a table that a unit has in the mean, where somebody knows it.
        model: one that is thought of.
        progress: who is told how far things are.

    Raises:
        ConfigError: the budget, the number of units, a mean or the model cannot be meant.
        SchemaError: lines of the schema are neither public nor can be bought, or a link has no bound.
        UnsupportedError: shared tables or other units are pointed to, or the model cannot learn under a budget.
    """
    if not (isinstance(units, int) and units >= 2):
        msg = f"rows must be a whole number of 2 or more; however: {units!r}. State about how many units there are"
        raise ConfigError(msg)
    progress = progress or Silent()
    progress.stage("find the noise")
    LinkedSynthesizer(schema, model or LINKED_BUDGET_MODEL).refuse_no_budget()
    public, means = declared_tables(resolve_linked(schema)), dict(rows_per_unit or {})
    _refuse_means(public, means)
    budget = _budget(public, units, epsilon, delta)
    terms = EpsilonDelta(epsilon=budget.epsilon, delta=budget.delta)
    frames = imagined_frames(public, units, means, TIE, IMAGINED_ROWS)
    progress.stage("count imagined units")
    access = ImaginedAccess.of(schema, units, terms, frames)
    epsilons = tuple(float(f"{factor * epsilon:.3g}") for factor in FACTORS)
    failing = access.failing
    tables = _tables(public, units, [access.at(affordable(replace(terms, epsilon=each), failing)) for each in epsilons])
    bounds = _bounds(public, access, means)
    progress.stage("")
    return LinkedOutlook(
        unit=public.unit,
        units=units,
        epsilon=budget.epsilon,
        delta=budget.delta,
        rho=access.rho,
        bounds=bounds,
        purchases=tuple(_purchases(public, access)),
        bought=tuple(f"{words} ({name})" for name, each in access.bought.items() for words in each),
        epsilons=epsilons,
        tables=tables,
        imagined=access.imagined,
        catalogues=public.graph.references,
        model=LINKED_BUDGET_MODEL,
        why=WHY if model in (None, LINKED_BUDGET_MODEL) else f"{WHY} `{model}` was thought of: no figure is of it.",
        warnings=tuple([*_drowned(tables, units), *_unfound(bounds, access, units)]),
    )


def _budget(schema: LinkedSchema, units: int, epsilon: float, delta: float | None) -> Budget:
    """The budget as a run would have it, with the number of units as a public one."""
    if delta is None:
        return Budget.of_public_n(epsilon=epsilon, public_n=units, unit=schema.unit)
    return Budget(epsilon=epsilon, delta=delta, public_n=units, unit=schema.unit)


def _refuse_means(schema: LinkedSchema, means: Mapping[str, float]) -> None:
    """Refuse means of tables that are not there, and such as no unit within its bounds has.

    Raises:
        ConfigError: there are any; lists all.
    """
    most = {name: many for name, many in most_rows(schema).items() if name != schema.unit}
    unknown = [f"`{name}`" for name in means if name not in most]
    wrong = [f"{x:g} of `{n}`, of at most {most[n]}" for n, x in means.items() if n in most and not 0 < x <= most[n]]
    if unknown:
        msg = f"rows of a unit can be stated of {', '.join(most) or 'no table'}; however: {', '.join(unknown)} came"
        raise ConfigError(f"{msg}. Name tables below the units")
    if wrong:
        msg = f"rows of a unit must be above 0 and within the bounds of the schema; however: {', '.join(wrong)}"
        raise ConfigError(f"{msg}. State a mean below the bound, or raise the bound")


def _bounds(schema: LinkedSchema, access: ImaginedAccess, means: Mapping[str, float]) -> tuple[RowsBound, ...]:
    most, rows = most_rows(schema), access.rows
    out = []
    for name, owner in schema.graph.owners.items():
        link = schema.tables[name].owner
        assert link is not None
        out.append(
            RowsBound(
                table=name,
                owner=owner,
                by_owner=link.max_rows_per_owner,
                by_unit=most[name],
                rows=rows[name],
                usual=access.parts[name].most,
                stated=name in means,
            )
        )
    return tuple(out)


def _purchases(schema: LinkedSchema, access: ImaginedAccess) -> Iterator[Purchase]:
    """The parts of the reserve, in the order in which they are drawn."""

    def bought(what: str, rho: float) -> Purchase:
        return Purchase(what=what, rho=rho, share=rho / access.rho)

    for name, each in access.budget.coding.items():
        yield bought(f"coding of {name}", each.rho)
    yield bought("types, gaps and repeats of rows", access.budget.placed)
    yield bought(f"counts of {schema.unit}, how many rows they own among them", access.root)
    for name, part in access.parts.items():
        yield bought(f"counts of {_words(name)}", part.rho / (1 - SETTLED_SHARE))


def _words(part: str) -> str:
    return EVENT_WORDS if part == EVENTS else f"rows of {part}"


def _tables(schema: LinkedSchema, units: int, at: Sequence[ImaginedAccess]) -> tuple[TablesOutlook, ...]:
    """Noise and errors at each epsilon; the second is that of the budget."""
    roots = [_root(each, units) for each in at]
    steps = [expected_steps(each) for each in at]
    rows = at[1].rows
    out = [
        TablesOutlook(
            part=schema.unit,
            kind=kind,
            tables=found[1].tables,
            cells=found[1].cells,
            sigma=found[1].sigma,
            units=found[1].sigma,
            clip=None,
            errors=tuple(each.error for each in found),
            largest=found[1].largest,
        )
        for kind, found in zip((ALONE, TWO), zip(*roots, strict=True), strict=True)
        if found[1].tables
    ]
    return (*out, *(_of_steps(found, rows[found[1].part]) for found in zip(*steps, strict=True)))


def _root(access: ImaginedAccess, units: int) -> tuple[ExpectedError, ExpectedError]:
    """Tables of the units' own rows, as the model of one table pays for them."""
    plan = Rounds.of(access.sizes, access.root, UnitMarginalConfig().split())
    return expected(access.sizes, units, plan)


def _of_steps(found: Sequence[ExpectedTables], rows: float) -> TablesOutlook:
    here = found[1]
    return TablesOutlook(
        part=EVENT_WORDS if here.part == EVENTS else here.part,
        kind=here.kind,
        tables=here.tables,
        cells=here.cells,
        sigma=here.sigma,
        units=here.sigma / max(rows, 1e-9),
        clip=here.clip,
        errors=tuple(each.error for each in found),
        largest=here.largest,
        column=here.column,
    )


def _drowned(tables: Sequence[TablesOutlook], units: int) -> Iterator[str]:
    """Tables that noise rules at the budget, and what helps; errors fall with units, and with the root of rho."""
    alone = [each for each in tables if each.kind == ALONE]
    for found, most, means in (
        (alone, SINGLE, "meaningless: noise and clipping alone move tables of one column"),
        (
            [t for t in tables if t.kind != ALONE],
            PAIR,
            "columns will come out nearly independent: tables of two are moved",
        ),
    ):
        bad = {f"{t.part} ({t.kind})" if t.kind != ALONE else t.part: t.errors[1] for t in found if t.errors[1] > most}
        if bad:
            enough = _remedy(units, max(bad.values()) / most)
            worst = sorted(bad, key=lambda name: -bad[name])
            named = ", ".join(f"of {name} by {_by(bad[name])}" for name in worst[:MOST_NAMED])
            named += f" and {len(bad) - MOST_NAMED} more" if len(bad) > MOST_NAMED else ""
            yield f"{means} {named}, where {most} is the most that is of use. {enough}"
    wide = [t for t in alone if t.errors[1] <= SINGLE and t.largest > 2 * SINGLE and t.column]
    if wide:
        named = ", ".join(f"{t.column} of {t.part} by {_by(t.largest)}" for t in wide)
        yield f"noise moves {named}: too many levels for so few units. Group their levels, or leave them out"


def _by(error: float) -> str:
    return "above 1" if error > 1 else f"{error:.2f}"


def _remedy(units: int, factor: float) -> str:
    """What would bring an error below its threshold."""
    return (
        f"About {rounded(math.ceil(units * factor)):,} units would be enough at this budget, or noise {factor:.1f} "
        "times smaller: raise epsilon, leave out columns or whole tables, declare coarser codes, or lower the bounds "
        "on rows"
    )


def _unfound(bounds: Sequence[RowsBound], access: ImaginedAccess, units: int) -> Iterator[str]:
    """Bounds so large that the clip may be one of them: a noisy quantile of so few units may be any number up to it."""
    for each in bounds:
        part = access.parts[each.table]
        price = part.rho / (1 - SETTLED_SHARE) * SETTLED_SHARE / 2
        asked = NoisyQuantile(low=1.0, high=max(each.by_unit, 2.0), share=CLIPPED_AT, rho=price)
        having = len(set(part.owner.tolist())) / access.imagined
        missed = asked.spent.scale * math.log(asked.cells + 1) / (1 - CLIPPED_AT)
        if each.by_unit > UNFOUND * each.usual and missed > having * units:
            enough = rounded(math.ceil(missed / max(having, 1e-9)))
            yield (
                f"the bound of {each.by_unit:,} rows of {each.table} is {each.by_unit / each.usual:.0f} times what "
                f"{CLIPPED_PERCENT} of the units bring, and the budget is too small to find that out: units may be "
                "clipped at the bound, with so much more noise. Lower it, or raise epsilon; about "
                f"{enough:,} units would be enough"
            )
