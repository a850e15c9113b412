"""What a run or an evaluation found, on a screen: headline scores, verdicts on attacks, the privacy claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from synthkit.cli.console import say, warn

if TYPE_CHECKING:
    from synthkit.metrics.result import Evaluation, Score
    from synthkit.release.policy.gate_decision import Gate
    from synthkit.report.inputs import LedgerJson

HEADLINE_METRICS = ("fidelity.c2st", "fidelity.rule_violations", "membership.auc", "membership.epsilon_lower_bound")


def raking_sentence(rows: int, pool: int) -> str:
    """How raked rows came about.

    Example:
        >>> raking_sentence(200, 600)
        'raked: 200 rows selected from a pool of 600'
    """
    return f"raked: {rows:,} rows selected from a pool of {pool:,}"


def show_scores(evaluation: Evaluation, ledger: Mapping[str, object] | None, gate: Gate | None = None) -> None:
    """The headline scores with their intervals and what a real holdout scores, the attacks, and the privacy claim."""
    from synthkit.report.privacy_claim import claim_sentence

    _show_rows(evaluation.run)
    _show_table(evaluation)
    _show_verdicts(evaluation, gate)
    _show_times(evaluation.run["seconds"])
    for failure in evaluation.failures:
        warn(f"{failure.metric} was not measured: {failure.reason}")
    if ledger is not None:
        say(claim_sentence(cast("LedgerJson", ledger)))


def show_statement(statement: Mapping[str, Any]) -> None:
    """What is promised under a budget, in its three sentences; nothing without one."""
    if statement["privacy_loss"]["privacy_parameters"]["epsilon"] is not None:
        for sentence in statement["sentences"]:
            say(sentence)


def _show_rows(run: Mapping[str, Any]) -> None:
    """How many rows there are, of whom, and how those that were drawn were chosen."""
    from synthkit.report.inputs import run_facts
    from synthkit.report.row_counts import looked_at, synthetic
    from synthkit.report.split_description import describe_split

    facts, rows = run_facts(run), run["rows"]
    say(f"\n{synthetic(facts)}; {rows['train']:,} real rows fitted, {rows['holdout']:,} held out")
    if sample := looked_at(facts):
        say(f"looked at, for it is a quick evaluation: {sample}")
    for sentence in describe_split(facts):
        say(sentence)
    if chosen := facts.get("calibrated"):
        say(raking_sentence(chosen["rows"], chosen["pool"]))


def _show_table(evaluation: Evaluation) -> None:
    """A line a headline score: its value, its interval, and what a real holdout scores."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from synthkit.report.score_rows import score_row

    table = Table("score", box=SIMPLE_HEAD, pad_edge=False)
    for title in ("value", "95 % interval", "real holdout"):
        table.add_column(title, justify="right", no_wrap=True)
    for score, target in _headlines(evaluation):
        row = score_row(score)
        table.add_row(row["label"] + target, row["text"], row["interval"], row["reference_text"])
    Console(highlight=False, markup=False).print(table)


def _headlines(evaluation: Evaluation) -> Iterator[tuple[Score, str]]:
    """The scores that are shown, with the target of those that have one: likeness, rules, risk, then use."""
    for score in sorted(evaluation.scores, key=lambda s: s.metric):
        if score.metric.startswith("utility.") and score.metric.endswith(".gap"):
            yield score, f": {score.metric.removeprefix('utility.').removesuffix('.gap')}"
        elif score.metric in HEADLINE_METRICS:
            yield score, ""


def _show_verdicts(evaluation: Evaluation, gate: Gate | None) -> None:
    from synthkit.report.attack_verdicts import attack_verdicts, overall_verdict, verdict_sentences

    found = attack_verdicts(evaluation, None if gate is None else gate.document())
    say(f"{overall_verdict(found)['words']}.\n")
    for verdict in found:
        say(f"{verdict['title']}: {verdict_sentences(verdict)}\n")


def _show_times(seconds_by_stage: Mapping[str, float]) -> None:
    """The three metrics that took longest."""
    from synthkit.report.labels import seconds
    from synthkit.report.sections.attack_risks import ATTACK_TITLES

    metrics = {name: took for name, took in seconds_by_stage.items() if "." in name or name in ATTACK_TITLES}
    longest = sorted(metrics.items(), key=lambda each: -each[1])[:3]
    say("Longest to measure: " + ", ".join(f"{name} {seconds(took)}" for name, took in longest))
