"""The vectorised elementary functions: within their bounds of 50-digit arithmetic, and packed when looped over."""

from __future__ import annotations

import functools
import re
import subprocess
import sys

import mpmath
import numba
import numpy as np
import pytest

from glassnet.engines.compiled import vector_math

FLOATS = (np.float32, np.float64)
DIGITS = 50


def softplus(z):
    return mpmath.log1p(mpmath.exp(z)) if z < 0 else z + mpmath.log1p(mpmath.exp(-z))


EXACT = {
    "exp_": mpmath.exp,
    "expm1_": mpmath.expm1,
    "log_": mpmath.log,
    "log1p_": mpmath.log1p,
    "tanh_": mpmath.tanh,
    "sigmoid_": lambda z: 1 / (1 + mpmath.exp(-z)),
    "softplus_": softplus,
    "log_softplus_": lambda z: mpmath.log(softplus(z)),
    "erf_": mpmath.erf,
    "normal_cdf_": lambda z: mpmath.erfc(-z / mpmath.sqrt(2)) / 2,
    "normal_pdf_": lambda z: mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi),
}
# In units of the last place: float32, float64. The same numbers stand in the docstrings.
BOUNDS = {
    "exp_": (1.1, 1.1),
    "expm1_": (1.4, 2.2),
    "log_": (1.1, 0.9),
    "log1p_": (1.0, 1.0),
    "tanh_": (2.4, 2.8),
    "sigmoid_": (2.4, 2.2),
    "softplus_": (2.5, 2.8),
    "log_softplus_": (2.3, 2.3),
    "erf_": (2.5, 2.0),
    "normal_cdf_": (5.5, 7.0),
    "normal_pdf_": (2.1, 2.4),
}
EACH = pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in EXACT for kind in FLOATS],
    ids=lambda part: getattr(part, "__name__", part),
)


@functools.cache
def looped(name):
    function = getattr(vector_math, name)

    @numba.njit
    def run(x, out):
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    return run


def computed(name, x):
    out = np.empty_like(x)
    looped(name)(x, out)
    return out


def points(name, kind):
    """About two thousand arguments: tiny ones, around 0, moderate, up to the edges of the range, of both signs."""
    limits = np.finfo(kind)
    draws = np.random.default_rng(20240229)
    edge = float(np.log(limits.max))
    tiny = 10.0 ** draws.uniform(-30, 0, 300)
    if name in ("log_", "log1p_"):
        parts = [
            np.exp(draws.uniform(np.log(float(limits.tiny)), edge, 500)),
            draws.uniform(0.5, 1, 50) * float(limits.max),
            draws.uniform(0, 3, 500),
        ]
        if name == "log_":
            parts += [1 + tiny[:200], 1 - tiny[:200], draws.uniform(0.6, 1.6, 500)]
        else:
            parts += [tiny, -tiny, draws.uniform(-1, 1, 500), np.nextafter(-1, 0) + tiny[:50] * 1e-3]
    elif name.startswith("normal"):
        tail = 12.8 if kind is np.float32 else 37.4
        parts = [tiny, -tiny, draws.uniform(-1, 1, 400), draws.uniform(-6, 6, 500), draws.uniform(-tail, 9, 500)]
    elif name in ("tanh_", "erf_"):
        parts = [tiny, -tiny, draws.uniform(-1, 1, 700), draws.uniform(-6, 6, 500), draws.uniform(-30, 30, 100)]
    else:
        parts = [tiny, -tiny, draws.uniform(-1, 1, 500), draws.uniform(-20, 20, 500), draws.uniform(-edge, edge, 400)]
    return np.concatenate(parts).astype(kind)


@EACH
def test_within_its_bound_of_exact_arithmetic(name, kind):
    x = points(name, kind)
    found = computed(name, x)
    assert found.dtype == kind
    limits, bound = np.finfo(kind), BOUNDS[name][FLOATS.index(kind)]
    checked = 0
    with mpmath.workdps(DIGITS):
        for argument, value in zip(x.tolist(), found.tolist(), strict=True):
            exact = EXACT[name](mpmath.mpf(argument))
            if not limits.tiny <= abs(exact) < limits.max:  # subnormal results may be 0
                continue
            size = max(1.0, abs(float(exact))) if name == "log_softplus_" else abs(float(exact))
            error = float(abs(mpmath.mpf(value) - exact) / float(np.spacing(kind(size))))
            assert error <= bound, f"{name}({argument!r}) = {value!r}: {error:.2f} ulp"
            checked += 1
    assert checked > 0.8 * x.size


