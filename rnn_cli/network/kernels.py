"""One direction of an LSTM over some texts of a batch, and its gradients, compiled by numba for this CPU.

The texts, longest first, are packed by time step: the first token of each, then the second of each text that has one,
and so on; padding is not computed. Packed row `starts[t] + i` is step t of text `rows[i]` of the batch. A packed row of
`joined` holds its input, the previous state and a 1, `[inputs + units + 1]`, so that one product with the stacked
kernel, recurrent kernel and bias gives all four gates.

The weights' columns of i, f and o are halved: sigmoid(v) = tanh(v / 2) / 2 + 1 / 2, so every gate is one tanh. `gates`
holds these tanh, and after the backward pass the gradients of their arguments; its width is 4 * units rounded up to
LANES.

Source: Hochreiter and Schmidhuber (1997), Long short-term memory; gates in the order of Keras: i, f, c, o.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from rnn_cli.system import can_cache_code

Matrix = npt.NDArray[np.float32]

TILE_ROWS, LANES = 6, 16
"""The size of a tile: 6 × 16 sums fill 12 of AVX2's 16 registers; a step needs 3 more."""


compiled: Any = numba.njit(nogil=True, cache=can_cache_code(__file__), error_model="numpy", fastmath={"contract"})
"""Allows fused multiplication and addition, and no other inexact arithmetic: NaN stays NaN."""


def panels(weights: Matrix) -> Matrix:
    """Weights `[depth, width]` in the layout of `multiply`, `[panels, depth, LANES]`, padded with zeros."""
    depth, width = weights.shape
    whole = np.pad(weights, ((0, 0), (0, -width % LANES)))
    return np.ascontiguousarray(whole.reshape(depth, -1, LANES).transpose(1, 0, 2))


@compiled
def multiply(a: Matrix, weights: Matrix, out: Matrix) -> None:
    """Write `a [rows, depth]` × `weights [panels, depth, LANES]` to `out [rows, panels * LANES]`."""
    rows, depth = a.shape
    width = out.shape[1]
    for panel in range(weights.shape[0]):
        for row in range(0, rows, TILE_ROWS):
            at = row * width + panel * LANES
            _tile(a[row:], depth, 1, rows - row, weights[panel], LANES, depth, out, at, width, False)


@compiled
def add_outer(a: Matrix, b: Matrix, out: Matrix) -> None:
    """Add `a [rows, height]`, transposed, × `b [rows, width]` to `out [height, width]`; LANES must divide width."""
    height, width = out.shape
    rows = a.shape[0]
    for row in range(0, height, TILE_ROWS):
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
    """One tile: `out[at + row * out_row + lane]` is set to, or increased by, the sum of the products of all steps.

    The product of a step is `a[row * a_row + step * a_step] * b[step * b_step + lane]`, with offsets in floats. With
    fewer than TILE_ROWS rows, the last row is computed again for the missing ones.

    Written in LLVM IR, so that the sums stay in registers over all steps.
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
        row_numbers = [builder.select(builder.icmp_signed("<", int_(r), rows), int_(r), last) for r in range(TILE_ROWS)]
        a_rows = [builder.gep(a, [builder.mul(row, a_row)]) for row in row_numbers]
        out_rows = [lanes_at(out, builder.mul(row, out_row)) for row in row_numbers]

        before = builder.block
        loop, done = builder.append_basic_block("loop"), builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        step = builder.phi(int_)
        sums = [builder.phi(lanes_) for _ in range(TILE_ROWS)]
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
        # Read all old values before writing a new one, so that a repeated row is added only once.
        old = [builder.load(row, align=4) for row in out_rows]
        for row, value, total in zip(out_rows, old, grown, strict=True):
            builder.store(builder.select(add, builder.fadd(value, total), total), row, align=4)
        return context.get_dummy_value()

    return signature, generate


_tile: Any = intrinsic(_tile_code)


# Loops are written so that LLVM can vectorize them: with few arrays, as it must prove at run time that no two overlap,
# and without views of single rows, for which numba counts references.


RowNumbers = npt.NDArray[np.int64]
Sequences = npt.NDArray[np.float32]

GRADIENT_ROWS = 192
"""The number of packed rows added to the weights' gradient at a time."""

