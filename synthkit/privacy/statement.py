"""What is promised about a release, as data a machine can read and as three sentences a person can."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from synthkit.io.json_types import JSONDict
from synthkit.privacy.accounting import accountant, zcdp
from synthkit.privacy.accounting.budget import ADJACENCY, MOST_ROWS
from synthkit.privacy.accounting.charge import Charge
from synthkit.privacy.accounting.events import Concentrated, NonPrivate, PoissonSubsampledGaussian
from synthkit.privacy.accounting.ledger_file import LedgerFile
from synthkit.privacy.accounting.tradeoff import LARGEST, Tradeoff

if TYPE_CHECKING:
    from synthkit.schema import Schema

FORMAT = "synthkit-statement/1"
ALARMS = (0.01, 0.1)  # rates of false alarms at which an attacker's gain is told
Covered = Literal["charged", "public", "internal", "uncharged"]
FILE = "columns and format of the file, that it could be unpacked, and of text that no cell of it holds a line break"


@dataclass(frozen=True, kw_only=True)
class Touch:
    """A way in which the table had a part in what was made.

    Args:
        what: in words, without any value.
        covered: paid for in the ledger; or from a public source; or exact and INTERNAL, so that it does not leave; or
            exact and leaving, which nothing covers.
    """

    what: str
    covered: Covered


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The privacy statement of one release.

    Args:
        archive: the ledger.
        table: name of the table.
        model: name of the model.
        declared_by: who answers for the schema being public, and why; None where nobody does.
        declarations: who answers for which columns, `rules` for the rules, see
            `synthkit.schema.public_domain.declarers`.
        paid: keys of the schema that were bought, `column: key`.
        versions: of the packages, by name.
        most: rows of one unit that gradients are taken of, None where each row is a unit.
        evaluations: how many attacks or audits were run against the release.

    References:
        OpenDP: deployments registry, keys `basic` to `implementation`. NIST SP 800-226: Guidelines for evaluating
        differential privacy guarantees (2025).

    Example:
        >>> free = Statement(archive=LedgerFile(budget=None, unit=None), table="icu", model="tvae")
        >>> free.end_to_end, free.sentences[0]
        (False, 'Not differentially private: epsilon is infinite for each row, and nothing bounds what is revealed.')
    """

    archive: LedgerFile
    table: str
    model: str
    declared_by: str | None = None
    declarations: Mapping[str, Sequence[str]] = field(default_factory=dict)
    paid: tuple[str, ...] = ()
    versions: Mapping[str, str] | None = None
    most: int | None = None
    evaluations: int = 0

    @classmethod
    def of(cls, archive: LedgerFile, schema: Schema, *, model: str, versions: Mapping[str, str]) -> Statement:
        """The statement on a release; it follows from these, so that anybody can hold one against them.

        Args:
            archive: the ledger.
            schema: that of the release, with what was bought.
            model: name of the model.
            versions: of the packages, by name.
        """
        from synthkit.schema.public_domain import declarers  # counting a ledger again needs no tables

        budget = None if archive.unit is None else archive.budget
        return cls(
            archive=archive,
            table=schema.name,
            model=model,
            declared_by=schema.declared_by,
            declarations=declarers(schema),
            paid=tuple(f"{name}: {key}" for name, column in schema.columns.items() for key in column.paid),
            versions=versions,
            most=None if budget is None else budget.max_rows_per_unit or MOST_ROWS,
        )

    @property
    def promised(self) -> bool:
        """Whether anything is: there is a budget, and no charge that none can pay."""
        return self.archive.budget is not None and math.isfinite(self.archive.spent()[0])

    @cached_property
    def tradeoff(self) -> Tradeoff:
        """What an attacker gains at most."""
        return Tradeoff.of(self.archive.parts)

    @property
    def touches(self) -> tuple[Touch, ...]:
        """Every way in which the table had a part in what was made."""
        told: dict[str, Covered] = {}
        for charge in _told(self.archive):
            exact = self.archive.budget is None or isinstance(charge.spent, NonPrivate)
            told[charge.what] = "uncharged" if exact else told.get(charge.what, "charged")
        out = [Touch(what=what, covered=covered) for what, covered in told.items()]
        if self.archive.budget is not None:
            out.append(
                Touch(what=f"levels, bounds and digits of the schema, as declared by {self._who}", covered="public")
            )
            out.append(Touch(what="probabilities of roles and coins", covered="public"))
            out.append(Touch(what=FILE, covered="public"))
        out.append(Touch(what="evaluation, report and validation of the input", covered="internal"))
        return tuple(out)

    @property
    def end_to_end(self) -> bool:
        """Whether all that leaves is covered: something is promised, and no touch is uncharged."""
        return self.promised and all(t.covered != "uncharged" for t in self.touches)

    @property
    def unit(self) -> str:
        """Who is protected, in words."""
        return "row" if self.archive.unit is None else f"{self.archive.unit}, with all their rows"

    @property
    def one(self) -> str:
        """What one of them is called."""
        return self.archive.unit or "row"

    @property
    def sentences(self) -> tuple[str, str, str]:
        """The promise; what an attacker gains; what is not covered."""
        epsilon, delta = self.archive.spent()
        name = self.one
        if not self.promised:
            return (
                f"Not differentially private: epsilon is infinite for each {name}, and nothing bounds what is "
                "revealed.",
                "Whether somebody was in the table may be told with certainty.",
                "Nothing is covered.",
            )
        few, many = (f"{100 * self.tradeoff.found(alpha):.1f} %" for alpha in ALARMS)
        sure = f"{100 * self.tradeoff.posterior():.0f} %"
        return (
            f"The release is ({epsilon:.4g}, {delta:.2g})-differentially private for each {self.unit}: with or without "
            f"one of them nothing is more than {math.exp(min(epsilon, LARGEST)):.3g} times as likely, but for a "
            f"probability of {delta:.2g}.",
            f"Whoever accuses 1 % of outsiders wrongly can tell at most {few} of those who were in the table, at 10 % "
            f"at most {many}; from even odds nobody becomes surer than {sure} that a given {name} was there, but "
            f"with probability {delta:.2g}.",
            f"Not covered: files marked INTERNAL, which compare with real rows exactly; groups of several such units "
            "together, for whom epsilon grows with their number; other releases on the same table that are not in "
            f"this ledger; {self._by_word} public by the word of {self._who}; what is true of people whether or not "
            "they were in the table.",
        )

    @property
    def _by_word(self) -> str:
        """What nobody is protected in, for somebody says that it is public."""
        return "the domain of the columns, which is"

    def to_dict(self) -> JSONDict:
        """The statement as plain data in the format `synthkit-statement/1`."""
        return {
            "format": FORMAT,
            **self._registry(),
            "adjacency": ADJACENCY,
            "contribution_bound": self._contribution(),
            "delta_below_one_over_n": self._small(),
            "end_to_end_dp": self.end_to_end,
            "data_touches": [asdict(touch) for touch in self.touches],
            "declared_by": self.declared_by,
            "declarations": {who: list(names) for who, names in self.declarations.items()},
            "paid": list(self.paid),
            "accountant": self._accountant(),
            "sampling": self._sampling(),
            "curve": [list(point) for point in zip(self.tradeoff.epsilons, self.tradeoff.deltas, strict=True)],
            "attacker": {
                "tpr_at_fpr": {f"{alpha:g}": self.tradeoff.found(alpha) for alpha in ALARMS},
                "posterior_from_even_odds": self.tradeoff.posterior(),
            },
            "rng": {"name": "ChaCha20 and the operating system", "seed": "from the operating system, never stored"},
            "noise_arithmetic": self._arithmetic(),
            "privacy_evaluations_run": self.evaluations,
            "libraries": dict(self.versions or {}),
            "sentences": list(self.sentences),
            "caveats": self._caveats(),
        }

    def _registry(self) -> JSONDict:
        """The keys of the registry of deployments."""
        epsilon, delta = self.archive.spent()
        variant = "Approximate DP" if self.promised else "Custom"
        return {
            "basic": {"name": self.table, "data_product_type": "Synthetic data", "intended_use": None},
            "dp_variant": {
                "variant_name": variant,
                "data_domain": "rows of the declared schema",
                "unprotected_quantities": [t.what for t in self.touches if t.covered in ("public", "uncharged")],
            },
            "privacy_loss": {
                "privacy_unit": self.archive.unit or "row",
                "privacy_unit_details": self._neighbours(),
                "privacy_parameters": {
                    "epsilon": epsilon if self.promised else None,
                    "delta": delta,
                    "rho": self._rho(),
                },
            },
            "deployment_model": {"model_name": "Central", "release_type": "One release", "data_source_type": "Static"},
            "accounting": {
                "post_processing": "drawing rows, mending those that break a rule, calibration to noisy tables",
                "composition": f"{len(self.archive.parts)} plan(s), each composed jointly; plans add up",
            },
            "implementation": {
                "preprocessing_and_hyperparameter_tuning": "settings follow from the schema, the budget and defaults",
                "mechanisms": sorted({c.spent.kind for c in _every(self.archive)}),
                "justification": f"model {self.model}, see the ledger",
            },
        }

    @property
    def _who(self) -> str:
        named = dict.fromkeys([*([self.declared_by] if self.declared_by else []), *self.declarations])
        return "; ".join(named) or "whoever wrote the schema"

    def _neighbours(self) -> str:
        """Which tables count as neighbours, and how rows of one person are known."""
        one = f"two tables are neighbours if one has one {self.unit}, more"
        if self.archive.unit is None:
            return one
        return f"{one}; cells of {self.archive.unit} that differ in spelling alone name one of them, empty ones nobody"

    def _contribution(self) -> JSONDict:
        budget = self.archive.budget
        most = self.most or (None if budget is None else budget.max_rows_per_unit)
        return {"max_rows_per_unit": most, "counts": "one row of each unit, chosen in secret", "gradients": "clipped"}

    def _small(self) -> bool | None:
        """Whether delta is below one over the declared number of units; None where nobody declared one."""
        budget = self.archive.budget
        return None if budget is None or budget.public_n is None else budget.delta < 1 / budget.public_n

    def _sampling(self) -> dict[str, str]:
        """The batches that the account rests on, and those that were drawn."""
        drawn = "poisson" if self._sampled() else "none"
        return {"assumed": drawn, "implemented": drawn}

    def _sampled(self) -> bool:
        return any(isinstance(c.spent, PoissonSubsampledGaussian) for c in _every(self.archive))

    def _accountant(self) -> list[str]:
        library = (self.versions or {}).get("dp-accounting")
        return [accountant.method(part.charges, library) for part in self.archive.parts]

    def _rho(self) -> float | None:
        """The reserve of zero-concentrated privacy, where all of a single plan is one."""
        parts = self.archive.parts
        if len(parts) != 1 or not all(isinstance(c.spent, Concentrated) for c in parts[0].charges):
            return None
        return float(sum(zcdp.cost(c.spent).rho for c in parts[0].charges))

    def _arithmetic(self) -> str:
        return "exact integers; float32 for noise on gradients" if self._sampled() else "exact integers"

    def _caveats(self) -> list[str]:
        out = ["The holdout takes no part in the release and is not in the ledger; the report shows it."]
        if "float32" in self._arithmetic():
            out.append("Noise on gradients is rounded to float32, which the accountant does not count.")
        if self.archive.budget is not None and self.archive.budget.public_n is None:
            out.append("No number of units is declared, so whether delta is below one over it cannot be shown.")
        if len(self.archive.parts) > 1:
            out.append("Plans that were not made together are added up, which is more than they cost.")
        return out


def packages(names: Sequence[str] = ("synthkit", "opendp", "dp-accounting", "torch")) -> dict[str, str]:
    """Versions of the packages a promise rests on."""
    return {name: version(name) for name in names}


def _every(archive: LedgerFile) -> list[Charge]:
    return [c for part in archive.parts for c in (*part.charges, *part.inside)]


def _told(archive: LedgerFile) -> list[Charge]:
    """What was drawn: of a reserve that has paid for steps these, not the reserve."""
    return [
        charge
        for part in archive.parts
        for charge in (*part.charges, *part.inside)
        if not (part.inside and isinstance(charge.spent, Concentrated))
    ]
