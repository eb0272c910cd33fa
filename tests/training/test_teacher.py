"""A teacher tells of texts without labels what few labels, and many texts, let it know; and never reads test rows."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_cli.config.schema import Config
from rnn_cli.errors import ConfigError, DataError
from rnn_cli.evaluation.wording import standing_in_words
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training import finish as finish_module
from rnn_cli.training import teacher
from rnn_cli.training.encoding import Encoded, with_lessons
from rnn_cli.training.linear_run import shared_linear
from rnn_cli.training.prepare import Prepared, prepare
from rnn_cli.training.run import train_prepared
from rnn_cli.training.teacher import SUREST, taught
from tests.conftest import Silent, write_csv

pytestmark = pytest.mark.usefixtures("without_report", "in_a_folder_of_its_own")

DOCUMENTS = finish_module.documents

KNOWN = {label: [f"{label}{number}" for number in range(6)] for label in ("dark", "light", "mild")}
UNHEARD = {label: [f"{label}er{number}" for number in range(12)] for label in KNOWN}
"""Words of a label that no labelled text holds: only texts without labels tell with which words they go."""

FILLER = [f"of{number}" for number in range(15)]


def texts_of(label: str, words: Sequence[str], rows: int, seed: str) -> list[str]:
    chance = random.Random(f"{seed} {label}")
    return [" ".join(chance.choices(words, k=4) + chance.choices(FILLER, k=5)) for _ in range(rows)]


def files(labels: Sequence[str] = ("dark", "light"), rows: int = 40) -> dict[str, Any]:
    """Labelled rows of known words, unlabelled texts of both kinds, and test rows of unheard ones."""
    labelled = {
        name: [(text, label) for label in labels for text in texts_of(label, words[label], count, name)]
        for name, words, count in (("rows", KNOWN, rows), ("validation", KNOWN, 10), ("test", UNHEARD, 60))
    }
    for name, found in labelled.items():
        write_csv(Path(f"{name}.csv"), found)
    mixed = [text for label in labels for text in texts_of(label, KNOWN[label] + UNHEARD[label], 300, "more")]
    Path("more.txt").write_text("\n".join(mixed) + "\n", encoding="utf-8")
    return {"source": "rows.csv", "validation": "validation.csv", "test": "test.csv", "unlabelled": "more.txt"}


def configured(data: dict[str, Any], **sections: dict[str, Any]) -> Config:
    content: dict[str, dict[str, Any]] = {
        "data": data,
        "tokenizer": {"vocab_size": 200, "max_length": 20},
        "model": {"embedding_dim": 8, "units": [6], "dense_units": [], "pooling": "max", "ngrams": 1},
        "training": {"epochs": 3, "batch_size": 32, "learning_rate": 0.02, "teacher": {"dim": 24, "passes": 15}},
    }
    return Config.model_validate({name: {**keys, **sections.get(name, {})} for name, keys in content.items()})


@pytest.mark.parametrize("labels", [("dark", "light"), ("dark", "light", "mild")])
def test_words_that_no_label_came_with_are_learned(labels: Sequence[str], listener: Silent) -> None:
    config = configured(files(labels))
    run = train_prepared(prepare(config, listener), out=Path("m"), name="t", force=False, listener=listener)
    assert run.test is not None and run.test.metrics.accuracy > 0.9
    plain = configured(files(labels), training={"teacher": None})
    other = train_prepared(prepare(plain, listener), out=Path("n"), name="t", force=False, listener=listener)
    assert other.test is not None and other.test.metrics.accuracy < run.test.metrics.accuracy - 0.1
    assert any(note.startswith("teacher, cross-validated on ") for note in listener.notes)
    # Whoever measures on the texts that it was taught by is told so.
    from rnn_cli.evaluation.seen import learned_texts

    learned = learned_texts(run.bundle)
    assert learned is not None
    assert learned.knows(Path("more.txt").read_text().splitlines()).all()
    assert not learned.knows([text for (text,) in _rows("test.csv")]).any()
    assert Predictor(run.bundle).labels == tuple(labels)


def _rows(file: str) -> list[tuple[str]]:
    return [(line.partition(",")[0],) for line in Path(file).read_text().splitlines()[1:]]


def test_a_teacher_reads_no_text_of_validation_and_test_rows(listener: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    data = files()
    held_out = [text for file in ("validation.csv", "test.csv") for (text,) in _rows(file)]
    with Path("more.txt").open("a") as more:
        more.write("\n".join([*held_out, *(f"  {text.upper()}!" for text in held_out)]))
    read = list[str]()
    work = teacher.held_ngrams
    monkeypatch.setattr(teacher, "held_ngrams", lambda texts: read.extend(texts) or work(texts))
    run = taught(prepare(configured(data), listener), listener)
    assert len(read) == 80 + 600 and not set(held_out) & {text.strip(" !").lower() for text in read}
    assert run.to_learn is not None and len(run.to_learn.sequences) == 680
    assert f"unlabelled texts that labelled rows have, too, left out: {2 * len(held_out)}" in listener.notes


def test_lessons_are_log_odds_and_rows_keep_their_labels(listener: Silent) -> None:
    run = taught(prepare(configured(files(("dark", "light", "mild"))), listener), listener)
    learned = run.to_learn
    assert learned is not None and learned.lessons is not None
    assert learned.lessons.dtype == np.float32 and learned.lessons.shape == (120 + 900, 3)
    assert np.abs(learned.lessons).max() <= SUREST
    assert learned.labelled == 120 and (learned.classes[:120] == run.train.classes).all()
    rows = np.array([130, 5, 60])
    targets = learned.targets(rows)
    assert targets[1:].tolist() == np.eye(3)[run.train.classes[[5, 60]]].tolist()
    assert 0 < targets[0].max() < 1 and targets.sum(axis=1) == pytest.approx(1, abs=1e-6)
    # The unlabelled texts are in order of labels.
    assert (learned.classes[120:] == np.repeat([0, 1, 2], 300)).mean() > 0.9


def test_texts_of_another_kind_teach_nothing_and_it_says_so(listener: Silent) -> None:
    data = files()
    chance = random.Random(1)
    Path("more.txt").write_text(
        "\n".join(" ".join(chance.choices("un deux trois dix".split(), k=8)) for _ in range(300))
    )
    run = prepare(configured(data, tokenizer={"vocab_size": 60}), listener)
    same = taught(run, listener)
    trial = next(note for note in listener.notes if note.startswith("teacher, cross-validated"))
    assert (same is run) == any(warning.startswith("no teacher: ") for warning in listener.warnings), trial


def test_a_teacher_that_is_no_better_is_not_heard(listener: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(1)

    def worse(held: Any, *, dim: int, **_: Any) -> np.ndarray:
        return chance.normal(size=(held.shape[0], dim)).astype(np.float32)

    monkeypatch.setattr(teacher, "document_vectors", worse)
    monkeypatch.setattr(teacher, "fit_stack", _with_a_worse_trial(teacher.fit_stack))
    run = prepare(configured(files()), listener)
    assert taught(run, listener) is run
    assert any(warning.startswith("no teacher: the unlabelled texts do not help") for warning in listener.warnings)


def _with_a_worse_trial(work: Any) -> Any:
    from dataclasses import replace

    def fit(*given: Any, **more: Any) -> Any:
        found = work(*given, **more)
        return replace(found, trial=replace(found.trial, accuracy=0.5, ngram_accuracy=0.6))

    return fit


def test_too_few_rows_to_cross_validate_have_no_teacher(listener: Silent) -> None:
    run = prepare(configured(files(rows=5)), listener)
    assert taught(run, listener) is run
    assert any("10 training rows are too few" in warning for warning in listener.warnings)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"data": {"unlabelled": None}}, "name them in data.unlabelled"),
        ({"model": {"base": "general"}}, "training.teacher and model.base exclude each other"),
        ({"model": {"ngrams": 0}}, "set model.ngrams to 2"),
        ({"training": {"teacher": {"passes": 0}}}, "teacher"),
    ],
)
def test_what_does_not_go_with_a_teacher(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        configured({"source": "rows.csv", "unlabelled": "more.txt", **sections.pop("data", {})}, **sections)


def test_unlabelled_texts_without_a_known_token(listener: Silent) -> None:
    data = files()
    Path("more.txt").write_text("?!\n...\n")
    with pytest.raises(DataError, match=r"more.txt: no unlabelled text holds a known token"):
        prepare(configured(data), listener)
    with pytest.raises(DataError, match=r"rows.csv: labelled rows have all of these texts"):
        prepare(configured(data | {"unlabelled": "rows.csv"}), listener)


def test_lessons_that_do_not_fit_are_refused() -> None:
    rows = Encoded([[2], [3]], np.array([0, 1]), np.ones(2, np.float32))
    with pytest.raises(ValueError, match="log-odds"):
        with_lessons(rows, [[4]], np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="log-odds"):
        with_lessons(rows, [[4]], np.zeros((3, 1), np.float32))


def test_a_text_weighs_as_the_rows_of_its_probable_labels_do() -> None:
    rows = Encoded([[2], [3], [4]], np.array([0, 1, 1]), np.array([4, 1, 2], np.float32))
    lessons = np.log(np.array([[0.5, 0.5]] * 3 + [[0.75, 0.25]], np.float32))
    assert with_lessons(rows, [[5]], lessons).weights == pytest.approx([4, 1, 2, 0.75 * 4 + 0.25 * 1.5])


def test_further_training_has_no_teacher(listener: Silent) -> None:
    from rnn_cli.config.load import parse_override
    from rnn_cli.training.finetune import Origin

    config = configured({**files(), "transductive": True}, training={"epochs": 1})
    run: Prepared = prepare(config, listener)
    train_prepared(run, out=Path("m"), name="t", force=False, listener=listener)
    origin = Origin.open(Path("m"), listener.warn)
    config = origin.further(None, [])
    assert config.training.teacher is None and Config.model_validate(config.to_dict()) == config
    with pytest.raises(ConfigError, match=r"training.teacher: further training has no teacher"):
        origin.further(None, [parse_override("training.teacher={passes: 3}")])


def test_held_out_texts_are_read_where_a_user_asks_for_it_and_each_figure_says_so(
    listener: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnn_cli import api
    from rnn_cli.evaluation.seen import learned_texts

    monkeypatch.setattr(finish_module, "documents", DOCUMENTS)
    config = configured({**files(), "transductive": True}, training={"epochs": 1})
    prepared = prepare(config, listener)
    assert len(prepared.taught_texts) == 600 + 20 + 120 == len(prepared.taught_ids)
    run = train_prepared(prepared, out=Path("m"), name="t", force=False, listener=listener)
    said = "read without their labels"
    assert said in (run.path / "report.html").read_text() and said in (run.path / "README.md").read_text()
    assert run.metrics["test"]["transductive"] is True
    found = api.evaluate(run.path)
    assert found.transductive and "data.transductive" in "".join(standing_in_words(found, "test"))
    learned = learned_texts(run.bundle)
    # As rows of another file they are left out, as all texts that taught it are.
    assert learned is not None and learned.knows([text for (text,) in _rows("test.csv")]).all()


def test_reading_held_out_texts_needs_a_teacher() -> None:
    with pytest.raises(ValueError, match="data.transductive is for a teacher"):
        Config.model_validate({"data": {"transductive": True}})


def test_the_ngrams_learn_from_the_lessons_or_from_the_labels_whichever_validates_better(listener: Silent) -> None:
    files()
    data = {"source": "rows.csv", "validation": "test.csv", "test": "validation.csv", "unlabelled": "more.txt"}
    run = taught(prepare(configured(data), listener), listener)
    assert run.to_learn is not None and run.to_learn.lessons is not None
    by_lessons = shared_linear(run, lambda *_: None)
    assert by_lessons.taught and by_lessons.val_accuracy > 0.9  # words that no labelled row holds
    wrong = replace(run.to_learn, lessons=-run.to_learn.lessons)
    by_labels = shared_linear(replace(run, to_learn=wrong), lambda *_: None)
    assert not by_labels.taught and by_labels.val_accuracy < 0.7
