"""What a private fit can be expected to give, said before anything is spent: closed forms and imagined tables."""

from synthkit.planning.outlook import Outlook
from synthkit.planning.planner import plan

__all__ = ["Outlook", "plan"]
