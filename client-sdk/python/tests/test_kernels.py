"""The CUDA kernels by ctypes, on the stand-in driver of gpu/, which runs them on the CPU.

On a GPU itself nothing of this was run.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import nola_adapters as nola  # noqa: E402
from nola_adapters import Adapter, Codes, Generator, Layer  # noqa: E402
from nola_adapters._bases import Basis  # noqa: E402
from nola_adapters._reconstruct import scaled  # noqa: E402
from nola_adapters.errors import MergeRefusedError  # noqa: E402
from nola_adapters.torch import AdapterSwitcher, attach, cuda, factor  # noqa: E402
from nola_adapters.torch.driver import LIBRARY_VARIABLE, CudaError, Driver  # noqa: E402

ROOT = Path(__file__).parents[3]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver's functions with kernels that run on fibers, compiled by g++."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed")
    library = tmp_path_factory.mktemp("stand-in") / "libcuda.so.1"
    source = ROOT / "gpu/src/test/cpp/driver.cpp"
    options = ["-std=c++17", "-O2", "-ffp-contract=off", "-shared", "-fPIC", "-w"]
    subprocess.run([compiler, *options, "-o", str(library), str(source)], check=True)
    return library


@pytest.fixture
def driver(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets tensors of the host count as a GPU's, whose memory the stand-in's is."""
    monkeypatch.setenv(LIBRARY_VARIABLE, str(stand_in))
    monkeypatch.setattr(factor, "runs_kernels", lambda _: True)
    monkeypatch.setattr("nola_adapters.torch.switcher.runs_kernels", lambda _: True)


CASES = [
    (generator, length, count, bits)
    for generator in Generator
    for length, count, bits in (
        (7, 3, 4),
        (1000, 40, 2),
        (5000, 300, 8),
        (9000, 60, 16),
        (20000, 16, 4),
    )
]


@pytest.mark.parametrize(("generator", "length", "count", "bits"), CASES)
def test_kernels_have_the_bits_of_numpy(
    driver: None, generator: Generator, length: int, count: int, bits: int
) -> None:
    count = length if generator is Generator.IDENTITY else count
    seed = 0 if generator is Generator.IDENTITY else 0xFEDCBA9876543210
    draw = np.random.default_rng(length)
    codes = Codes(bits, draw.integers(0, 1 << bits, count))
    shape = cuda.FactorShape(generator, 5, 1, length, count, bits)
    basis = Basis(generator, seed, 5, 1, length, count)
    scale = np.float32(0.37)
    expected = scaled(basis.combine(codes), scale, codes.bound() * generator.max_basis)
    actual = cuda.combine(shape, seed, codes, float(scale), CPU).numpy()
    assert np.array_equal(actual.view(np.uint32), expected.view(np.uint32))
    gradient = draw.normal(size=length).astype(np.float32)
    products = cuda.project(shape, seed, torch.from_numpy(gradient)).numpy()
    wanted = basis.project(gradient.astype(np.float64))
    np.testing.assert_allclose(products, wanted, rtol=1e-9, atol=1e-9 * np.abs(wanted).max())


@pytest.mark.parametrize(
    "name", ["metadata", "philox-srht-4-bit", "many-coefficients", "large-sums"]
)
def test_adapters_of_one_plan_have_the_bits_of_numpy(driver: None, name: str) -> None:
    path = ROOT / f"format-spec/vectors/valid/{name}.nola"
    if not path.exists():
        pytest.fail(f"{path} does not exist")
    adapter = nola.read(path).adapter
    plan = cuda.FactorPlan(adapter, CPU)
    slots = torch.stack([plan.slot(adapter), plan.slot(adapter)])
    out = torch.zeros((2, plan.elements))
    plan.reconstruct(slots, out)
    for each, places in zip(nola.factors(adapter, None), plan.places, strict=True):
        sides = [each.a] if each.b is None else [each.a, each.b]
        for side, (start, length) in zip(sides, places, strict=True):
            for row in out.numpy():
                actual = row[start : start + length].view(np.uint32)
                assert np.array_equal(actual, side.reshape(-1).view(np.uint32))


