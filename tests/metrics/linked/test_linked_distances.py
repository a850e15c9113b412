"""Fan-outs, timing, transitions, pairs, memory, repeats and alignment against brute force and other libraries."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synthkit.errors import MetricError
from synthkit.metrics.evaluation_data import EvaluationData
from synthkit.metrics.fidelity import distributions
from synthkit.metrics.linked import (
    event_transitions,
    fan_outs,
    owner_pairs,
    repeated_values,
    sequence_timing,
    series_memory,
    table_alignment,
    table_distributions,
)
from synthkit.metrics.linked.linked_evaluation_data import LinkedEvaluationData
from synthkit.metrics.result import Failure, Score
from synthkit.schema.linked import LinkedSchema
from synthkit.tables.linked_tables import LinkedTables

RNG = np.random.default_rng


def measured(metric, comparison, seed=0, **more):
    scores, panels = metric(comparison, RNG(seed), **more)
    for score in scores:
        assert score.low <= score.value <= score.high
        assert np.isfinite([score.low, score.high]).all()
        assert score.low < score.high
        assert score.reference is not None
        assert "nterval" in score.note
    return {score.metric: score for score in scores}, panels


def ks(a, b):
    return stats.ks_2samp(a, b).statistic


def tv(a, b):
    shares = [pd.Series(list(map(str, x))).value_counts(normalize=True) for x in (a, b)]
    return float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)


def children(tables, name, key, owner):
    return tables.frames[owner][key].map(tables.frames[name][key].value_counts()).fillna(0)


def test_fan_outs(compare, clinic):
    c = compare(clinic(130, 3))
    found, panels = measured(fan_outs.fan_outs, c)
    links = {"visits": ("id", "people"), "codes": ("visit", "visits"), "labs": ("id", "people")}
    both = {name: [children(t, name, *at) for t in (c.synthetic, c.holdout)] for name, at in links.items()}
    assert found["fidelity.fan_out_ks"].parts == pytest.approx({n: ks(*x) for n, x in both.items()})
    assert found["fidelity.fan_out_ks"].value == pytest.approx(np.mean([ks(*x) for x in both.values()]))
    means = {n: abs(a.mean() / b.mean() - 1) for n, (a, b) in both.items()}
    assert found["fidelity.fan_out_mean"].parts == pytest.approx(means)
    assert found["fidelity.childless"].parts == pytest.approx(
        {n: abs((a == 0).mean() - (b == 0).mean()) for n, (a, b) in both.items()}
    )
    r = [stats.spearmanr(both["visits"][k], both["labs"][k]).statistic for k in (0, 1)]
    assert found["fidelity.sibling_correlation"].value == pytest.approx(abs(r[0] - r[1]))
    assert 0 < found["fidelity.sibling_tv"].value < 0.5
    assert sum(panels["fan_outs"]["visits"]["real"]) == pytest.approx(1, abs=1e-3)


def test_siblings_that_know_each_other_are_seen_beside_those_that_do_not(compare, frames, clinic):
    """As many labs as visits in the real tables, shuffled in the synthetic ones."""

    def tied(seed, shuffle):
        made = frames(150, seed)
        ids = made["visits"]["id"]
        if shuffle:
            names = made["people"]["id"].to_numpy()
            ids = ids.map(dict(zip(names, RNG(seed).permutation(names), strict=True)))
        return LinkedTables.of(
            {**made, "labs": made["labs"].iloc[:0]._append([{"id": i, "at": 1.0, "test": "x"} for i in ids])},
            clinic(130, 3).schema,
        )

    real = {"train": tied(1, False), "holdout": tied(2, False)}
    alike, apart = (measured(fan_outs.fan_outs, compare(tied(3, s), **real))[0] for s in (False, True))
    assert alike["fidelity.sibling_correlation"].value < 0.01 < apart["fidelity.sibling_correlation"].value
    assert apart["fidelity.sibling_correlation"].value == pytest.approx(1, abs=0.25)
    assert apart["fidelity.sibling_tv"].low > alike["fidelity.sibling_tv"].high


def test_timing(compare, clinic):
    c = compare(clinic(130, 3))
    found, _ = measured(sequence_timing.timing, c)

    def gaps(t, name, start, end):
        f = t.frames[name]
        return (f[start] - f.groupby("id")[end].shift()).dropna()

    parts = {
        "visits": ks(*(gaps(t, "visits", "start", "stop") for t in (c.synthetic, c.holdout))),
        "labs": ks(*(gaps(t, "labs", "at", "at") for t in (c.synthetic, c.holdout))),
    }
    assert found["fidelity.gap_ks"].parts == pytest.approx(parts)
    stays = [t.frames["visits"]["stop"] - t.frames["visits"]["start"] for t in (c.synthetic, c.holdout)]
    assert found["fidelity.duration_ks"].value == pytest.approx(ks(*stays))
    whole = [
        sum(
            t.frames["people"]["id"].map(t.frames[n]["id"].value_counts()).fillna(0)
            for n in ("visits", "codes", "labs")
        )
        for t in (c.synthetic, c.holdout)
    ]
    assert found["fidelity.length_ks"].value == pytest.approx(ks(*whole))
    assert "fidelity.offset_ks" not in found


def test_offsets_of_rows_inside_stays(hospital, compare):
    c = compare(hospital(60, 3), train=hospital(70, 1), holdout=hospital(65, 2))
    found, _ = measured(sequence_timing.timing, c)

    def first(t):
        orders, visits = t.frames["orders"], t.frames["visits"].set_index("visit_id")["admitted"]
        begun = orders.groupby("visit_id")["ordered"].min()
        return (begun - visits.loc[begun.index]).dt.total_seconds()

    assert found["fidelity.offset_ks"].parts["orders"] == pytest.approx(ks(first(c.synthetic), first(c.holdout)))


def sequence(tables, unit):
    """Types of a unit's events in order, by loops: codes come with their visit, after it."""
    events = []
    visits = tables.frames["visits"]
    for k in np.flatnonzero(visits["id"] == unit):
        events.append((visits["start"][k], 0, k, 0, 0, "visits"))
        codes = tables.frames["codes"]
        events += [
            (visits["start"][k], 0, k, 1, j, "codes") for j in np.flatnonzero(codes["visit"] == visits["visit"][k])
        ]
    labs = tables.frames["labs"]
    events += [(labs["at"][k], 1, k, 0, 0, f"labs:{labs['test'][k]}") for k in np.flatnonzero(labs["id"] == unit)]
    return [each[-1] for each in sorted(events)]


