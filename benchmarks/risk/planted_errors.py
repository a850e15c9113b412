"""Errors that are made on purpose in the code that measures risks, one piece of text each."""

from __future__ import annotations

from dataclasses import dataclass

ATTACKS, TESTS = "metrics/attacks", "tests/metrics/attacks"


@dataclass(frozen=True)
class Mutation:
    """One error.

    Args:
        name: what is wrong.
        file: inside the package.
        old: text that stands there once.
        new: what stands there instead.
        tests: file of tests that is run where the known answers are all right.
        case: known answers that are asked first; None where they cannot see it, and the tests are run at once.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    case: str | None = None


MUTATIONS = (
    Mutation(
        "members and non-members exchanged",
        "pipeline/split.py",
        'member=roles["coin"].to_numpy(dtype=bool)',
        'member=~roles["coin"].to_numpy(dtype=bool)',
        f"{TESTS}/test_attack_targets.py",
        "copies",
    ),
    Mutation(
        "train and holdout exchanged in pairs",
        f"{ATTACKS}/attack_targets.py",
        "member=np.arange(2 * pairs) < pairs",
        "member=np.arange(2 * pairs) >= pairs",
        f"{TESTS}/test_attack_targets.py",
    ),
    Mutation(
        "the nearest score lowest",
        f"{ATTACKS}/membership_scores.py",
        "return -data.near[:, 0]",
        "return data.near[:, 0]",
        f"{TESTS}/test_membership_scores.py",
        "copies",
    ),
    Mutation(
        "equal distances: the synthetic row first",
        f"{ATTACKS}/membership_scores.py",
        "ties = rng.random(both.shape)",
        "ties = np.zeros(both.shape)",
        f"{TESTS}/test_membership_scores.py",
    ),
    Mutation(
        "a person scores as the best of their rows",
        f"{ATTACKS}/attack_targets.py",
        "out = np.full(len(self.member), -np.inf)\n        np.maximum.at(out",
        "out = np.full(len(self.member), np.inf)\n        np.minimum.at(out",
        f"{TESTS}/test_attack_targets.py",
    ),
    Mutation(
        "wrong guesses counted",
        f"{ATTACKS}/membership_guesses.py",
        "hits = self.coins[self.order[:, :longest]] == self.said[:, :longest]",
        "hits = self.coins[self.order[:, :longest]] != self.said[:, :longest]",
        f"{TESTS}/test_membership_guesses.py",
        "copies",
    ),
    Mutation(
        "equal scores: in the order of the rows",
        f"{ATTACKS}/membership_guesses.py",
        "ties = rng.random(chosen.shape)",
        "ties = np.zeros(chosen.shape)",
        f"{TESTS}/test_membership_guesses.py",
    ),
    Mutation(
        "of a pair always the first",
        f"{ATTACKS}/membership_guesses.py",
        "turned = rng.random(len(by_pair)) < 0.5",
        "turned = np.zeros(len(by_pair), dtype=bool)",
        f"{TESTS}/test_membership_guesses.py",
    ),
    Mutation(
        "chance of guesses: how often worse",
        f"{ATTACKS}/membership_guesses.py",
        "one <= seen + 1e-9 for one in again",
        "one >= seen - 1e-9 for one in again",
        f"{TESTS}/test_membership_guesses.py",
        "copies",
    ),
    Mutation(
        "the best of many ways, not corrected",
        f"{ATTACKS}/membership_guesses.py",
        "sure = len(guesses.coins), 1 - (1 - BOUND_CONFIDENCE) / right.size",
        "sure = len(guesses.coins), BOUND_CONFIDENCE",
        f"{TESTS}/test_membership_guesses.py",
    ),
    Mutation(
        "chance of an AUC: how often smaller",
        f"{ATTACKS}/membership_inference.py",
        "nan=0.5) >= seen - 1e-12",
        "nan=0.5) <= seen + 1e-12",
        f"{TESTS}/test_membership_inference.py",
        "copies",
    ),
    Mutation(
        "four tests, not adjusted",
        f"{ATTACKS}/membership_inference.py",
        "holm(list(raw.values()))",
        "list(raw.values())",
        f"{TESTS}/test_membership_inference.py",
        "fresh",
    ),
    Mutation(
        "thresholds read where they were set",
        f"{ATTACKS}/membership_inference.py",
        "sets, reads = scores[half & ~pool.member], ~half",
        "sets, reads = scores[half & ~pool.member], half",
        f"{TESTS}/test_membership_inference.py",
    ),
    Mutation(
        "Holm's steps not made monotone",
        "metrics/stats/multiple_testing.py",
        "np.maximum.accumulate(stepped)",
        "stepped",
        "tests/metrics/stats/test_multiple_testing.py",
        "figures",
    ),
    Mutation(
        "epsilon for its odds",
        f"{ATTACKS}/epsilon_lower_bound.py",
        "q = special.expit(epsilon)",
        "q = special.expit(epsilon / 2)",
        f"{TESTS}/test_epsilon_lower_bound.py",
        "figures",
    ),
    Mutation(
        "twins of non-members counted",
        f"{ATTACKS}/preconditions.py",
        "inside & np.isin(rows, rows[~inside])",
        "~inside & np.isin(rows, rows[~inside])",
        f"{TESTS}/test_preconditions.py",
        "levels",
    ),
    Mutation(
        "contamination: how often less like members",
        f"{ATTACKS}/preconditions.py",
        "sum(auc(ranks, _thrown(pool, rng)) <= seen + 1e-12",
        "sum(auc(ranks, _thrown(pool, rng)) >= seen - 1e-12",
        f"{TESTS}/test_preconditions.py",
        "contaminated",
    ),
    Mutation(
        "non-members dropped from the excess",
        f"{ATTACKS}/risk_difference.py",
        "intervals.newcombe(hits[0], sizes[0], hits[1], sizes[1], z=z)",
        "intervals.newcombe(hits[0], sizes[0], 0, sizes[1], z=z)",
        f"{TESTS}/test_attribute_inference.py",
        "undisclosed",
    ),
    Mutation(
        "the raw difference for Newcombe's interval",
        f"{ATTACKS}/risk_difference.py",
        "at = intervals.newcombe(hits[0], sizes[0], hits[1], sizes[1], z=z)",
        "at = intervals.Interval(*3 * [shares[0] - shares[1]])",
        f"{TESTS}/test_attribute_inference.py",
        "undisclosed",
    ),
    Mutation(
        "the error of a guess divided by the guess",
        f"{ATTACKS}/secrets.py",
        "np.abs(guesses - truth) <= self.tolerance * (1 + TOLERANCE_SLACK)",
        "np.abs(guesses - truth) / guesses <= GUESS_TOLERANCE * (1 + TOLERANCE_SLACK)",
        f"{TESTS}/test_attribute_inference.py",
        "signs",
    ),
    Mutation(
        "the weakest attack for the strongest",
        f"{ATTACKS}/attribute_inference.py",
        "return max(some, key=lambda each: each.excess.at.value)",
        "return min(some, key=lambda each: each.excess.at.value)",
        f"{TESTS}/test_attribute_inference.py",
        "disclosed",
    ),
    Mutation(
        "copies are those that do not occur",
        f"{ATTACKS}/record_matching.py",
        "unique(keys) & (times(keys, synthetic) > 0)",
        "unique(keys) & (times(keys, synthetic) == 0)",
        f"{TESTS}/test_identity_disclosure.py",
        "disclosed",
    ),
    Mutation(
        "disclosed where rows disagree",
        f"{ATTACKS}/record_matching.py",
        "(low[keys] == high[keys]) & (secret == high[keys])",
        "(low[keys] != high[keys]) & (secret == high[keys])",
        f"{TESTS}/test_identity_disclosure.py",
    ),
    Mutation(
        "linked only if all neighbours agree",
        f"{ATTACKS}/record_matching.py",
        "left_of * size + right_of).any(axis=1)",
        "left_of * size + right_of).all(axis=1)",
        f"{TESTS}/test_identity_disclosure.py",
        "figures",
    ),
    Mutation(
        "equal distances are no copy (DCR)",
        "metrics/copying/copied_rows.py",
        "np.where(to_train > to_holdout, 0.0, 0.5)",
        "np.where(to_train > to_holdout, 0.0, 0.0)",
        "tests/metrics/copying/test_copied_rows.py",
        "levels",
    ),
    Mutation(
        "distances fitted on the training rows only (DCR)",
        "metrics/copying/copied_rows.py",
        "space = DistanceSpace.fit(pd.concat([train, holdout], ignore_index=True), comparison.schema)",
        "space = DistanceSpace.fit(train, comparison.schema)",
        "tests/metrics/copying/test_copied_rows.py",
        "fresh",
    ),
    Mutation(
        "train and holdout exchanged (DCR)",
        "metrics/copying/copied_rows.py",
        "for frame in (comparison.train, comparison.holdout))",
        "for frame in (comparison.holdout, comparison.train))",
        "tests/metrics/copying/test_copied_rows.py",
        "isolated",
    ),
)
