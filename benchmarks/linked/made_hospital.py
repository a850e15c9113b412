"""A made hospital of a known law: patients, visits, orders, doses, labs and events that know of each other.

What a model of linked tables is asked to find, each by a number of the law below: levels of a person in all of their
values (`LEVEL`), values that continue their series (`PERSISTENCE`), two lines of a panel that always agree (`PAIR`),
panels that follow events of a sibling table within days (`AFTER`), wards that persist, orders inside stays, doses that
repeat, costs that add up, and an event whose hazard grows with the last value (`HAZARD`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.places import LINKED_SCHEMAS
from synthkit.schema.linked import LinkedSchema

DAY = np.timedelta64(1, "D")
EPOCH = np.datetime64("2010-01-01")
WARDS = ("medicine", "surgery", "cardiology", "neurology", "geriatrics")
TESTS = ("hdl", "crea", "sbp", "sbp_repeat")
PAIR = ("sbp", "sbp_repeat")  # taken twice; the second line says the same, always
KINDS = ("stroke", "infarction", "fracture")
CENTRE = {"hdl": 52.0, "crea": 88.0, "sbp": 132.0}
LEVEL = {"hdl": 9.0, "crea": 16.0, "sbp": 13.0}  # standard deviation of a person's own level
NOISE = {"hdl": 4.0, "crea": 8.0, "sbp": 8.0}  # of a value around what the person's past says
PERSISTENCE = 0.6  # of a deviation from the level, from one panel of a person to the next
STAY_IN_WARD = 0.5  # share of visits that go to the ward of the visit before, whatever the person
SAME_DOSE = 0.8  # share of doses that repeat the one before
AFTER = (2, 10)  # days from an event to the panel it brings
HAZARD = 0.9  # of a stroke: log of its rate by standard deviations of the systolic level
YEARS = 8
REASONS, DRUGS, DOCTORS = 60, 80, 120


@dataclass(frozen=True)
class Rows:
    """Rows of one table under way: whose they are, and when, in days since the first of January 2010."""

    owner: NDArray[np.intp]
    day: NDArray[np.float64]

    def sorted(self) -> Rows:
        """By owner, then by day."""
        order = np.lexsort((self.day, self.owner))
        return Rows(self.owner[order], self.day[order])


def tables(units: int, seed: int) -> dict[str, pd.DataFrame]:
    """The tables of so many patients, drawn by a seed; patients of different seeds are strangers."""
    rng = np.random.default_rng(seed)
    people = _people(units, rng)
    visits, stays = _visits(people, rng)
    events = _events(people, rng)
    labs = _labs(people, visits, stays, events, rng)
    wards = _wards(people, visits, rng)
    reasons = (wards * (REASONS // len(WARDS)) + _skewed(REASONS // len(WARDS), len(wards), rng)).astype(int)
    orders = _orders(visits, stays, rng)
    drugs = (reasons[orders.owner] + DRUGS // 4 * rng.integers(0, 3, len(orders.owner)) ** 2) % DRUGS
    costs = np.round(rng.gamma(2.0, 10.0 + drugs, len(drugs)), 2)
    doses = _doses(orders, (visits.day + stays)[orders.owner], rng)
    frames = {
        "patients": _patients_frame(people),
        "visits": _visits_frame(visits, stays, wards, reasons, np.bincount(orders.owner, costs, len(wards)), rng),
        "orders": _orders_frame(orders, visits, drugs, costs),
        "doses": pd.DataFrame(
            {
                "order_id": _names("O", len(drugs))[doses.owner],
                "number": _position(doses.owner),
                "given": _minutes(doses.day),
                "mg": _amounts(doses.owner, drugs, rng),
            }
        ),
        "labs": _labs_frame(labs, people, visits, stays, rng),
        "events": pd.DataFrame(
            {
                "patient_id": _names("P", units)[events.owner],
                "day": _days(events.day),
                "kind": np.array(KINDS, dtype=object)[events.kind],
            }
        ),
    }
    return frames | _catalogues()


@dataclass(frozen=True)
class People:
    """What a patient is: latent frailty and levels are in no table, only in what comes of them."""

    entry: NDArray[np.float64]
    end: NDArray[np.float64]
    died: NDArray[np.bool_]
    male: NDArray[np.bool_]
    born: NDArray[np.int64]
    payer: NDArray[np.int64]
    frailty: NDArray[np.float64]
    levels: dict[str, NDArray[np.float64]]


def _people(n: int, rng: np.random.Generator) -> People:
    frailty, male = rng.normal(size=n), rng.random(n) < 0.48
    born = np.round(1950 - 6 * frailty + rng.normal(0, 14, n)).clip(1915, 1995).astype(int)
    entry = rng.integers(0, 4 * 365, n).astype(float)
    death = rng.exponential(9_000 * np.exp(-0.7 * frailty), n)
    followed = np.minimum(rng.uniform(200, 365 * YEARS, n), 365 * YEARS)
    levels = {name: CENTRE[name] + LEVEL[name] * (0.5 * frailty + np.sqrt(0.75) * rng.normal(size=n)) for name in LEVEL}
    levels["hdl"] -= 6 * male
    end = entry + np.ceil(np.minimum(death, followed)) + 1
    return People(entry, end, death < followed, male, born, rng.choice(4, n, p=[0.5, 0.25, 0.15, 0.1]), frailty, levels)


def _renewal(
    people: People, mean: NDArray[np.float64], most: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Moments with exponential gaps between entry and end of follow-up, at most so many a person."""
    days = people.entry[:, None] + np.cumsum(rng.exponential(mean[:, None], (len(mean), most)), axis=1)
    owner, k = np.nonzero(days < people.end[:, None] - 1)
    return owner, days[owner, k]