def test_transitions(compare, clinic):
    c = compare(clinic(50, 3), holdout=clinic(40, 2))
    found, panels = measured(event_transitions.transitions, c)
    pairs = [
        [p for unit in t.frames["people"]["id"] for p in itertools.pairwise(sequence(t, unit))]
        for t in (c.synthetic, c.holdout)
    ]
    assert found["fidelity.transitions_tv"].value == pytest.approx(tv(*pairs))
    shares = pd.Series(pairs[1]).value_counts(normalize=True)
    assert panels["transitions"][0]["real"] <= shares.iloc[0] + 1e-12
    wards = [
        [p for _, w in t.frames["visits"].groupby("id")["ward"] for p in itertools.pairwise(w)]
        for t in (c.synthetic, c.holdout)
    ]
    assert found["fidelity.level_transitions_tv"].parts["visits.ward"] == pytest.approx(tv(*wards))


def test_owner_pairs(compare, clinic):
    c = compare(clinic(130, 3))
    found, panels = measured(owner_pairs.owner_pairs, c)

    def joined(t):
        both = t.frames["visits"].merge(t.frames["people"][["id", "sex"]], on="id")
        return list(zip(both["sex"], both["ward"], strict=True))

    expected = tv(joined(c.synthetic), joined(c.holdout))
    parts = found["fidelity.owner_pairs_tv"].parts
    assert parts["people.sex x visits.ward"] == pytest.approx(expected)
    assert panels["owner_pairs"][0]["tv"] == pytest.approx(max(parts.values()), abs=1e-5)
    assert "fidelity.owner_codes_tv" not in found


