"""Membership attacks: scores of target rows from the synthetic rows and a reference, all targets treated alike.

Each gives a score a target row, higher for members. None is trained on labels of membership.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from synthkit.metrics.stats.binning import Binning, combined, tuples
from synthkit.metrics.utility.features import FeatureEncoder, without_empty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthkit.metrics.attacks.attack_data import AttackData

Attack = Callable[["AttackData", np.random.Generator], "NDArray[np.float64]"]

MAX_ATTACKED_PAIRS, MAX_ATTACKED_TRIPLES = 200, 100  # combinations of columns looked at, if there are more
MAX_CLASSIFIER_ROWS = 20_000  # rows a side of the classifier
RARE_COMBINATION_COUNT = 2  # a combination of values is rare if so many people or fewer have it
RARE_VALUE_BINS = 20  # bins in which combinations are sought


def distance(data: AttackData, rng: np.random.Generator) -> NDArray[np.float64]:
    """How near the nearest synthetic row is: $-d(x, S)$."""
    return -data.near[:, 0].astype(float)


def relative_distance(data: AttackData, rng: np.random.Generator) -> NDArray[np.float64]:
    r"""The same against what the population explains: $\log (d(x, R) + \eta) - \log (d(x, S) + \eta)$.

    $\eta$ is a hundredth of the median distance to the reference, so that a copy does not score infinity.

    References:
        Hilprecht, Härterich, Bernau: Monte Carlo and reconstruction membership inference attacks against generative
        models (2019), for distances; Chen, Yu, Zhang, Fritz: GAN-Leaks (2020), for calibrating them.
    """
    known, near = data.near_reference[:, 0].astype(float), data.near[:, 0].astype(float)
    eta = max(float(np.median(known)) / 100, 1e-6)
    return np.asarray(np.log(known + eta) - np.log(near + eta))


def density(data: AttackData, rng: np.random.Generator) -> NDArray[np.float64]:
    r"""Log-odds of synthetic among the 20 nearest of both: $\log \frac{c + 1/2}{k - c + 1/2} - \log \frac{|S|}{|R|}$.

    References:
        Houssiau et al.: TAPAS, a toolbox for adversarial privacy auditing of synthetic data (2022), for local
        neighbourhoods; van Breugel, Sun, Qian, van der Schaar: Membership inference attacks against synthetic data
        through overfitting detection (2023), for the ratio of densities.
    """
    both = np.concatenate([data.near, data.near_reference], axis=1)
    k = min(data.near.shape[1], both.shape[1])
    ties = rng.random(both.shape)  # equal distances in random order, or one side would always win
    first = np.lexsort((ties, both), axis=1)[:, :k]
    c = (first < data.near.shape[1]).sum(axis=1)
    odds = np.log(c + 0.5) - np.log(k - c + 0.5)
    return np.asarray(odds - np.log(len(data.synthetic) / len(data.reference)))


def classifier(data: AttackData, rng: np.random.Generator) -> NDArray[np.float64]:
    """Log-odds of being synthetic rather than of the population, by boosted trees that saw no target."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    sides = [
        frame
        if len(frame) <= MAX_CLASSIFIER_ROWS
        else frame.iloc[np.sort(rng.choice(len(frame), MAX_CLASSIFIER_ROWS, replace=False))]
        for frame in (data.reference, data.synthetic)
    ]
    both = pd.concat([side[list(data.schema.described)] for side in sides], ignore_index=True)
    table = FeatureEncoder.fit(both, data.schema, data.schema.described)
    x = table.trees(both)
    empty = np.asarray(np.isnan(x).all(axis=0))
    model = HistGradientBoostingClassifier(
        categorical_features=table.categorical, early_stopping=False, random_state=int(rng.integers(2**31))
    )
    model.fit(without_empty(x, empty), np.repeat([0, 1], [len(side) for side in sides]))
    return np.asarray(model.decision_function(without_empty(table.trees(data.targets), empty)))


