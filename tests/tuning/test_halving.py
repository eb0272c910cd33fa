"""What trials are measured on and halved over: folds of few rows, shares of many, or epochs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rnn_cli import api
from rnn_cli.bundle.model_folder import ONNX_MODEL, PREDICTIONS, Bundle
from rnn_cli.data.rows import Dataset
from rnn_cli.data.splits import load_splits, share_of
from rnn_cli.errors import ConfigError
from rnn_cli.training import folds as folds_module
from rnn_cli.tuning.ending import Tuned
from rnn_cli.tuning.halving import FEW_OF_A_LABEL, MOST_FOLDED_ROWS, halving_in, usual_halving
from rnn_cli.tuning.journal import Journal
from rnn_cli.tuning.place import search_folder
from rnn_cli.tuning.tune import Wanted, resume_tuning
from tests.conftest import labelled_texts, write_csv
from tests.tuning.conftest import Hears, configured, search
from tests.tuning.test_search import same


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("halving")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("rnn_cli.training.finish.documents", lambda *_: {})
        write_csv(folder / "rows.csv", labelled_texts(["good", "bad"], 160))
        yield folder


@pytest.fixture(scope="module")
def dealt(home: Path) -> Iterator[list[Dataset]]:
    """The rows that each fold of the search in `folded` had."""
    found: list[Dataset] = []
    original = folds_module.predict_fold

    def spy(run: Any, fold: Any, *more: Any, **named: Any) -> Any:
        found.extend((fold.splits.train, fold.splits.validation, fold.splits.test))
        return original(run, fold, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folds_module, "predict_fold", spy)
        yield found


@pytest.fixture(scope="module")
def heard() -> Hears:
    return Hears()


@pytest.fixture(scope="module")
def folded(home: Path, dealt: list[Dataset], heard: Hears) -> Tuned:
    epochs = {"epochs": 4}  # each of them a step, had folds not measured the trial before
    return search(home / "rows.csv", home / "folded", heard, halving=None, trials=2, sections={"training": epochs})


def test_few_rows_choose_by_folds_without_the_test_rows(folded: Tuned, dealt: list[Dataset], home: Path, heard: Hears):
    splits = load_splits(configured(home / "rows.csv").data)
    test, others = set(splits.test.texts), len(splits.train) + len(splits.validation)
    assert dealt and not any(test & set(rows.texts) for rows in dealt)
    assert folded.rows == "rows predicted by folds" and folded.standing.rows == others == 128
    assert "trials are measured by 3 folds of 128 rows, as 32 validation rows tell little (tune.halving)" in heard.notes


def test_the_winner_is_an_ordinary_run_that_its_config_repeats(folded: Tuned, home: Path):
    assert folded.run.folds is None and folded.run.test is not None and folded.run.test.metrics.rows == 32
    again = api.train(folded.best_config, out=home / "again")
    for name in (ONNX_MODEL, PREDICTIONS, "config.yaml"):
        assert again.bundle.read(name) == folded.run.bundle.read(name)
    network = folded.folder / "trials/0001"
    again = api.train(network / "config.yaml", out=home / "network")
    assert again.bundle.read(ONNX_MODEL) == Bundle.open(network / "model").read(ONNX_MODEL)


NETWORKS = {
    "model.units": [[4], [8]],
    "training.learning_rate": {"low": 0.001, "high": 0.2, "log": True},
}


@pytest.fixture(scope="module")
def by_rows(home: Path) -> Tuned:
    return search(home / "rows.csv", home / "by rows", halving="rows", trials=5, space=NETWORKS)


def test_networks_learn_from_a_third_of_the_rows_first(by_rows: Tuned):
    linear, present, *others = by_rows.trials
    assert linear.promises == () and {each.promises[0][0] for each in (present, *others) if each.promises} == {1}
    stopped = [each for each in others if each.state == "pruned"]
    assert {each.reason for each in stopped} == {"after a third of the rows: others promised more"}
    assert all(each.value is None and len(each.promises) == 1 for each in stopped)
    whole = [each for each in others if each.state == "complete"]
    assert whole and max(each.promises[0][1] for each in whole) < min(each.promises[0][1] for each in stopped)
    assert present.state == "complete" and present.work["trainings"] == pytest.approx(4 / 3)


def test_a_model_that_learned_from_all_rows_knows_nothing_of_the_third(by_rows: Tuned, home: Path):
    network = by_rows.folder / "trials/0001"
    again = api.train(network / "config.yaml", out=home / "of all rows")
    assert again.bundle.read(ONNX_MODEL) == Bundle.open(network / "model").read(ONNX_MODEL)


def test_a_search_by_rows_that_is_killed_goes_on_to_the_same_end(by_rows: Tuned, home: Path):
    def stop(number: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(home / "rows.csv", home / "by rows too", Hears(stop), halving="rows", trials=5, space=NETWORKS)
    assert Journal.open(search_folder(home / "by rows too")).head["halving"] == "rows"
    same(resume_tuning(home / "by rows too", None, Wanted(), shows=Hears()), by_rows)


def rows_of(count: int, rare: int = 0) -> Dataset:
    labels = ["a"] * (count - rare) + ["b"] * rare
    return Dataset("rows", [f"text {row}" for row in range(count)], labels, [0] * count)


MANY = MOST_FOLDED_ROWS + 1


@pytest.mark.parametrize(
    ("sections", "rows", "seconds", "distil", "halving"),
    [
        ({}, rows_of(2_000), None, False, "folds"),
        ({}, rows_of(2_000), 600.0, False, "folds"),
        ({}, rows_of(2_000), 10.0, False, "epochs"),
        ({}, rows_of(MANY), 10.0, False, "rows"),
        ({}, rows_of(MANY), None, True, "rows"),
        ({}, rows_of(2_000), None, True, "epochs"),
        ({}, rows_of(2_000, FEW_OF_A_LABEL - 1), None, False, "epochs"),
        ({"data": {"validation": "some.csv"}}, rows_of(2_000), None, False, "epochs"),
        ({"data": {"time_column": "day"}}, rows_of(2_000), None, False, "epochs"),
        ({"training": {"folds": 5}}, rows_of(MANY), None, False, "folds"),
    ],
)
def test_what_suits_the_rows_and_the_time(
    sections: dict[str, Any], rows: Dataset, seconds: float | None, distil: bool, halving: str
):
    """The config's two epochs of 40,000 tokens take about 96 seconds for six trials by folds."""
    config = configured(Path("rows.csv"), **sections)
    assert usual_halving(config, rows, 40_000.0, seconds, distil=distil) == halving


