"""Limits that somebody answers for: a YAML file with an owner and a justification."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from synthkit.errors import ConfigError, DocumentError
from synthkit.io.documents import read_yaml
from synthkit.metrics.attacks.effect_grade import DEFAULT_EFFECT_LIMITS
from synthkit.runtime.validation_words import requirement

FORMAT = "synthkit-policy/1"
_FORMAT = f"^{FORMAT}$"
_FORMAT_WORDS = {_FORMAT: f"must be {FORMAT}"}
PLACEHOLDERS = ("TODO", "TBD", "XXX", "REQUIRED", "N/A")
MEASURED_RATES = (0.001, 0.01, 0.1)  # of false alarms, that are measured
EXAMPLE_POLICY_OWNER = "EXAMPLE"  # how the owner of an example begins: nobody has decided anything yet


def _meant(said: str) -> str:
    """Words that somebody wrote, not those that stand there until somebody does."""
    if said.startswith("<") or said.upper() in PLACEHOLDERS:
        msg = "must be filled in by whoever answers for it"
        raise ValueError(msg)
    return said


FilledIn = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3), AfterValidator(_meant)]
ShareLimit = Annotated[float, Field(ge=0, le=1)]
FiniteLimit = Annotated[float, Field(allow_inf_nan=False)]
PositiveLimit = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Decided(_Part):
    """Who decided, what for and when.

    Args:
        id: name of the policy and its version.
        owner: who answers for the limits.
        justification: why these limits are right for this release.
        decided: when.
    """

    id: FilledIn
    owner: FilledIn
    justification: FilledIn
    decided: dt.date | None = None


class Rate(_Part):
    """Share of members that may be found at a rate of false alarms.

    Args:
        fpr: rate of false alarms that is measured, 0.001, 0.01 or 0.1.
        max_upper: most that the upper end of the interval may be.
    """

    fpr: ShareLimit
    max_upper: ShareLimit

    @field_validator("fpr")
    @classmethod
    def _measured(cls, fpr: float) -> float:
        if fpr not in MEASURED_RATES:
            msg = f"must be one of the rates that are measured, {', '.join(map(str, MEASURED_RATES))}"
            raise ValueError(msg)
        return fpr


class Membership(_Part):
    """Who was in the data.

    Args:
        eps_lb_max: most that the bound on lost epsilon may be, among everybody and among unusual people.
        tpr_at_fpr: members found at a rate of false alarms.
        generalisation_gap_max: most that the upper end of either generalisation gap may be, of tables of two and of
            three columns.
    """

    eps_lb_max: PositiveLimit | None = None
    tpr_at_fpr: Rate | None = None
    generalisation_gap_max: ShareLimit | None = None


class Attribute(_Part):
    """What is learned about a person.

    Args:
        excess_max_upper: most that the upper end of any secret's excess over non-members may be.
    """

    excess_max_upper: ShareLimit | None = None


class Identity(_Part):
    """Who is found.

    Args:
        excess_max_upper: most that the upper end may be of the excess of people matched, disclosed, copied or linked.
        singling_p_min: least probability of as many members among those singled out if nobody's row had mattered.
        meaningful_identity_max: most that the upper end of meaningful identity disclosure may be.
    """

    excess_max_upper: ShareLimit | None = None
    singling_p_min: ShareLimit | None = None
    meaningful_identity_max: ShareLimit | None = None


class Copying(_Part):
    """Who is repeated: what is found is a leak, what is not found is no evidence.

    Args:
        people_max: largest share of the people trained on who may be proven to be copied; asked if not given.
    """

    people_max: ShareLimit | None = DEFAULT_EFFECT_LIMITS["copying"].value


class PrivacyLimits(_Part):
    """What is promised.

    Args:
        required: whether there must be a privacy budget.
        epsilon_max: most that may be spent.
        end_to_end: whether everything that leaves must be covered.
    """

    required: bool = False
    epsilon_max: PositiveLimit | None = None
    end_to_end: bool = False


class Releases(_Part):
    """What may leave of one table, this release and all earlier ones together.

    Args:
        epsilon_max: most that they may cost together; no bound of one of them is more than any limit.
        number_max: most that there may be.
    """

    epsilon_max: PositiveLimit | None = None
    number_max: Annotated[int, Field(ge=1)] | None = None

    @property
    def has_limits(self) -> bool:
        """Whether any limit is set."""
        return self.epsilon_max is not None or self.number_max is not None


class Utility(_Part):
    """What the rows are good for.

    Args:
        margin: most that the upper end of any loss by training on synthetic rows may be.
        calibration_slope: interval in which the whole interval of the slope must lie.
        subgroup_margin: most that the upper end of the worst group's loss may be.
    """

    margin: PositiveLimit | None = None
    calibration_slope: tuple[FiniteLimit, FiniteLimit] | None = None
    subgroup_margin: PositiveLimit | None = None

    @field_validator("calibration_slope")
    @classmethod
    def _in_order(cls, slope: tuple[float, float] | None) -> tuple[float, float] | None:
        if slope is not None and slope[0] >= slope[1]:
            msg = "must be the lower end and then the upper end"
            raise ValueError(msg)
        return slope


class Fidelity(_Part):
    """How alike the rows are.

    Args:
        tv2_shortfall_max: most that the upper end of what pairs of columns lack against a real holdout may be.
        constraint_violations_max: most that the share of rows breaking a declared rule may be; of linked tables the
            share of units with such a row.
        broken_units_max: of linked tables, the share of units with a row that breaks a key, link, order or rule; always
            0, and always asked.
    """

    tv2_shortfall_max: ShareLimit | None = None
    constraint_violations_max: ShareLimit | None = None
    broken_units_max: Literal[0] = 0


class Required(_Part):
    """What evidence there must be.

    Args:
        min_control_units: fewest people not in the data beside whom disclosures were measured.
        draws: fewest synthetic tables that were measured.
        whole: whether a quick evaluation is not enough.
        review_within_days: days after which an evaluation must be made again.
        sibling_audit: whether what was measured on a sibling counts, the same model fitted to a part of the people,
            where the release was fitted to all of them afterwards.
    """

    min_control_units: Annotated[int, Field(ge=1)] = 100
    draws: Annotated[int, Field(ge=1)] = 1
    whole: bool = True
    review_within_days: Annotated[int, Field(ge=1)] = 365
    sibling_audit: bool = False


class Policy(_Part):
    """A whole policy; what is not set is not asked.

    Args:
        format: `synthkit-policy/1`.
        policy: who decided.
        membership: limits on membership; may only be left out as an explicit null.
        attribute: limits on attributes.
        identity: limits on identity.
        copying: limits on copies of people.
        dp: what must be promised.
        releases: limits on all releases of the table.
        utility: what the rows must be good for.
        fidelity: how alike they must be.
        evidence: what must have been measured.

    Example:
        >>> Policy.model_validate({
        ...     "format": "synthkit-policy/1",
        ...     "policy": {"id": "ours-v1", "owner": "A. Custodian", "justification": "a partner under contract"},
        ...     "membership": {"eps_lb_max": 1.0},
        ... }).membership.eps_lb_max
        1.0
    """

    format: Annotated[str, Field(pattern=_FORMAT)]
    policy: Decided
    membership: Membership | None
    attribute: Attribute = Attribute()
    identity: Identity = Identity()
    copying: Copying = Copying()
    dp: PrivacyLimits = PrivacyLimits()
    releases: Releases = Releases()
    utility: Utility = Utility()
    fidelity: Fidelity = Fidelity()
    evidence: Required = Required()

    @property
    def example(self) -> bool:
        """Whether nobody has put their own name to it yet."""
        return self.policy.owner.startswith(EXAMPLE_POLICY_OWNER)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """JSON Schema of a policy file, for editors: `schemas/synthkit-policy-1.json`."""
        from synthkit.schema.json_schema import described

        return described(
            cls,
            Decided,
            Membership,
            Rate,
            Attribute,
            Identity,
            Copying,
            PrivacyLimits,
            Releases,
            Utility,
            Fidelity,
            Required,
        )

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Read a policy.

        Raises:
            ConfigError: the file cannot be read, is no YAML, or says what no policy says; every field is listed.
        """
        try:
            data = read_yaml(path)
        except OSError as error:
            msg = f"the policy {path} must be readable; however: {error.strerror}. Name a YAML file"
            raise ConfigError(msg) from error
        except DocumentError as error:
            msg = f"the policy {error}"
            raise ConfigError(msg) from error
        return cls.parse(data)

    @classmethod
    def parse(cls, data: Any) -> Policy:
        """A policy from plain data.

        Raises:
            ConfigError: a field is missing, unknown or cannot be meant; all of them are listed.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            faults = [
                f"{'.'.join(map(str, e['loc'])) or 'the file'}: {requirement(e, _FORMAT_WORDS)}" for e in error.errors()
            ]
            msg = "a policy must name its owner, its justification and limits that can be meant; however: "
            raise ConfigError(msg + "; ".join(faults)) from error
