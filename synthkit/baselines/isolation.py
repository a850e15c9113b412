"""Code of others that draws from global generators, warns and prints, kept to itself."""

from __future__ import annotations

import io
import random
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout

import numpy as np

_STEP = re.compile(r"(\d+)/(\d+) \[")
_LOSS = re.compile(r"[-+]?\d+\.\d+")


class Bar(io.TextIOBase):
    """A stream that understands the progress bars written to it, and drops everything else.

    Args:
        progress: told of step, steps and the first loss the bar names.

    Example:
        >>> said = []
        >>> bar = Bar(lambda *told: said.append(told))
        >>> _ = bar.write("Gen. (-01.38) | Discrim. (+00.02):  25%|##5       | 1/4 [00:00<00:00,  3.66it/s]")
        >>> said
        [(1, 4, -1.38)]
    """

    def __init__(self, progress: Callable[[int, int, float], None] | None) -> None:
        self._progress, self._last = progress, (0, 0)

    def write(self, text: str) -> int:
        """Pass on a step that is new."""
        found = _STEP.search(text)
        if found is not None and self._progress is not None:
            step = (int(found[1]), int(found[2]))
            if step[0] and step != self._last:
                loss = _LOSS.search(text)
                self._progress(*step, float(loss[0]) if loss else float("nan"))
            self._last = step
        return len(text)


@contextmanager
def isolated(seed: int, progress: Callable[[int, int, float], None] | None = None) -> Iterator[None]:
    """Global generators of Python, numpy and torch seeded for a block and restored after it; nothing is printed.

    Args:
        seed: root of all three.
        progress: told of the steps that a progress bar on stderr counts.

    Example:
        >>> def two() -> list[float]:
        ...     with isolated(7):
        ...         return [random.random(), float(np.random.random())]
        >>> two() == two()
        True
    """
    import torch

    before, numpy_before = random.getstate(), np.random.get_state()  # noqa: NPY002  # theirs is the global generator
    with ExitStack() as stack:
        stack.callback(random.setstate, before)
        stack.callback(np.random.set_state, numpy_before)
        stack.enter_context(torch.random.fork_rng())
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(redirect_stderr(Bar(progress)))
        warnings.simplefilter("ignore")
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        torch.manual_seed(seed)
        yield