def _visits(people: People, rng: np.random.Generator) -> tuple[Rows, NDArray[np.float64]]:
    """Visits that do not overlap, and how long each lasts, in days."""
    owner, day = _renewal(people, 500 * np.exp(-0.5 * people.frailty), 20, rng)
    stay = rng.gamma(1.5, 2.0 * np.exp(0.3 * people.frailty[owner])) + 0.1
    last = np.r_[owner[1:] != owner[:-1], True]
    room = np.where(last, people.end[owner], np.r_[day[1:], 0.0]) - day
    return Rows(owner, day), np.minimum(stay, 0.95 * room)


@dataclass(frozen=True)
class Events(Rows):
    """Events of a kind."""

    kind: NDArray[np.int64]


def _events(people: People, rng: np.random.Generator) -> Events:
    """Strokes come with the systolic level, infarctions with frailty, fractures to everybody."""
    z = (people.levels["sbp"] - CENTRE["sbp"]) / LEVEL["sbp"]
    means = (4_000 * np.exp(-HAZARD * z), 5_000 * np.exp(-0.8 * people.frailty), np.full(len(z), 6_000.0))
    found = [_renewal(people, mean, 3, rng) for mean in means]
    owner = np.concatenate([o for o, _ in found])
    day = np.concatenate([np.floor(d) for _, d in found])
    kind = np.repeat(np.arange(len(KINDS)), [len(o) for o, _ in found])
    order = np.lexsort((kind, day, owner))
    return Events(owner[order], day[order], kind[order])


def _labs(people: People, visits: Rows, stays: NDArray[np.float64], events: Events, rng: np.random.Generator) -> Rows:
    """Panels: at half of the visits, some days after each event, and now and then."""
    at_visit = rng.random(len(stays)) < 0.5
    follow = events.day + rng.integers(*AFTER, len(events.day), endpoint=True)
    owner, day = _renewal(people, np.full(len(people.entry), 900.0), 8, rng)
    owners = np.concatenate([visits.owner[at_visit], events.owner, owner])
    days = np.concatenate([(visits.day + rng.random(len(stays)) * stays)[at_visit], follow + 0.4, np.floor(day) + 0.4])
    seen = days < people.end[owners]
    return Rows(owners[seen], days[seen]).sorted()


