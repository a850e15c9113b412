"""What synthkit's privacy rests on, held against its claims: audits that need no table, by name."""

from synthkit.audit.all_audits import AUDITS
from synthkit.audit.audit_result import AuditResult
from synthkit.audit.experiment import Audit

__all__ = ["AUDITS", "Audit", "AuditResult"]
