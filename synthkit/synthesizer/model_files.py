"""A saved synthesizer on disk: one JSON card and one safetensors file, moved into place together."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from synthkit.errors import ArtefactError, DocumentError, SynthkitError, UnsupportedError
from synthkit.io.atomic_files import replacing_folder
from synthkit.io.documents import MALFORMED_DATA_ERRORS, read_json
from synthkit.io.json_types import JSONDict
from synthkit.models.base import TrainingLog

FORMAT = "synthkit-model/1"
MAKERS = frozenset((torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.arange, torch.eye))
LAYOUT_TIMES, LAYOUT_SPARE_BYTES, LAYOUT_SPARE_TENSORS = 8, 2**28, 4_096  # see LayoutAllowance
MODEL_CARD, TENSORS = "synthesizer.json", "model.safetensors"


def save(folder: Path, card: JSONDict, tensors: dict[str, Tensor]) -> None:
    """Write a card and its tensors; an older folder of the same name is replaced only when all is written."""
    with replacing_folder(folder, overwrite=True, marks=(MODEL_CARD,)) as temporary:
        (temporary / MODEL_CARD).write_text(json.dumps({"format": FORMAT, **card}, indent=1), encoding="utf-8")
        write_tensors(temporary / TENSORS, tensors)


def load(folder: Path) -> tuple[JSONDict, dict[str, Tensor]]:
    """Read a card and its tensors.

    Raises:
        ArtefactError: a file is missing or damaged, or has another format.
    """
    try:
        card = read_json(folder / MODEL_CARD)
    except FileNotFoundError as error:
        raise ArtefactError(_absent(folder / MODEL_CARD)) from error
    except DocumentError as error:
        msg = f"{folder} must hold an undamaged model; however: {error}"
        raise ArtefactError(msg) from error
    tensors, _ = read_tensors(folder / TENSORS)
    said = card.get("format") if isinstance(card, dict) else None
    if said != FORMAT:
        msg = f"{folder} must have format {FORMAT}; however: {said!r}. Load it with the version that wrote it"
        raise ArtefactError(msg)
    return card, tensors


def write_tensors(path: Path, tensors: dict[str, Tensor], facts: dict[str, str] | None = None) -> None:
    """Write tensors, and facts beside them, to one file.

    Raises:
        OSError: the disk is full.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, path, metadata=facts)
    except SafetensorError as error:  # a full disk: safetensors has no OSError of its own
        raise OSError(errno.EIO, "the tensors could not be written whole") from error


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors in a file, and the facts beside them.

    Raises:
        ArtefactError: the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except FileNotFoundError as error:
        raise ArtefactError(_absent(path)) from error
    except SafetensorError as error:
        raise ArtefactError(_damaged(path.parent, error)) from error


def _absent(path: Path) -> str:
    needed = f"{MODEL_CARD} and {TENSORS}" if path.name in (MODEL_CARD, TENSORS) else path.name
    return f"{path.parent} must hold {needed}; however: {path.name} is not there"


def _damaged(folder: Path, error: Exception) -> str:
    kind = type(error).__name__
    return f"{folder} must hold an undamaged model; however: a file cannot be read ({kind}). Fit again"


def check_tensors(folder: Path, found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Refuse tensors that are not, by name and shape, those of the model they are for.

    Raises:
        ArtefactError: one is missing, superfluous or of another shape.
    """
    here, there = ({name: tuple(t.shape) for name, t in tensors.items()} for tensors in (found, wanted))
    strange = sorted(name for name in {*here, *there} if here.get(name) != there.get(name))
    if strange:
        msg = f"{folder / TENSORS} must hold the model's tensors; however: {', '.join(strange)} differ. Fit again"
        raise ArtefactError(msg)


def log_to_dict(log: TrainingLog | None) -> JSONDict | None:
    """A training log as plain data."""
    return None if log is None else asdict(log)


def log_from_dict(data: JSONDict | None) -> TrainingLog | None:
    """Read what `log_to_dict` gave."""
    if data is None:
        return None
    lists = {k: None if data[k] is None else tuple(data[k]) for k in ("at", "train", "validation")}
    return TrainingLog(**{**data, **lists})


@contextmanager
def undamaged(folder: str | Path) -> Iterator[None]:
    """Say of whatever cannot be read in a card that the card is damaged.

    Raises:
        ArtefactError: an entry of the card is not there, or cannot be meant.
        UnsupportedError: it asks for what is not installed.
    """
    try:
        yield
    except UnsupportedError:
        raise
    except (*MALFORMED_DATA_ERRORS, MemoryError, RuntimeError, SynthkitError) as error:
        msg = (
            f"{folder} must hold an undamaged model; however: {MODEL_CARD} is incomplete or altered "
            f"({type(error).__name__}). Fit again"
        )
        raise ArtefactError(msg) from error


@contextmanager
def lawful(folder: str | Path) -> Iterator[None]:
    """Say of numbers from which nothing can be drawn that the model they were read from is damaged.

    Raises:
        ArtefactError: a weight is not a number, or points to what is not there.
    """
    try:
        yield
    except SynthkitError:
        raise
    except (*MALFORMED_DATA_ERRORS, MemoryError, RuntimeError) as error:
        msg = (
            f"{folder} must hold a model that rows can be drawn from; however: its numbers make no law "
            f"({type(error).__name__}). Fit again"
        )
        raise ArtefactError(msg) from error


class LayoutAllowance(TorchFunctionMode):
    """Bounds what is made while a model is laid out, so that a card cannot ask for more than its tensors stand for.

    Args:
        folder: the model's, for messages.
        tensors: those that were saved.

    Raises:
        ArtefactError: more is asked for than eight times their bytes and 256 MiB, or than eight times their number and
            4,096; before it is taken.
    """

    def __init__(self, folder: Path, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._folder = folder
        self._left = LAYOUT_SPARE_BYTES + LAYOUT_TIMES * sum(
            tensor.numel() * tensor.element_size() for tensor in tensors.values()
        )
        self._times_left = LAYOUT_SPARE_TENSORS + LAYOUT_TIMES * len(tensors)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Weigh what is about to be made."""
        said = dict(kwargs or {})
        if func in MAKERS:
            probe = {k: v for k, v in said.items() if k not in ("generator", "device", "pin_memory", "out")}
            asked = func(*args, **probe, device="meta")
            self._left -= asked.numel() * asked.element_size()
            self._times_left -= 1
            if self._left < 0 or self._times_left < 0:
                msg = (
                    f"{self._folder} must hold tensors of the size that its settings ask for; however: they ask for "
                    f"far more than {TENSORS} holds. {MODEL_CARD} was altered: fit again"
                )
                raise ArtefactError(msg)
        return func(*args, **said)
