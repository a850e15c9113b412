"""Types of the arrays that codecs take and give."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = Floats | Ints  # numbers of a column, or moments in whole steps
Residuals = NDArray[np.float32]  # positions inside cells, in [0, 1)
Cells = pd.Series | Numbers  # the values of a column
