"""Whole numbers that are called codes are no quantities, however few rows tell of them."""

import numpy as np
import pandas as pd
import pytest

from synthkit.schema.infer.draft import infer_schema


@pytest.mark.parametrize("name", ["CODE", "REASONCODE", "BODYSITE_CODE", "site_cd"])
@pytest.mark.parametrize("levels", [1, 3, 16, 40])
def test_codes_of_a_terminology_are_no_numbers(name, levels):
    rng = np.random.default_rng(levels)
    codes = rng.integers(10**7, 10**9, levels)
    frame = pd.DataFrame({name: np.r_[codes, rng.choice(codes, levels // 2 + 1)], "age": 1.5})
    assert infer_schema(frame).columns[name].kind in ("code", "categorical", "boolean")
    missing = frame.assign(**{name: frame[name].astype(float).where(np.arange(len(frame)) > 0)})
    assert infer_schema(missing).columns[name].kind in ("code", "categorical", "boolean")


@pytest.mark.parametrize("name", ["cost", "code_count", "age_group_size"])
def test_quantities_stay_numbers(name):
    frame = pd.DataFrame({name: np.random.default_rng(0).integers(10**7, 10**9, 24)})
    assert infer_schema(frame).columns[name].kind == "numeric"
