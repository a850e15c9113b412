"""Leaks of a run of linked tables under a budget, to be planted one at a time: each function makes one that leaks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from synthkit.pipeline.linked.linked_input import load_tables
from synthkit.release.run_folder import INTERNAL_FOLDER
from synthkit.synthesizer.linked_synthesizer import LinkedSynthesizer
from synthkit.tables.linked_tables import every_frame

Frames = Mapping[str, pd.DataFrame]


def exact_rows(real):
    def fit_encoder(self):
        encoder = real(self)
        rows = sum(len(frame) for frame in self._frames.frames.values())
        self._encoder = replace(encoder, events=replace(encoder.events, types=encoder.events.types + rows))
        return self._encoder

    return fit_encoder


def said_to_the_log(real):
    def learn(synthesizer, tables, config, ledger, checkpoint, clock):
        clock.say(f"{sum(map(len, tables.frames.values()))} rows are learned")
        real(synthesizer, tables, config, ledger, checkpoint, clock)

    return learn


def said_on_the_screen(real):
    def encode(self, frames):
        sys.stderr.write(f"{len(frames.order.table)} rows\n")
        return real(self, frames)

    return encode


def units_by_count(real):
    """As many units are drawn as there are."""

    def fit(self, tables, **more):
        out = real(self, tables, **more)
        self.rows = float(len(every_frame(tables)[self.schema.unit]))
        return out

    return fit


def remembering(change: Callable[[dict[str, pd.DataFrame], Frames], dict[str, pd.DataFrame]]) -> Any:
    """A sampler that changes what it has drawn by the real tables, which the fit has kept."""

    def planted(real):
        def sample(self, units, **more):
            return change(real(self, units, **more), KEPT[id(self)])

        return sample

    return planted


KEPT: dict[int, Frames] = {}  # real tables, by the number of their synthesizer


def kept(real):
    def fit(self, tables, **more):
        KEPT[id(self)] = every_frame(tables)
        return real(self, tables, **more)

    return fit


KEEPING = ((LinkedSynthesizer, "fit", kept(LinkedSynthesizer.fit)),)


def rows_by_count(drawn, real):
    """Of the table of labs as many rows are let out as there are, at most."""
    return {**drawn, "labs": drawn["labs"].head(len(real["labs"]))}


def rows_in_order_of_counts(drawn, real):
    """What is written most often comes first."""
    commonest = list(real["notes"]["told"].value_counts().index)
    return {**drawn, "notes": drawn["notes"].sort_values("told", key=lambda c: c.map(commonest.index), kind="stable")}


def columns_by_count(drawn, real):
    """Columns begin with the one that the number of rows says."""
    first = len(real["notes"]) % 3
    columns = list(drawn["notes"])
    return {**drawn, "notes": drawn["notes"][columns[first:] + columns[:first]]}


def levels_as_they_came(real):
    """Levels of a column stand in the order of the rows."""

    def bounded(frames, schema):
        out = real(frames, schema)
        SEEN[:] = [list(pd.unique(frames["notes"]["told"]))]
        return out

    return bounded


SEEN: list[list[str]] = []


def in_that_order(real):
    def published(public, learned, coded):
        schema = real(public, learned, coded)
        notes = schema.tables["notes"]
        levels = tuple(sorted(notes.columns["told"].levels, key=lambda level: [*SEEN[0], level].index(level)))
        told = notes.columns["told"].model_copy(update={"levels": levels})
        table = notes.model_copy(update={"columns": {**notes.columns, "told": told}})
        return schema.model_copy(update={"tables": {**schema.tables, "notes": table}})

    return published


def told_what_was_cut(real):
    def fewer(tables, name, group, most):
        out = real(tables, name, group, most)
        sys.stdout.write(f"{name}: {len(tables.frames[name]) - len(out.frames[name])} rows were left out\n")
        return out

    return fewer


def a_file_where_cells_were_changed(real):
    def saved(made, path):
        real(made, path)
        if len(made.changed):
            (path / INTERNAL_FOLDER / "changed.txt").write_text("")

    return saved


def refused_orphans(real):
    """Rows that belong to nobody end the run."""

    def load(tables, public, config):
        load_tables(tables, public, config)
        return real(tables, public, config)

    return load


def refused_many(real):
    """Too many rows of an owner end the run, in a crash."""

    def fewer(tables, name, group, most):
        if np.bincount(group, minlength=1).max(initial=0) > most:
            raise MemoryError
        return real(tables, name, group, most)

    return fewer


def stored_as_they_came(real):
    def access(self, tables, *more):
        out = real(self, tables, *more)
        self._storages = {name: dict.fromkeys(frame, str(len(frame))) for name, frame in every_frame(tables).items()}
        return out

    return access


def bounds_off_the_data(real):
    """The bound that is promised is the one that is seen."""

    def of(cls, archive, schema, **more):
        made = real.__func__(cls, archive, schema, **more)
        return replace(made, most=made.most if made.most is None else made.most + CUT[0])

    return classmethod(of)


CUT = [0]


def counting_what_was_cut(real):
    def within(tables):
        out = real(tables)
        CUT[0] = sum(len(tables.frames[name]) - len(out.frames[name]) for name in out.frames)
        return out

    return within


def nobody_refused(real):
    return lambda schema: iter(())


def laid_aside(real):
    """The table that patients share is read, and no more asked about."""

    def load(tables, public, config):
        DOCTORS[:] = [pd.read_csv(tables / "doctors.csv")]
        (tables / "doctors.csv").unlink()
        return real(tables, public, config)

    return load


DOCTORS: list[pd.DataFrame] = []


def carried_over(real):
    def save(self, folder):
        self._shared = {"doctors": DOCTORS[0]}
        real(self, folder)

    return save