@pytest.mark.parametrize("generator", list(Generator))
def test_halves_are_finite_and_their_products_are_delta_w(
    driver: None, generator: Generator
) -> None:
    rows, cols, rank = 48, 40, 4
    draw = np.random.default_rng(3)
    counts = (rows * rank, cols * rank, rows * cols)
    ofs = [count if generator is Generator.IDENTITY else 128 for count in counts]
    codes = [Codes(4, draw.integers(0, 16, count)) for count in ofs]
    stream = 0 if generator is Generator.IDENTITY else 1
    deviation = generator.max_basis * (10 if generator is Generator.IDENTITY else 100)
    scale = np.float32(1e-3 / deviation**2)
    layers = (
        Layer("0.weight", rows, cols, rank, stream, scale, codes[0], codes[1]),
        Layer("1.weight", rows, cols, 0, 2 * stream, np.float32(1e-2 / deviation), codes[2]),
    )
    adapter = Adapter(generator, 42 * stream, layers)
    plan = cuda.FactorPlan(adapter, CPU)
    out = torch.zeros((1, plan.elements), dtype=torch.float16)
    slots = plan.slot(adapter).reshape(1, -1)
    plan.reconstruct(slots, out, cuda.balanced(adapter, out.dtype))
    assert torch.isfinite(out).all()
    for each, places in zip(nola.factors(adapter, None), plan.places, strict=True):
        sides = [out[0, start : start + length].double().numpy() for start, length in places]
        if each.b is None:
            actual, expected = sides[0], each.a.reshape(-1).astype(np.float64)
        else:
            actual = sides[0].reshape(rows, rank) @ sides[1].reshape(rank, cols)
            expected = each.a.astype(np.float64) @ each.b.astype(np.float64)
        assert np.linalg.norm(actual - expected) < 2**-11 * np.linalg.norm(expected)


@pytest.mark.parametrize("kernels", [False, True])
@pytest.mark.parametrize("stored", [torch.float16, torch.float32])
@pytest.mark.parametrize("model_type", [torch.float16, torch.float32])
def test_switcher_in_half_precision_adds_delta_w(
    kernels: bool, stored: Any, model_type: Any, request: pytest.FixtureRequest
) -> None:
    if kernels:
        request.getfixturevalue("driver")
    draw = np.random.default_rng(5)
    codes = [Codes(4, draw.integers(0, 16, 128)) for _ in "AB"]
    layer = Layer("0.weight", 24, 40, 3, 1, np.float32(2**-36), *codes)
    file = nola.seal(Adapter(Generator.UNIFORM8, 9, (layer,)))
    model = torch.nn.Sequential(torch.nn.Linear(40, 24, bias=False))
    x = torch.randn(5, 40)
    (delta,) = nola.factors(file.adapter, None)
    expected = x @ torch.from_numpy((delta.a.astype(np.float64) @ delta.b).T).float()
    with torch.no_grad():
        model[0].weight.zero_()
        switcher = AdapterSwitcher(model.to(model_type), {"a": file}, dtype=stored)
        switcher.switch("a")
        actual = model(x.to(model_type)).float()
    assert (actual - expected).norm() < 2**-8 * expected.norm()


def linear_model() -> Any:
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(40, 24), torch.nn.Tanh(), torch.nn.Linear(24, 8))


def adapter(seed: int) -> nola.AdapterFile:
    draw = np.random.default_rng(seed)
    layers = [
        Layer(name, rows, cols, 3, i, np.float32(2**-9), *(Codes(4, draw.integers(0, 16, 12)) for _ in "AB"))
        for i, (name, rows, cols) in enumerate((("0.weight", 24, 40), ("2.weight", 8, 24)))
    ]  # fmt: skip
    return nola.seal(Adapter(Generator.SRHT, seed, tuple(layers)))


