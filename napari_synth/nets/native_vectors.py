"""Sixteen numbers at a time inside native loops: what LLVM does not find in plain loops by itself.

LLVM makes of a vector of 16 what the processor has: one register of AVX-512, two of AVX2, four of NEON.
Compiled loops are kept as long as their own file stays the same: after a change here, touch the files that use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 16
ROWS = 4
"""Rows that `multiply_rows` makes at once; with 16 columns each they, and what they are made of, just fit AVX2."""
VECTOR = ir.VectorType(ir.FloatType(), LANES)
INDEX = ir.IntType(64)
FUSED = ("contract",)
"""A product and a sum may be one instruction, which is what `native_loops.OPTIONS` permits everywhere."""


class Lanes:
    """Sixteen numbers side by side, to write formulas with; arrays of numpy understand the same formulas."""

    def __init__(self, builder: Any, value: Any):
        self.builder = builder
        self.value = value

    def __add__(self, other: Lanes) -> Lanes:
        return Lanes(self.builder, self.builder.fadd(self.value, other.value, flags=FUSED))

    def __sub__(self, other: Lanes) -> Lanes:
        return Lanes(self.builder, self.builder.fsub(self.value, other.value, flags=FUSED))

    def __mul__(self, factor: float) -> Lanes:
        constant = ir.Constant(VECTOR, [factor] * LANES)
        return Lanes(self.builder, self.builder.fmul(self.value, constant, flags=FUSED))


Formula = Callable[[Sequence[Any]], list[Any]]


def combination(formula: Formula, inputs: int) -> Any:
    """A formula from some vectors to others as a function for native loops.

    It takes ``(to, at, step, given, begin, pitch)``: input i is the sixteen numbers of the flat float32 array
    ``given`` from ``begin + i · pitch`` on, output i goes to ``to`` at ``at + i · step``. All is read before
    anything is written.
    """

    def combine(context: Any, to: Any, at: Any, step: Any, given: Any, begin: Any, pitch: Any) -> Any:
        signature = types.void(to, at, step, given, begin, pitch)

        def generate(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
            target, at, step, source, begin, pitch = values
            target = _data(context, builder, signature.args[0], target)
            source = _data(context, builder, signature.args[3], source)
            read = [Lanes(builder, _load(builder, source, begin, pitch, i)) for i in range(inputs)]
            for i, made in enumerate(formula(read)):
                _store(builder, made.value, target, at, step, i)
            return context.get_dummy_value()

        return signature, generate

    return intrinsic(combine)


def _multiply_rows(
    context: Any, to: Any, at: Any, step: Any, a: Any, of_a: Any, pitch: Any, b: Any, of_b: Any, depth: Any
) -> Any:
    """``to[r, :16] = Σ_k a[r, k] b[k, :16]`` for `ROWS` rows r and ``depth`` ≥ 1 terms.

    All arrays are flat and float32: row r of ``to`` begins at ``at + r · step``, that of ``a`` at
    ``of_a + r · pitch``, that of ``b``, which is dense, at ``of_b``.
    """
    signature = types.void(to, at, step, a, of_a, pitch, b, of_b, depth)

    def generate(context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> Any:
        target, at, step, a, of_a, pitch, b, of_b, depth = values
        target, a, b = (_data(context, builder, signature.args[i], array) for i, array in ((0, target), (3, a), (6, b)))
        rows = [builder.gep(a, [_place(builder, of_a, pitch, r)]) for r in range(ROWS)]
        before, loop, after = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(INDEX)
        sums = [builder.phi(VECTOR) for _ in rows]
        column = _load(builder, b, of_b, k, LANES)
        added = [
            builder.fadd(
                total,
                builder.fmul(_spread(builder, builder.load(builder.gep(row, [k]))), column, flags=FUSED),
                flags=FUSED,
            )
            for row, total in zip(rows, sums, strict=True)
        ]
        following = builder.add(k, ir.Constant(INDEX, 1))
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
        k.add_incoming(ir.Constant(INDEX, 0), before)
        k.add_incoming(following, loop)
        for total, new in zip(sums, added, strict=True):
            total.add_incoming(ir.Constant(VECTOR, [0.0] * LANES), before)
            total.add_incoming(new, loop)
        builder.position_at_end(after)
        for r, total in enumerate(added):
            _store(builder, total, target, at, step, r)
        return context.get_dummy_value()

    return signature, generate


multiply_rows: Any = intrinsic(_multiply_rows)


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Where an array's numbers lie."""
    return context.make_array(kind)(context, builder, array).data


def _place(builder: Any, begin: Any, step: Any, count: int) -> Any:
    return builder.add(begin, builder.mul(step, ir.Constant(INDEX, count)))


def _address(builder: Any, data: Any, begin: Any, step: Any, count: int) -> Any:
    return builder.bitcast(builder.gep(data, [_place(builder, begin, step, count)]), VECTOR.as_pointer())


def _load(builder: Any, data: Any, begin: Any, step: Any, count: int) -> Any:
    loaded = builder.load(_address(builder, data, begin, step, count))
    loaded.align = 4
    return loaded


def _store(builder: Any, value: Any, data: Any, begin: Any, step: Any, count: int) -> None:
    builder.store(value, _address(builder, data, begin, step, count)).align = 4


def _spread(builder: Any, number: Any) -> Any:
    """One number sixteen times."""
    nothing, first = ir.Constant(VECTOR, ir.Undefined), ir.Constant(ir.IntType(32), 0)
    lane = builder.insert_element(nothing, number, first)
    return builder.shuffle_vector(lane, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))
