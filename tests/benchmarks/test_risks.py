"""The table of risks is the one that was measured, and the time of a whole evaluation stands within its limits."""

from __future__ import annotations

import json

import pytest

from benchmarks.load import evaluating
from benchmarks.places import MEASURED
from benchmarks.risk import risks

OURS = {"autoregressive", "ctgan", "tvae", "diffusion"}


def written(name):
    return json.loads((MEASURED / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("made", "kept"), [(risks, written("risks.json")["tables"]), (evaluating, written("evaluating.json"))]
)
def test_the_page_shows_what_is_recorded(made, kept):
    text = made.PAGE.read_text(encoding="utf-8")
    assert text.split(made.START)[1].split(made.END)[0].strip() == made.markdown(kept).strip()


@pytest.mark.parametrize("table", ["support2", "adult"])
def test_every_model_was_attacked_with_and_without_a_budget(table):
    there = set(written("risks.json")["tables"][table])
    assert OURS | {f"{name}@3" for name in OURS} | {"marginal@1", "marginal@3"} <= there
    assert {"mostlyai", "peer-ctgan", "peer-tvae", "peer-copula"} <= there


def test_a_line_names_the_secret_whose_excess_is_surest():
    at = {"membership.auc": [0.5, 0.4, 0.6], "identity.linkability.k1": [0.01, 0.0, 0.02]}
    at |= {"identity.singling_out.clearest": [0.5, 0.3, 0.7]}
    at |= {f"membership.{among}epsilon_lower_bound": [0.25, 0.25, None] for among in ("", "isolated.")}
    at |= {"attribute.a.quasi_identifiers.excess": [0.5, -0.1, 1.0]}
    at |= {"attribute.b.quasi_identifiers.excess": [0.1, 0.05, 0.2]}
    at |= {"attribute.c.quasi_identifiers.isolated.excess": [0.9, 0.8, 1.0]}
    line = risks.row("somebody", {"p": {"all": 0.2, "isolated": 0.03}, "scores": at})
    assert line.split(" | ")[1:5] == ["yes", "0.500 [0.400, 0.600]", "0.25, 0.25", "b +0.100 [+0.050, +0.200]"]


def test_a_whole_evaluation_stays_within_its_limits():
    """The figures that were measured; nothing is timed here."""
    kept = written("evaluating.json")
    for kind in ("whole", "five draws"):
        assert kept[kind]["wall"] <= evaluating.LONGEST
        assert kept[kind]["peak_mib"] <= evaluating.MOST
    assert kept["quick"]["wall"] <= evaluating.QUICKEST
    assert kept["cores"] == 2
    failed = {name for kind in evaluating.KINDS for name in kept[kind]["failures"]}
    assert all(name.startswith("membership.tpr_at_fpr_") for name in failed)  # of too few people
