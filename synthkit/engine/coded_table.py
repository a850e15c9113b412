"""Encoded rows on disk: small integers and residuals in a folder of the fit's own, mapped where they are read.

The folder holds what real rows say: it is INTERNAL, only its owner may read it, and it is removed when the fit ends.

| file | what | type |
|---|---|---|
| `small.npy` | slots of at most 256 levels | uint8 |
| `wide.npy` | the others | int32 |
| `short.npy` | residuals whose decimals survive it | float16 |
| `long.npy` | the others | float32 |
| `units.npy` | key of each row's unit | uint64 |
| `store.json` | format, rows, and where each slot and residual lies | |
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from synthkit.encoding.layout import Layout, Rows, level_dtype
from synthkit.engine.source import BATCH_ROWS, Source
from synthkit.errors import ArtefactError, DocumentError, TableError
from synthkit.io.documents import MALFORMED_DATA_ERRORS, read_json

if TYPE_CHECKING:
    import pandas as pd

    from synthkit.encoding.codecs.codec import Codec
    from synthkit.encoding.encoder import TableEncoder

FORMAT = "synthkit-coded/1"
CARD = "store.json"
FILES: Mapping[str, Any] = {"small": np.uint8, "wide": np.int32, "short": np.float16, "long": np.float32}
UNITS = "units"
HALF_STEP = 2.0**-12  # of a cell: how far half precision moves a position in it, at most
_BELOW_ONE = np.nextafter(np.float16(1), np.float16(0))  # a position that becomes 1 would lie in the next cell
UnitsOf = Callable[["pd.DataFrame"], NDArray[np.uint64]]


@dataclass(frozen=True, kw_only=True)
class CodedTable:
    """Encoded rows in files.

    Args:
        rows: how many there are.
        sizes: levels of every slot.
        places: numbers of the slots or residuals in each file, by its name.
        maps: the files, mapped, by name.
    """

    rows: int
    sizes: tuple[int, ...]
    places: Mapping[str, tuple[int, ...]]
    maps: Mapping[str, NDArray[Any]]

    @classmethod
    def open(cls, folder: Path) -> CodedTable:
        """What `write_coded` left in a folder.

        Raises:
            ArtefactError: there is none, it has another format, or a file is cut short.
        """
        remedy = "Leave the folder alone while a fit runs, and fit again"
        try:
            card = read_json(folder / CARD)
            found = card["format"]
            names = [name for name in FILES if card["places"][name]] + [UNITS] * card["units"]
            maps = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names}
            out = cls(
                rows=card["rows"],
                sizes=tuple(card["sizes"]),
                places={name: tuple(card["places"][name]) for name in FILES},
                maps=maps,
            )
        except (OSError, DocumentError, *MALFORMED_DATA_ERRORS) as error:
            msg = f"encoded rows lie whole in their folder; however: a file is missing or cut short. {remedy}"
            raise ArtefactError(msg) from error
        if found != FORMAT or any(len(each) != out.rows for each in maps.values()):
            msg = f"encoded rows must have format {FORMAT} and as many rows as they say; however: not so. {remedy}"
            raise ArtefactError(msg)
        return out

    def take(self, index: NDArray[np.int64]) -> Rows:
        """Rows by their numbers; the disk is read forwards, whatever their order. **Shape**: (B,) -> Rows of B."""
        order = np.argsort(index, kind="stable")
        found = self._rows(index[order])
        self._release()
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return found[torch.from_numpy(back)]

    def parts(self, size: int = BATCH_ROWS) -> Iterator[Rows]:
        """All rows in their order, `size` at most at a time."""
        for start in range(0, self.rows, size):
            yield self._rows(slice(start, start + size))
            self._release()

    def slots(self, which: tuple[int, ...], size: int = BATCH_ROWS) -> Iterator[NDArray[np.integer]]:
        """Some slots of all rows in their order. **Shape**: -> (at most `size`, slots)."""
        for part in self.parts(size):
            yield part.cat.numpy()[:, list(which)]

    @property
    def units(self) -> NDArray[np.uint64] | None:
        """Key of each row's unit, mapped; None where each row is a unit. **Shape**: (rows,)."""
        return self.maps.get(UNITS)

    def _release(self) -> None:
        """Give pages that were read back to the system, which keeps them while there is room."""
        for each in self.maps.values():
            pages = getattr(each, "_mmap", None)
            if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
                pages.madvise(mmap.MADV_DONTNEED)

    def _rows(self, index: slice | NDArray[np.int64]) -> Rows:
        read = {name: each[index] for name, each in self.maps.items() if name in FILES}
        n = len(next(iter(read.values()))) if read else 0
        cat = np.empty((n, len(self.sizes)), dtype=level_dtype(self.sizes))
        num = np.empty((n, len(self.places["short"]) + len(self.places["long"])), dtype=np.float32)
        for name, cells in read.items():
            (cat if name in ("small", "wide") else num)[:, list(self.places[name])] = cells
        return Rows(torch.from_numpy(cat), torch.from_numpy(num))


