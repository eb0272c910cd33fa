"""The estimator: what scikit-learn does with any classifier works, and its numbers are those of `rnn.train`."""

import copy
import io
import json
import os
import pickle
import random
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator
from sklearn.utils.validation import check_is_fitted, validate_data

import rnn_cli as rnn
from rnn_cli.bundle.model_folder import CARD, REPORT

SMALL: dict[str, Any] = {"epochs": 1, "units": [2], "embedding_dim": 4, "ngrams": 0, "vocab_size": 60, "max_length": 10}
WORDS = {1: ["warm", "funny", "lovely"], 0: ["dull", "bland", "clumsy"]}
LABELS = np.array([number % 2 for number in range(60)])
TEXTS = [f"a {WORDS[label][number // 2 % 3]} film number {number}" for number, label in enumerate(LABELS.tolist())]
LEARNS = {"epochs": 12, "batch_size": 8, "learning_rate": 0.05, "dropout": 0.0, "embedding_dropout": 0.0, "units": [6]}
"""Keys with which it learns these texts."""


def small(**config: Any) -> rnn.RNNClassifier:
    return rnn.RNNClassifier("quick", **SMALL | config)


@pytest.fixture(scope="module")
def fitted() -> rnn.RNNClassifier:
    """Trained on these rows; tests must not change it."""
    return small(**LEARNS).fit(TEXTS, LABELS)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_predicts_labels_as_they_are_and_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    printed = io.StringIO()
    with redirect_stdout(printed), redirect_stderr(printed):
        found = small(**LEARNS).fit(TEXTS, LABELS)
        predicted = found.predict(TEXTS)
    assert sorted(os.listdir()) == ["tmp"] and not os.listdir("tmp") and printed.getvalue() == ""
    assert predicted.dtype == LABELS.dtype and found.score(TEXTS, LABELS) > 0.9
    probabilities = found.predict_proba(TEXTS)
    assert probabilities.shape == (60, 2) and np.allclose(probabilities.sum(axis=1), 1)
    assert (found.classes_[probabilities.argmax(axis=1)] == predicted).all()
    assert any("training steps; try" in each for each in found.warnings_)
    assert not hasattr(found, "n_features_in_")  # texts have no columns


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (LABELS.tolist(), [0, 1]),
        ([bool(label) for label in LABELS], [False, True]),
        (LABELS.astype(float), [0.0, 1.0]),
        (np.where(LABELS, "10", "9"), ["10", "9"]),  # rnn orders numbers by value, scikit-learn text as text
        (pd.Series(np.where(LABELS, "yes", "no"), index=range(100, 160)), ["no", "yes"]),
        (pd.Series(LABELS * 8 - 2).astype("Int64"), [-2, 6]),
        (pd.Series(LABELS).astype("category"), [0, 1]),
    ],
    ids=["ints", "bools", "floats", "numbers as text", "series", "Int64", "category"],
)
def test_labels_of_any_type_come_back_equal(labels: Any, classes: list[object]) -> None:
    positive = classes[0]  # other than the network would take
    texts = pd.Series(TEXTS, index=range(60, 0, -1))
    found = small(**LEARNS, positive_label=positive, class_weight={positive: 2.0}).fit(texts, labels)
    predicted = found.predict(np.array(TEXTS))
    assert isinstance(predicted, np.ndarray) and found.classes_.tolist() == classes
    assert {type(label) for label in found.classes_.tolist()} == {type(classes[0])}
    assert np.mean(predicted == np.asarray(labels)) > 0.9
    assert (found.classes_[found.predict_proba(np.array(TEXTS, object)).argmax(axis=1)] == predicted).all()
    told = found.model_.predict(TEXTS[0])[0]
    assert dict(zip(found.model_.labels, told.probabilities, strict=True))[told.label] == pytest.approx(
        found.predict_proba(TEXTS[:1])[0].max()
    )