def _labs_frame(
    panels: Rows, people: People, visits: Rows, stays: NDArray[np.float64], rng: np.random.Generator
) -> pd.DataFrame:
    values = {name: _series(panels.owner, people.levels[name], NOISE[name], rng) for name in LEVEL}
    values["sbp_repeat"] = values["sbp"]
    taken = np.column_stack([rng.random(len(panels.day)) < 0.7, rng.random(len(panels.day)) < 0.6])
    wanted = np.column_stack([taken, np.ones((len(panels.day), 2), dtype=bool)])
    panel, test = np.nonzero(wanted)
    opened = _open_visit(panels, visits, stays)
    return pd.DataFrame(
        {
            "patient_id": _names("P", len(people.entry))[panels.owner[panel]],
            "visit_id": np.where(opened >= 0, _names("V", len(stays))[opened], None)[panel],
            "taken": _minutes(panels.day)[panel],
            "test": np.array(TESTS, dtype=object)[test],
            "value": np.round(np.column_stack([values[name] for name in TESTS])[panel, test], 1),
        }
    )


def _series(
    owner: NDArray[np.intp], level: NDArray[np.float64], noise: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Values around a person's level, each deviation carrying on a part of the one before."""
    position = _position(owner) - 1
    out, fresh = np.zeros(len(owner)), rng.normal(0, noise, len(owner))
    for k in range(int(position.max(initial=-1)) + 1):
        here = np.flatnonzero(position == k)
        before = out[here - 1] - level[owner[here - 1]] if k else 0.0
        out[here] = level[owner[here]] + PERSISTENCE * before + np.sqrt(1 - PERSISTENCE**2 * (k > 0)) * fresh[here]
    return out.clip(5)


def _open_visit(panels: Rows, visits: Rows, stays: NDArray[np.float64]) -> NDArray[np.intp]:
    """The visit that goes on at each panel, -1 for none."""
    far = 1e6
    start = visits.owner * far + visits.day
    k = np.searchsorted(start, panels.owner * far + panels.day, side="right") - 1
    held = (k >= 0) & (visits.owner[k] == panels.owner) & (panels.day <= visits.day[k] + stays[k])
    return np.where(held, k, -1)


def _wards(people: People, visits: Rows, rng: np.random.Generator) -> NDArray[np.int64]:
    drawn = np.clip(np.round(2 + people.frailty[visits.owner] + rng.normal(0, 0.8, len(visits.owner))), 0, 4)
    keep = (rng.random(len(drawn)) < STAY_IN_WARD) & np.r_[False, visits.owner[1:] == visits.owner[:-1]]
    source = np.maximum.accumulate(np.where(keep, 0, np.arange(len(drawn))))
    return drawn[source].astype(np.int64)


def _orders(visits: Rows, stays: NDArray[np.float64], rng: np.random.Generator) -> Rows:
    many = rng.poisson(0.5 + 0.6 * np.sqrt(stays)).clip(0, 12)
    owner = np.repeat(np.arange(len(many)), many)
    return Rows(owner, visits.day[owner] + rng.random(len(owner)) * stays[owner]).sorted()


def _orders_frame(orders: Rows, visits: Rows, drugs: NDArray[np.int64], costs: NDArray[np.float64]) -> pd.DataFrame:
    patients = int(visits.owner.max(initial=0)) + 1
    return pd.DataFrame(
        {
            "order_id": _names("O", len(drugs)),
            "visit_id": _names("V", len(visits.owner))[orders.owner],
            "patient_id": _names("P", patients)[visits.owner[orders.owner]],
            "ordered": _minutes(orders.day),
            "drug": [f"D{d:02d}" for d in drugs],
            "cost": costs,
        }
    )


def _doses(orders: Rows, until: NDArray[np.float64], rng: np.random.Generator) -> Rows:
    many = rng.poisson(1.3, len(orders.owner)).clip(0, 8)
    owner = np.repeat(np.arange(len(many)), many)
    return Rows(owner, orders.day[owner] + rng.random(len(owner)) * (until - orders.day)[owner]).sorted()


def _amounts(order: NDArray[np.intp], drugs: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    fresh = (5.0 * 2.0 ** (drugs % 6))[order] * rng.choice([0.5, 1.0, 2.0], len(order), p=[0.25, 0.5, 0.25])
    keep = (rng.random(len(order)) < SAME_DOSE) & np.r_[False, order[1:] == order[:-1]]
    return np.asarray(fresh[np.maximum.accumulate(np.where(keep, 0, np.arange(len(order))))])


def _patients_frame(people: People) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": _names("P", len(people.entry)),
            "sex": np.where(people.male, "M", "F"),
            "born": people.born,
            "payer_id": np.array(list("ABCD"), dtype=object)[people.payer],
            "entry": _days(people.entry),
            "end": _days(people.end),
            "died": people.died,
        }
    )