def test_codes_beside_codes_of_the_owner(hospital, compare):
    c = compare(hospital(60, 3), train=hospital(70, 1), holdout=hospital(65, 2))
    found, _ = measured(owner_pairs.owner_pairs, c)
    common = c.train.frames["visits"]["reason"].value_counts()
    assert len(common) > 20
    score = found["fidelity.owner_codes_tv"]
    assert list(score.parts) == ["visits.reason x visits.reason by previous", "visits.reason x orders.drug"]
    assert "visits.ward x labs.test by visit_id" in found["fidelity.owner_pairs_tv"].parts  # by the earlier link
    shuffled = {**c.synthetic.frames}
    shuffled["orders"] = shuffled["orders"].assign(drug=RNG(0).permutation(shuffled["orders"]["drug"]))
    from dataclasses import replace

    worse, _ = measured(owner_pairs.owner_pairs, replace(c, synthetic=replace(c.synthetic, frames=shuffled)))
    assert worse["fidelity.owner_codes_tv"].value > score.value + 0.1


def test_many_pairs_are_a_random_choice(compare, clinic, monkeypatch):
    monkeypatch.setattr(owner_pairs, "MAX_OWNER_PAIRS", 5)
    found, _ = measured(owner_pairs.owner_pairs, compare(clinic(130, 3)))
    assert 0 < len(found["fidelity.owner_pairs_tv"].parts) <= 5  # labs point to no visit in these tables


def test_memory(compare, clinic):
    c = compare(clinic(130, 3))
    found, _ = measured(series_memory.memory, c)

    def neighbours(t, table, column, series):
        f = t.frames[table]
        keys = ["id"] if series is None else ["id", series]
        pairs = pd.DataFrame({"now": f[column], "past": f.groupby(keys)[column].shift()})
        pairs["series"] = 0 if series is None else f[series]
        return pairs.dropna().groupby("series")

    total, weight = 0.0, 0.0
    for table, column, series in (("visits", "cost", None), ("labs", "value", "test")):
        sides = [neighbours(t, table, column, series) for t in (c.synthetic, c.holdout)]
        for key, real in sides[1]:
            drawn = sides[0].get_group((key,) if isinstance(sides[0].keys, list) else key)
            gap = abs(
                stats.spearmanr(drawn["now"], drawn["past"]).statistic
                - stats.spearmanr(real["now"], real["past"]).statistic
            )
            total, weight = total + gap * len(real), weight + len(real)
    assert found["fidelity.lag_one"].value == pytest.approx(total / weight)
    spread = c.train.frames["labs"].groupby("test")["value"].std()

    def within(t):
        f = t.frames["labs"]
        x = (f["value"] / f["test"].map(spread)).groupby([f["id"], f["test"]]).std()
        return x.dropna().clip(upper=3).mean()

    expected = abs(within(c.synthetic) - within(c.holdout))
    assert found["fidelity.within_unit_sd"].parts["labs.value"] == pytest.approx(expected)


def test_values_without_memory_are_seen(compare, clinic, damaged):
    forgetful = damaged("labs", lambda f: f.assign(value=RNG(0).permutation(f["value"])), people=400)
    fresh, worse = (
        measured(series_memory.memory, compare(t, holdout=clinic(400, 2)))[0] for t in (clinic(400, 3), forgetful)
    )
    assert worse["fidelity.lag_one"].parts["labs.value"] > fresh["fidelity.lag_one"].parts["labs.value"] + 0.2
    assert worse["fidelity.within_unit_sd"].value > fresh["fidelity.within_unit_sd"].value + 0.05