def test_class_weights_reach_the_run() -> None:
    plain, weighted = (small(class_weight=weight).fit(TEXTS, LABELS) for weight in (None, {1: 50.0}))
    assert (weighted.predict_proba(TEXTS)[:, 1] > plain.predict_proba(TEXTS)[:, 1]).all()
    config = weighted.model_.bundle.read("config.yaml").decode()
    assert "'1': 50.0" in config and "test: 0" in config and "baseline: false" in config


def test_its_numbers_are_those_of_train_and_of_the_shell(fitted: rnn.RNNClassifier, tmp_path: Path) -> None:
    keys = SMALL | LEARNS
    before = np.random.get_state()[1].tolist(), random.getstate()
    run = rnn.train("quick", (TEXTS, LABELS), out=tmp_path / "run", **keys, test=0, baseline=False)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before  # a program's own chance goes on
    mine = fitted.model_.bundle
    for name in ("model.onnx", "model.int8.onnx", "tokenizer.json", "config.yaml", "predictions.csv"):
        assert (name in mine.manifest.files) == (name in run.bundle.manifest.files)
        if name in mine.manifest.files:
            assert mine.read(name) == run.bundle.read(name), name
    assert (fitted.predict_proba(TEXTS) == run.model.predict_proba(TEXTS)).all()
    saved = fitted.save(tmp_path / "saved")
    assert (rnn.load(saved).predict_proba(TEXTS) == fitted.predict_proba(TEXTS)).all()
    line = [sys.executable, "-m", "rnn_cli", "predict", "--model", str(saved), "--format", "jsonl", "--proba", TEXTS[0]]
    told = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    shown = json.dumps(told)
    assert str(round(float(fitted.predict_proba(TEXTS[:1])[0, 0]), 6)) in shown