def test_the_section_says_it(home: Path):
    assert halving_in({"halving": "rows"}, "x") == ("rows", None)
    assert halving_in({"halving": "epochs", "model.ngrams": [1, 2]}, "x") == ("epochs", {"model.ngrams": [1, 2]})
    assert halving_in(None, "x") == (None, None)
    with pytest.raises(ConfigError, match=r"tune\.halving: expected folds, rows or epochs, got 'half'"):
        halving_in({"halving": "half"}, "x")


@pytest.mark.parametrize(
    ("sections", "halving", "told"),
    [
        ({"data": {"time_column": "day"}}, "folds", "folds and data.time_column exclude each other"),
        ({"training": {"folds": 3}}, "rows", "rows and training.folds exclude each other"),
    ],
)
def test_what_excludes_each_other_is_refused_before_the_rows_are_read(
    home: Path, sections: dict[str, Any], halving: str, told: str
):
    with pytest.raises(ConfigError, match=told):
        search(home / "none.csv", home / "refused", halving=halving, sections=sections)


def test_a_share_of_rows_keeps_each_label_and_copies_together():
    rows = rows_of(300, 1)
    rows.texts[:20] = ["copied"] * 20
    share = share_of(rows, 1 / 3, 1)
    assert share.label_counts()["b"] == 1 and 90 <= len(share) <= 120
    assert share.texts.count("copied") in (0, 20)
