"""A small search whose trials take a second or two."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.config.schema import Config
from rnn_cli.tuning.ending import Tuned
from rnn_cli.tuning.journal import TrialRecord
from rnn_cli.tuning.shows import ToldInLines
from rnn_cli.tuning.tune import Wanted, begin_tuning

SPACE: dict[str, Any] = {
    "model.kind": ["network", "linear"],
    "model.ngrams": [1, 2],
    "model.units": {"choices": [[4], [8]], "if": {"model.kind": "network"}},
    "training.learning_rate": {"low": 0.01, "high": 0.2, "log": True, "if": {"model.kind": "network"}},
    "training.epochs": {"low": 1, "high": 4, "if": {"model.kind": "network"}},
}

SECTIONS: dict[str, dict[str, Any]] = {
    "tokenizer": {"vocab_size": 60, "max_length": 12},
    "model": {
        "cell": "rnn",
        "bidirectional": False,
        "embedding_dim": 8,
        "units": [4],
        "dense_units": [],
        "ngrams": 1,
        "ngram_buckets": 256,
    },
    "training": {"epochs": 2, "batch_size": 16, "learning_rate": 0.1},
}


class Quiet:
    """Listens to nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


class Hears(ToldInLines):
    """Remembers what it is told; calls `at_trial` as a trial starts, and `at_step` with a trial and its batches."""

    def __init__(
        self, at_trial: Callable[[int], None] | None = None, at_step: Callable[[str, int], None] | None = None
    ) -> None:
        super().__init__(Quiet())  # type: ignore[arg-type]
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.done: list[TrialRecord] = []
        self.note, self.warn = self.notes.append, self.warnings.append  # type: ignore[method-assign]
        self.at_trial, self.at_step = at_trial, at_step
        self.progress = self._progress  # type: ignore[method-assign]

    def _progress(self, what: str, done: int, total: int) -> None:
        if self.at_step is not None and what.endswith("batches"):
            self.at_step(what.partition(":")[0], done)

    def trial_starts(self, number: int, name: str, settings: Mapping[str, Any], left: float) -> None:
        super().trial_starts(number, name, settings, left)
        if self.at_trial is not None:
            self.at_trial(number)

    def trial_done(self, record: TrialRecord, apart: Mapping[str, Any], *, best: bool) -> None:
        super().trial_done(record, apart, best=best)
        self.done.append(record)


def configured(source: Path, **sections: dict[str, Any]) -> Config:
    content: dict[str, dict[str, Any]] = {"data": {"source": str(source), "validation": 0.2, "test": 0.2}, **SECTIONS}
    return Config.model_validate({name: {**keys, **sections.get(name, {})} for name, keys in content.items()})


def search(source: Path, out: Path, hears: Hears | None = None, **asked: Any) -> Tuned:
    """A search over `SPACE`, by default of four trials; rows as few as these are halved by folds unless it is said."""
    sections, halving = asked.pop("sections", {}), asked.pop("halving", "epochs")
    asked["space"] = {**asked.pop("space", SPACE), **({} if halving is None else {"halving": halving})}
    more = {name: asked.pop(name) for name in ("clock", "force") if name in asked}
    wanted = Wanted(**{"trials": 4, **asked})
    config = configured(source, **sections)
    return begin_tuning(config, wanted, None, out=out, name="x", shows=hears or Hears(), **{"force": False, **more})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models have no report, which takes longer than their training."""
    monkeypatch.setattr("rnn_cli.training.finish.documents", lambda *_: {})