def test_a_saved_model_is_a_folder_as_any_other(
    fitted: rnn.RNNClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = fitted.save("models/reviews")
    assert not Path("runs").exists()  # what is newest there stays so
    names = {file.name for file in saved.iterdir()}
    assert "manifest.json" in names and not names & {REPORT, CARD}
    with pytest.raises(rnn.Error, match="^models/reviews: exists; use force=True"):
        fitted.save("models/reviews")
    assert fitted.save("models/reviews", force=True) == saved
    Path("thesis").mkdir()
    with pytest.raises(rnn.Error, match="^thesis: exists and is not a trained model"):
        fitted.save("thesis", force=True)
    with pytest.raises(rnn.Error, match="kept no test rows"):
        rnn.evaluate(saved)
    data = (TEXTS, LABELS)
    assert (
        rnn.evaluate(saved, data, include_seen=True).metrics.accuracy
        == rnn.evaluate(fitted.model_, data, include_seen=True).metrics.accuracy
    )
    assert rnn.evaluate(fitted.model_, data, include_seen=True).metrics.accuracy == fitted.score(TEXTS, LABELS)
    with pytest.raises(rnn.Error, match="is in memory, and this needs its files; save it first"):
        rnn.evaluate(fitted.model_, data, goal="f1")
    assert rnn.evaluate(saved, data, goal="f1", include_seen=True).metrics.rows == 60


def test_copies_and_pickles_answer_the_same(fitted: rnn.RNNClassifier, tmp_path: Path) -> None:
    wanted = fitted.predict_proba(TEXTS)
    file = tmp_path / "model.joblib"
    joblib.dump(fitted, file)
    for other in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted)), joblib.load(file)):
        assert (other.predict_proba(TEXTS) == wanted).all() and other.get_params() == fitted.get_params()
    code = (
        "import sys, joblib; model = joblib.load(sys.argv[1]); print(model.predict(['a warm film']).tolist());"
        "assert not {'tensorflow', 'keras', 'onnx'} & set(sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == (f"{fitted.predict(['a warm film']).tolist()}\n", "")


def test_a_damaged_pickle_is_refused(fitted: rnn.RNNClassifier) -> None:
    content = pickle.dumps(fitted)
    for part in (fitted.model_.bundle.read("model.onnx")[:200], b'"threshold"'):  # of a file, and of the manifest
        at = content.index(part)
        with pytest.raises(rnn.Error, match=r"^\(memory\)/\S+: .*checksum differs"):
            pickle.loads(content[: at + 1] + b"?" + content[at + 2 :])


def test_a_fork_predicts_and_says_that_it_cannot_train(fitted: rnn.RNNClassifier) -> None:
    wanted = fitted.predict_proba(TEXTS)
    ours, theirs = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # forking with threads is what is tried here
        child = os.fork()
    if not child:  # TensorFlow, which has trained here, would wait for ever
        told = "nothing"
        try:
            assert (fitted.predict_proba(TEXTS) == wanted).all()
            clone(fitted).fit(TEXTS, LABELS)
        except BaseException as error:
            told = str(error)
        os.write(theirs, told.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(theirs)
    with open(ours) as pipe:
        assert pipe.read().startswith("TensorFlow cannot train in a process that was forked from one that has trained")


def test_parameters_are_kept_cloned_and_changed() -> None:
    units = [2]
    made = rnn.RNNClassifier(Path("quick"), random_state=3, units=units, **{"training.epochs": 2})
    params = {"recipe": Path("quick"), "random_state": 3, "progress": False, "units": [2], "training.epochs": 2}
    assert made.get_params() == params and made.get_params()["units"] is units
    assert clone(made).get_params() == params
    assert made.set_params(epochs=5, random_state=None) is made  # by whichever of its names
    assert made.get_params() == {"recipe": Path("quick"), "random_state": None, "progress": False} | {
        "units": [2],
        "epochs": 5,
    }
    assert made.set_params().get_params()["epochs"] == 5
    assert "epochs=5" in repr(made) and "epochs" in made._repr_html_()


def test_a_name_that_is_no_key_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="^epoch: no such key; did you mean epochs") as caught:
        rnn.RNNClassifier(epoch=1)
    assert isinstance(caught.value, rnn.Error)
    made = small()
    for wrong in ({"epoch": 1}, {"units__epochs": 1}):
        with pytest.raises(ValueError, match="^Invalid parameter: (epoch|units__epochs): no such key"):
            made.set_params(recipe="char", **wrong)
        assert made.get_params()["recipe"] == "quick"  # all or nothing
    with pytest.raises(ValueError, match=r"^epochs: is training\.epochs, which is given too"):
        small(**{"training.epochs": 1})


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"epochs": 0}, r"^epochs=0: training\.epochs: expected a whole number"),
        ({"recipe": "quik"}, "^quik: no such file or recipe; did you mean quick"),
        ({"random_state": -1}, r"^training\.seed: expected a whole number"),
        ({"random_state": 1, "seed": 2}, r"^training\.seed: is what random_state sets"),
        ({"source": "imdb"}, r"^data\.source: the rows are those that fit is given"),
        ({"class_weight": {7: 1.0}}, r"^training\.class_weight\.7: not a label of the data \(0, 1\)"),
    ],
)
def test_a_wrong_value_is_refused_in_fit(config: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        small().set_params(**config).fit(TEXTS, LABELS)
    assert isinstance(caught.value, rnn.Error)
    again = pickle.loads(pickle.dumps(caught.value))  # as joblib's processes hand it over
    assert str(again) == str(caught.value) and type(again) is type(caught.value)


@pytest.mark.parametrize(
    ("texts", "labels", "told"),
    [
        (TEXTS, LABELS[1:], "60 texts and 59 labels"),
        (TEXTS, None, "requires y to be passed, but the target y is None"),
        (TEXTS, LABELS.reshape(20, 3), "y should be a 1d array"),
        (TEXTS, [1] * 60, "one class only: every row has the label '1'"),
        (TEXTS, [None, "a"] * 30, "30 rows have no label"),
        (TEXTS, [0.5, 1.5] * 30, "Unknown label type: continuous"),
        (TEXTS, [1, "a"] * 30, "labels of more than one type: int, str"),
        (TEXTS, np.array([1, 2.5, "1"] * 20, object), "labels of more than one type"),
        (TEXTS, np.array(["a", "a\0"] * 30, object), "different labels are written alike"),
        ("a text", LABELS, "expected texts, got one text"),
        (pd.DataFrame({"text": TEXTS}), LABELS, "expected texts in one dimension, got a table of 60 x 1"),
        (np.array(TEXTS).reshape(-1, 1), LABELS, "expected texts in one dimension, got a table of 60 x 1"),
        ([*TEXTS[:-1], None], LABELS, "text 60: expected a text, got NoneType"),
        (None, LABELS, "expected texts, got NoneType"),
        (TEXTS[:4], LABELS[:4], "4 rows are too few for a validation share of 0.1"),
        ([], [], "has no rows"),
    ],
    ids=str,
)
def test_rows_that_cannot_be_used_are_refused(texts: Any, labels: Any, told: str) -> None:
    made = small()
    with pytest.raises(ValueError, match=re.escape(told)) as caught:
        made.fit(texts, labels)
    assert isinstance(caught.value, rnn.Error) and not made.__sklearn_is_fitted__()


def test_what_is_learned_stays_when_fit_fails(fitted: rnn.RNNClassifier) -> None:
    kept = copy.deepcopy(fitted)
    with pytest.raises(ValueError, match="one class only"):
        kept.fit(TEXTS, [1] * 60)
    assert (kept.predict_proba(TEXTS) == fitted.predict_proba(TEXTS)).all()
    with pytest.raises(ValueError, match="expected texts, got one text"):
        kept.predict("a warm film")


def test_sample_weights_are_refused() -> None:
    with pytest.raises(TypeError, match="^sample_weight: rows have no weights of their own in training") as caught:
        small().fit(TEXTS, LABELS, sample_weight=np.ones(60))
    assert isinstance(caught.value, rnn.Error)
    with pytest.raises(TypeError, match="^wieght: fit takes texts and labels alone"):
        small().fit(TEXTS, LABELS, wieght=1)


@pytest.mark.parametrize(
    "use",
    [
        lambda made: made.predict(TEXTS),
        lambda made: made.predict_proba(TEXTS),
        lambda made: made.explain(TEXTS),
        lambda made: made.save("model"),
        lambda made: made.model_,
        check_is_fitted,
    ],
)
def test_before_fit_it_says_so(use: Callable[[rnn.RNNClassifier], object]) -> None:
    for made in (small(), pickle.loads(pickle.dumps(small())), clone(small())):
        with pytest.raises(NotFittedError):
            use(made)


def test_the_seed_is_the_random_state_and_a_programs_own_chance_goes_on() -> None:
    def figures(**config: Any) -> Any:
        return small(**config).fit(TEXTS, LABELS).predict_proba(TEXTS)

    random.seed(4)
    np.random.seed(4)
    wanted = random.random(), np.random.rand()
    random.seed(4)
    np.random.seed(4)
    seven = figures(random_state=7)
    assert (random.random(), np.random.rand()) == wanted
    assert (seven == figures(seed=7)).all() and not (seven == figures(random_state=8)).all()
    drawn = figures(random_state=np.random.RandomState(0))
    assert (drawn == figures(random_state=np.random.RandomState(0))).all() and not (drawn == seven).all()


def test_without_a_recipe_it_takes_what_init_would_write() -> None:
    found = rnn.RNNClassifier(None, **SMALL, batch_size=64, embeddings=None).fit(TEXTS, LABELS)
    config = found.model_.bundle.read("config.yaml").decode()
    assert "test: 0" in config and "epochs: 1" in config


def test_progress_is_told_where_it_is_asked_for() -> None:
    told = io.StringIO()
    with redirect_stderr(told):
        small().set_params(progress=True).fit(TEXTS, LABELS)
    assert "54 training, 6 validation, 0 test rows" in told.getvalue()


def test_explanations_are_those_of_the_model(fitted: rnn.RNNClassifier) -> None:
    assert fitted.explain(TEXTS[:2]) == [fitted.model_.explain(text) for text in TEXTS[:2]]
    assert fitted.explain(TEXTS[:2]) == fitted.model_.explain(TEXTS[:2])
    assert fitted.explain(TEXTS[0]) == fitted.explain(TEXTS[:1])[0]
    with pytest.raises(ValueError, match="table of 2 x 1"):
        fitted.explain(np.array([[TEXTS[0]], [TEXTS[1]]]))  # type: ignore[arg-type]


def in_pipeline(**config: Any) -> Pipeline:
    """The classifier behind a step that makes other texts."""
    return Pipeline([("strip", FunctionTransformer(strip)), ("rnn", small(**config))])


def strip(texts: list[str]) -> list[str]:
    return [text.strip() for text in texts]


def test_it_is_searched_and_validated_in_a_pipeline() -> None:
    grid = {"rnn__units": [[2], [3]], "rnn__epochs": [1]}
    search = GridSearchCV(in_pipeline(), grid, cv=2, error_score="raise").fit(TEXTS, LABELS)
    assert search.best_params_["rnn__units"] in ([2], [3]) and search.predict(TEXTS).dtype == LABELS.dtype
    assert len(search.cv_results_["params"]) == 2 and not os.listdir()
    assert "RNNClassifier" in search._repr_html_()
    scores = cross_val_score(in_pipeline(), TEXTS, LABELS, cv=2, scoring="neg_log_loss", error_score="raise")
    assert np.isfinite(scores).all()
    with pytest.raises(ValueError, match="^Invalid parameter: epoch: no such key"):
        in_pipeline().set_params(rnn__epoch=1)


@pytest.mark.slow
def test_it_is_validated_in_other_processes() -> None:
    found = cross_val_score(small(**LEARNS), TEXTS, LABELS, cv=2, n_jobs=2, error_score="raise")
    assert (found == cross_val_score(small(**LEARNS), TEXTS, LABELS, cv=2, error_score="raise")).all()
    with pytest.raises(rnn.Error, match=r"^epochs=0: training\.epochs: expected a whole number"):
        cross_val_score(small(epochs=0), TEXTS, LABELS, cv=2, n_jobs=2, error_score="raise")


def test_its_tags_are_honest() -> None:
    tags = get_tags(small())
    assert tags.estimator_type == "classifier" and tags.target_tags.required and tags.requires_fit
    inputs = tags.input_tags
    assert inputs.string and inputs.one_d_array and not (inputs.two_d_array or inputs.sparse or inputs.allow_nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all but the first check need numbers in two dimensions
        found = check_estimator(small(), on_skip=None)
    assert [each["status"] for each in found] == ["passed"]


class OfNumbers(rnn.RNNClassifier):  # type: ignore[misc]
    """Rows of numbers, written as texts: so scikit-learn's checks, all of which give numbers, can be made."""

    def fit(self, X: Any, y: Any, **unsupported: Any) -> Any:
        X, y = (X, y) if y is None else validate_data(self, X, y)
        return super().fit(written(X), y, **unsupported)

    def predict(self, X: Any) -> Any:
        check_is_fitted(self)
        return super().predict(written(validate_data(self, X, reset=False)))

    def predict_proba(self, X: Any) -> Any:
        check_is_fitted(self)
        return super().predict_proba(written(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = replace(tags.input_tags, one_d_array=False, two_d_array=True, string=False)
        tags.no_validation = False
        tags.classifier_tags.poor_score = True  # two units, one epoch
        return tags


def written(X: Any) -> list[str]:
    return [" ".join(f"{column}:{round(float(value), 1)}" for column, value in enumerate(row)) for row in X]


EXPECTED = {
    "check_do_not_raise_errors_in_init_or_set_params": "takes **config for a parameter called config",
}
"""Checks that fail, and why."""

of_numbers = OfNumbers("quick", **SMALL | {"vocab_size": 500}, validation=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check"),
    list(estimator_checks_generator(of_numbers, expected_failed_checks=EXPECTED, mark="xfail")),
    ids=lambda each: getattr(getattr(each, "func", each), "__name__", "") if callable(each) else "",
)
@pytest.mark.filterwarnings("ignore")  # theirs are many
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