HALF, ONE, BOUND = np.float32(0.5), np.float32(1), np.float32(7.90531110763549805)
P = tuple(
    np.float32(p)
    for p in (
        -2.76076847742355e-16,
        2.00018790482477e-13,
        -8.60467152213735e-11,
        5.12229709037114e-08,
        1.48572235717979e-05,
        6.37261928875436e-04,
        4.89352455891786e-03,
    )
)
Q = tuple(
    np.float32(q) for q in (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)
)


@numba.njit(inline="always", error_model="numpy", fastmath={"contract"})
def _tanh(v: np.float32) -> np.float32:
    # Eigen's rational approximation, accurate to a few units in the last place; NaN stays NaN.
    v = BOUND if v > BOUND else v
    v = -BOUND if v < -BOUND else v
    s = v * v
    p = ((((((P[0] * s + P[1]) * s + P[2]) * s + P[3]) * s + P[4]) * s + P[5]) * s + P[6]) * v
    return p / (((Q[0] * s + Q[1]) * s + Q[2]) * s + Q[3])


@compiled
def _join(x: Sequences, t: int, rows: RowNumbers, h: Matrix, joined: Matrix) -> None:
    inputs, units = x.shape[2], h.shape[1]
    for i in range(joined.shape[0]):
        row = rows[i]
        for k in range(inputs):
            joined[i, k] = x[row, t, k]
        for k in range(units):
            joined[i, inputs + k] = h[i, k]
        joined[i, inputs + units] = ONE


@compiled
def _update(gates: Matrix, cells: Matrix, c: Matrix, h: Matrix) -> None:
    flat, units = gates.reshape(-1), h.shape[1]
    for k in range(flat.size):
        flat[k] = _tanh(flat[k])
    for i in range(gates.shape[0]):
        for k in range(units):
            cells[i, k] = c[i, k]
        for k in range(units):
            kept = (gates[i, units + k] + ONE) * c[i, k]
            c[i, k] = HALF * (kept + (gates[i, k] + ONE) * gates[i, 2 * units + k])
        for k in range(units):
            h[i, k] = HALF * (gates[i, 3 * units + k] + ONE) * _tanh(c[i, k])


@compiled
def _put(h: Matrix, rows: RowNumbers, t: int, left: int, y: Sequences) -> None:
    for i in range(rows.size):
        row = rows[i]
        for k in range(h.shape[1]):
            y[row, t, left + k] = h[i, k]


@compiled
def forward(
    x: Sequences,
    rows: RowNumbers,
    starts: RowNumbers,
    back: bool,
    weights: Matrix,
    joined: Matrix,
    gates: Matrix,
    cells: Matrix,
    y: Sequences,
    left: int,
) -> None:
    """Fill `joined`, `gates` and `cells` (the cell state before each step, `[packed, units]`), and write the states.

    `x` is `[batch, time, inputs]`; `weights` holds the panels of the stacked weights. `y` is `[batch, time, outputs]`,
    or `[batch, 1, outputs]` for the last states only; this direction's states start at column `left`. Writes nothing
    past a text's length; `back` starts at each text's last token.
    """
    units, steps, whole = cells.shape[1], starts.size - 1, y.shape[1] == x.shape[1]
    # A text that has not started has zeros here; one that has ended keeps its last state.
    h = np.zeros((rows.size, units), np.float32)
    c = np.zeros((rows.size, units), np.float32)
    for s in range(steps):
        t = steps - 1 - s if back else s
        start, stop = starts[t], starts[t + 1]
        _join(x, t, rows, h, joined[start:stop])
        multiply(joined[start:stop], weights, gates[start:stop])
        _update(gates[start:stop], cells[start:stop], c, h)
        if whole:
            _put(h, rows[: stop - start], t, left, y)
    if not whole:
        _put(h, rows, 0, left, y)


