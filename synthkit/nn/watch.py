"""Who watches over a training: who is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int, int, float], None]  # step, steps, loss


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What stands around a training without being part of it: nothing here changes what a step does.

    Args:
        progress: called after each step with step, steps and the running loss.

    Example:
        >>> Watch(progress=lambda step, steps, loss: print(f"{step}/{steps}: {loss:.1f}")).tell(3, 10, 1.23)
        3/10: 1.2
    """

    progress: Progress | None = None

    def tell(self, step: int, steps: int, loss: float) -> None:
        """Tell of a step that was made."""
        if self.progress is not None:
            self.progress(step, steps, loss)
