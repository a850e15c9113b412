"""What a private fit can be expected to give, said before anything is spent: closed forms and imagined tables."""

from synthkit.planning.linked_outlook import LinkedOutlook
from synthkit.planning.linked_planner import plan_linked
from synthkit.planning.outlook import Outlook
from synthkit.planning.planner import plan

__all__ = ["LinkedOutlook", "Outlook", "plan", "plan_linked"]