def test_a_series_of_one_value_has_no_spread_whatever_its_sums_are_rounded_to(compare, damaged):
    """A third is the same number in all rows, and their mean is not that number to the last digit."""

    def third(f):
        return f.assign(value=np.where(f["test"] == "x", 1 / 3, f["value"]))

    sides = [damaged("labs", third, seed=seed) for seed in (1, 2)]
    found, _ = measured(series_memory.memory, compare(damaged("labs", lambda f: f), train=sides[0], holdout=sides[1]))
    assert found["fidelity.within_unit_sd"].value < 2


def test_a_series_that_hardly_varies_does_not_outweigh_the_others(compare, damaged):
    """A price that is nearly always a hundred, beside synthetic ones of all kinds: three spreads, not thousands."""

    def price(f):
        return f.assign(value=np.where(f["test"] == "x", 100 + 1e-6 * RNG(0).random(len(f)), f["value"]))

    sides = [damaged("labs", price, seed=seed) for seed in (1, 2)]
    found, _ = measured(series_memory.memory, compare(damaged("labs", lambda f: f), train=sides[0], holdout=sides[1]))
    assert 0.5 < found["fidelity.within_unit_sd"].parts["labs.value"] <= 3
    assert found["fidelity.within_unit_sd"].reference < 0.3


def test_many_rows_of_an_owner_are_shown_by_ranges(compare, damaged):
    """Labs fifty times over: ranges of so many numbers that twenty of them reach the 95th centile."""
    many = [damaged("labs", lambda f: f.loc[f.index.repeat(50)], seed=seed) for seed in (3, 2)]
    c = compare(many[0], holdout=many[1])
    panel = measured(fan_outs.fan_outs, c)[1]["fan_outs"]["labs"]
    assert panel["step"] > 1
    counts = children(c.synthetic, "labs", "id", "people").to_numpy() // panel["step"]
    shares = [(counts == k).mean() for k in range(20)] + [(counts >= 20).mean()]
    assert panel["synthetic"] == pytest.approx(shares, abs=1e-4)


def test_a_table_without_rows_is_a_failure_in_words(compare, damaged):
    empty = damaged("codes", lambda f: f.head(0))
    with pytest.raises(MetricError, match=r"`codes` must have rows on every side; however: .* the side of synthetic"):
        table_distributions.table_distributions(compare(empty), RNG(0), table="codes")


def test_too_few_neighbours_are_a_failure_of_that_score_alone(compare, clinic):
    failure, spread = series_memory.memory(compare(clinic(130, 3), holdout=clinic(4, 2)), RNG(0))[0]
    assert failure.metric == "fidelity.lag_one"
    assert "needs 30 real pairs in a series; however: none has so many" in failure.reason
    assert isinstance(spread, Score)


def test_siblings_of_which_one_never_differs_have_no_correlation_and_all_else(compare, damaged):
    ids = [f"p{k:04d}" for k in range(130)]
    once = damaged("labs", lambda f: f.iloc[: len(ids)].assign(id=ids, visit=None, at=1.0))
    scores, panels = fan_outs.fan_outs(compare(once), RNG(0))
    (failure,) = (each for each in scores if isinstance(each, Failure))
    assert failure.metric == "fidelity.sibling_correlation"
    assert "needs owners whose numbers of rows differ in each of two sibling tables on both sides" in failure.reason
    assert len(scores) == 5
    assert set(panels["fan_outs"]) == {"visits", "codes", "labs"}


def test_events_that_follow_none_on_either_side_are_a_failure_in_words(compare, clinic, frames):
    made = frames(130, 3)
    none = {name: made[name].iloc[:0] for name in ("visits", "codes")}
    once = {"labs": made["labs"].drop_duplicates("id"), "people": made["people"].assign(paid=0.0)}
    alone = LinkedTables.of({**made, **none, **once}, clinic(130, 3).schema)
    for sides in ({"synthetic": alone}, {"synthetic": clinic(130, 3), "holdout": alone}):
        scores = event_transitions.transitions(compare(**sides), RNG(0))[0]
        assert [(each.metric, each.reason.partition(" on both")[0]) for each in scores] == [
            ("fidelity.transitions_tv", "`fidelity.transitions_tv` needs neighbouring events"),
            ("fidelity.level_transitions_tv", "`fidelity.level_transitions_tv` needs neighbouring rows"),
        ]


