"""The Python face: it answers what the shell answers, takes what people have texts in, and costs nothing to import."""

import io
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnn_cli as rnn
from rnn_cli.bundle.model_folder import CARD
from rnn_cli.training.listener import SilentListener

TEXTS = ["the warm and funny film", "a dull evening", "zzqq", ""]
PAGE = Path(__file__).parents[1] / "docs" / "python.md"


@pytest.fixture(scope="module")
def model(trained: Path) -> rnn.Predictor:
    return rnn.load(trained)


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "'numpy', 'onnxruntime', 'click', 'pydantic', 'sklearn', 'rnn_cli.classifier'"
    code = f"import sys, rnn_cli; print([n for n in ({heavy}) if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(rnn, name) is not None for name in rnn.__all__)
    assert sorted(rnn.__all__) == dir(rnn)
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        rnn.lod  # type: ignore[attr-defined]  # noqa: B018


def test_it_answers_what_the_shell_answers(model: rnn.Predictor, trained: Path) -> None:
    line = [sys.executable, "-m", "rnn_cli", "predict", "--model", str(trained), "--format", "tsv", "--proba", *TEXTS]
    _, *rows = subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()
    told = [row.split("\t") for row in rows]
    assert [prediction.label for prediction in model.predict(TEXTS)] == [row[1] for row in told]
    predicted = model.predict_proba(TEXTS)
    assert [[float(cell) for cell in row[-2:]] for row in told] == [
        [round(each, 6) for each in row] for row in predicted
    ]


def test_texts_come_in_whatever_holds_them(model: rnn.Predictor) -> None:
    predictions, probabilities = model.predict(TEXTS), model.predict_proba(TEXTS)
    assert probabilities.shape == (4, len(model.labels)) and np.allclose(probabilities.sum(axis=1), 1)
    for held in (tuple(TEXTS), np.array(TEXTS), np.array(TEXTS, object), iter(TEXTS)):
        assert model.predict(held) == predictions
    assert model.predict(TEXTS[0]) == predictions[:1]
    assert model.predict([]) == [] and model.predict_proba([]).shape == (0, len(model.labels))


def test_a_series_keeps_its_index(model: rnn.Predictor) -> None:
    series = pd.Series(TEXTS, index=[7, 3, 3, 0])
    assert list(model.predict(series).index) == [7, 3, 3, 0]
    assert model.predict(series).tolist() == model.predict(TEXTS)
    frame = model.predict_proba(series)
    assert list(frame.columns) == list(model.labels) and list(frame.index) == [7, 3, 3, 0]
    assert (frame.to_numpy() == model.predict_proba(TEXTS)).all()
    assert len(model.predict(series[:0])) == 0 and model.predict_proba(series[:0]).shape == (0, len(model.labels))


@pytest.mark.parametrize("wrong", [["fine", None], [float("nan")], [b"bytes"], pd.Series(["fine", 3])])
def test_what_is_no_text_is_named(wrong: object, model: rnn.Predictor) -> None:
    for call in (model.predict, model.predict_proba):
        with pytest.raises(rnn.Error, match=r"^text \d: expected a text, got "):
            call(wrong)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (3, "expected a text or texts, got int"),
        ({"warm": "dull"}, "expected a text or texts, got dict"),
        (np.array("warm"), "expected a text or texts, got ndarray"),
        (pd.DataFrame({"text": TEXTS}), f"expected texts in one dimension, got a table of {len(TEXTS)} x 1"),
    ],
)
def test_what_is_no_list_of_texts_is_refused_and_not_read_by_its_keys(
    wrong: Any, what: str, model: rnn.Predictor
) -> None:
    for call in (model.predict, model.predict_proba, model.explain):
        with pytest.raises(rnn.Error, match=f"^{what}"):
            call(wrong)


