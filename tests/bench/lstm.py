"""A training step's share of one Bidirectional LSTM(64), forward and backward: ours against Keras's, on a CPU.

    python tests/bench/lstm.py [ROUNDS]

Keras is measured twice, without a mask and with one that is True everywhere; all three in turn in one process, on
texts of full length. A rate counts the matrix products only; its share is that of one large product by numpy.
"""

import rnn_cli.training.quiet  # noqa: F401, I001  # first: TensorFlow starts without its chatter

import sys
from collections.abc import Callable
from time import sleep

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from measuring import seconds

from rnn_cli.network.lstm import FastBidirectional

UNITS = 64
SHAPES = [(64, 200), (64, 24), (256, 200), (256, 24)]


def main(rounds: int) -> None:
    keras.utils.set_random_seed(1)
    square = np.ones((2048, 2048), np.float32)
    for batch, time in SHAPES:
        x = tf.random.normal([batch, time, UNITS])
        mask = tf.ones([batch, time], tf.bool)
        steps = {
            "ours": step(FastBidirectional, x, mask),
            "Keras": step(layers.Bidirectional, x, None),
            "Keras, masked": step(layers.Bidirectional, x, mask),
        }
        for work in steps.values():
            work()
        times = {name: [] for name in steps}
        for _ in range(rounds):
            for name, work in steps.items():
                times[name].append(seconds(work))
        # Two directions; forward, and backward by the input and by the weights.
        products = 2 * 3 * 2 * batch * time * 4 * UNITS * (UNITS + UNITS) / 1e9
        # Last, since numpy's threads go on turning for a while after a product.
        machine = 2 * 2048**3 / 1e9 / min(seconds(lambda: square @ square) for _ in range(10))
        sleep(0.5)
        print(f"{batch} × {time}: one large product takes {machine:.0f} GFLOP/s")
        for name, each in times.items():
            rate = products / min(each)
            ratio = np.median(np.divide(each, times["ours"]))
            print(
                f"  {name:<14} {1e3 * min(each):7.1f} ms (median {1e3 * np.median(each):6.1f})   "
                f"{rate:4.0f} GFLOP/s ({rate / machine:4.0%})   {ratio:4.2f} of our time"
            )


def step(kind: type[layers.Bidirectional], x: tf.Tensor, mask: tf.Tensor | None) -> Callable[[], object]:
    layer = kind(layers.LSTM(UNITS, return_sequences=True))

    @tf.function
    def gradients() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            moving = x + 0.0
            tape.watch(moving)
            y = layer(moving, mask=mask)
            loss = tf.reduce_sum(y * y)
        return tape.gradient(loss, [moving, *layer.trainable_weights])

    return lambda: [gradient.numpy() for gradient in gradients()]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