def write_coded(
    source: Source,
    encoder: TableEncoder,
    folder: Path,
    *,
    also: Callable[[Rows], None] | None = None,
    units: UnitsOf | None = None,
) -> CodedTable:
    """Encode a source in one pass, part by part, into a folder that is there and empty.

    Args:
        source: the rows.
        encoder: their coding.
        folder: where; its owner alone should be able to read it.
        also: sees each encoded part on its way, so that tables are counted in the same pass.
        units: key of each row's unit, from a batch of rows; each row is a unit if not given.

    Raises:
        TableError: the disk is full, or the number of rows changes while they are read.
        EncodingError: a column holds values without a code.
    """
    layout = encoder.layout
    places = _places(encoder, layout)
    widths = {name: len(which) for name, which in places.items()}
    writers = {name: _Column(folder / f"{name}.npy", FILES[name], (source.rows, k)) for name, k in widths.items() if k}
    if units is not None:
        writers[UNITS] = _Column(folder / f"{UNITS}.npy", np.uint64, (source.rows,))
    made = 0
    try:
        for batch in source.batches():
            rows = encoder.encode(batch)
            made += len(rows)
            for name, which in places.items():
                if which:
                    writers[name].add(_narrow(rows, name, which))
            if units is not None:
                writers[UNITS].add(units(batch))
            if also is not None:
                also(rows)
        for writer in writers.values():
            writer.close()
        card = {"format": FORMAT, "rows": made, "sizes": layout.sizes, "places": places, "units": units is not None}
        (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    except OSError as error:
        msg = (
            f"encoded rows need room on the disk, about {_bytes(places):,} bytes a row; however: "
            f"{error.strerror or type(error).__name__}. Make room, or name another folder for the output"
        )
        raise TableError(msg) from error
    if made != source.rows:
        msg = f"a table has as many rows as its files say, {source.rows:,}; however: {made:,} were read. Write it anew"
        raise TableError(msg)
    return CodedTable.open(folder)


class _Column:
    """A file that grows by rows, in the form that numpy maps; no page of it is held."""

    def __init__(self, path: Path, dtype: Any, shape: tuple[int, ...]) -> None:
        self._file = path.open("xb")
        path.chmod(0o600)
        head = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(self._file, head)

    def add(self, cells: NDArray[Any]) -> None:
        self._file.write(np.ascontiguousarray(cells).data)

    def close(self) -> None:
        self._file.close()


def _narrow(rows: Rows, name: str, which: tuple[int, ...]) -> NDArray[Any]:
    """Some slots or residuals of a part in the type of their file."""
    if name in ("small", "wide"):
        return rows.cat.numpy()[:, list(which)].astype(FILES[name])
    out = rows.num.numpy()[:, list(which)].astype(FILES[name])
    return np.minimum(out, _BELOW_ONE) if name == "short" else out


def _places(encoder: TableEncoder, layout: Layout) -> dict[str, tuple[int, ...]]:
    """Which slots and residuals lie in which file."""
    short = [layout.residuals[k] in _short(encoder) for k in range(len(layout.residuals))]
    return {
        "small": tuple(k for k, size in enumerate(layout.sizes) if size <= 256),
        "wide": tuple(k for k, size in enumerate(layout.sizes) if size > 256),
        "short": tuple(k for k, is_ in enumerate(short) if is_),
        "long": tuple(k for k, is_ in enumerate(short) if not is_),
    }


def _short(encoder: TableEncoder) -> set[str]:
    """Coded columns whose decimals survive half precision."""
    return {name for name, codec in encoder.codecs.items() if survives_half(codec)}


def survives_half(codec: Codec) -> bool:
    """Whether a position in a cell, in half precision, is still that of the same number of the declared decimals.

    A position is stored in the middle of its step. Half precision moves it by at most 2^-12 of the cell, so steps must
    be twice as wide as that.
    """
    cells = codec.number_cells
    if cells is None or cells.decimals is None:
        return False
    step = getattr(cells, "step", None) or 10.0**-cells.decimals
    return bool((np.asarray(cells.high - cells.low, dtype=np.float64) * HALF_STEP < 0.5 * step).all())


def _bytes(places: Mapping[str, tuple[int, ...]]) -> int:
    return sum(len(which) * np.dtype(FILES[name]).itemsize for name, which in places.items())