@compiled
def _add(dy: Sequences, rows: RowNumbers, t: int, left: int, dh: Matrix) -> None:
    for i in range(rows.size):
        row = rows[i]
        for k in range(dh.shape[1]):
            dh[i, k] += dy[row, t, left + k]


@compiled
def _differentiate(gates: Matrix, cells: Matrix, dh: Matrix, dc: Matrix) -> None:
    units = dh.shape[1]
    squashed = np.empty(units, np.float32)
    for n in range(gates.shape[0]):
        for k in range(units):
            kept = (gates[n, units + k] + ONE) * cells[n, k]
            squashed[k] = _tanh(HALF * (kept + (gates[n, k] + ONE) * gates[n, 2 * units + k]))
        for k in range(units):
            dc[n, k] += HALF * (gates[n, 3 * units + k] + ONE) * dh[n, k] * (ONE - squashed[k] * squashed[k])
        for k in range(units):
            o = gates[n, 3 * units + k]
            gates[n, 3 * units + k] = HALF * dh[n, k] * squashed[k] * (ONE - o * o)
        for k in range(units):
            i, c, d = gates[n, k], gates[n, 2 * units + k], HALF * dc[n, k]
            gates[n, k] = d * c * (ONE - i * i)
            gates[n, 2 * units + k] = d * (ONE + i) * (ONE - c * c)
        for k in range(units):
            f, d = gates[n, units + k], HALF * dc[n, k]
            gates[n, units + k] = d * cells[n, k] * (ONE - f * f)
            dc[n, k] = d * (ONE + f)


@compiled
def backward(
    dy: Sequences,
    whole: bool,
    left: int,
    rows: RowNumbers,
    starts: RowNumbers,
    back: bool,
    weights: Matrix,
    joined: Matrix,
    gates: Matrix,
    cells: Matrix,
    dx: Matrix,
    gradient: Matrix,
) -> None:
    """Write the loss's gradient by `x`, packed, to `dx [packed, inputs]`, and by the stacked weights to `gradient`.

    `dy` is the gradient by `y`; `weights` holds the panels of the stacked weights without the bias, transposed.
    """
    inputs, units, steps = dx.shape[1], cells.shape[1], starts.size - 1
    dh = np.zeros((rows.size, units), np.float32)
    dc = np.zeros((rows.size, units), np.float32)
    dxh = np.empty((rows.size, weights.shape[0] * weights.shape[2]), np.float32)
    if not whole:
        _add(dy, rows, 0, left, dh)
    gradient[:] = 0
    low, high = starts[steps], starts[0]
    for s in range(steps):
        t = s if back else steps - 1 - s
        start, stop = starts[t], starts[t + 1]
        if whole:
            _add(dy, rows[: stop - start], t, left, dh)
        _differentiate(gates[start:stop], cells[start:stop], dh, dc)
        multiply(gates[start:stop], weights, dxh[: stop - start])
        for i in range(stop - start):
            for k in range(inputs):
                dx[start + i, k] = dxh[i, k]
            for k in range(units):
                dh[i, k] = dxh[i, inputs + k]
        # Enough rows to rarely read and write the sums, few enough to still be in the cache.
        low, high = min(low, start), max(high, stop)
        if high - low >= GRADIENT_ROWS or s == steps - 1:
            add_outer(joined[low:high], gates[low:high], gradient)
            low, high = starts[steps], starts[0]


@compiled
def add_up_directions(packed: Sequences, rows: RowNumbers, starts: RowNumbers, out: Sequences) -> None:
    """Write the sum of all directions' packed rows, `[directions, packed, width]`, to `out [batch, time, width]`.

    Writes nothing past a text's length.
    """
    for t in range(starts.size - 1):
        for i in range(starts[t + 1] - starts[t]):
            row, at = rows[i], starts[t] + i
            for k in range(out.shape[2]):
                out[row, t, k] = packed[0, at, k]
            for direction in range(1, packed.shape[0]):
                for k in range(out.shape[2]):
                    out[row, t, k] += packed[direction, at, k]
