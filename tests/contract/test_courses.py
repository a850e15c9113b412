"""Every model that is trained in steps: taken up anywhere it is the same model, and its steps can be wished for."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from synthkit.models.registry import MODELS
from synthkit.privacy.access.data_access import FitPlan
from synthkit.privacy.access.exact_access import ExactAccess
from synthkit.privacy.accounting.ledger import Ledger
from synthkit.runtime.seeds import Seeds
from synthkit.training.callbacks import TrainingCallbacks

SMALL = {"steps": 14, "batch_size": 32, "width": 16, "hidden": 8}
STEPPED = sorted(name for name, kind in MODELS.items() if "steps" in {f.name for f in fields(kind.Config)})
stepped = pytest.mark.parametrize("name", STEPPED)


class Shelf:
    """Keeps every state in memory; what it gives back is one that was kept."""

    def __init__(self, taken=None):
        self.taken, self.states = taken, {}

    def load(self):
        return self.taken

    def due(self):
        return True

    def save(self, state):
        self.states[state.part("course").facts["done"]] = state


def fitted(name, toy, watch, **settings):
    """A model of the toy table after a few steps, with what it learned."""
    kind = MODELS[name]
    known = {f.name for f in fields(kind.Config)}
    access = ExactAccess(toy.frame, toy.schema, Ledger.unlimited(unit=None), Seeds(1))
    access.reserve(FitPlan(coding=replace(kind.coding, links=0)))
    encoder = access.fit_encoder()
    config = kind.Config(**{k: v for k, v in (SMALL | settings).items() if k in known})
    model = kind(encoder.layout, config)
    log = model.fit(access, 3, watch)
    return model.tensors(), log


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@stepped
def test_a_model_taken_up_anywhere_is_the_model(name, toy):
    shelf = Shelf()
    whole, log = fitted(name, toy, TrainingCallbacks(store=shelf))
    assert log.planned == SMALL["steps"]
    assert same(whole, fitted(name, toy, None)[0])
    for done in (min(shelf.states), max(shelf.states)):
        again, other = fitted(name, toy, TrainingCallbacks(store=Shelf(shelf.states[done])))
        assert same(whole, again), done
        assert (other.steps, other.best_step, other.at, other.train) == (log.steps, log.best_step, log.at, log.train)


@stepped
def test_steps_that_were_wished_for_can_be_asked_for(name, toy):
    """A wish too short for anything: what it comes to is a plan like any other."""
    wished, log = fitted(name, toy, TrainingCallbacks(seconds=1e-3), steps=200)
    assert log.planned < 200
    asked, _ = fitted(name, toy, None, steps=log.planned)
    assert same(wished, asked)
