"""Memory and BLAS by address: what compiled code needs to work on planned memory, and to stay cached on disk.

A function pointer or an array kept in a global would be written into the compiled code, which then could not be cached; an
address is an argument like any other number.
"""

from __future__ import annotations

import ctypes
from typing import Any

from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

TRANSPOSED, PLAIN = ord("T"), ord("N")


def gemm_address(dtype: str) -> int:
    """Where SciPy's BLAS has its matrix product for this type."""
    name = "sgemm" if dtype == "float32" else "dgemm"
    return int(get_cython_function_address("scipy.linalg.cython_blas", name))


@intrinsic
def _pointer(typing_context: Any, address: Any, like: Any) -> Any:
    signature = types.CPointer(like.dtype)(types.intp, like)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return signature, generate


@njit(inline="always")
def numbers_at(address, count, like):
    """`count` numbers at an address, of the type of the array `like`."""
    return carray(_pointer(address, like), (count,))


@intrinsic
def _call_gemm(
    typing_context: Any, function: Any, ta: Any, tb: Any, m: Any, n: Any, k: Any, alpha: Any, a: Any, lda: Any, b: Any,
    ldb: Any, beta: Any, c: Any, ldc: Any,
) -> Any:  # fmt: skip
    signature = types.void(*[types.intp] * 14)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)

        def by_reference(value: Any) -> Any:
            place = cgutils.alloca_once(builder, word)
            builder.store(builder.trunc(value, word), place)
            return builder.bitcast(place, byte)

        def pointer(value: Any) -> Any:
            return builder.inttoptr(value, byte)

        function, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc = arguments
        kind = ir.FunctionType(ir.VoidType(), [byte] * 13)
        given = [
            by_reference(ta), by_reference(tb), by_reference(m), by_reference(n), by_reference(k), pointer(alpha), pointer(a),
            by_reference(lda), pointer(b), by_reference(ldb), pointer(beta), pointer(c), by_reference(ldc),
        ]  # fmt: skip
        builder.call(builder.inttoptr(function, kind.as_pointer()), given)
        return context.get_dummy_value()

    return signature, generate


@njit(inline="always")
def gemm(function, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
    """C = alpha · op(A) op(B) + beta · C for matrices stored row by row; all but the sizes are addresses.

    BLAS stores by columns: there the rows' Cᵀ = op(B)ᵀ op(A)ᵀ is what it sees.
    """
    _call_gemm(function, tb, ta, n, m, k, alpha, b, ldb, a, lda, beta, c, ldc)


# What two threads say to each other: a number in memory that is read, written or exchanged in one piece.


@intrinsic
def load_shared(typing_context: Any, array: Any, index: Any) -> Any:
    """array[index], and all that its writer wrote before."""
    signature = types.int64(array, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature, arguments), "acquire", 8)

    return signature, generate


@intrinsic
def store_shared(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """array[index] = value, after all that was written before."""
    signature = types.void(array, types.intp, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store_atomic(arguments[2], _place(context, builder, signature, arguments), "release", 8)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def take_shared(typing_context: Any, array: Any, index: Any, expected: Any, value: Any) -> Any:
    """array[index] = value if it was `expected`; whether it was. Of two threads that ask, one succeeds."""
    signature = types.boolean(array, types.intp, types.int64, types.int64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, arguments)
        result = builder.cmpxchg(place, arguments[2], arguments[3], "acq_rel", "acquire")
        return builder.extract_value(result, 1)

    return signature, generate


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


@intrinsic
def let_others_run(typing_context: Any, function: Any) -> Any:
    """Give the core to another thread: `sched_yield`, by its address; nothing where there is none (0)."""
    signature = types.void(types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [])
        zero = ir.Constant(arguments[0].type, 0)
        with builder.if_then(builder.icmp_signed("!=", arguments[0], zero)):
            builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), [])
        return context.get_dummy_value()

    return signature, generate


def yield_address() -> int:
    """Where the C library has `sched_yield`; 0 where it has none."""
    try:
        return ctypes.cast(ctypes.CDLL(None).sched_yield, ctypes.c_void_p).value or 0
    except (AttributeError, OSError, TypeError):
        return 0
