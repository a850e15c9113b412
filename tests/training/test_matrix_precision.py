"""Float32 products held against double ones, and norms of clipped units, under every precision torch can be set to."""

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest
import torch
from torch import nn

from synthkit.errors import ConfigError
from synthkit.privacy.dpsgd.clipping import Clipper
from synthkit.privacy.dpsgd.per_row_gradients import Sampled
from synthkit.training.matrix_precision import _backends, exact, fast_matrices


@contextmanager
def legacy(precision):
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def backend(owner, precision):
    before = owner.fp32_precision
    owner.fp32_precision = precision
    try:
        yield
    finally:
        owner.fp32_precision = before


@contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


SETTINGS = {
    "nothing": lambda: (),
    "highest": lambda: (legacy("highest"),),
    "high": lambda: (legacy("high"),),
    "medium": lambda: (legacy("medium"),),
    "products of oneDNN in bfloat16": lambda: (backend(torch.backends.mkldnn.matmul, "bf16"),),
    "products of oneDNN in TF32": lambda: (backend(torch.backends.mkldnn.matmul, "tf32"),),
    "oneDNN in bfloat16": lambda: (backend(torch.backends.mkldnn, "bf16"),),
    "everything in TF32": lambda: (backend(torch.backends, "tf32"),),
    "two that disagree": lambda: (legacy("medium"), backend(torch.backends.mkldnn.matmul, "ieee")),
    "autocast": lambda: (torch.autocast("cpu", dtype=torch.bfloat16),),
    "autocast over medium": lambda: (legacy("medium"), torch.autocast("cpu", dtype=torch.bfloat16)),
    "default of bfloat16": lambda: (default_dtype(torch.bfloat16),),
    "default of double": lambda: (default_dtype(torch.float64),),
}
every_setting = pytest.mark.parametrize("setting", SETTINGS)


@contextmanager
def under(setting):
    with ExitStack() as stack:
        for each in SETTINGS[setting]():
            stack.enter_context(each)
        yield


def state():
    """All that can be read of it, with what the word for all is where torch has one."""
    try:
        word = torch.get_float32_matmul_precision()
    except RuntimeError:
        word = "no word for all"
    owners = (torch.backends, torch.backends.mkldnn, *_backends())
    return (
        word,
        [owner.fp32_precision for owner in owners],
        torch.backends.mkldnn.enabled,
        torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(),
    )


def relative_error():
    """Largest relative difference of products from those of doubles, in several shapes that take several kernels."""
    rng = torch.Generator().manual_seed(3)
    worst = 0.0
    for n in (8, 64, 300):
        a, b = (torch.randn(3, n, n, generator=rng, dtype=torch.float32) for _ in range(2))
        wanted = a.double() @ b.double()
        for ours in (a @ b, torch.bmm(a, b), torch.einsum("gij,gjk->gik", a, b)):
            worst = max(worst, float((ours.double() - wanted).abs().max() / wanted.abs().max()))
    return worst


@every_setting
def test_products_are_float32_whatever_was_asked_for(setting):
    with under(setting):
        before = state()
        with exact():
            assert relative_error() < 3e-6
        assert state() == before


@every_setting
@pytest.mark.parametrize("manager", [exact, fast_matrices])
def test_what_was_set_is_back_after_an_error(setting, manager):
    def fail():
        with manager():
            raise ZeroDivisionError

    with under(setting):
        before = state()
        with pytest.raises(ZeroDivisionError):
            fail()
        assert state() == before


def test_products_that_may_be_fast_are_asked_for():
    with fast_matrices():
        assert torch.get_float32_matmul_precision() == "medium"
        with exact():
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "medium"


@pytest.mark.parametrize("mode", ["BF16", "F16", "TF32", "ANY"])
def test_a_default_of_the_environment_does_not_count(mode):
    code = (
        "import torch; from synthkit.training.matrix_precision import exact\n"
        "a, b = torch.randn(2, 300, 300)\n"
        "with exact():\n    ours = a @ b\n"
        "wanted = a.double() @ b.double()\n"
        "assert float((ours - wanted).abs().max() / wanted.abs().max()) < 3e-6"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "ONEDNN_DEFAULT_FPMATH_MODE": mode})


class Net(nn.Module):
    """Products, places that share a weight, a table, sums and scales, in the dtype that fast processors get."""

    def __init__(self, dtype):
        super().__init__()
        with default_dtype(torch.float32):
            self.table, self.first, self.second = nn.Embedding(7, 24), nn.Linear(24, 32), nn.Linear(32, 1)
        self.dtype = dtype

    def forward(self, index):
        x = nn.functional.linear(self.table(index).to(self.dtype), self.first.weight.to(self.dtype))
        return self.second(torch.tanh(x.float() + self.first.bias)).float().square().sum(dim=(1, 2))


@every_setting
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [(Clipper, torch.float32), (Clipper, torch.bfloat16), (Sampled, torch.float32)],  # Opacus follows no cast weight
)
@pytest.mark.filterwarnings("ignore::UserWarning")  # of hooks, which Opacus knows
def test_no_unit_is_longer_than_the_clip_norm_under_any_precision(setting, dtype, kind):
    """Units of 1, 2, 5 and 40 rows, each alone: the length of what it adds, in double precision."""
    torch.manual_seed(0)
    net = Net(dtype)
    rows = torch.randint(0, 7, (48, 6))
    if kind is Sampled:
        net.forward = lambda index: net.second(torch.tanh(net.first(net.table(index)))).float().square().sum(dim=(1, 2))
    clip = 0.01
    with under(setting):
        sums = kind(net, lambda net, r: net(r), clip=clip)
        for size in (1, 2, 5, 40):
            added = sums(rows[:size], torch.zeros(size, dtype=torch.long))
            length = float(torch.cat([g.double().flatten() for g in added]).norm())
            assert clip * (1 - 1e-3) < length <= clip * (1 + 1e-6)


@pytest.mark.parametrize("kind", [Clipper, Sampled])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_in_which_no_norm_can_be_promised_are_refused(kind, dtype):
    with pytest.raises(ConfigError, match=r"weights must be float32 or finer .* some are torch\.(b?float16)\."):
        kind(nn.Linear(3, 1, dtype=dtype), lambda net, x: net(x).squeeze(1), clip=1.0)
