"""Runs the numerical tests once for each instruction set of the processor: what passes on one must pass on all.

Torch and oneDNN choose their kernels by the processor they find. Both can be told to take it for an older one, so
that a machine also runs what the machines of others run. Used by `make test-processors`.
"""

from __future__ import annotations

import os
import subprocess
import sys

import torch

TESTS = (
    "tests/privacy/dpsgd/test_clipping.py",
    "tests/training/test_matrix_precision.py",
    "tests/models/test_product_mixture.py",
    "tests/privacy/dpsgd/test_per_row_gradients.py",
    "tests/privacy/dpsgd/test_unit_batches.py",
    "tests/models/test_private_training.py",
    "tests/privacy/mechanisms/test_rng.py",
)
# what torch takes the processor for, what oneDNN does, and what the processor must have for that
SETS = (
    ("default", "SSE41", "sse4_1"),
    ("avx2", "AVX2", "avx2"),
    ("avx512", "AVX512_CORE", "avx512_f"),
    ("avx512", "AVX512_CORE_BF16", "avx512_bf16"),
    ("avx512", "AVX512_CORE_AMX", "amx_bf16"),
)


def there() -> list[dict[str, str]]:
    """Environments of the sets this processor has, but the last, which is what every other run has."""
    has = torch.cpu.get_capabilities()
    sets = [{"ATEN_CPU_CAPABILITY": t, "ONEDNN_MAX_CPU_ISA": o} for t, o, needs in SETS if has.get(needs)]
    return sets[:-1]


def main() -> int:
    """Exit status 1 if a test fails under any of them."""
    failed = 0
    for each in there():
        sys.stdout.write(" ".join(f"{key}={value}" for key, value in each.items()) + "\n")
        sys.stdout.flush()
        words = ["-q", "-n", "2", "--dist", "loadfile", *TESTS]
        done = subprocess.run([sys.executable, "-m", "pytest", *words], env=os.environ | each, check=False)
        failed |= done.returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
