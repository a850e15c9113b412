"""Draws shards of a table: a piece of work of `synthkit.engine`, by its number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch

from synthkit.io.provenance_marks import provenance_mark
from synthkit.synthesizer.part_of_table import PartOfTable
from synthkit.synthesizer.shards import ShardPlan, shard_name
from synthkit.synthesizer.synthesizer import Synthesizer
from synthkit.tables import table_files

if TYPE_CHECKING:
    from synthkit.engine.engine import Piece
    from synthkit.io.json_types import JSONObject
    from synthkit.synthesizer.raking import RakeTarget


def piece(card: JSONObject) -> Piece:
    """The function that draws a shard by its number; the model is read once.

    Args:
        card: what `draw_shards` says: the plan, and where model, key and shards lie.
    """
    said = cast("dict[str, Any]", card)
    plan, out = ShardPlan(**said["plan"]), Path(said["out"])
    synthesizer = Synthesizer.load(said["model"], device=said["device"])
    key = None
    if said["watermark"] is not None:
        from synthkit.watermark import WatermarkKey

        key = WatermarkKey.load(said["watermark"]).of(synthesizer.schema)

    def draw(number: int) -> JSONObject:
        rows = plan.rows_of(number)
        part = PartOfTable(rows=rows, of=plan.rows, key=f"{plan.seed}/identifiers")
        rake = cast("RakeTarget", plan.rake) if plan.rake else False
        with one_thread():
            drawn = synthesizer.sample(len(rows), rake=rake, seed=plan.seed_of(number), watermark=key, part=part)
        path = out / shard_name(number)
        table_files.write(drawn, path, schema=synthesizer.schema, mark=provenance_mark())
        return {"rows": len(rows)}

    return draw


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums of several threads come in other orders: a shard is drawn by one, whatever the process may use."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
