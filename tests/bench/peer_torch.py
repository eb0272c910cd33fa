"""The classic network in PyTorch, for training.py, which starts it: rows, and whether batches are padded or packed."""

import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


class Classic(nn.Module):
    """Embedding, two bidirectional LSTMs, three Dense layers; answers logits."""

    def __init__(self, packed: bool) -> None:
        super().__init__()
        self.packed = packed
        self.embedding = nn.Embedding(10_000, 64)
        self.lstm = nn.LSTM(64, 64, num_layers=2, batch_first=True, bidirectional=True)
        self.dense = nn.Sequential(nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        x = self.embedding(ids)
        if self.packed:
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, (h, _) = self.lstm(x)
        return self.dense(torch.cat([h[-2], h[-1]], dim=1)).squeeze(1)


def main(file: str, kind: str) -> None:
    rows = np.load(file)
    ids = torch.from_numpy(rows["ids"].astype(np.int64))
    lengths, classes = torch.from_numpy(rows["lengths"]), torch.from_numpy(rows["classes"].astype(np.float32))
    torch.manual_seed(1)
    model, loss = Classic(kind == "packed"), nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters())

    def epoch(count: int) -> None:
        order = torch.randperm(count)
        if kind == "packed":  # like lengths together, as ours
            order = order[torch.argsort(lengths[order], stable=True)]
        batches = order.split(64)
        for number in torch.randperm(len(batches)).tolist():
            batch = batches[number]
            longest = int(lengths[batch].max()) if kind == "packed" else ids.shape[1]
            optimizer.zero_grad()
            loss(model(ids[batch, :longest], lengths[batch]), classes[batch]).backward()
            optimizer.step()

    epoch(256)
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        epoch(len(ids))
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
