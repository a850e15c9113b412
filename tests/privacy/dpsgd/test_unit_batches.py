"""Units held against loops: sums, pairs of rows, and parts of a batch."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from synthkit.privacy.dpsgd.unit_batches import Units, parts

UNITS = st.lists(st.integers(-3, 12), max_size=60).map(lambda u: torch.tensor(u, dtype=torch.long))


@given(UNITS)
def test_sums_are_those_of_a_loop(of):
    x = torch.arange(2.0 * len(of)).view(-1, 2)
    units = Units(of)
    wanted = [x[of == u].sum(dim=0) for u in torch.unique(of)]
    assert units.count == len(wanted)
    assert units.single == (len(set(of.tolist())) == len(of))
    if wanted:
        torch.testing.assert_close(units.sums(x), torch.stack(wanted))
        torch.testing.assert_close(units.sums(x.T, 1), torch.stack(wanted).T)


@given(UNITS)
def test_blocks_hold_each_unit_of_two_rows_or_more_once(of):
    names = torch.unique(of).tolist()
    seen = {}
    for block in Units(of).blocks():
        assert block.rows.shape == block.real.shape
        for unit, rows, real in zip(block.units.tolist(), block.rows, block.real, strict=True):
            assert unit not in seen
            seen[unit] = sorted(rows[real].tolist())
            assert block.rows.shape[1] < 2 * int(real.sum())
    wanted = {k: torch.nonzero(of == u).ravel().tolist() for k, u in enumerate(names)}
    assert seen == {k: rows for k, rows in wanted.items() if len(rows) > 1}


@given(UNITS, st.integers(1, 20))
def test_parts_cut_no_unit_and_leave_no_row_out(of, size):
    every = list(parts(of, size))
    assert sorted(torch.cat(every).tolist() if every else []) == list(range(len(of)))
    for part in every:
        assert len(part) <= size or len(set(of[part].tolist())) == 1
    whose = [u for part in every for u in set(of[part].tolist())]
    assert len(whose) == len(set(whose))
