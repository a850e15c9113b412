"""What a fit can be expected to give, said before anything is spent: closed forms, imagined tables and cohorts."""

from synthkit.planning.cohort_planner import CohortOutlook, plan_cohort
from synthkit.planning.linked_outlook import LinkedOutlook
from synthkit.planning.linked_planner import plan_linked
from synthkit.planning.outlook import Outlook
from synthkit.planning.planner import plan

__all__ = ["CohortOutlook", "LinkedOutlook", "Outlook", "plan", "plan_cohort", "plan_linked"]