INF, NAN = np.inf, np.nan
HALF_LOG = float(np.log(np.log(2)))
SPECIAL = {
    #           0        −0      ∞      −∞    1000    −1000
    "exp_": (1.0, 1.0, INF, 0.0, INF, 0.0),
    "expm1_": (0.0, -0.0, INF, -1.0, INF, -1.0),
    "log_": (-INF, -INF, INF, NAN, np.log(1000), NAN),
    "log1p_": (0.0, -0.0, INF, NAN, np.log(1001), NAN),
    "tanh_": (0.0, -0.0, 1.0, -1.0, 1.0, -1.0),
    "sigmoid_": (0.5, 0.5, 1.0, 0.0, 1.0, 0.0),
    "softplus_": (np.log(2), np.log(2), INF, 0.0, 1000.0, 0.0),
    "log_softplus_": (HALF_LOG, HALF_LOG, INF, -INF, np.log(1000), -1000.0),
    "erf_": (0.0, -0.0, 1.0, -1.0, 1.0, -1.0),
    "normal_cdf_": (0.5, 0.5, 1.0, 0.0, 1.0, 0.0),
    "normal_pdf_": (1 / np.sqrt(2 * np.pi), 1 / np.sqrt(2 * np.pi), 0.0, 0.0, 0.0, 0.0),
}


@EACH
def test_special_values(name, kind):
    found = computed(name, np.array([0.0, -0.0, INF, -INF, 1000.0, -1000.0], kind))
    expected = np.array(SPECIAL[name], kind)
    np.testing.assert_allclose(found, expected, rtol=3 * np.finfo(kind).eps)
    zero = expected == 0
    np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(expected[zero]))


@EACH
def test_every_nan_stays_nan(name, kind):
    # All payloads that the low bits can hold next to the quiet bit: the reductions work on these very bits.
    bits = np.array([kind(NAN)]).view(np.uint32 if kind is np.float32 else np.uint64)
    payloads = bits + np.arange(5000, dtype=bits.dtype)
    both = np.concatenate([payloads, payloads | (bits.dtype.type(1) << bits.dtype.type(8 * bits.itemsize - 1))])
    assert np.isnan(computed(name, both.view(kind))).all()


@EACH
def test_subnormal_arguments(name, kind):
    smallest = float(np.finfo(kind).tiny)
    x = np.array([smallest / 4, -smallest / 4], kind)
    found = computed(name, x).astype(float)
    if name == "log_":
        assert found[0] == pytest.approx(np.log(smallest / 4), rel=3e-7)
        assert np.isnan(found[1])
    elif SPECIAL[name][0] == 0:
        np.testing.assert_allclose(found, 0, atol=smallest)
    else:
        np.testing.assert_allclose(found, SPECIAL[name][0], rtol=3 * np.finfo(kind).eps)


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("name", ["exp_", "expm1_"])
def test_overflow_where_the_type_ends(name, kind):
    with mpmath.workdps(DIGITS):
        last = kind(float(mpmath.log(float(np.finfo(kind).max))))
    around = np.array([last], kind)
    for _ in range(2):
        around = np.concatenate([np.nextafter(around[:1], kind(0)), around, np.nextafter(around[-1:], kind(INF))])
    found = computed(name, around)
    assert np.isfinite(found[0])
    assert found[0] > 0.999 * np.finfo(kind).max
    assert found[-1] == INF


@pytest.mark.parametrize("kind", FLOATS)
def test_the_range_of_the_bounded_ones(kind):
    x = np.concatenate([np.linspace(-50, 50, 200_001), np.linspace(-2, 2, 200_001)]).astype(kind)
    assert np.abs(computed("tanh_", x)).max() == 1
    assert np.abs(computed("erf_", x)).max() == 1
    for name in ("sigmoid_", "normal_cdf_"):
        found = computed(name, x)
        assert found.min() >= 0
        assert found.max() == 1
    for name in ("tanh_", "erf_"):
        np.testing.assert_array_equal(computed(name, -x), -computed(name, x))


@EACH
def test_nothing_is_computed_in_another_type_or_called(name, kind):
    computed(name, np.ones(1, kind))
    (signature,) = [each for each in looped(name).signatures if each[0].dtype == numba.from_dtype(np.dtype(kind))]
    code = looped(name).inspect_llvm(signature)
    assert "fpext" not in code
    assert "fptrunc" not in code
    other = "double" if kind is np.float32 else "float"
    assert not re.search(rf"\bf(add|sub|mul|div) [a-z ]*{other}\b", code)
    # The loop itself: LLVM has made vectors of it, of some width that the processor has.
    own = "float" if kind is np.float32 else "double"
    assert re.search(rf"f(add|mul|sub) [a-z ]*<\d+ x {own}>", code)


def test_other_types_are_refused():
    @numba.njit
    def run(x):
        return vector_math.tanh_(x)

    with pytest.raises(numba.TypingError):
        run(1)
    with pytest.raises(NotImplementedError, match="compiled by Numba"):
        vector_math.tanh_(1.0)


def test_a_caller_can_be_cached(tmp_path):
    (tmp_path / "caller.py").write_text(
        "import numba, numpy as np\n"
        "from glassnet.engines.compiled.vector_math import softplus_\n"
        "@numba.njit(cache=True)\n"
        "def run(x):\n"
        "    total = x[0] - x[0]\n"
        "    for each in x:\n"
        "        total += softplus_(each)\n"
        "    return total\n"
        "print(run(np.zeros(2, np.float32)), sum(run.stats.cache_hits.values()))\n"
    )
    told = [
        subprocess.run([sys.executable, "caller.py"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [line.split()[1] for line in told] == ["0", "1"]
    assert [float(line.split()[0]) for line in told] == pytest.approx([2 * np.log(2)] * 2, rel=1e-6)
