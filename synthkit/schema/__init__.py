"""What the data are: columns, rules, the table, its YAML form, and the check of a table against it."""

from synthkit.schema.columns import Boolean, Categorical, Code, Column, Datetime, Discrete, Identifier, Numeric, Ordinal
from synthkit.schema.rules import Comparison, Condition, ExactlyOne, FixedCombination, Implication, Rule
from synthkit.schema.table import Schema
from synthkit.schema.target import Target

__all__ = [
    "Boolean",
    "Categorical",
    "Code",
    "Column",
    "Comparison",
    "Condition",
    "Datetime",
    "Discrete",
    "ExactlyOne",
    "FixedCombination",
    "Identifier",
    "Implication",
    "Numeric",
    "Ordinal",
    "Rule",
    "Schema",
    "Target",
]
