"""What somebody decided must hold before rows may leave, and whether it does."""

from synthkit.release.policy.gate_decision import Gate, judge, rederive
from synthkit.release.policy.limits import Policy

__all__ = ["Gate", "Policy", "judge", "rederive"]