def test_threads_and_forks_answer_the_same(model: rnn.Predictor) -> None:
    many = TEXTS * 100
    wanted = model.predict_proba(many)
    with ThreadPoolExecutor(4) as pool:
        assert all((each == wanted).all() for each in pool.map(lambda _: model.predict_proba(many), range(8)))
    code = (
        "import os, sys, rnn_cli as rnn\nm = rnn.load(sys.argv[1]); w = m.predict_proba(['warm'] * 200)\n"
        "pid = os.fork()\nsame = bool((m.predict_proba(['warm'] * 200) == w).all())\n"
        "if not pid: os._exit(0 if same else 7)\n"
        "sys.exit(0 if same and os.waitpid(pid, 0)[1] == 0 else 1)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(model._opened.path)], timeout=60)
    assert ended.returncode == 0


def test_explanations_and_the_card(model: rnn.Predictor, trained: Path) -> None:
    parts = model.explain(TEXTS[0])
    assert [TEXTS[0][part.start : part.end] for part in parts] == TEXTS[0].split()
    assert model.explain(TEXTS) == [model.explain(text) for text in TEXTS] and model.explain([]) == []
    series = model.explain(pd.Series(TEXTS, index=range(5, 5 + len(TEXTS))))
    assert series.index[0] == 5 and series.tolist() == model.explain(TEXTS)
    assert model.model_card == (trained / CARD).read_text()


def test_the_model_is_found_as_in_the_shell(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RNN_MODEL", raising=False)
    with pytest.warns(UserWarning, match="no trained model in runs/: using the general model"):
        general = rnn.load()
    assert general.labels == rnn.load("general").labels == ("negative", "neutral", "positive")
    assert rnn.load("general", labels=["positive", "negative"]).labels == ("negative", "positive")
    monkeypatch.setenv("RNN_MODEL", str(trained))
    assert rnn.load().labels == rnn.load(str(trained)).labels


def test_the_page_runs_as_it_stands(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RNN_MODEL", raising=False)
    (tmp_path / "runs").mkdir()
    os.symlink(trained, tmp_path / "runs" / "latest")
    rows().set_axis(["text", "label", "year"], axis=1).to_csv("reviews.csv", index=False)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)  # noqa: S102
    assert len(blocks) == 14 and list(names["labels"].index) == ["a", "b"]  # type: ignore[attr-defined]
    assert capsys.readouterr().out.splitlines()[-1] == "runs/none: no such folder; name the folder of a trained model"


WORDS = {"good": ["warm", "funny", "lovely"], "bad": ["dull", "bland", "clumsy"]}


def rows(count: int = 60) -> pd.DataFrame:
    labels = ["good" if number % 2 else "bad" for number in range(count)]
    texts = [f"a {WORDS[label][number // 2 % 3]} film number {number}" for number, label in enumerate(labels)]
    return pd.DataFrame({"review": texts, "sentiment": labels, "year": ["1999", "2001", "2001"] * (count // 3)})


def test_files_are_scored_as_in_the_shell(
    model: rnn.Predictor, trained: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for file in files:
        file.write_text("says;id\nwarm;1\ndull;2;3\nzzqq;4\n")
    how = {"text_column": "says", "delimiter": ";", "on_bad_row": "skip"}
    counts = rnn.score(files, tmp_path / "out.csv", model=model, **how)
    assert (counts.rows, counts.scored, counts.rejected, counts.unknown) == (6, 4, 2, 2)
    assert len((tmp_path / "out.csv.rejected.jsonl").read_text().splitlines()) == 2
    stream = io.BytesIO()
    rejects = tmp_path / "bad.jsonl"
    assert rnn.score([str(file) for file in files], stream, model=trained, rejects=rejects, **how) == counts
    assert stream.getvalue() == (tmp_path / "out.csv").read_bytes()
    assert capfd.readouterr() == ("", "")
    line = [sys.executable, "-m", "rnn_cli", "score", "--model", trained, *files, "--text-column", "says"]
    line += ["--delimiter", ";", "--on-bad-row", "skip", "--rejects", tmp_path / "too.jsonl"]
    assert subprocess.run(line, capture_output=True, check=True).stdout == stream.getvalue()
    assert rnn.score(files[0], f"{tmp_path}/parts/", model=model, proba=True, **how).scored == 2
    assert rnn.score(files[0], f"{tmp_path}/parts/", model=model, proba=True, resume=True, **how).rows == 3
    for wrong, said in (
        ({"inputs": []}, "no files to score"),
        ({"resume": True}, "no unfinished job"),
        ({"output": files[0]}, "is the input"),
        ({"text_column": "say"}, "did you mean"),
    ):
        with pytest.raises(rnn.Error, match=said):
            rnn.score(
                **({"inputs": files, "output": tmp_path / "out.csv", "model": model, "force": True} | how | wrong)
            )


def test_the_progress_of_scoring_is_heard(
    model: rnn.Predictor, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    class Heard(SilentListener):
        size: int | None = None
        bytes = rows = 0

        def to_read(self, size: int | None) -> None:
            self.size = size

        def read(self, count: int) -> None:
            self.bytes += count

        def scored(self, count: int) -> None:
            self.rows += count

    (tmp_path / "in.csv").write_text("text\n" + "warm\n" * 50)
    heard = Heard()
    rnn.score(tmp_path / "in.csv", io.BytesIO(), model=model, progress=heard)
    assert heard.size == heard.bytes == (tmp_path / "in.csv").stat().st_size and heard.rows == 50
    rnn.score(tmp_path / "in.csv", io.BytesIO(), model=model, progress=True)
    assert capfd.readouterr().out == ""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    small = {"vocab_size": 60, "max_length": 10, "embedding_dim": 4, "units": [3], "epochs": 2, "ngrams": 0}
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where runs/latest leads to the newest run
        return rnn.train("quick", rows(), out=folder / "model", **small, embeddings=None)


def test_a_run_of_rows_in_memory_is_one_as_of_a_file(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where runs/latest leads to the newest run
    assert list(run.history["epoch"]) == [1, 2] and run.report_path.is_file()
    assert run.metrics["test"]["accuracy"] == run.test.metrics.accuracy
    assert run.model.labels == ("bad", "good") and "linear" in run._repr_html_()
    rows().to_csv(tmp_path / "rows.csv", index=False)
    config = tmp_path / "config.yaml"
    config.write_text(run.bundle.read("config.yaml").decode("utf-8"))
    again = rnn.train(config, tmp_path / "rows.csv", out=tmp_path / "model")
    assert again.bundle.manifest.data["fingerprint"] == run.bundle.manifest.data["fingerprint"]
    assert again.bundle.read("model.onnx") == run.bundle.read("model.onnx")


def test_an_evaluation_is_a_table_and_says_what_it_measured(run: Any) -> None:
    found = rnn.evaluate(run, rows(), by="year", text_column="review", include_seen=True)
    table = found.to_frame()
    assert list(table["text"]) == list(rows()["review"]) and len(table) == 60
    assert (table["prediction"] == table["label"]).mean() == found.metrics.accuracy
    assert {part.name for part in found.slices} == {"1999", "2001"} and "accuracy" in found._repr_html_()
    with pytest.raises(rnn.Error, match="passed by a program"):
        rnn.evaluate(run)


def test_models_are_compared_and_rows_are_checked(run: Any, model: rnn.Predictor) -> None:
    found = rnn.compare(run, run, data=rows())
    assert list(found.to_frame()["accuracy"])[0] == found.models[0].accuracy and "<table>" in found._repr_html_()
    twice = pd.concat([rows(), rows().head(2)])
    assert "duplicates" in set(rnn.check(twice).to_frame()["finding"])


def test_what_is_wrong_with_settings_and_rows_is_said(run: Any) -> None:
    with pytest.raises(rnn.Error, match="epoch: no such key; did you mean epochs"):
        rnn.train("quick", rows(), epoch=3)
    with pytest.raises(rnn.Error, match="no column has a usual name for texts"):
        rnn.train("quick", rows().rename(columns={"review": "zzz"}), epochs=1)
    with pytest.raises(rnn.Error, match="1 row has no label"):
        rnn.train("quick", (["a", "b", "c"], ["x", None, "y"]))
    with pytest.raises(rnn.Error, match="2 texts and 1 labels"):
        rnn.train("quick", (["a", "b"], ["x"]))


def test_what_a_call_returns_is_shown_in_a_line(run: Any, model: rnn.Predictor) -> None:
    evaluation = rnn.evaluate(run, rows(), text_column="review", include_seen=True)
    for shown in (run, evaluation, rnn.check(rows()), model):
        assert len(repr(shown)) < 300 and "\n" not in repr(shown) and "0x" not in repr(shown)
    assert repr(run).startswith("Run(") and "test accuracy" in repr(run)
    assert f"accuracy {evaluation.metrics.accuracy:.1%}" in repr(evaluation)


def test_rows_in_the_place_of_a_config_are_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows().drop(columns="year").to_csv("reviews.csv", index=False)
    small = {"epochs": 1, "ngrams": 0, "units": [2], "embedding_dim": 4, "embeddings": None, "baseline": False}
    by_name, by_table = rnn.train("reviews.csv", **small), rnn.train(rows().drop(columns="year"), **small)
    assert by_name.bundle.read("model.onnx") == by_table.bundle.read("model.onnx")
    with pytest.raises(rnn.Error, match="expected one set of rows, got two"):
        rnn.train("reviews.csv", rows())


def test_errors_name_arguments_and_have_their_parts(tmp_path: Path) -> None:
    with pytest.raises(rnn.Error) as caught:
        rnn.train("quick", epochs="many")
    assert (caught.value.where, caught.value.hint) == ("epochs='many': training.epochs", None)
    assert caught.value.what.startswith("expected a whole number")
    assert str(caught.value) == f"{caught.value.where}: {caught.value.what}"
    file = tmp_path / "odd.csv"
    file.write_text("id,words,kind\n" + "".join(f"{row},a warm film,good\n" for row in range(9)))
    with pytest.raises(rnn.Error, match=r"; use text_column=words label_column=[a-z]+$"):
        rnn.train(file)


def test_what_is_no_model_and_no_text_is_an_error(model: rnn.Predictor, trained: Path) -> None:
    with pytest.raises(rnn.Error, match="expected a model's folder, got int"):
        rnn.load(5)  # type: ignore[arg-type]
    with pytest.raises(rnn.Error, match="no such precision: fp16; use one of fp32, int8"):
        rnn.load(trained, precision="fp16")  # type: ignore[arg-type]
    with pytest.raises(rnn.Error, match="expected a text or texts, got int"):
        model.predict(3)  # type: ignore[call-overload]


def test_a_stopped_run_of_rows_in_memory_says_how_python_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    class Stops(SilentListener):
        def epoch_done(self, *_: object, **__: object) -> None:
            raise KeyboardInterrupt

    small = {"epochs": 3, "ngrams": 0, "units": [2], "embedding_dim": 4, "embeddings": None, "baseline": False}
    with pytest.raises(KeyboardInterrupt) as stopped:
        rnn.train("quick", rows(), out="m", progress=Stops(), **small)
    (note,) = stopped.value.__notes__
    assert note == "saved; go on with: rnn.train(resume='m.unfinished', data=...) and the same rows"
    assert rnn.train(resume="m.unfinished", data=rows()).best_epoch


def test_only_some_labels_are_measured() -> None:
    texts = ["I love this purple lamp.", "An awful, boring Sunday.", "Our bus leaves at half past nine.", "Huge fun!"]
    opinions = (texts, ["positive", "negative", "neutral", "positive"])
    every = rnn.evaluate("general", opinions)
    assert every.metrics.labels == ("negative", "neutral", "positive") and every.metrics.rows == 4
    two = rnn.evaluate("general", opinions, labels=["negative", "positive"])
    assert two.metrics.labels == ("negative", "positive") and two.metrics.rows == 3
    both = rnn.compare("general", "general", data=opinions, labels=["negative", "positive"])
    assert both.models[0].accuracy == two.metrics.accuracy
    with pytest.raises(rnn.Error, match="labels is about labelled rows, and none are given; add data=FILE"):
        rnn.evaluate("general", labels=["negative", "positive"])


def test_an_evaluation_of_many_labels_is_a_table(run: Any) -> None:
    found = rnn.evaluate(run, rows(), text_column="review", include_seen=True)
    labels = tuple(f"label {number}" for number in range(150))
    probabilities = np.full((60, 150), 1 / 150)
    many = replace(
        found, metrics=replace(found.metrics, labels=labels), scores=replace(found.scores, probabilities=probabilities)
    )
    table = many.to_frame()
    assert list(table.columns)[-150:] == [f"p({label})" for label in labels]
    assert (table["p(label 7)"] == 1 / 150).all()
