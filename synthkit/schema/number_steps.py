"""On which lattice the numbers of a column lie: keys of a numeric column."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from synthkit.schema.lattice import NOT_SHORTENED, SHORTENING_KEYS, Lattice, Storage, StoredAs


class NumberSteps(BaseModel):
    """What the numbers of a column are multiples of, and how they were shortened.

    Args:
        step: all numbers are multiples of it, but for how they were shortened.
        stored_as: how they were kept before they were written, see `Lattice`.
        significant_digits: with how many they were written after that, all if not given.
        written_decimals: with how many behind the point, at most; all if not given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: Annotated[float, Field(gt=0, ge=1e-15, le=1e15, allow_inf_nan=False)] | None = None
    stored_as: StoredAs | None = None
    significant_digits: Annotated[int, Field(ge=1, le=17)] | None = None
    written_decimals: Annotated[int, Field(ge=0, le=40)] | None = None

    @property
    def lattice(self) -> Lattice | None:
        """What numbers are multiples of, and how they are shortened; None if no step is declared."""
        if self.step is None:
            return None
        return Lattice(
            step=self.step,
            stored_as=self.stored_as,
            significant_digits=self.significant_digits,
            written_decimals=self.written_decimals,
        )

    @model_validator(mode="after")
    def _steps_that_fit(self) -> NumberSteps:
        found = self.lattice
        decimals: int | None = getattr(self, "decimals", None)
        low, high = getattr(self, "min", None), getattr(self, "max", None)
        given = [key for key in SHORTENING_KEYS if getattr(self, key) is not None]
        if given and found is None:
            msg = f"`{given[0]}` says how multiples of `step` were shortened; however: there is no `step`. Declare it"
            raise ValueError(msg)
        if given and decimals is not None:
            msg = (
                f"`{given[0]}` shortens numbers to other ones than those of so many `decimals`; however: both are "
                "given. Take `decimals` out: `step` says it"
            )
            raise ValueError(msg)
        if found is not None and decimals is not None and found.decimals > decimals:
            msg = f"multiples of `step` must have at most {decimals} `decimals`; however: {self.step} has more"
            raise ValueError(msg)
        if (
            found is not None
            and low is not None
            and high is not None
            and found.first_from(low) > found.last_until(high)
        ):
            msg = (
                f"between `min` and `max` there must be a multiple of `step`; however: there is none from {low} to "
                f"{high}. Widen the bounds"
            )
            raise ValueError(msg)
        return self


def storage(column: object) -> Storage:
    """How the numbers of a column are shortened; of any other column, not at all."""
    lattice = column.lattice if isinstance(column, NumberSteps) else None
    return NOT_SHORTENED if lattice is None else lattice.storage
