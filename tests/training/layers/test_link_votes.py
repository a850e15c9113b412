"""Pointers held against a loop: which level is voted for, which vector is told, and that only what is known speaks."""

import numpy as np
import torch

from synthkit.encoding.layout import Layout, Slot, ValueLink
from synthkit.training.layers.link_votes import MARGIN, QUARTERS, Pointers


def layout():
    """Source of 3 levels, one of them missing; target of 4 coarse levels with 1, 3, 2 cells, and missing."""

    def logs(k):
        return np.zeros(k, dtype=np.float32)

    fine = np.full((4, 3), -np.inf, dtype=np.float32)
    fine[1], fine[2, :2] = 0.0, 0.0
    slots = (
        Slot(name="a", size=3, ordinal=True, missing=True, parent=None, prior=logs(3)),
        Slot(name="b", size=4, ordinal=True, missing=True, parent=None, prior=logs(4)),
        Slot(name="b:fine", size=3, ordinal=True, missing=False, parent=1, prior=fine),
    )
    cell = np.array([[[2, 2]], [[4, 5]], [[-1, -1]]])  # cell 2 is (1, 1); 4 is (2, 0) and 5 is (2, 1)
    return Layout(slots, ("a", "b", "b"), ("a", "b"), links=(ValueLink(1, 0, cell),))


def test_places_of_every_row():
    both = layout()
    pointers = Pointers(both, 5)
    assert len(pointers) == 2
    cat = torch.tensor([[0, 1, 0], [1, 1, 0], [0, 2, 1], [1, 2, 0], [2, 1, 1], [0, 0, 0]])
    num = torch.zeros(6, 2)
    places = pointers.places(cat, num)
    coarse, fine = pointers.of[1][0], pointers.of[2][0]
    assert places.level[:, coarse].tolist()[:4] == [1, 2, 1, 2]
    assert places.votes[:, coarse].tolist() == [True, True, True, True, False, True]
    assert places.level[0, fine] == 1
    assert places.level[3, fine] == 0
    assert places.votes[:, fine].tolist() == [True, False, False, True, False, False]
    first = QUARTERS * 4  # the coarse slot's vectors come first
    outside = first + 3  # then three of the fine levels, then those before, those after and one for unknown
    assert places.place[:, fine].tolist() == [
        first + 1,
        outside + MARGIN + 0,  # cell 4 is the first after level 1
        outside + 1,  # cell 2 is the second before level 2
        first + 0,
        outside + 2 * MARGIN,
        outside + MARGIN + 1,  # cell 2 is the second after level 0
    ]
    thirds = QUARTERS * 1 + QUARTERS // 3  # cell (1, 1) begins after a third of its level
    assert places.place[:, coarse].tolist()[:2] == [thirds, QUARTERS * 2]


def test_the_position_inside_the_sources_cell_counts():
    both = layout()
    pointers = Pointers(both, 5)
    cat = torch.tensor([[1, 2, 0]]).expand(3, -1)
    num = torch.tensor([[0.0, 0.9], [0.49, 0.9], [0.5, 0.0]])
    fine = pointers.of[2][0]
    assert pointers.places(cat, num).level[:, fine].tolist() == [0, 0, 1]
    assert pointers.places(cat, None).level[:, fine].tolist() == [1, 1, 1]


def test_only_known_sources_speak():
    both = layout()
    pointers = Pointers(both, 5)
    torch.nn.init.ones_(pointers.weight)
    cat = torch.tensor([[0, 1, 1]])
    sees = torch.tensor([[[0, 0, 0], [1, 0, 0], [1, 1, 0]]]) > 0
    deaf = torch.tensor([[[0, 1, 1], [0, 0, 0], [0, 0, 0]]]) > 0
    state, num = torch.zeros(1, 3, 5), torch.full((1, 2), 0.7)
    for mask, speaks in ((sees, True), (deaf, False)):
        places = pointers.places(cat, num).where(pointers.known(mask))
        told = pointers.tell(state, places)
        assert torch.equal(told[0, 1], pointers.vectors[QUARTERS + QUARTERS // 3] if speaks else torch.zeros(5))
        assert torch.equal(told[0, 2], pointers.vectors[4 * QUARTERS + 1] if speaks else torch.zeros(5))
        mine = pointers.take(places, 1)
        assert torch.allclose(pointers.told(mine)[0], told[0, 1])
        voted = pointers.vote(1, torch.zeros(1, 4), torch.ones(1, 5), mine)
        assert voted.tolist() == [[0.0, 5.0 if speaks else 0.0, 0.0, 0.0]]
