"""
The elementary functions of the activations and the losses, written so that a loop over them is vectorised.

A call to ``math.exp`` inside a compiled loop is a call into the C library, one number at a time, and nothing around
it can be vectorised either. The functions here are plain arithmetic instead: no branch, no table and no call, only
sums, products, a quotient here and there and selections between two finished values. LLVM then works on four to sixteen
numbers at once, and a loop ``for i in range(n): out[i] = tanh_(x[i])`` runs many times as fast.

Every name is a stub for compiled code: inside a function compiled by Numba, ``tanh_(x)`` becomes the version for the
type of ``x`` and gives that type back. The float32 versions compute in float32 and in 32-bit integers only, so that
they work on twice as many numbers at once as the float64 ones; there is nothing for any other type.

Four rules hold for all of them:

- NaN gives NaN, and infinities give the limits.
- A result below the smallest normal number of the type may be 0.
- No permission to reorder sums or to assume away NaN is given to the compiler: the argument reductions below depend
  on the order in which they are written. It may fuse a product with a sum, which makes the result no worse; the
  bounds hold on processors without a fused multiply-add too.
- The bounds in the docstrings are measured and not proven: the largest errors found, rounded up, in units of the last
  place of the correctly rounded result (ulp). Float32 was compared with float64 on four million arguments from the
  whole range, float64 with 64-bit mantissas on a million (erf and Φ: with 50 digits on sixteen thousand). The tests
  assert the same bounds against 50 digits on about two thousand arguments each.

Where the coefficients come from: each list was fitted to the function named beside it by iteratively reweighted least
squares in 40-digit arithmetic (Lawson's way to the minimax approximation; for the quotients of polynomials with the
linearisation of Sanathanan and Koerner), minimising the largest relative error of the final result. That error is
given beside each list. The reductions of the arguments are those of Cody and Waite (1980) and of fdlibm.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

__all__ = [
    "erf_",
    "exp_",
    "expm1_",
    "log1p_",
    "log_",
    "log_softplus_",
    "normal_cdf_",
    "normal_pdf_",
    "sigmoid_",
    "softplus_",
    "tanh_",
]

# "contract" fuses a·b + c. Neither "reassoc" (it would undo the reductions) nor "nnan", "ninf" and "nsz".
_FUSE = ("contract",)
# Without "forceinline" LLVM finds the longer bodies too long to inline, and a loop with a call is not vectorised.
# NumPy's error model: a division by zero is an infinity, not a branch to an exception.
_OPTIONS: Any = {"fastmath": set(_FUSE), "error_model": "numpy", "forceinline": True}


# ---- The pieces that Python cannot say: bits, selections without branches, polynomials without loops ----


class _Layout:
    """How a floating-point type lies in its bits."""

    def __init__(self, width: int, mantissa: int, sqrt_half: int) -> None:
        self.integer = ir.IntType(width)
        self.mantissa = mantissa
        self.bias = (1 << (width - mantissa - 2)) - 1
        self.one = self.bias << mantissa
        self.sqrt_half = sqrt_half  # the bits of √½

    def word(self, value: int) -> ir.Constant:
        return ir.Constant(self.integer, value)


_LAYOUTS = {types.float32: _Layout(32, 23, 0x3F3504F3), types.float64: _Layout(64, 52, 0x3FE6A09E667F3BCD)}


def _same_floats(*kinds: Any) -> bool:
    """Whether all are one floating-point type: a mixture would be promoted to float64 without a word."""
    return kinds[0] in _LAYOUTS and all(kind == kinds[0] for kind in kinds)


def _build_select(typing_context: Any, condition: Any, yes: Any, no: Any) -> Any:
    """``yes if condition else no``, with both already computed."""
    if condition != types.boolean or not _same_floats(yes, no):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return yes(condition, yes, no), generate


def _build_polynomial(typing_context: Any, x: Any, coefficients: Any) -> Any:
    """c₀ + c₁x + c₂x² + … by Horner's rule, written out."""
    if not isinstance(coefficients, types.UniTuple) or not _same_floats(x, coefficients.dtype):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, packed = arguments
        terms = [builder.extract_value(packed, i) for i in range(coefficients.count)]
        total = terms.pop()
        while terms:
            total = builder.fadd(builder.fmul(total, value, flags=_FUSE), terms.pop(), flags=_FUSE)
        return total

    return x(x, coefficients), generate


