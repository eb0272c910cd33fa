"""A search: the same seed finds the same, killed and gone on with, too; limits hold; test rows are the winner's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnn_cli import api
from rnn_cli.bundle.model_folder import ONNX_MODEL, PREDICTIONS, Bundle
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import load_splits
from rnn_cli.errors import BundleError, DataError, RunFailed, UsageError
from rnn_cli.evaluation import evaluate as evaluate_module
from rnn_cli.training import finish as finish_module
from rnn_cli.training import folds as folds_module
from rnn_cli.tuning.ending import Tuned
from rnn_cli.tuning.journal import JOURNAL, Journal, TrialRecord
from rnn_cli.tuning.place import search_folder
from rnn_cli.tuning.tune import Wanted, resume_tuning
from tests.conftest import labelled_texts, write_csv
from tests.tuning.conftest import Hears, configured, search


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("search")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_csv(folder / "rows.csv", labelled_texts(["good", "bad"], 160))
        yield folder


@pytest.fixture(scope="module")
def scored(home: Path) -> Iterator[list[list[str]]]:
    """The texts of each measuring of the search in `tuned`."""
    found: list[list[str]] = []
    original = evaluate_module.evaluate_predictor

    def spy(predictor: Any, rows: Dataset, *more: Any) -> Any:
        found.append(rows.texts)
        return original(predictor, rows, *more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finish_module, "evaluate_predictor", spy)
        patch.setattr(folds_module, "evaluate_predictor", spy)
        yield found


@pytest.fixture(scope="module")
def tuned(home: Path, scored: list[list[str]]) -> Tuned:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnn_cli.training.finish.documents", lambda *_: {})
        return search(home / "rows.csv", home / "whole")


def plain(record: TrialRecord) -> dict[str, Any]:
    """A trial without what a clock says."""
    kept = {name: value for name, value in vars(record).items() if name not in ("seconds", "epochs", "latency")}
    return json.loads(json.dumps(kept))  # type: ignore[no-any-return]


def same(one: Tuned, other: Tuned) -> None:
    assert [*map(plain, one.trials)] == [*map(plain, other.trials)]
    assert one.best.number == other.best.number
    for name in (ONNX_MODEL, PREDICTIONS):
        assert one.run.bundle.read(name) == other.run.bundle.read(name)


def test_it_begins_with_the_linear_model_and_the_config(tuned: Tuned):
    assert [each.name for each in tuned.trials] == ["linear model", "present config", "", ""]
    assert tuned.trials[0].settings == {"model.kind": "linear"} and tuned.trials[1].settings == {}
    assert all(each.value is not None for each in tuned.trials[:2])


def test_the_best_on_the_validation_rows_wins_if_choosing_pays(tuned: Tuned):
    measured = [each for each in tuned.trials if each.state == "complete"]
    best, present = min(measured, key=lambda each: (each.value, each.number)), tuned.trials[1]
    assert tuned.standing.winner == best.number and present.value is not None
    pays = best is present or tuned.standing.corrected < present.value
    assert tuned.best == (best if pays else present)
    assert (tuned.standing.kept is None) == pays
    assert tuned.run.validation is not None
    assert tuned.run.validation.metrics.log_loss == pytest.approx(tuned.best.value)


def test_test_rows_are_looked_at_once_by_the_winner(tuned: Tuned, scored: list[list[str]], home: Path):
    test = set(load_splits(configured(home / "rows.csv").data).test.texts)
    looks = [place for place, texts in enumerate(scored) if test & set(texts)]
    assert looks == [len(scored) - 1] and tuned.run.test is not None


def test_training_repeats_the_best_config(tuned: Tuned, home: Path):
    again = api.train(tuned.best_config, out=home / "again")
    for name in (ONNX_MODEL, PREDICTIONS, "config.yaml", "tokenizer.json"):
        assert again.bundle.read(name) == tuned.run.bundle.read(name)
    assert again.metrics["test"] == tuned.run.metrics["test"]


def test_the_best_models_are_kept_and_no_others(tuned: Tuned):
    ranked = sorted((each for each in tuned.trials if each.is_measured), key=lambda each: (each.value, each.number))
    kept = [int(each.parent.name) for each in (tuned.folder / "trials").glob("*/model")]
    assert sorted(kept) == sorted({1, *(each.number for each in ranked[:3])})
    for number in kept:
        assert "test" not in json.loads(Bundle.open(tuned.folder / f"trials/{number:04}/model").read("metrics.json"))


@pytest.mark.parametrize("at", ["before", "within"])
def test_a_search_that_is_killed_goes_on_to_the_same_end(tuned: Tuned, home: Path, at: str):
    def stop(number: int) -> None:
        if number == 2 and at == "before":
            raise KeyboardInterrupt

    def stop_within(trial: str, done: int) -> None:
        if (trial, at) == ("trial 1", "within") and done == 3:
            raise KeyboardInterrupt

    out = home / f"killed {at}"
    with pytest.raises(KeyboardInterrupt) as ended:
        search(home / "rows.csv", out, Hears(stop, stop_within))
    folder = search_folder(out)
    assert any(f"--resume '{folder}'" in note for note in ended.value.__notes__)
    journal = folder / JOURNAL
    journal.write_bytes(journal.read_bytes() + b'{"end":{"number":')  # the power fails while it writes
    again = resume_tuning(out, None, Wanted(trials=None), shows=Hears())
    same(again, tuned)


def test_a_finished_search_can_have_more_trials(tuned: Tuned, home: Path):
    search(home / "rows.csv", home / "more", trials=3)
    more = resume_tuning(home / "more", None, Wanted(trials=4), shows=Hears())
    same(more, tuned)
    assert more.run.path == home / "more"


def test_other_rows_are_refused_and_the_search_stands(home: Path):
    write_csv(home / "moving.csv", labelled_texts(["good", "bad"], 160))
    search(home / "moving.csv", home / "moved", trials=2, space={"model.ngrams": [1, 2]})
    write_csv(home / "moving.csv", labelled_texts(["good", "bad"], 150))
    with pytest.raises(DataError, match="differ from those at the start of the search"):
        resume_tuning(home / "moved", None, Wanted(trials=5), shows=Hears())
    assert len(Journal.open(search_folder(home / "moved")).ended) == 2


def test_two_processes_do_not_search_in_one_folder(home: Path):
    hears = Hears(lambda _: pytest.raises(BundleError, resume_tuning, home / "held", None, **RESUMED))
    search(home / "rows.csv", home / "held", hears, trials=2)


RESUMED: dict[str, Any] = {"asked": Wanted(), "shows": Hears()}


def test_the_winner_keeps_the_limit_of_bytes(home: Path):
    """The linear model has 316 weights of four bytes; the networks have more."""
    found = search(home / "rows.csv", home / "small", trials=3, max_bytes=6_000)
    states = {each.name or each.number: each.state for each in found.trials}
    assert found.best.size is not None and found.best.size <= 6_000
    assert all(each.size <= 6_000 or each.state == "infeasible" for each in found.trials if each.size is not None)
    assert states["linear model"] == "complete"


def test_the_winner_keeps_the_limit_of_latency(home: Path, monkeypatch: pytest.MonkeyPatch):
    """Networks take 9 ms for a sentence here, the linear model 1 ms."""
    monkeypatch.setattr(
        "rnn_cli.tuning.search.seconds_of_short", lambda model, _: 0.001 if model.network is None else 0.009
    )
    found = search(home / "rows.csv", home / "fast", trials=2, max_seconds=0.005)
    linear, network = found.trials
    assert (linear.state, network.state) == ("complete", "infeasible")
    assert network.excess["latency"] == pytest.approx(0.8) and "latency" in network.reason
    assert found.best == linear and not (found.folder / "trials/0001/model").exists()


def test_no_trial_within_the_limits_ends_with_the_smallest_named(home: Path):
    with pytest.raises(RunFailed, match=r"none of 2 trials keeps the limits: the smallest model has [0-9,]+ bytes"):
        search(home / "rows.csv", home / "none", trials=2, max_bytes=100)
    assert not (home / "none").exists()


def test_time_is_kept_by_a_clock_that_the_work_moves(home: Path):
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            self.now += 0.5
            return self.now

    clock = Clock()
    found = search(home / "rows.csv", home / "timed", trials=None, minutes=1.0, clock=clock)
    assert clock.now <= 60 * 1.05
    assert {each.state for each in found.trials[2:]} & {"cut", "skipped"}
    assert found.trials[0].state == "complete"


@pytest.fixture(scope="module")
def distilled(home: Path) -> Tuned:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rnn_cli.training.finish.documents", lambda *_: {})
        return search(home / "rows.csv", home / "distilled", distil=True, trials=4)


def test_a_distilled_network_learns_what_the_best_say_together(tuned: Tuned, distilled: Tuned):
    *others, last = distilled.trials
    assert [*map(plain, others)] == [*map(plain, tuned.trials)]
    assert last.name == "distilled from the best" and last.params is None
    ranked = sorted((each for each in others if each.is_measured), key=lambda each: (each.value, each.number))
    taught = ", ".join(str(each.number) for each in ranked[:3])
    assert last.reason == f"trials {taught} taught it" and last.value is not None
    network = next(each for each in ranked if each.work["epochs"])
    assert last.settings == network.settings and last.value != network.value


def test_a_distilled_network_wins_only_where_it_is_better(distilled: Tuned):
    best = min((each for each in distilled.trials if each.is_measured), key=lambda each: (each.value, each.number))
    assert distilled.standing.winner == best.number
    head = distilled.best_config.read_text()
    learned = "learned from the best trials" in head
    assert learned == (distilled.best.name == "distilled from the best")


def test_a_search_stopped_before_the_distilled_network_goes_on_to_it(distilled: Tuned, home: Path):
    def stop(number: int) -> None:
        if number == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(home / "rows.csv", home / "undistilled", Hears(stop), distil=True, trials=4)
    same(resume_tuning(home / "undistilled", None, Wanted(), shows=Hears()), distilled)


@pytest.mark.parametrize("section", [{"training": {"folds": 3}}, {"data": {"labels": "ordered"}}])
def test_what_cannot_be_distilled_is_refused_before_the_work(home: Path, section: dict[str, dict[str, Any]]):
    with pytest.raises(UsageError, match="distil"):
        search(home / "rows.csv", home / "refused", distil=True, halving=None, sections=section)
    assert not search_folder(home / "refused").exists()