def test_siblings_without_any_owner_are_left_out():
    link = {"columns": ["visit"], "to": "visits", "kind": "owner"}
    below = {"links": [link], "columns": {"visit": {"kind": "identifier"}, "x": {"kind": "numeric"}}}
    person = {"columns": ["id"], "to": "people", "kind": "owner"}
    key = {"kind": "identifier"}
    schema = LinkedSchema.parse(
        {
            "unit": "people",
            "tables": {
                "people": {"key": ["id"], "columns": {"id": key, "x": {"kind": "numeric"}}},
                "visits": {"key": ["visit"], "links": [person], "columns": {"id": key, "visit": key}},
                "drugs": below,
                "codes": below,
            },
        }
    )
    names, rows = [f"p{k}" for k in range(30)], {"visit": ["v1", "v2", "v2"], "x": [1.0, 2.0, 3.0]}
    full = {
        "people": pd.DataFrame({"id": names, "x": range(30)}),
        "visits": pd.DataFrame({"id": names[:2], "visit": ["v1", "v2"]}),
        "drugs": pd.DataFrame(rows),
        "codes": pd.DataFrame(rows),
    }
    real = LinkedTables.of(full, schema)
    none = LinkedTables.of({name: f if name == "people" else f.iloc[:0] for name, f in full.items()}, schema)
    scores = fan_outs.fan_outs(LinkedEvaluationData(train=real, holdout=real, synthetic=none), RNG(0))[0]
    failed = {each.metric for each in scores if isinstance(each, Failure)}
    assert failed == {"fidelity.sibling_correlation", "fidelity.sibling_tv"}


