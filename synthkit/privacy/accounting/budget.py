"""The most that may ever be learned from one table about one unit of it; nothing here is spent or computed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from synthkit.errors import ConfigError

ADJACENCY = "add-remove"  # two tables are neighbours if one has all rows of one more unit; the only one we prove for
MOST_ROWS = 10  # rows of one unit that gradients are taken of, where nobody bounds them
LARGEST_DELTA = 1e-5  # a default is never above this, however small the table


@dataclass(frozen=True, kw_only=True)
class Budget:
    r"""The cap on everything that is released about a table, now and later.

    For neighbouring tables $D, D'$ and every set $S$ of what could leave,
    $P[M(D) \in S] \le e^\epsilon P[M(D') \in S] + \delta$.

    Args:
        epsilon: total epsilon, above 0.
        delta: total delta, in (0, 1), and below 1 / `public_n` where that is given.
        unit: column that names the protected unit, None if each row is one.
        max_rows_per_unit: public bound on the rows of one unit that are used, 1 or more; None for no bound, or
            without a unit.
        adjacency: which tables are neighbours: `add-remove`, one unit more or less.
        public_n: number of units as somebody declared it, never counted in the table; None if nobody did.

    Raises:
        ConfigError: one of them cannot be meant.

    Example:
        >>> Budget(epsilon=1.0, delta=1e-6, unit="patient", max_rows_per_unit=4).delta
        1e-06
    """

    epsilon: float
    delta: float
    unit: str | None = None
    max_rows_per_unit: int | None = None
    adjacency: str = ADJACENCY
    public_n: int | None = None

    def __post_init__(self) -> None:
        if not (_number(self.epsilon) and self.epsilon > 0):
            msg = f"epsilon must be a finite number above 0; however: {self.epsilon!r}. 1 is a common choice"
            raise ConfigError(msg)
        if not (_number(self.delta) and 0 < self.delta < 1):
            msg = f"delta must lie between 0 and 1; however: {self.delta!r}. 1e-6 is a common choice"
            raise ConfigError(msg)
        if self.adjacency != ADJACENCY:
            msg = (
                f"adjacency must be `{ADJACENCY}`, for which all our noise is proved; however: {self.adjacency!r}. "
                f"State the budget for `{ADJACENCY}`"
            )
            raise ConfigError(msg)
        self._check_unit()
        self._check_n()

    def _check_unit(self) -> None:
        if self.max_rows_per_unit is None:
            return
        if not (_whole(self.max_rows_per_unit) and self.max_rows_per_unit >= 1):
            msg = (
                f"max_rows_per_unit must be a whole number of 1 or more; however: {self.max_rows_per_unit!r}. Raise it"
            )
            raise ConfigError(msg)
        if self.unit is None:
            msg = (
                "max_rows_per_unit needs a unit whose rows it bounds; however: no unit is named. "
                "Name the column of the unit, or leave the bound out"
            )
            raise ConfigError(msg)

    def _check_n(self) -> None:
        if self.public_n is None:
            return
        if not (_whole(self.public_n) and self.public_n >= 2):
            msg = f"a public n must be a whole number of 2 or more; however: {self.public_n!r}. Declare a round figure"
            raise ConfigError(msg)
        if self.delta >= 1 / self.public_n:
            msg = (
                f"delta must be below 1 / n, or publishing one whole unit would satisfy it; however: {self.delta:g} "
                f"with a public n of {self.public_n:,}. Lower delta, at best far below {1 / self.public_n:.1g}"
            )
            raise ConfigError(msg)

    @classmethod
    def of_public_n(
        cls, *, epsilon: float, public_n: int, unit: str | None = None, max_rows_per_unit: int | None = None
    ) -> Budget:
        r"""A budget whose delta follows from a declared number of units: $\delta = \min(10^{-5}, n^{-3/2})$.

        Args:
            epsilon: total epsilon, above 0.
            public_n: number of units, declared; counting them in the table would be a look nobody paid for.
            unit: column that names the protected unit, None if each row is one.
            max_rows_per_unit: public bound on the rows of one unit that are used.

        Raises:
            ConfigError: one of them cannot be meant.

        Example:
            >>> Budget.of_public_n(epsilon=1.0, public_n=1_000_000).delta
            1e-09
        """
        usable = _whole(public_n) and public_n >= 2
        delta = min(LARGEST_DELTA, public_n**-1.5) if usable else LARGEST_DELTA
        return cls(epsilon=epsilon, delta=delta, unit=unit, max_rows_per_unit=max_rows_per_unit, public_n=public_n)

    def differs(self, other: Budget) -> str | None:
        """The first promise in which two budgets differ, so that their spendings cannot be added; None if none."""
        for name in ("unit", "adjacency", "max_rows_per_unit"):
            if getattr(self, name) != getattr(other, name):
                return name
        return None

    def covering(self, other: Budget) -> Budget:
        """The smallest cap that covers both; the number of units is that declared with the larger delta.

        Example:
            >>> Budget(epsilon=1.0, delta=1e-5).covering(Budget(epsilon=3.0, delta=1e-6))
            Budget(epsilon=3.0, delta=1e-05, unit=None, max_rows_per_unit=None, adjacency='add-remove', public_n=None)
        """
        wider = max((self, other), key=lambda budget: budget.delta)
        return replace(wider, epsilon=max(self.epsilon, other.epsilon))


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
