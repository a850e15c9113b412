"""Every leaf that is promised or told of a run follows from something else in the bundle, and is held against it."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sealing import resealed

from synthkit.errors import SynthkitError
from synthkit.io.documents import MALFORMED_DATA_ERRORS
from synthkit.release import run_folder
from synthkit.release.bundle import manifest as manifests
from synthkit.release.bundle.build_bundle import CONFIG, REGISTRY
from synthkit.release.bundle.checks import CHECKS
from synthkit.release.bundle.opened_bundle import Opened
from synthkit.release.bundle.zip_archive import unpack

Place = tuple[Any, ...]
CLAIMED = ("claim", "sentence", "words", "end_to_end_dp", "format", "generator", "members")  # of the manifest
FIND = {  # by which checks, besides the digests, a leaf of a member must be found
    run_folder.STATEMENT: ("statement", "run"),
    run_folder.LEDGER: ("epsilon", "statement", "contents"),
    REGISTRY: ("registry",),
    CONFIG: ("run", "statement"),
    manifests.MANIFEST: ("members",),
}
BY_WORD = {  # what nothing in a bundle can show
    CONFIG: {("watermark", "key"), ("watermark", "candidates")},
    run_folder.LEDGER: {
        ("budget", "epsilon"),
        ("budget", "delta"),
    },  # the cap of the custodian; what is spent is below it
}


def leaves(x: Any, at: Place = ()) -> Iterator[Place]:
    """Places of all values that hold no others; an empty list or object is one."""
    inside = list(x.items()) if isinstance(x, dict) else list(enumerate(x)) if isinstance(x, list) else []
    if not inside:
        yield at
    for key, each in inside:
        yield from leaves(each, (*at, key))


def told_apart(places: Iterator[Place]) -> list[Place]:
    """Of places that differ in the numbers of items only, the first and the last."""
    kept: dict[Place, list[Place]] = {}
    for place in places:
        kept.setdefault(tuple("*" if isinstance(key, int) else key for key in place), []).append(place)
    return [place for alike in kept.values() for place in (*alike[:1], *alike[1:][-1:])]


def another(x: Any) -> Any:
    """Another value of the same type where it has one."""
    if isinstance(x, bool):
        return not x
    if isinstance(x, int | float):
        return x * 1.001 if x else 1
    if isinstance(x, str):
        return x + "0"
    return ["0"] if isinstance(x, list) else {"0": 0} if isinstance(x, dict) else "0"


def changed(document: Any, place: Place, value: Any) -> Any:
    out = copy.deepcopy(document)
    if not place:
        return value
    inside = out
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return out


def found(members, name, document):
    """Whether a check finds a document in the place of a member, when all digests were mended."""
    content = json.dumps(document, ensure_ascii=False).encode()
    altered = {**members, name: content} if name == manifests.MANIFEST else resealed({**members, name: content})
    opened = Opened(altered, None, dt.datetime.now(dt.UTC).date())
    return any(breaks(key, opened) for key in FIND[name])


def breaks(key, opened):
    """Whether a check says that a bundle does not hold, or cannot be made, which is as bad."""
    try:
        return CHECKS[key](opened).outcome == "broken"
    except (SynthkitError, *MALFORMED_DATA_ERRORS):
        return True


@pytest.fixture(scope="module", params=["free", "private", "linked"])
def released(request, members, private, ward):
    bundles = {"private": private, "linked": ward.bundle}
    return members if request.param == "free" else unpack(bundles[request.param].read_bytes())


@pytest.mark.parametrize("name", FIND)
def test_no_leaf_can_be_changed(released, name):
    """Whoever signs: by what it follows from."""
    if name not in released:
        pytest.skip("no promise, no entry")
    document = json.loads(released[name])
    assert not found(released, name, document)
    places = [place for place in told_apart(leaves(document)) if name != manifests.MANIFEST or place[0] in CLAIMED]
    assert len(places) > 5
    missed = []
    for place in places:
        value = document
        for key in place:
            value = value[key]
        if place not in BY_WORD.get(name, ()) and not found(released, name, changed(document, place, another(value))):
            missed.append(place)
    assert missed == []


@pytest.mark.parametrize("name", FIND)
def test_no_key_can_be_taken_out_or_put_in(released, name):
    if name not in released:
        pytest.skip("no promise, no entry")
    document = json.loads(released[name])
    assert found(released, name, {**document, "certified": True})
    for key in (key for key in document if document[key] not in (None, {}, [])):
        assert found(released, name, {k: v for k, v in document.items() if k != key}), key


EXAMPLES = {  # each passed before
    "a smaller delta": (run_folder.STATEMENT, ("privacy_loss", "privacy_parameters", "delta"), 1e-12),
    "another sentence": (
        run_folder.STATEMENT,
        ("sentences", 0),
        "The release is (0.001, 1e-30)-differentially private.",
    ),
    "another unit": (run_folder.STATEMENT, ("privacy_loss", "privacy_unit"), "hospital"),
    "no touches": (run_folder.STATEMENT, ("data_touches",), []),
    "an invented declarer": (run_folder.STATEMENT, ("declared_by",), "The regulator: examined"),
    "another entry": (REGISTRY, ("deployment", "privacy_loss", "privacy_parameters", "delta"), 1e-30),
    "another model": (CONFIG, ("model",), "autoregressive"),
    "a smaller claim": (manifests.MANIFEST, ("claim", "delta"), 1e-30),
}


@pytest.mark.parametrize("what", EXAMPLES)
def test_what_passed_before_is_found(what, private):
    members = unpack(private.read_bytes())
    name, place, value = EXAMPLES[what]
    assert found(members, name, changed(json.loads(members[name]), place, value))
