"""A saved synthesizer on disk: one JSON card and one safetensors file, moved into place together."""

from __future__ import annotations

import errno
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from synthkit.errors import ArtefactError
from synthkit.files import replacing_folder
from synthkit.models import TrainingLog

FORMAT = "synthkit-model/1"
CARD, TENSORS = "synthesizer.json", "model.safetensors"


def save(folder: Path, card: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a card and its tensors; an older folder of the same name is replaced only when all is written."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with replacing_folder(folder, overwrite=True, marks=(CARD,)) as temporary:
        (temporary / CARD).write_text(json.dumps({"format": FORMAT, **card}, indent=1), encoding="utf-8")
        try:
            save_file(tensors, temporary / TENSORS)
        except SafetensorError as error:  # a full disk: safetensors has no OSError of its own
            raise OSError(errno.EIO, "the tensors could not be written whole") from error


def load(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a card and its tensors.

    Raises:
        ArtefactError: a file is missing or damaged, or has another format.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        tensors = load_file(folder / TENSORS)
    except FileNotFoundError as error:
        msg = f"{folder} must hold {CARD} and {TENSORS}; however: {Path(error.filename or TENSORS).name} is not there"
        raise ArtefactError(msg) from error
    except (json.JSONDecodeError, UnicodeDecodeError, SafetensorError) as error:
        msg = (
            f"{folder} must hold an undamaged model; however: a file cannot be read ({type(error).__name__}). Fit again"
        )
        raise ArtefactError(msg) from error
    said = card.get("format") if isinstance(card, dict) else None
    if said != FORMAT:
        msg = f"{folder} must have format {FORMAT}; however: {said!r}. Load it with the version that wrote it"
        raise ArtefactError(msg)
    return card, tensors


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


def log_to_dict(log: TrainingLog | None) -> dict[str, Any] | None:
    """A training log as plain data."""
    return None if log is None else asdict(log)


def log_from_dict(data: dict[str, Any] | None) -> TrainingLog | None:
    """Read what `log_to_dict` gave."""
    if data is None:
        return None
    lists = {k: None if data[k] is None else tuple(data[k]) for k in ("at", "train", "validation")}
    return TrainingLog(**{**data, **lists})
