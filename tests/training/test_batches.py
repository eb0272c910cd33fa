import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnn_cli.training.encoding import epoch_batches

lengths = st.lists(st.integers(1, 400), min_size=1, max_size=500).map(np.array)


@given(lengths, st.integers(1, 40), st.integers(0, 3), st.integers(1, 3))
def test_an_epoch_takes_every_row_once(lengths: np.ndarray, size: int, seed: int, epoch: int) -> None:
    batches = epoch_batches(lengths, size, seed=seed, epoch=epoch)
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert all(len(batch) <= size for batch in batches)
    assert len(batches) == -(-len(lengths) // size)


def test_batches_hold_like_lengths_and_change_with_seed_and_epoch() -> None:
    lengths = np.random.default_rng(1).integers(1, 400, 6_400)
    batches = epoch_batches(lengths, 32, seed=1, epoch=1)
    spread = np.mean([np.ptp(lengths[batch]) for batch in batches])
    assert spread < 20  # of 400, in batches by chance
    means = np.array([lengths[batch].mean() for batch in batches])
    assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.2  # no march from short to long

    def order(seed: int, epoch: int) -> list[int]:
        return list(np.concatenate(epoch_batches(lengths, 32, seed=seed, epoch=epoch)))

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)