@pytest.mark.parametrize("kernels", [False, True])
def test_switched_model_is_the_one_with_the_adapter(
    kernels: bool, request: pytest.FixtureRequest
) -> None:
    if kernels:
        request.getfixturevalue("driver")
    model = linear_model()
    x = torch.randn(5, 40)
    files = {f"a{seed}": adapter(seed) for seed in range(1, 101)}
    switcher = AdapterSwitcher(model, files, active=2)
    assert len(switcher) == 100
    with torch.no_grad():
        before = linear_model()(x)
        for name in ("a1", "a100", "a7", "a1"):
            switcher.switch(name)
            expected = attach(linear_model(), files[name], merged=True)(x)
            torch.testing.assert_close(model(x), expected, rtol=1e-4, atol=1e-4)
            assert (expected - before).abs().max() > 0.01
        switcher.switch(None)
        assert torch.equal(model(x), before)
        switcher.switch("a1")
        switcher.add("a1", files["a2"])
        expected = attach(linear_model(), files["a2"], merged=True)(x)
        torch.testing.assert_close(model(x), expected, rtol=1e-4, atol=1e-4)
        switcher.close()
        assert torch.equal(model(x), before)
    with pytest.raises(KeyError):
        switcher.switch("gone")
    with pytest.raises(MergeRefusedError, match="not found"):
        AdapterSwitcher(torch.nn.Linear(3, 3), files)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"layers": 1}, "number of layers is 1, not 2"),
        ({"generator": Generator.RADEMACHER}, "generator is philox-rademacher, not philox-srht"),
        ({"tensor": "1.weight"}, "tensor of layer 1 is 1.weight, not 2.weight"),
        ({"rank": 2}, r"rank of layer 1 \(2.weight\) is 2, not 3"),
        ({"cols": 23}, r"shape of layer 1 \(2.weight\) is \(8, 23\), not \(8, 24\)"),
        ({"stream": 5}, r"stream of layer 1 \(2.weight\) is 5, not 1"),
        ({"shape": (24, 8)}, r"stored shape of layer 1 \(2.weight\) is \(24, 8\), not \(8, 24\)"),
        ({"b": Codes(4, np.zeros(9))}, r"codes of side B of layer 1 \(2.weight\) is 9, not 12"),
        ({"a": Codes(5, np.zeros(12))}, r"bits of side A of layer 1 \(2.weight\) is 5, not 4"),
    ],
)
def test_adapter_that_does_not_fit_is_refused_with_the_difference(
    change: dict[str, Any], difference: str
) -> None:
    switcher = AdapterSwitcher(linear_model(), {"mood": adapter(1)})
    layers = adapter(2).adapter.layers[: change.pop("layers", 2)]
    generator = change.pop("generator", Generator.SRHT)
    other = nola.seal(Adapter(generator, 2, (*layers[:-1], replace(layers[-1], **change))))
    with pytest.raises(ValueError, match=rf"^tone does not fit mood: .*{difference}; adapters may"):
        switcher.add("tone", other)
    assert "tone" not in switcher


def test_training_on_kernels_has_the_losses_of_numpy(
    driver: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nola_adapters.torch import parametrize

    losses = []
    for uses in (True, False):
        monkeypatch.setattr(factor, "runs_kernels", lambda _, uses=uses: uses)
        model = linear_model()
        training = parametrize(model, rank=4, k=16, l=16, seed=3)
        optimizer, schedule = training.optimizers(10)
        torch.manual_seed(2)
        x, y = torch.randn(16, 40), torch.randn(16, 8)
        run = []
        for _ in range(10):
            loss = ((model(x) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            run.append(loss.item())
        losses.append(run)
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert losses[0][-1] < losses[0][0]


def test_driver_that_cannot_load_the_kernels_keeps_no_context(stand_in: Path, driver: None) -> None:
    library = ctypes.CDLL(str(stand_in))
    held = library.standin_held(b"contexts")
    assert held >= 0
    library.standin_set(b"failAfter", ctypes.c_long(1))  # the call after cuDevicePrimaryCtxRetain
    with pytest.raises(
        CudaError,
        match=r"GPU cannot be used: unknown error \(error 1 of cuModuleLoadData\); use the CPU",
    ):
        Driver(0)
    assert library.standin_held(b"contexts") == held


def test_missing_driver_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIBRARY_VARIABLE, "/nowhere/libcuda.so.1")
    with pytest.raises(CudaError, match="NVIDIA driver not found"):
        Driver(0)
