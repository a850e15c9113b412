"""Several trainings in a row that are kept in one place: whose state it is, and what the trainings before made."""

from __future__ import annotations

from dataclasses import dataclass, field

from synthkit.training.callbacks import Store
from synthkit.training.state import State

STAGE, TRAINING, MADE = "stage", "training", "made"


@dataclass(frozen=True, kw_only=True)
class TrainingStage:
    """The store of one training of several: it takes up its own states alone.

    Args:
        store: where the states of all of them are kept, the last one only.
        name: of this training.
        made: what the trainings before made; it is kept with every state of this one.

    Example:
        >>> class Memory:
        ...     kept = None
        ...     def load(self): return self.kept
        ...     def due(self): return True
        ...     def save(self, state): self.kept = state
        >>> memory = Memory()
        >>> TrainingStage(store=memory, name="first").save(State({}, {"done": 3}))
        >>> TrainingStage(store=memory, name="first").load().facts
        {'done': 3}
        >>> TrainingStage(store=memory, name="second").load() is None
        True
    """

    store: Store
    name: str
    made: State = field(default_factory=lambda: State({}, {}))

    def load(self) -> State | None:
        """The state of this training to go on from; None if that of another is kept, or none."""
        kept = self._mine()
        return None if kept is None else kept.part(TRAINING)

    def before(self) -> State | None:
        """What the trainings before made, if this one is taken up."""
        kept = self._mine()
        return None if kept is None else kept.part(MADE)

    def due(self) -> bool:
        """Whether it is time to keep the state again."""
        return self.store.due()

    def save(self, state: State) -> None:
        """Keep a state in place of the one before."""
        told = {STAGE: State({}, {"name": self.name}), TRAINING: state, MADE: self.made}
        self.store.save(State.together(told))

    def _mine(self) -> State | None:
        kept = self.store.load()
        if kept is None or STAGE not in kept.facts or kept.part(STAGE).facts.get("name") != self.name:
            return None
        return kept
