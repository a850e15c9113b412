"""What synthkit's privacy rests on, held against its claims: audits that need no table, by name."""

from synthkit.auditing.audit import Audit
from synthkit.auditing.registry import AUDITS
from synthkit.auditing.result import Result

__all__ = ["AUDITS", "Audit", "Result"]
