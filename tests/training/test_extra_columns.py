"""Other columns beside the text: they join the network, its n-grams, the linear model and the baseline."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rnn_cli.bundle.model_folder import COLUMNS_FILE, CONFIG, INT8_MODEL, KERAS_MODEL, METRICS, ONNX_MODEL, Bundle
from rnn_cli.config.schema import Config
from rnn_cli.data.source import load_rows
from rnn_cli.errors import BundleError, ConfigError, DataError, Error, UsageError
from rnn_cli.evaluation.evaluate import evaluate_predictor, kept_validation_rows
from rnn_cli.scoring.calibration import Calibration
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.padding import pad
from rnn_cli.training.finetune import Origin
from rnn_cli.training.linear_run import train_linear
from rnn_cli.training.prepare import prepare
from rnn_cli.training.run import train_prepared
from tests.conftest import BESIDE, TINY, Silent, priced_rows, write_lists
from tests.training.test_resume import Hears, begin, configured, ended, go_on, interrupt

pytestmark = pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own")

ROWS = priced_rows(120)
TEXTS = [row["text"] for row in ROWS]
VALUES = {name: [row[name] for row in ROWS] for name in ("price", "country")}


@pytest.fixture(scope="module")
def predictor(trained_columns: Path) -> Predictor:
    return Predictor.open(trained_columns)


def config_of(source: Path, **sections: dict[str, Any]) -> Config:
    data = {"source": str(source), "validation": 0.2, "test": 0.2, **BESIDE, **sections.pop("data", {})}
    content = {name: {**TINY[name], **sections.get(name, {})} for name in TINY}
    return Config.model_validate({"data": data, **content, **{n: s for n, s in sections.items() if n not in TINY}})


def test_keras_onnx_and_8_bits_give_the_same(predictor: Predictor, trained_columns: Path):
    opened = predictor.bundle
    network = keras.saving.load_model(trained_columns / KERAS_MODEL)
    numbers = predictor.encoded_columns(VALUES, len(TEXTS))
    ids = pad(predictor.tokenizer.encode_all(TEXTS))
    theirs = network.predict([ids, numbers], verbose=0)[:, 0]
    ours = predictor.adjusted(calibration=Calibration()).score(TEXTS, VALUES).probabilities[:, 1]
    assert ours == pytest.approx(theirs, abs=1e-5)
    assert INT8_MODEL in opened.manifest.files
    small = Predictor(opened, precision="int8").score(TEXTS, VALUES).probabilities
    assert np.abs(small - predictor.score(TEXTS, VALUES).probabilities).mean() < 0.02


def test_other_rows_beside_it_change_no_score(predictor: Predictor):
    together = predictor.score(TEXTS, VALUES).probabilities
    for row in (0, 3, 21):
        of_row = {name: [values[row]] for name, values in VALUES.items()}
        assert predictor.score([TEXTS[row]], of_row).probabilities[0] == pytest.approx(together[row], abs=1e-6)


def test_the_columns_tell_what_the_text_does_not(predictor: Predictor, priced_file: Path):
    cheap, dear = predictor.predict(["the film story"] * 2, columns={"price": [5, 14], "country": ["IT", "FR"]})
    assert (cheap.label, dear.label) == ("bad", "good")
    rows = load_rows(str(priced_file), config_of(priced_file).data)
    with_columns = evaluate_predictor(predictor, rows).metrics.accuracy
    nothing = predictor.score(rows.texts, {}).probabilities
    without = np.mean(
        [predictor.labels[place] == label for place, label in zip(nothing.argmax(1), rows.labels, strict=True)]
    )
    assert with_columns > without + 0.05


def test_what_was_never_seen_is_scored(predictor: Predictor):
    found = predictor.score(["the film"] * 3, {"price": ["1e9", None, "-5"], "country": ["never seen", "", "X8"]})
    assert np.isfinite(found.probabilities).all()
    unknown, rare = predictor.score(["a"] * 2, {"price": [9, 9], "country": ["never seen", "X8"]}).probabilities
    assert unknown == pytest.approx(rare)


def test_texts_alone_are_refused_where_columns_are_read(predictor: Predictor):
    with pytest.raises(UsageError, match=r"price, country"):
        predictor.predict("the film")
    with pytest.raises(UsageError, match="no column 'prize'"):
        predictor.predict("the film", columns={"prize": 3})
    with pytest.raises(DataError, match="'abc', which is no number"):
        predictor.predict("the film", columns={"price": "abc", "country": "FR"})
    with pytest.warns(UserWarning, match="no values of country"):
        predictor.predict("the film", columns={"price": 3})


def test_columns_are_refused_where_texts_alone_are_read(trained: Path):
    with pytest.raises(UsageError, match="reads no column 'price'"):
        Predictor.open(trained).predict("the film", columns={"price": 3})


def test_an_explanation_says_what_a_column_does(predictor: Predictor):
    values = {"price": ["14"], "country": [""]}
    (columns,) = predictor.explain_columns(["the film"], values)
    price, country = columns
    assert (price.column, price.value, country.value, country.weight) == ("price", "14", None, 0.0)
    found, without = (
        predictor.score(["the film"], {**values, **other}).probabilities[0] for other in ({}, {"price": [""]})
    )
    label = int(found.argmax())
    odds = [np.log(each[label] / each[1 - label]) for each in (found, without)]
    assert price.weight == pytest.approx(odds[0] - odds[1], abs=1e-4)
    parts = predictor.explain("the warm film", columns={"price": 14, "country": "FR"})
    assert len(parts) == 3


def test_a_run_tells_of_its_columns(trained_columns: Path):
    metrics = json.loads((trained_columns / METRICS).read_text())
    price, country = metrics["columns"]["test"]
    assert (price["name"], price["kind"], country["kind"]) == ("price", "number", "category")
    assert price["interval"][0] <= price["lost"] <= price["interval"][1]
    assert max(price["risen"], country["risen"]) > 0.01
    manifest = Bundle.open(trained_columns).manifest
    assert manifest.format_version == 6 and json.loads((trained_columns / COLUMNS_FILE).read_text())["columns"]


def test_the_validation_rows_that_it_keeps_have_their_columns(predictor: Predictor):
    rows = kept_validation_rows(predictor.bundle)
    assert set(rows.further) == set(VALUES)
    assert any(rows.further["price"]) and len(rows.further["country"]) == len(rows)


def test_other_models_have_no_trace_of_columns(trained: Path):
    manifest = Bundle.open(trained).manifest
    assert manifest.format_version <= 2 and COLUMNS_FILE not in manifest.files
    assert "extra_columns" not in (trained / CONFIG).read_text()
    with (trained / "predictions.csv").open() as file:
        assert not any("column(" in name for name in next(csv.reader(file)))


@pytest.mark.parametrize("damage", ["other sizes", "no columns", "no json"])
def test_a_file_of_columns_that_does_not_fit_is_refused(damage: str, trained_columns: Path, tmp_path: Path):
    from tests.forge import Forged

    forged = Forged(trained_columns, tmp_path / "forged")
    content = json.loads((trained_columns / COLUMNS_FILE).read_text())
    if damage == "other sizes":
        content["columns"][0]["missing"] = False
    forged.write(
        COLUMNS_FILE, "[" if damage == "no json" else json.dumps({"columns": []} if damage == "no columns" else content)
    )
    with pytest.raises(BundleError, match="columns"):
        Predictor.open(forged.path)


def test_resumed_it_ends_as_if_never_stopped(priced_file: Path):
    config = configured(priced_file, data=BESIDE, model={"ngrams": 1})
    unbroken = ended(begin(config, Hears(), "whole").bundle.path)
    with pytest.raises(KeyboardInterrupt):
        begin(config, Hears({("step", 7): interrupt}))
    go_on()
    assert ended(Path("m")) == unbroken
    assert (Path("m") / COLUMNS_FILE).read_bytes() == (Path("whole") / COLUMNS_FILE).read_bytes()


def test_changed_columns_are_other_rows(priced_file: Path, tmp_path: Path):
    own = tmp_path / "own.csv"
    shutil.copy(priced_file, own)
    config = configured(own, data=BESIDE)
    with pytest.raises(KeyboardInterrupt):
        begin(config, Hears({("step", 3): interrupt}))
    own.write_text(own.read_text().replace(",DE\n", ",AT\n", 1))
    with pytest.raises(DataError, match="the rows differ"):
        go_on()


def test_further_training_keeps_the_columns(priced_file: Path, trained_columns: Path):
    origin = Origin.open(trained_columns, lambda _: None)
    config = origin.further(None, [])
    run = prepare(config, Silent(), origin.known)
    assert run.columns == Predictor.open(trained_columns).extra_columns
    with pytest.raises(ConfigError, match="keeps its other columns: price, country"):
        origin.further(None, _override("data.extra_columns", {"price": "number"}))


def _override(key: str, value: object) -> list[Any]:
    from rnn_cli.config.load import Override

    return [Override(key, value)]


@pytest.mark.parametrize("ngrams", [1, 2])
def test_the_linear_model_reads_them(priced_file: Path, ngrams: int):
    config = config_of(
        priced_file,
        model={"kind": "linear", "ngrams": ngrams, "ngram_buckets": 64},
        training={"folds": 2, "baseline": False},
    )
    trained = train_linear(prepare(config, Silent()), out=Path("m"), name="t", force=False, listener=Silent())
    model, alone = (
        trained.model,
        config.model_copy(update={"data": config.data.model_copy(update={"extra_columns": None})}),
    )
    without = train_linear(prepare(alone, Silent()), out=Path("a"), name="t", force=False, listener=Silent())
    assert trained.folds is not None and without.folds is not None
    assert trained.folds.metrics.accuracy > without.folds.metrics.accuracy + 0.05
    assert model.architecture.columns == 7 and model.architecture.is_linear
    cheap, dear = model.predict(["the film"] * 2, columns={"price": [5, 14], "country": ["IT", "FR"]})
    assert (cheap.label, dear.label) == ("bad", "good")


def test_the_baseline_reads_them_too(priced_file: Path):
    run = prepare(config_of(priced_file), Silent())
    alone = prepare(config_of(priced_file, data={"extra_columns": None}), Silent())
    assert run.baseline is not None and alone.baseline is not None
    assert run.baseline.features == alone.baseline.features + 7
    assert "beside other columns" in run.baseline.model


def test_several_and_ordered_labels_read_them(tmp_path: Path):
    texts = write_lists(
        tmp_path / "lists.csv", [(row["text"], [row["label"]] * (at % 5 > 0)) for at, row in enumerate(ROWS)]
    )
    with texts.open() as file, (tmp_path / "several.csv").open("w", newline="") as out:
        (head, *rows), writer = list(csv.reader(file)), csv.writer(out)
        writer.writerows([[*head, "price"], *([*cells, row["price"]] for cells, row in zip(rows, ROWS, strict=True))])
    with (tmp_path / "stars.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["text", "label", "price"])
        writer.writerows([row["text"], 1 + (at // 2) % 3, row["price"]] for at, row in enumerate(ROWS))
    for name, kind in (("several", "several"), ("stars", "ordered")):
        data = {"labels": kind, "extra_columns": ["price"]}
        config = config_of(tmp_path / f"{name}.csv", data=data, training={"epochs": 1})
        run = train_prepared(prepare(config, Silent()), out=Path(name), name="t", force=False, listener=Silent())
        assert run.metrics["columns"]["test"][0]["name"] == "price"
        (found,) = run.model.predict(["the film"], columns={"price": [3]})
        assert found.label


def test_each_column_is_said_and_what_gives_the_label_away(priced_file: Path, tmp_path: Path):
    own = tmp_path / "own.csv"
    with own.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*ROWS[0], "verdict"])
        writer.writeheader()
        writer.writerows({**row, "verdict": row["label"].upper()} for row in ROWS)
    heard = Silent()
    prepare(config_of(own, data={"extra_columns": ["price", "verdict"]}), heard)
    assert any(note.startswith("column price: number, mean") for note in heard.notes)
    assert any(note.startswith("column verdict: 2 categories (BAD, GOOD)") for note in heard.notes)
    assert any("verdict alone tells the label" in warning for warning in heard.warnings)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"extra_columns": ["prize"]}, "did you mean price"),
        ({"extra_columns": ["label"]}, "data.extra_columns"),
        ({"extra_columns": {"country": "number"}}, "no number"),
        ({"extra_columns": ["text"]}, "data.extra_columns"),
    ],
)
def test_columns_that_cannot_be_read_are_refused(data: dict[str, Any], what: str, priced_file: Path):
    with pytest.raises(Error, match=what):
        prepare(config_of(priced_file, data=data), Silent())


@pytest.mark.parametrize(
    ("sections", "what"),
    [
        ({"model": {"base": "general"}}, "model.base reads texts alone"),
        (
            {"model": {"ngrams": 1}, "training": {"teacher": {}}, "data": {"unlabelled": "x.txt"}},
            "training.teacher reads",
        ),
        ({"data": {"sources": [{"source": "a.csv"}], "source": "imdb"}}, "sources and extra_columns exclude"),
        ({"data": {"extra_columns": ["price", "price"]}}, "names price twice"),
        ({"data": {"extra_columns": {"price": "text"}}}, "number"),
        ({"data": {"extra_columns": []}}, "at least 1"),
        ({"data": {"text_column": "price"}}, "price is the column of texts"),
    ],
)
def test_what_does_not_go_with_them_is_refused(sections: dict[str, dict[str, Any]], what: str):
    with pytest.raises(ValueError, match=what):
        config_of(Path("imdb"), **sections)


def test_the_graph_of_columns_is_no_other(trained_columns: Path):
    from rnn_cli.graph import read_graph

    file = (trained_columns / ONNX_MODEL).read_bytes()
    assert read_graph(file, "x").architecture.columns == 7
    with pytest.raises(BundleError):
        read_graph(file.replace(b"columns", b"columnz"), "x")
