"""One direction of an LSTM over some texts of a batch, and its gradients, compiled by numba for the CPU at hand.

The texts, longest first, are laid out by time step: the first token of each, then the second of each that has one,
and so on; padding is never computed. Packed row `starts[t] + i` is step t of text `rows[i]` of the batch. A packed
row of `joined` is its input, the state before it and a 1, `[inputs + units + 1]`, so that one product with kernel,
recurrent kernel and bias, stacked, gives all four gates.

The kernel comes with the columns of i, f and o halved: sigmoid(v) = tanh(v / 2) / 2 + 1 / 2, so every gate is one
tanh. `gates` holds those tanh, and after the backward pass the gradient of what went into them; it is as wide as
4 * units rounded up to LANES.

Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; gates in the order of Keras: i, f, c, o.
"""

# Loops are written so that LLVM can vectorise them: few arrays in each, since it must prove at run time that no two
# overlap, and no views of single rows, which numba counts references of.

import numba
import numpy as np
import numpy.typing as npt

from rnn_cli.network.matmul import Matrix, add_outer, compiled, multiply

Rows = npt.NDArray[np.int64]
Sequences = npt.NDArray[np.float32]

ENOUGH = 192
"""Packed rows that the weights' gradient takes at a time."""

MATMUL = "3c313ccc0713"
"""The beginning of matmul.py's sha256. Its code is compiled into what stands here, and numba, which keeps that on the
disk, compiles anew only when this file changes: so it must change with that one."""

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
    # Eigen's rational approximation, good to a few units in the last place; not a number stays not a number.
    v = BOUND if v > BOUND else v
    v = -BOUND if v < -BOUND else v
    s = v * v
    p = ((((((P[0] * s + P[1]) * s + P[2]) * s + P[3]) * s + P[4]) * s + P[5]) * s + P[6]) * v
    return p / (((Q[0] * s + Q[1]) * s + Q[2]) * s + Q[3])


@compiled
def _join(x: Sequences, t: int, rows: Rows, h: Matrix, joined: Matrix) -> None:
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
def _put(h: Matrix, rows: Rows, t: int, left: int, y: Sequences) -> None:
    for i in range(rows.size):
        row = rows[i]
        for k in range(h.shape[1]):
            y[row, t, left + k] = h[i, k]


@compiled
def forward(
    x: Sequences,
    rows: Rows,
    starts: Rows,
    back: bool,
    weights: Matrix,
    joined: Matrix,
    gates: Matrix,
    cells: Matrix,
    y: Sequences,
    left: int,
) -> None:
    """Fill `joined`, `gates` and `cells` (the cell state before each step, `[packed, units]`), and write the states.

    `x [batch, time, inputs]`; `weights` are the stacked ones' panels. `y` is `[batch, time, outputs]`, or
    `[batch, 1, outputs]` for the last states only; this direction's begin at column `left`. Nothing is written past a
    text's length; `back` begins at each text's own last token.
    """
    units, steps, whole = cells.shape[1], starts.size - 1, y.shape[1] == x.shape[1]
    # A text that has not begun still has the zeros here; one that has ended keeps its last state.
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
def _add(dy: Sequences, rows: Rows, t: int, left: int, dh: Matrix) -> None:
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
    rows: Rows,
    starts: Rows,
    back: bool,
    weights: Matrix,
    joined: Matrix,
    gates: Matrix,
    cells: Matrix,
    dx: Matrix,
    gradient: Matrix,
) -> None:
    """The loss's gradient by `x`, packed, to `dx [packed, inputs]`, and by the stacked weights to `gradient`.

    `dy` is the gradient by `y`; `weights` are the panels of the stacked ones, without the bias, transposed.
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
        # Enough rows that the sums are seldom read and written, few enough to be in the cache still.
        low, high = min(low, start), max(high, stop)
        if high - low >= ENOUGH or s == steps - 1:
            add_outer(joined[low:high], gates[low:high], gradient)
            low, high = starts[steps], starts[0]


@compiled
def unpack(packed: Sequences, rows: Rows, starts: Rows, out: Sequences) -> None:
    """Write the sum of all directions' packed rows, `[directions, packed, width]`, to `out [batch, time, width]`.

    Nothing is written past a text's length.
    """
    for t in range(starts.size - 1):
        for i in range(starts[t + 1] - starts[t]):
            row, at = rows[i], starts[t] + i
            for k in range(out.shape[2]):
                out[row, t, k] = packed[0, at, k]
            for direction in range(1, packed.shape[0]):
                for k in range(out.shape[2]):
                    out[row, t, k] += packed[direction, at, k]