def test_repeats(compare, damaged):
    drawn, real = (damaged("labs", lambda f: f.assign(at=f["at"] // 10), seed=seed) for seed in (3, 2))
    c = compare(drawn, holdout=real)
    found, _ = measured(repeated_values.repeats, c)

    def share(t, keys, column, table):
        f = t.frames[table]
        past = f.groupby(keys)[column].shift()
        seen = past.notna() & f[column].notna()
        return float((past[seen] == f[column][seen]).mean())

    parts = found["fidelity.repeats"].parts
    for name, keys in {
        "visits.ward, row before": ["id"],
        "labs.value, of its series": ["id", "test"],
        "labs.value, of its moment": ["id", "at"],
    }.items():
        table, column = name.split(",")[0].split(".")
        mine, real = (share(t, keys, column, table) for t in (c.synthetic, c.holdout))
        assert parts[name] == pytest.approx(abs(mine - real))
    assert "fidelity.kept_repeats" not in found


def test_values_that_always_repeat_must(compare, clinic, damaged):
    def kept(seed):
        return damaged("visits", lambda f: f.assign(ward=f["id"].str[-1].map(lambda d: "abc"[int(d) % 3])), seed=seed)

    real = {"train": kept(1), "holdout": kept(2)}
    good = measured(repeated_values.repeats, compare(kept(3), **real))[0]["fidelity.kept_repeats"]
    assert (good.value, good.reference) == (1, 1)
    bad = measured(repeated_values.repeats, compare(clinic(130, 3), **real))[0]["fidelity.kept_repeats"]
    wards = clinic(130, 3).frames["visits"]
    past = wards.groupby("id")["ward"].shift()
    assert bad.value == pytest.approx((past == wards["ward"])[past.notna()].mean())


def test_two_readings_that_always_agree_are_found_among_series(hospital, compare):
    """The made law: the second systolic line says what the first says; elsewhere lines of a panel differ."""
    whole = hospital(150, 3)
    real = {"train": hospital(150, 1), "holdout": hospital(150, 2)}
    found = measured(repeated_values.repeats, compare(whole, **real))[0]
    assert found["fidelity.repeats"].value < 0.1
    kept = found["fidelity.kept_repeats"]
    assert [name.split(",")[0] for name in kept.parts] == ["labs.value"]
    assert (kept.value, kept.reference) == (1, 1)
    labs = whole.frames["labs"].copy()
    second = (labs["test"] == "sbp_repeat") & (np.arange(len(labs)) % 3 == 0)
    labs.loc[second, "value"] += 1
    from dataclasses import replace

    worse = replace(whole, frames={**whole.frames, "labs": labs})
    bad = measured(repeated_values.repeats, compare(worse, **real))[0]["fidelity.kept_repeats"]
    assert bad.value == pytest.approx(1 - second.sum() / (labs["test"] == "sbp_repeat").sum())


def test_alignment(compare, clinic):
    c = compare(clinic(60, 3), holdout=clinic(50, 2))
    found, panels = measured(table_alignment.alignment, c)

    def delay(t, table, at, other, then):
        a, b = t.frames[table], t.frames[other]
        out = []
        for unit, when in zip(a["id"], a[at], strict=True):
            earlier = b.loc[(b["id"] == unit) & (b[then] <= when), then]
            out.append(when - earlier.max() if len(earlier) else np.inf)
        return np.array(out)

    both = {
        "labs after visits": ("labs", "at", "visits", "start"),
        "visits after labs": ("visits", "start", "labs", "at"),
    }
    for name, at in both.items():
        mine, real, known = (delay(t, *at) for t in (c.synthetic, c.holdout, c.train))
        assert found["fidelity.alignment_ks"].parts[name] == pytest.approx(
            ks(np.nan_to_num(mine, posinf=1e9), np.nan_to_num(real, posinf=1e9))
        )
        window = np.quantile(known[np.isfinite(known)], 0.1)
        assert panels["alignment"][name]["window"] == pytest.approx(window)
        assert found["fidelity.alignment_share"].parts[name] == pytest.approx(
            abs((mine <= window).mean() - (real <= window).mean())
        )


def test_tables_that_lost_each_others_time_are_seen(hospital, compare):
    """Labs follow events within days; labs of another patient follow nothing (LINKED.md: the best case of siblings)."""
    from synthkit.tables.linked_tables import LinkedTables

    whole = hospital(150, 3)
    events = whole.frames["events"]
    names = whole.frames["patients"]["patient_id"].to_numpy()
    mixed = events.assign(patient_id=events["patient_id"].map(dict(zip(names, RNG(0).permutation(names), strict=True))))
    frames = {**whole.frames, "events": mixed, **whole.references, **whole.shared}
    real = {"train": hospital(150, 1), "holdout": hospital(150, 2)}
    fresh, worse = (
        measured(table_alignment.alignment, compare(t, **real))[0]["fidelity.alignment_ks"].parts["labs after events"]
        for t in (whole, LinkedTables.of(frames, whole.schema))
    )
    assert worse > fresh + 0.1


def test_todays_figures_are_those_of_one_table_with_a_unit(compare, clinic):
    c = compare(clinic(130, 3))
    found, _ = measured(table_distributions.table_distributions, c, table="visits")
    names = ["id", "start", "stop", "ward", "cost"]
    schema = (
        c.schema.tables["visits"]
        .alone("visits")
        .model_copy(update={"unit": "id", "columns": {k: c.schema.tables["visits"].columns[k] for k in names}})
    )
    one = EvaluationData(
        train=c.train.frames["visits"],
        holdout=c.holdout.frames["visits"],
        synthetic=(c.synthetic.frames["visits"],),
        schema=schema,
    )
    for score in (*distributions.columns(one, RNG(0))[0], *distributions.pairs(one, RNG(0))[0]):
        if not score.metric.endswith("_train"):
            mine = found[score.metric.replace("fidelity", "fidelity.visits")]
            assert (mine.value, mine.low, mine.high) == pytest.approx((score.value, score.low, score.high))
    assert isinstance(found["fidelity.visits.tv1"], Score)


def test_a_table_whose_columns_include_the_name_of_the_unit(compare, clinic, frames):
    """The one of units takes another name, and the figures are those of a column called otherwise."""

    def with_column(name):
        told = compare(clinic(130, 3)).schema.model_dump(mode="json", by_alias=True, exclude_none=True)
        told["tables"]["visits"]["columns"][name] = {"kind": "categorical", "levels": ["n", "s"]}
        schema = LinkedSchema.parse(told)

        def side(people, seed):
            made = frames(people, seed)
            made["visits"][name] = RNG(seed).choice(["n", "s"], len(made["visits"]), p=[0.1 * seed, 1 - 0.1 * seed])
            return LinkedTables.of(made, schema)

        return compare(side(130, 3), train=side(150, 1), holdout=side(120, 2))

    taken, free = (with_column(name) for name in (table_distributions.UNIT_COLUMN, "wing"))
    one = table_distributions.as_one_table(taken, "visits")
    assert one.schema.unit not in taken.schema.tables["visits"].columns
    assert set(one.holdout[table_distributions.UNIT_COLUMN]) == {"n", "s"}
    assert one.holdout[one.schema.unit].nunique() > 50
    found, usual = (measured(table_distributions.table_distributions, c, table="visits")[0] for c in (taken, free))
    assert {k: each.value for k, each in found.items()} == {k: each.value for k, each in usual.items()}


@pytest.mark.parametrize(
    ("metric", "score", "table", "change"),
    [
        (fan_outs.fan_outs, "fidelity.fan_out_ks", "labs", lambda f: f.iloc[::3]),
        (fan_outs.fan_outs, "fidelity.fan_out_mean", "labs", lambda f: f.iloc[::3]),
        (fan_outs.fan_outs, "fidelity.childless", "labs", lambda f: f.iloc[::9]),
        (sequence_timing.timing, "fidelity.gap_ks", "labs", lambda f: f.assign(at=f["at"] * 3)),
        (sequence_timing.timing, "fidelity.length_ks", "codes", lambda f: f.iloc[:2]),
        (sequence_timing.timing, "fidelity.duration_ks", "visits", lambda f: f.assign(stop=f["start"] + 1)),
        (event_transitions.transitions, "fidelity.transitions_tv", "labs", lambda f: f.assign(at=f["at"] + 500)),
        (event_transitions.transitions, "fidelity.level_transitions_tv", "visits", lambda f: f.assign(ward="c")),
        (repeated_values.repeats, "fidelity.repeats", "visits", lambda f: f.assign(ward="c")),
        (owner_pairs.owner_pairs, "fidelity.owner_pairs_tv", "visits", lambda f: f.assign(ward="c")),
        (table_alignment.alignment, "fidelity.alignment_ks", "labs", lambda f: f.assign(at=f["at"] * 5)),
    ],
)  # fmt: skip
def test_a_broken_copy_scores_worse_than_a_fresh_one(compare, clinic, damaged, metric, score, table, change):
    fresh, worse = (measured(metric, compare(t))[0][score] for t in (clinic(130, 3), damaged(table, change)))
    assert worse.value > fresh.high
    assert worse.low > fresh.value


def test_the_interval_covers_what_fresh_units_score(compare, clinic):
    """Of 20 pairs of clinics of one law, by units: influences give a spread near that of the values."""
    values, widths = [], []
    for k in range(20):
        c = compare(clinic(60, 100 + k), holdout=clinic(60, 200 + k))
        score = measured(fan_outs.fan_outs, c)[0]["fidelity.fan_out_mean"]
        values.append(score.parts["labs"])
        widths.append(score.high - score.value)
    assert np.mean(values) < 3 * np.mean(widths)