def _visits_frame(
    visits: Rows,
    stays: NDArray[np.float64],
    wards: NDArray[np.int64],
    reasons: NDArray[np.int64],
    charges: NDArray[np.float64],
    rng: np.random.Generator,
) -> pd.DataFrame:
    names = _names("V", len(stays))
    follows = np.r_[False, visits.owner[1:] == visits.owner[:-1]]
    doctor = wards + len(WARDS) * _skewed(DOCTORS // len(WARDS), len(wards), rng)
    return pd.DataFrame(
        {
            "visit_id": names,
            "patient_id": _names("P", int(visits.owner.max()) + 1)[visits.owner],
            "previous": np.where(follows, np.r_[[None], names[:-1]], None),
            "doctor_id": _names("M", DOCTORS)[doctor],
            "admitted": _minutes(visits.day),
            "discharged": _minutes(visits.day + stays),
            "ward": np.array(WARDS, dtype=object)[wards],
            "reason": [f"R{r:02d}" for r in reasons],
            "charges": np.round(charges, 2),
        }
    )


def _catalogues() -> dict[str, pd.DataFrame]:
    """Tables that belong to nobody."""
    wards = np.array(WARDS, dtype=object)[np.arange(DOCTORS) % len(WARDS)]
    return {
        "doctors": pd.DataFrame({"doctor_id": _names("M", DOCTORS), "ward": wards}),
        "payers": pd.DataFrame({"payer_id": list("ABCD"), "public": [True, True, False, False]}),
    }


def _skewed(levels: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Levels of which the first are commoner."""
    weights = 1 / np.arange(1, levels + 1)
    return rng.choice(levels, n, p=weights / weights.sum())


def _position(owner: NDArray[np.intp]) -> NDArray[np.int64]:
    """1, 2, 3 within each owner; owners stand together."""
    first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]]) if len(owner) else np.zeros(0, int)
    return np.arange(len(owner)) - np.repeat(first, np.diff(np.r_[first, len(owner)])) + 1


def _names(letter: str, n: int) -> NDArray[np.object_]:
    return np.array([f"{letter}{k:06d}" for k in range(n)], dtype=object)


def _days(x: NDArray[np.float64]) -> NDArray[np.datetime64]:
    return (EPOCH + np.floor(x).astype(int) * DAY).astype("datetime64[s]")


def _minutes(x: NDArray[np.float64]) -> NDArray[np.datetime64]:
    return (EPOCH.astype("datetime64[m]") + np.floor(x * 1440).astype("timedelta64[m]")).astype("datetime64[s]")


def schema() -> LinkedSchema:
    """What the made tables mean."""
    return LinkedSchema.load(LINKED_SCHEMAS / "made_hospital.yaml")