def _build_magnitude(typing_context: Any, x: Any) -> Any:
    """|x|."""
    if not _same_floats(x):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic("llvm.fabs", [arguments[0].type]), arguments)

    return x(x), generate


def _build_with_sign(typing_context: Any, x: Any, sign: Any) -> Any:
    """|x| with the sign of the other."""
    if not _same_floats(x, sign):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        real = arguments[0].type
        kind = ir.FunctionType(real, [real, real])
        return builder.call(builder.module.declare_intrinsic("llvm.copysign", [real], kind), arguments)

    return x(x, sign), generate


def _build_times_power(typing_context: Any, x: Any, shifted: Any) -> Any:
    """x·2ⁿ, where n stands in the low bits of ``shifted`` (see `_SHIFT`): n is added to the exponent of x."""
    if not _same_floats(x, shifted):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        layout = _LAYOUTS[x]
        bits = [builder.bitcast(argument, layout.integer) for argument in arguments]
        total = builder.add(bits[0], builder.shl(bits[1], layout.word(layout.mantissa)))
        return builder.bitcast(total, arguments[0].type)

    return x(x, shifted), generate


def _build_head(typing_context: Any, x: Any) -> Any:
    """x with the lower half of its digits set to 0: the square of the rest is exact."""
    if not _same_floats(x):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        layout = _LAYOUTS[x]
        bits = builder.bitcast(arguments[0], layout.integer)
        kept = builder.and_(bits, layout.word(-(1 << (layout.mantissa // 2 + 1))))
        return builder.bitcast(kept, arguments[0].type)

    return x(x), generate


def _build_split(typing_context: Any, x: Any) -> Any:
    """
    (m, k, 2¹⁻ᵏ) with x = m·2ᵏ and √½ ≤ m < √2, for a positive normal x.

    The bits of 1 − √½ are added first, so that the exponent field steps where the mantissa passes √2 and not 2. The
    integer k becomes a float by putting it below the exponent of 2⁵²: there is no packed instruction for the conversion
    of 64-bit integers before AVX-512.
    """
    if not _same_floats(x):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        layout, real = _LAYOUTS[x], arguments[0].type
        bits = builder.bitcast(arguments[0], layout.integer)
        moved = builder.add(bits, layout.word(layout.one - layout.sqrt_half))
        field = builder.lshr(moved, layout.word(layout.mantissa))
        power = builder.shl(field, layout.word(layout.mantissa))
        part = builder.bitcast(builder.sub(builder.add(bits, layout.word(layout.one)), power), real)
        ceiling = (layout.bias + layout.mantissa) << layout.mantissa
        count = builder.bitcast(builder.or_(field, layout.word(ceiling)), real)
        count = builder.fsub(count, ir.Constant(real, float((1 << layout.mantissa) + layout.bias)))
        inverse = builder.bitcast(builder.sub(layout.word(2 * layout.one + (1 << layout.mantissa)), power), real)
        return context.make_tuple(builder, signature.return_type, (part, count, inverse))

    three: Any = types.UniTuple  # as Any: it has no annotations
    return three(x, 3)(x), generate


_select: Any = intrinsic(_build_select)
_polynomial: Any = intrinsic(_build_polynomial)
_magnitude: Any = intrinsic(_build_magnitude)
_with_sign: Any = intrinsic(_build_with_sign)
_times_power: Any = intrinsic(_build_times_power)
_head: Any = intrinsic(_build_head)
_split: Any = intrinsic(_build_split)


# ---- Constants: one of each for each type ----


def _both(single: Any, double: Any) -> dict[Any, Any]:
    """A constant, or a list of coefficients, as each of the two types has it."""

    def of(kind: Any, value: Any) -> Any:
        return tuple(kind(each) for each in value) if isinstance(value, tuple) else kind(value)

    return {types.float32: of(np.float32, single), types.float64: of(np.float64, double)}


_ZERO = _both(0.0, 0.0)
_HALF = _both(0.5, 0.5)
_ONE = _both(1.0, 1.0)
_TWO = _both(2.0, 2.0)
_INFINITY = _both(math.inf, math.inf)
_NAN = _both(math.nan, math.nan)
_LOG2_E = _both(1.4426950408889634, 1.4426950408889634)
# ln 2 in two parts: the product of the first with an exponent is exact.
_LN2_HEAD = _both(0.693359375, 6.93147180369123816490e-01)
_LN2_TAIL = _both(-2.1219444005469057e-4, 1.90821492927058770002e-10)
# Added to a number that is small against it, this rounds it to the nearest whole number, which then stands in the
# low bits. A conversion to an integer would do the same, but not for NaN and not in packed form before AVX-512.
_SHIFT = _both(1.5 * 2.0**23, 1.5 * 2.0**52)
# Where exp(x) leaves the normal numbers.
_EXP_TOP = _both(np.nextafter(np.float32(88.72284), np.float32(0)), 709.782712893384)
_EXP_BOTTOM = _both(-87.3365, -708.39641853226)
_SMALLEST_NORMAL = _both(2.0**-126, 2.0**-1022)

# (eʳ − 1 − r)/r² on |r| ≤ ½ ln 2, relative to eʳ − 1: 2.4e-10 and 1.9e-17.
_EXP = _both(
    (
        0.5000000045052209704,
        0.1666666645195677746,
        0.04166635736153529678,
        0.008333372948425101041,
        0.001394087720412037325,
        0.0001985406761966186982,
    ),
    (
        0.500000000000000526,
        0.166666666666665989,
        0.04166666666657523477,
        0.008333333333381986691,
        0.001388888893211434634,
        0.0001984126973614386865,
        0.00002480150459600101881,
        2.755739230740534303e-6,
        2.762630911759036044e-7,
        2.505850433718843321e-8,
    ),
)
# (2 artanh(s) − 2s)/s³ in s², for s = (m − 1)/(m + 1) and √½ ≤ m ≤ √2: 7.9e-10 and 1.2e-18.
_LOG = _both(
    (0.6666677734978492913, 0.3997746775937326784, 0.2987306428578147542),
    (
        0.6666666666666734961,
        0.3999999999940902424,
        0.2857142874376729733,
        0.2222219842833346355,
        0.1818357193482479234,
        0.1531385357260819234,
        0.1479795015192139469,
    ),
)
# The same for 0 ≤ s ≤ ⅓, which is all of log(1 + e) for 0 ≤ e ≤ 1: 4.3e-9 and 1.3e-18.
_LOG1P_UNIT = _both(
    (0.6666641327823166262, 0.4002162546873112061, 0.2800066237829193672, 0.2801628239089423433),
    (
        0.6666666666666631277,
        0.4000000000015450035,
        0.2857142854815325253,
        0.2222222395296918134,
        0.1818174447425107117,
        0.1538654881364765732,
        0.1330111372880151569,
        0.1210501368069173393,
        0.08344654561570204057,
        0.1701035469785832523,
    ),
)
# erf(x)/x in x², 0 ≤ x ≤ 0.85: 6.0e-9 and 1.2e-17.
_ERF_NEAR = _both(
    (
        1.128379160089267084,
        -0.376125714343884197,
        0.1128271580184650288,
        -0.02680255211179479829,
        0.005051172431753352848,
        -0.0006315842384037172816,
    ),
    (
        1.12837916709551256,
        -0.3761263890318331275,
        0.1128379167093117362,
        -0.02686617064001624055,
        0.005223977569200831724,
        -0.0008548323403236901423,
        0.0001205518717186665639,
        -0.00001492186146731790538,
        1.639842944483084076e-6,
        -1.569267601692582005e-7,
        1.066359502181634322e-8,
    ),
)
# erfc(x)·exp(x²) as a quotient, relative to erf(x): 0.8 ≤ x ≤ 4.2, 7.2e-10, and 0.8 ≤ x ≤ 6, 8.8e-18.
_ERFC_OVER = _both(
    (1.000499031843793631, 0.7338475713910934811, 0.2272693385749132118),
    (
        0.9999999699356397491,
        1.362116750162775782,
        0.9145137782336375553,
        0.3528789244954677896,
        0.07781784276028732041,
        0.007966033699258047775,
    ),
)
_ERFC_UNDER = _both(
    (1.0, 1.865828625847246347, 1.320692760581736727, 0.4011570154228612187),
    (
        1.0,
        2.490495560778745131,
        2.724739084097700711,
        1.689167875991278788,
        0.6326006890162961514,
        0.1379230331706277316,
        0.01411961013137778778,
    ),
)
# From here on tanh and erf are 1.
_TANH_END = _both(10.0, 20.0)
_ERF_END = _both(4.2, 6.0)
# Φ(−t)·exp(t²/2) as a quotient, 0 ≤ t ≤ 14: 5.5e-9, and 0 ≤ t ≤ 39: 5.1e-17.
_TAIL_OVER = _both(
    (
        0.50000000274203805,
        0.4372184631326750786,
        0.1824370493537354878,
        0.04036399054883659698,
        0.004076281798733971443,
    ),
    (
        0.4999999999999999747,
        0.7748265777649386795,
        0.5939769047556236577,
        0.2892825955637344005,
        0.09767665895512376932,
        0.02361541404005823567,
        0.004087804918752342558,
        0.0004901958156305436876,
        0.00003723365200668466904,
        1.384764599542421846e-6,
    ),
)
_TAIL_UNDER = _both(
    (
        1.0,
        1.672321879718158051,
        1.199189405834658243,
        0.467363512469872704,
        0.1011843374519365048,
        0.01021759429355491318,
    ),
    (
        1.0,
        2.347537716332732747,
        2.561017909275869855,
        1.714154502975597557,
        0.7818964759747976233,
        0.2548990089089044526,
        0.06041686148767140846,
        0.01033993830419356444,
        0.001232209781864059359,
        0.00009333092488558634001,
        3.47109009893145009e-6,
    ),
)
# Beyond this, exp(−t²/2) is 0 for every function that uses it.
_TAIL_END = _both(15.0, 40.0)
_PDF_AT_ZERO = _both(0.3989422804014327, 0.3989422804014327)
# Below this, log(softplus(z)) and z are the same number.
_LOG_SOFTPLUS_LINEAR = _both(-30.0, -37.0)


# ---- The stubs ----


def _only_compiled(name: str) -> Any:
    return NotImplementedError(f"{name} exists inside functions compiled by Numba only, for float32 and float64")


def exp_(x: Any) -> Any:
    """eˣ, within 1.1 ulp in float32 and in float64."""
    raise _only_compiled("exp_")


def expm1_(x: Any) -> Any:
    """eˣ − 1, within 1.4 ulp in float32 and 2.2 ulp in float64."""
    raise _only_compiled("expm1_")


def log_(x: Any) -> Any:
    """The natural logarithm, within 1.1 ulp in float32 and 0.9 ulp in float64; −∞ at 0 and NaN below."""
    raise _only_compiled("log_")


def log1p_(x: Any) -> Any:
    """log(1 + x), within 1 ulp in float32 and in float64; −∞ at −1 and NaN below."""
    raise _only_compiled("log1p_")


def tanh_(x: Any) -> Any:
    """The hyperbolic tangent, within 2.4 ulp in float32 and 2.8 ulp in float64."""
    raise _only_compiled("tanh_")


def sigmoid_(x: Any) -> Any:
    """1/(1 + e⁻ˣ), within 2.4 ulp in float32 and 2.2 ulp in float64, far to the left too."""
    raise _only_compiled("sigmoid_")


def softplus_(x: Any) -> Any:
    """log(1 + eˣ), within 2.5 ulp in float32 and 2.8 ulp in float64, far to the left too."""
    raise _only_compiled("softplus_")


def log_softplus_(x: Any) -> Any:
    """
    log(log(1 + eˣ)), within 2.3 ulp of the larger of 1 and the result, in float32 and in float64.

    Near its zero, x = log(e − 1), the bound is therefore an absolute one: 3e-7 in float32 and 6e-16 in float64. Far to
    the left, where the difference from x is less than half a unit in the last place, the result is x itself; the limit
    −∞ of the logarithm is never reached by an underflow.
    """
    raise _only_compiled("log_softplus_")


def erf_(x: Any) -> Any:
    """The error function, within 2.5 ulp in float32 and 2 ulp in float64."""
    raise _only_compiled("erf_")


def normal_cdf_(x: Any) -> Any:
    """
    Φ(x), within 5.5 ulp in float32 and 7 ulp in float64, in the left tail too.

    That is as far as the result is a normal number: down to x = −12.8 in float32 and x = −37.4 in float64, where the
    relative error is still below 7e-7 and 1.6e-15.
    """
    raise _only_compiled("normal_cdf_")


def normal_pdf_(x: Any) -> Any:
    """exp(−x²/2)/√(2π), within 2.1 ulp in float32 and 2.4 ulp in float64, in the tails too."""
    raise _only_compiled("normal_pdf_")


# The parts that several of them share.


def _exp_of_sum(x: Any, y: Any) -> Any:
    """exp(x + y) for a y that is small against x: the digits of x + y that one number cannot hold count too."""
    raise _only_compiled("_exp_of_sum")


def _half_expm1(x: Any) -> Any:
    """(eˣ − 1)/2, for an x that is neither so large that 2ⁿ⁻¹ overflows nor so small that it underflows."""
    raise _only_compiled("_half_expm1")


def _log_of_normal(x: Any, correction: Any) -> Any:
    """log(x + correction) for a positive normal x and a correction below its last place, or None."""
    raise _only_compiled("_log_of_normal")


def _square_decay(x: Any) -> Any:
    """exp(−x²/2)."""
    raise _only_compiled("_square_decay")


# ---- The versions. Each of these is called with the type of the argument and returns what is compiled for it ----


def _choose_exp_of_sum(x: Any, y: Any) -> Any:
    if not _same_floats(x, y):
        return None
    one, zero, infinity, shift, coefficients = _ONE[x], _ZERO[x], _INFINITY[x], _SHIFT[x], _EXP[x]
    log2_e, ln2_head, ln2_tail, top, bottom = _LOG2_E[x], _LN2_HEAD[x], _LN2_TAIL[x], _EXP_TOP[x], _EXP_BOTTOM[x]

    def version(x: Any, y: Any) -> Any:
        total = x + y
        shifted = total * log2_e + shift
        n = shifted - shift
        r = ((x - n * ln2_head) - n * ln2_tail) + y
        power = one + (r + r * r * _polynomial(r, coefficients))
        # Outside the normal range the sum of the exponents is nonsense, and is replaced. NaN comes in by the last.
        result = _select(total >= bottom, _times_power(power, shifted), zero)
        return _select(total <= top, result, total + infinity)

    return version


def _choose_exp(x: Any) -> Any:
    if not _same_floats(x):
        return None
    one, zero, infinity, shift, coefficients = _ONE[x], _ZERO[x], _INFINITY[x], _SHIFT[x], _EXP[x]
    log2_e, ln2_head, ln2_tail, top, bottom = _LOG2_E[x], _LN2_HEAD[x], _LN2_TAIL[x], _EXP_TOP[x], _EXP_BOTTOM[x]

    def version(x: Any) -> Any:
        shifted = x * log2_e + shift
        n = shifted - shift
        r = (x - n * ln2_head) - n * ln2_tail
        power = one + (r + r * r * _polynomial(r, coefficients))
        result = _select(x >= bottom, _times_power(power, shifted), zero)
        return _select(x <= top, result, x + infinity)

    return version


def _choose_half_expm1(x: Any) -> Any:
    if not _same_floats(x):
        return None
    half, shift, coefficients = _HALF[x], _SHIFT[x], _EXP[x]
    log2_e, ln2_head, ln2_tail = _LOG2_E[x], _LN2_HEAD[x], _LN2_TAIL[x]

    def version(x: Any) -> Any:
        shifted = x * log2_e + shift
        n = shifted - shift
        r = (x - n * ln2_head) - n * ln2_tail
        # Half of the value throughout, since 2ⁿ itself overflows in the last step before eˣ does.
        scale = _times_power(half, shifted)
        return scale * (r + r * r * _polynomial(r, coefficients)) + (scale - half)

    return version


def _choose_expm1(x: Any) -> Any:
    if not _same_floats(x):
        return None
    zero, one, infinity, top = _ZERO[x], _ONE[x], _INFINITY[x], _EXP_TOP[x]
    bottom = type(one)(-50)

    def version(x: Any) -> Any:
        value = _half_expm1(x)
        result = _select(x >= bottom, value + value, -one)
        result = _select(x == zero, x, result)  # −0 stays −0
        return _select(x <= top, result, x + infinity)

    return version


def _choose_log_of_normal(x: Any, correction: Any) -> Any:
    if not (_same_floats(x, correction) or (_same_floats(x) and correction == types.none)):
        return None
    one, two, half, coefficients = _ONE[x], _TWO[x], _HALF[x], _LOG[x]
    ln2_head, ln2_tail = _LN2_HEAD[x], _LN2_TAIL[x]

    def plain(x: Any, correction: Any) -> Any:
        part, count, _ = _split(x)
        f = part - one
        s = f / (two + f)
        square = s * s
        # log(1 + f) = f − f²/2 + s·(f²/2 + R(s²)) keeps the digits of f, which 2s does not.
        half_square = half * f * f
        low = s * (half_square + square * _polynomial(square, coefficients)) + count * ln2_tail
        return count * ln2_head - ((half_square - low) - f)

    def corrected(x: Any, correction: Any) -> Any:
        part, count, twice_inverse = _split(x)
        f = part - one
        s = f / (two + f)
        square = s * s
        half_square = half * f * f
        # A correction c adds c/(1 + f), of which two digits suffice, and 1/(1 + f) = (1 − s)/(1 + s).
        more = (correction * twice_inverse) * (half * (one - s) * (one - s))
        low = s * (half_square + square * _polynomial(square, coefficients)) + (count * ln2_tail + more)
        return count * ln2_head - ((half_square - low) - f)

    return plain if correction == types.none else corrected


def _choose_log(x: Any) -> Any:
    if not _same_floats(x):
        return None
    zero, infinity, nan, smallest = _ZERO[x], _INFINITY[x], _NAN[x], _SMALLEST_NORMAL[x]
    one = _ONE[x]
    lift, fall = type(one)(2.0**60), type(one)(60 * math.log(2))

    def version(x: Any) -> Any:
        tiny = x < smallest
        value = _log_of_normal(x * _select(tiny, lift, one), None) - _select(tiny, fall, zero)
        value = _select(x < infinity, value, x)
        value = _select(x == zero, -infinity, value)
        return _select(x < zero, nan, value)

    return version


def _choose_log1p(x: Any) -> Any:
    if not _same_floats(x):
        return None
    zero, one, infinity, nan = _ZERO[x], _ONE[x], _INFINITY[x], _NAN[x]

    def version(x: Any) -> Any:
        # What the rounding of 1 + x has lost, exactly (Knuth's sum of two numbers).
        total = one + x
        back = total - one
        lost = (one - (total - back)) + (x - back)
        value = _log_of_normal(total, lost)
        value = _select(x == zero, x, value)  # −0 stays −0
        value = _select(x < infinity, value, x)
        value = _select(x == -one, -infinity, value)
        return _select(x < -one, nan, value)

    return version


def _choose_tanh(x: Any) -> Any:
    if not _same_floats(x):
        return None
    one, end = _ONE[x], _TANH_END[x]

    def version(x: Any) -> Any:
        a = _magnitude(x)
        a = _select(a > end, end, a)
        # With h = (e²ᵃ − 1)/2, tanh(a) = h/(h + 1).
        h = _half_expm1(a + a)
        return _with_sign(h / (h + one), x)

    return version


def _choose_sigmoid(x: Any) -> Any:
    if not _same_floats(x):
        return None
    one = _ONE[x]

    def version(x: Any) -> Any:
        return one / (one + exp_(-x))

    return version


def _choose_softplus(x: Any) -> Any:
    if not _same_floats(x):
        return None
    zero, two, coefficients = _ZERO[x], _TWO[x], _LOG1P_UNIT[x]

    def version(x: Any) -> Any:
        e = exp_(-_magnitude(x))
        # log(1 + e) = 2 artanh(e/(2 + e)) needs no reduction of its argument for 0 ≤ e ≤ 1.
        s = e / (two + e)
        square = s * s
        return _select(x > zero, x, zero) + (two * s + s * square * _polynomial(square, coefficients))

    return version


def _choose_log_softplus(x: Any) -> Any:
    if not _same_floats(x):
        return None
    infinity, linear = _INFINITY[x], _LOG_SOFTPLUS_LINEAR[x]

    def version(x: Any) -> Any:
        value = softplus_(x)
        result = _select(value < infinity, _log_of_normal(value, None), value)
        return _select(x < linear, x, result)

    return version


def _choose_erf(x: Any) -> Any:
    if not _same_floats(x):
        return None
    one, end, near, over, under = _ONE[x], _ERF_END[x], _ERF_NEAR[x], _ERFC_OVER[x], _ERFC_UNDER[x]
    edge = type(one)(0.82)

    def version(x: Any) -> Any:
        a = _magnitude(x)
        a = _select(a > end, end, a)
        square = a * a
        far = one - exp_(-square) * _polynomial(a, over) / _polynomial(a, under)
        return _with_sign(_select(a < edge, a * _polynomial(square, near), far), x)

    return version


def _choose_square_decay(x: Any) -> Any:
    if not _same_floats(x):
        return None
    half, end = _HALF[x], _TAIL_END[x]

    def version(x: Any) -> Any:
        t = _magnitude(x)
        t = _select(t > end, end, t)
        # x² in two parts, since an error of 1 ulp in x² is one of x² ulp in the exponential.
        head = _head(t)
        return _exp_of_sum(-half * (head * head), -half * ((t - head) * (t + head)))

    return version


def _choose_normal_pdf(x: Any) -> Any:
    if not _same_floats(x):
        return None
    height = _PDF_AT_ZERO[x]

    def version(x: Any) -> Any:
        return height * _square_decay(x)

    return version


def _choose_normal_cdf(x: Any) -> Any:
    if not _same_floats(x):
        return None
    zero, one, end, over, under = _ZERO[x], _ONE[x], _TAIL_END[x], _TAIL_OVER[x], _TAIL_UNDER[x]

    def version(x: Any) -> Any:
        t = _magnitude(x)
        t = _select(t > end, end, t)
        tail = _square_decay(t) * _polynomial(t, over) / _polynomial(t, under)
        return _select(x > zero, one - tail, tail)

    return version


for _stub, _choose in (
    (_exp_of_sum, _choose_exp_of_sum),
    (_half_expm1, _choose_half_expm1),
    (_log_of_normal, _choose_log_of_normal),
    (_square_decay, _choose_square_decay),
    (exp_, _choose_exp),
    (expm1_, _choose_expm1),
    (log_, _choose_log),
    (log1p_, _choose_log1p),
    (tanh_, _choose_tanh),
    (sigmoid_, _choose_sigmoid),
    (softplus_, _choose_softplus),
    (log_softplus_, _choose_log_softplus),
    (erf_, _choose_erf),
    (normal_pdf_, _choose_normal_pdf),
    (normal_cdf_, _choose_normal_cdf),
):
    overload(_stub, jit_options=_OPTIONS)(_choose)