def marginals(data: AttackData, rng: np.random.Generator) -> NDArray[np.float64]:
    r"""Log-likelihood ratio over one- and two-way tables: $\sum_q \log \frac{p_S(q(x)) + \alpha}{p_R(q(x)) + \alpha}$.

    $\alpha = 1 / 2 |S|$. What a synthesizer that matches such tables gives away is in their cells.

    References:
        Golob, Pentyala, Maratkhan, De Cock: Privacy vulnerabilities in marginals-based synthetic data (2024).
    """
    sizes = data.binning.sizes
    synthetic, known, targets = (data.binning.codes(frame) for frame in (data.synthetic, data.reference, data.targets))
    alpha = 0.5 / len(data.synthetic)
    total = np.zeros(targets.shape[1])
    for columns in [
        *((c,) for c in range(len(sizes))),
        *tuples(len(sizes), 2, MAX_ATTACKED_PAIRS, rng, drawn=MAX_ATTACKED_PAIRS),
    ]:
        many = int(np.prod([sizes[c] for c in columns]))
        shares = [
            np.bincount(combined(codes, sizes, columns), minlength=many) / codes.shape[1]
            for codes in (synthetic, known)
        ]
        ratio = np.log(shares[0] + alpha) - np.log(shares[1] + alpha)
        total += ratio[combined(targets, sizes, columns)]
    return total


def rare_values(data: AttackData, rng: np.random.Generator) -> NDArray[np.float64]:
    r"""How much of what is rare about a person occurs among the synthetic rows.

    Over values, and over pairs and triples of columns, the sum of $\log (N / c)$ of those combinations that $c \le 2$
    of all $N$ targets and reference rows have, this one among them, and at least one synthetic row.
    """
    binning = Binning.fit(data.reference, data.schema, bins=RARE_VALUE_BINS, levels=10**6)
    sizes = binning.sizes
    d = len(sizes)
    targets, known, synthetic = (binning.codes(f) for f in (data.targets, data.reference, data.synthetic))
    score = np.zeros(targets.shape[1])
    for name in data.schema.described:
        score += _rare(*(_values(f[name]) for f in (data.targets, data.reference, data.synthetic)))
    for columns in [
        *tuples(d, 2, MAX_ATTACKED_PAIRS, rng, drawn=MAX_ATTACKED_PAIRS),
        *tuples(d, 3, MAX_ATTACKED_TRIPLES, rng, drawn=MAX_ATTACKED_TRIPLES),
    ]:
        score += _rare(*(combined(codes, sizes, columns) for codes in (targets, known, synthetic)))
    return score


MEMBERSHIP_ATTACKS: Mapping[str, Attack] = {
    "distance": distance,
    "relative distance": relative_distance,
    "density": density,
    "classifier": classifier,
    "marginals": marginals,
    "rare values": rare_values,
}


def mean_rank(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean rank over attacks: the one score that is fixed before anything is seen. **Shape**: (a, m) -> (m,)."""
    return np.asarray(np.mean([stats.rankdata(each) for each in scores], axis=0))


def _rare(targets: NDArray[np.int64], known: NDArray[np.int64], synthetic: NDArray[np.int64]) -> NDArray[np.float64]:
    """log(N / c) where a target's code is rare and occurs among synthetic rows, else nought."""
    codes, place, counts = np.unique(np.concatenate([targets, known]), return_inverse=True, return_counts=True)
    shown = (counts <= RARE_COMBINATION_COUNT) & np.isin(codes, synthetic)
    weight = np.where(shown, np.log(len(place) / counts), 0.0)
    return np.asarray(weight[place[: len(targets)]])


def _values(values: pd.Series) -> NDArray[np.int64]:
    """A number for each distinct value, the same in every table: its hash."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        values = values.astype("Float64").astype(float) + 0.0
    else:
        values = values.astype(str).astype(object)
    return np.asarray(pd.util.hash_pandas_object(values, index=False).to_numpy().view(np.int64))
