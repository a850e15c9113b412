"""Four made-up tables with the traits of public ones that drafts got wrong; their schemas lie in stand_in_schemas/.

`insurance` is a panel of persons like that of an insurance experiment, `cohort` a follow-up of a survey, `registry` one
of tumours with names and notes, `credit` the loans of a bank. Nobody in them is real.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from synthkit.schema import Schema

FOLDER = Path(__file__).parent / "stand_in_schemas"
FIRST = (
    *("Mary", "James", "Linda", "Robert", "Anna", "Peter", "Karen", "David", "Laura", "Thomas", "Ruth", "Paul"),
    *("Emma", "Mark", "Sarah", "Ola", "Kari", "Luis", "Carmen", "Ingrid", "Lars", "Helen", "George", "Nancy"),
    *("Wilma", "Odd", "Ragna", "Torvald", "Yusra", "Ximena", "Bram", "Saskia", "Ewa", "Marek", "Noor", "Idris"),
)
LAST = (
    *("Berg", "Lund", "Haugen", "Moen", "Smith", "Keller", "Rossi", "Nowak", "Silva", "Khan", "Dubois", "Olsen"),
    *("Vik", "Strand", "Brown", "Weiss", "Costa", "Mazur", "Farah", "Laurent", "Aas", "Dahl", "Young", "Vogel"),
)


def insurance(rng: np.random.Generator, people: int = 5912) -> pd.DataFrame:
    """A panel: 5,912 persons in about 20,190 rows under `zper`, a number that says nothing of itself."""
    years = rng.choice([1, 2, 3, 4, 5], people, p=[0.05, 0.05, 0.6, 0.06, 0.24])
    who = np.repeat(np.arange(people), years)
    site = rng.integers(1, 7, people)
    number = 100_000 * site + rng.choice(90_000, people, replace=False) + 5_000
    age = rng.integers(0, 62, people)
    schooling = np.clip(rng.normal(12, 3, people).round(), 0, 25)
    health = rng.choice(4, people, p=[0.5, 0.35, 0.12, 0.03])
    year = np.concatenate([np.arange(1, k + 1) for k in years])
    n = len(who)
    visits = rng.negative_binomial(0.7, 0.7 / (2.9 + health[who] + 0.7))
    frame = {
        "plan": rng.integers(1, 25, people)[who],
        "site": site[who],
        "coins": rng.choice([0, 25, 50, 95], people)[who],
        "year": year,
        "zper": number[who],
        "black": (rng.random(people) < 0.18).astype(int)[who],
        "income": rng.gamma(4, 2500, people).round(2)[who],
        "xage": (age[who] + year - 1).astype(int),
        "female": (rng.random(people) < 0.52).astype(int)[who],
        "educdec": schooling[who],
        "outpdol": np.where(visits > 0, rng.gamma(1.2, 60, n) * visits, 0).round(2),
        "mdvis": visits,
    }
    frame |= {f"hlth{letter}": (health == k).astype(int)[who] for k, letter in enumerate("egfp")}
    return pd.DataFrame(frame)


def cohort(rng: np.random.Generator, n: int = 7874) -> pd.DataFrame:
    """A follow-up: unique `seqn` with gaps, written as floats; the pair of `futime` and `death`; groups in numbers."""
    age = np.clip(rng.normal(64, 10, n).round(), 50, 101)
    kappa = rng.lognormal(0.25 + 0.008 * (age - 64), 0.5).round(3)
    risk = np.exp(0.09 * (age - 64) + 0.4 * (kappa > 2))
    alive = rng.exponential(14_000 / risk)
    end = rng.integers(3650, 5215, n)
    death = (alive < end).astype(int)
    return pd.DataFrame(
        {
            "seqn": np.sort(rng.choice(3 * n, n, replace=False) + 62_161).astype(float),
            "age": age.astype(int),
            "sex": rng.choice(["F", "M"], n, p=[0.55, 0.45]),
            "sample.yr": rng.integers(1995, 2004, n),
            "kappa": kappa,
            "lambda": (kappa * rng.lognormal(0.2, 0.3, n)).round(3),
            "flc.grp": np.digitize(kappa, np.quantile(kappa, np.arange(1, 10) / 10)) + 1,
            "creatinine": np.where(rng.random(n) < 0.17, np.nan, rng.lognormal(0.05, 0.25, n).round(1)),
            "mgus": (rng.random(n) < 0.015).astype(int),
            "futime": np.minimum(alive, end).astype(int),
            "death": death,
            "chapter": np.where(
                death == 1, rng.choice(["Circulatory", "Neoplasms", "Respiratory", "Mental", "Nervous"], n), None
            ),
        }
    )


def registry(rng: np.random.Generator, cases: int = 900) -> pd.DataFrame:
    """Treatments of tumours: several rows a `case.id`, encounters, names, free text, scores in numbers, `zip`."""
    rows = rng.integers(1, 5, cases)
    who = np.repeat(np.arange(cases), rows)
    n = len(who)
    stage, ecog = rng.integers(1, 5, cases), rng.choice(5, cases, p=[0.35, 0.35, 0.2, 0.08, 0.02])
    time = rng.exponential(1800 / (0.5 + 0.6 * stage)).astype(int) + 1
    dead = rng.random(cases) < 0.25 + 0.15 * stage
    grade = np.clip(stage + rng.integers(-1, 2, cases), 1, 3)
    return pd.DataFrame(
        {
            "case.id": np.array([f"T{k:05d}" for k in rng.permutation(cases) + 2000], dtype=object)[who],
            "encounter": (rng.choice(40 * n, n, replace=False) + 700_000).astype(float),
            "first": np.array(FIRST, dtype=object)[rng.integers(0, len(FIRST), cases)][who],
            "surname": np.array(LAST, dtype=object)[rng.integers(0, len(LAST), cases)][who],
            "zip": (rng.integers(0, 60, cases) * 7 + 55_300)[who],
            "age": rng.integers(25, 90, cases)[who],
            "stage": stage[who],
            "grade": grade[who],
            "ecog": ecog[who],
            "site": rng.choice(["lung", "breast", "colon"], cases)[who],
            "surgery": (rng.random(n) < 0.4).astype(int),
            "note": [_note(rng, int(ecog[k]), int(stage[k])) for k in who],
            "time": time[who],
            "status": (dead.astype(int) + 1)[who],
            "readmitted": np.where(rng.random(n) < 0.1 + 0.1 * ecog[who], "yes", "no"),
        }
    )


def _note(rng: np.random.Generator, ecog: int, stage: int) -> str:
    """What somebody might write on a visit."""
    how = ("feels well", "is tired", "walks with help", "stays in bed", "sleeps badly")[ecog]
    after = rng.choice(["cycle", "visit", "scan", "dose"])
    return f"Patient {how} after {after} {rng.integers(1, 400)}, stage {stage}, next in {rng.integers(2, 60)} days."


def credit(rng: np.random.Generator, n: int = 1000) -> pd.DataFrame:
    """Loans: the outcome `credit` stands in the middle; `status` and `personal_status` are none; homes are flags."""
    status = rng.choice(["no account", "below 0", "0 to 200", "over 200"], n, p=[0.4, 0.27, 0.27, 0.06])
    months = rng.choice([6, 9, 12, 15, 18, 24, 30, 36, 48], n)
    home = rng.choice(3, n, p=[0.71, 0.18, 0.11])
    poor = 0.08 + 0.3 * (status == "below 0") + 0.006 * months + 0.1 * (home > 0)
    return pd.DataFrame(
        {
            "status": status,
            "duration": months,
            "credit_history": rng.choice(["paid", "delayed", "critical", "none"], n),
            "purpose": rng.choice(["car", "furniture", "radio", "education", "business"], n),
            "credit": np.where(rng.random(n) < poor, "bad", "good"),
            "credit_amount": (rng.lognormal(7.8, 0.7, n)).round().astype(int),
            "personal_status": rng.choice(["single male", "married male", "female"], n, p=[0.55, 0.1, 0.35]),
            "installment_rate": rng.integers(1, 5, n),
            "job_grade": rng.choice([1, 2, 3, 4], n, p=[0.03, 0.2, 0.62, 0.15]),
            "age": rng.integers(19, 75, n),
            "home_own": (home == 0).astype(int),
            "home_rent": (home == 1).astype(int),
            "home_free": (home == 2).astype(int),
            "existing_credits": rng.choice([1, 2, 3, 4], n, p=[0.63, 0.33, 0.03, 0.01]),
            "telephone": rng.choice(["none", "yes"], n),
        }
    )


MADE: Mapping[str, Callable[[np.random.Generator], pd.DataFrame]] = {
    "insurance": insurance,
    "cohort": cohort,
    "registry": registry,
    "credit": credit,
}


def table(name: str, seed: int = 7) -> pd.DataFrame:
    """One of the four, the same for the same seed."""
    return MADE[name](np.random.default_rng(seed))


def schema(name: str) -> Schema:
    """What somebody who knows the table declares."""
    return Schema.load(FOLDER / f"{name}.yaml")
