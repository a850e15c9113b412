"""Who is ahead: the best of both sides, by hand, and what the seeds cannot tell."""

from __future__ import annotations

import pytest

from benchmarks.contest import ahead
from benchmarks.measure.results import load
from benchmarks.places import FRONT, MEASURED, PAGE


def of(results, figure):
    (line,) = [line for line in ahead.lines(results) if line.figure == figure]
    return line


def test_the_best_of_each_side_are_compared(result):
    """By hand: ours .52 and .60, theirs .58 and .70; less is better, and .52 is .06 better than .58."""
    results = [
        result("autoregressive", scores={"c2st": 0.52}),
        result("tvae", scores={"c2st": 0.60}),
        result("mostlyai", scores={"c2st": 0.58}),
        result("peer-arf", scores={"c2st": 0.70}),
    ]
    line = of(results, "C2ST")
    assert (line.own.who, line.peer.who, line.verdict) == ("autoregressive", "mostlyai", "ours")
    assert round(line.lead, 4) == 0.06


def test_a_peer_is_ahead_where_more_is_better(result):
    """By hand: three-way similarity .95 of theirs against .90."""
    results = [result("autoregressive", scores={"tv3": 0.90}), result("peer-seqtrees", scores={"tv3": 0.95})]
    line = of(results, "three-way")
    assert (line.verdict, round(line.lead, 4)) == ("peer", -0.05)
    text = ahead.markdown(results)
    first = next(text for text in text.splitlines() if text.startswith("| adult"))
    assert first == ("| adult | three-way | autoregressive: 0.9000 | peer-seqtrees: 0.9500 | 0.0500 | **peer ahead** |")


def test_seeds_that_overlap_tell_nothing(result):
    """By hand: .50 to .60 and .55 to .65 share .55 to .60."""
    ours = [result("autoregressive", seed=k, scores={"c2st": x}) for k, x in enumerate((0.50, 0.60))]
    theirs = [result("mostlyai", seed=k, scores={"c2st": x}) for k, x in enumerate((0.55, 0.65))]
    assert of([*ours, *theirs], "C2ST").verdict == "within the seeds"


def test_costs_are_of_the_fewest_threads_and_of_fits(result):
    """By hand: 60 CPU s on one thread, whatever two threads took; 1,000 rows a CPU second against 500."""
    results = [
        result("autoregressive", cpu=60.0, rate=1000.0),
        result("autoregressive", seed=1, threads=2, cpu=5.0, rate=9000.0),
        result("mostlyai", cpu=90.0, rate=500.0),
    ]
    training, rate = of(results, "training"), of(results, "rows/s")
    assert (training.own.spread.middle, training.lead, training.verdict) == (60.0, 30.0, "ours")
    assert (round(rate.own.spread.middle), round(rate.lead)) == (1000, 500)


def test_budgets_are_compared_with_the_same_budget_only(result):
    results = [result("marginal@1"), result("peer-mst@3"), result("autoregressive")]
    assert list(ahead.lines(results)) == []
    assert ahead.markdown(results) == "No table has cells of both sides."
    tables = {line.table for line in ahead.lines([*results, result("peer-aim@1")])}
    assert tables == {"adult, epsilon 1"}


def test_who_did_not_finish_is_said(result):
    results = [result("autoregressive"), result("mostlyai"), result("peer-nrgboost", finished=False)]
    assert "- peer-nrgboost on adult did not finish in 2 hours of CPU a thread, or failed." in ahead.markdown(results)


@pytest.mark.parametrize(
    ("page", "section"), [(FRONT, ahead.front), (PAGE, ahead.markdown)], ids=["front page", "benchmarks"]
)
def test_the_pages_say_who_is_ahead_in_what_is_recorded(page, section):
    text = page.read_text(encoding="utf-8")
    assert text.split(ahead.START)[1].split(ahead.END)[0].strip() == section(load(MEASURED)).strip()


def test_the_front_page_names_the_lines_in_which_a_peer_is_ahead(result):
    """By hand: of C2ST and three-way similarity the peer has the better of the second."""
    results = [
        result("autoregressive", scores={"c2st": 0.52, "tv3": 0.90}),
        result("peer-seqtrees", scores={"c2st": 0.60, "tv3": 0.95}),
    ]
    lines = [line for line in ahead.lines(results) if line.figure in ("C2ST", "three-way")]
    assert (
        ahead.counted(lines) == "Of 2 lines ours is ahead of every peer in 1, a peer in 1, and 0 are within the seeds."
    )
    assert "A peer is ahead in: adult, three-way (seqtrees)" in ahead.front(results)
    assert ahead.front([result("autoregressive")]) == ahead.UNCOMPARED
