"""Single-precision products of a few dozen rows, compiled by numba for the CPU at hand.

A recurrent layer multiplies some rows by the same weights at each time step. A BLAS packs those weights anew in each
call, which costs it a third of its rate at 64 rows and half at 32; here they are packed once. Every sum is taken in
one thread in one order, so equal input gives equal bytes.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

Matrix = npt.NDArray[np.float32]

ROWS, LANES = 6, 16
"""A tile's size: 6 × 16 sums fill 12 of AVX2's 16 registers, which leaves the 3 that a step needs."""


def _can_be_kept() -> bool:
    """Whether what is compiled can be stored for the next process: in NUMBA_CACHE_DIR, or beside this file.

    Where neither can be written to, numba would take the user's home; here each process compiles for itself.
    """
    named: str = numba.config.CACHE_DIR  # type: ignore[attr-defined]  # set from the environment
    return any(map(_is_writable, filter(None, [named, str(Path(__file__).with_name("__pycache__"))])))


def _is_writable(folder: str) -> bool:
    try:
        os.makedirs(folder, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # as numba itself looks
    except OSError:
        return False
    return True


compiled: Any = numba.njit(nogil=True, cache=_can_be_kept(), error_model="numpy", fastmath={"contract"})
"""Multiplications and additions may be fused, nothing else is loosened: what is not a number stays so."""


def panels(weights: Matrix) -> Matrix:
    """Weights `[depth, width]` as `multiply` reads them, `[panels, depth, LANES]`, filled up with zeros."""
    depth, width = weights.shape
    whole = np.pad(weights, ((0, 0), (0, -width % LANES)))
    return np.ascontiguousarray(whole.reshape(depth, -1, LANES).transpose(1, 0, 2))


@compiled
def multiply(a: Matrix, weights: Matrix, out: Matrix) -> None:
    """Write `a [rows, depth]` × `weights [panels, depth, LANES]` to `out [rows, panels * LANES]`."""
    rows, depth = a.shape
    width = out.shape[1]
    for panel in range(weights.shape[0]):
        for row in range(0, rows, ROWS):
            at = row * width + panel * LANES
            _tile(a[row:], depth, 1, rows - row, weights[panel], LANES, depth, out, at, width, False)


@compiled
def add_outer(a: Matrix, b: Matrix, out: Matrix) -> None:
    """Add `a [rows, height]`, transposed, × `b [rows, width]` to `out [height, width]`; LANES must divide width."""
    height, width = out.shape
    rows = a.shape[0]
    for row in range(0, height, ROWS):
        for left in range(0, width, LANES):
            at = row * width + left
            _tile(a[:, row:], 1, height, height - row, b[:, left:], width, rows, out, at, width, True)


def _tile_code(
    _: Any,
    a: Any,
    a_row: Any,
    a_step: Any,
    rows: Any,
    b: Any,
    b_step: Any,
    steps: Any,
    out: Any,
    at: Any,
    out_row: Any,
    add: Any,
) -> Any:
    """One tile: `out[at + row * out_row + lane]` becomes, or grows by, the sum over all steps of products.

    The product of a step is `a[row * a_row + step * a_step] * b[step * b_step + lane]`, counted in floats from the
    arrays' first ones. With fewer than ROWS rows the last one is computed again in place of those that lack.

    Written in LLVM's own terms, so that the sums stay in registers over all steps.
    """
    signature = types.void(a, a_row, a_step, rows, b, b_step, steps, out, at, out_row, add)
    lanes_, int_ = ir.VectorType(ir.FloatType(), LANES), ir.IntType(64)

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        def data(array: int) -> Any:
            return context.make_array(signature.args[array])(context, builder, values[array]).data

        def lanes_at(start: Any, offset: Any) -> Any:
            return builder.bitcast(builder.gep(start, [offset]), lanes_.as_pointer())

        a_row, a_step, rows, b_step, steps, at, out_row, add = (values[i] for i in (1, 2, 3, 5, 6, 8, 9, 10))
        a, b, out = data(0), data(4), builder.gep(data(7), [at])
        last = builder.sub(rows, int_(1))
        row_numbers = [builder.select(builder.icmp_signed("<", int_(r), rows), int_(r), last) for r in range(ROWS)]
        a_rows = [builder.gep(a, [builder.mul(row, a_row)]) for row in row_numbers]
        out_rows = [lanes_at(out, builder.mul(row, out_row)) for row in row_numbers]

        before = builder.block
        loop, done = builder.append_basic_block("loop"), builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        step = builder.phi(int_)
        sums = [builder.phi(lanes_) for _ in range(ROWS)]
        line = builder.load(lanes_at(b, builder.mul(step, b_step)), align=4)
        offset = builder.mul(step, a_step)
        grown = []
        for total, a_start in zip(sums, a_rows, strict=True):
            nothing = ir.Constant(lanes_, ir.Undefined)
            one = builder.insert_element(nothing, builder.load(builder.gep(a_start, [offset])), int_(0))
            everywhere = builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), None))
            product = builder.fmul(everywhere, line, flags=["contract"])
            grown.append(builder.fadd(total, product, flags=["contract"]))
        following = builder.add(step, int_(1))
        for phi, next_ in zip([step, *sums], [following, *grown], strict=True):
            phi.add_incoming(ir.Constant(phi.type, None), before)  # 0
            phi.add_incoming(next_, loop)
        builder.cbranch(builder.icmp_signed("<", following, steps), loop, done)

        builder.position_at_end(done)
        # All old values are read before any new one is written: rows that stand in for others grow only once.
        old = [builder.load(place, align=4) for place in out_rows]
        for place, value, total in zip(out_rows, old, grown, strict=True):
            builder.store(builder.select(add, builder.fadd(value, total), total), place, align=4)
        return context.get_dummy_value()

    return signature, generate


_tile: Any = intrinsic(_tile_code)
