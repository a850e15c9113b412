"""What somebody decided must hold before rows may leave, and whether it does."""

from synthkit.policy.gate import Gate, judge, rederive
from synthkit.policy.policy import Policy

__all__ = ["Gate", "Policy", "judge", "rederive"]
