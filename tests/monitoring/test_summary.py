"""What a bundle keeps of its texts: small, without texts, read again as it was, refused where damaged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnn_cli as rnn
from rnn_cli.bundle.model_folder import SUMMARY, Bundle
from rnn_cli.copies.words import split_words
from rnn_cli.data.rows import Dataset
from rnn_cli.errors import BundleError, DataError
from rnn_cli.monitoring.compare import find_drift
from rnn_cli.monitoring.features import (
    EDGES,
    MOST_VALUES,
    Histogram,
    bin_names,
    in_same_bins,
    of_names,
    of_numbers,
)
from rnn_cli.monitoring.summary import FEATURES, TextsSummary, kept_summary
from rnn_cli.monitoring.words import BUCKETS, Hashed, counts_of, rarity, sum_of_vectors, vectors
from rnn_cli.scoring.predictor import Predictor
from tests.conftest import FILLER, WORDS, labelled_texts
from tests.forge import Forged


@pytest.fixture(scope="module")
def summary(trained: Path) -> TextsSummary:
    return kept_summary(Bundle.open(trained))


def test_a_run_keeps_counts_of_its_training_texts_and_of_rows_kept_aside(summary: TextsSummary, trained: Path) -> None:
    assert (summary.texts, summary.sizes) == (48, (24, 24))
    assert set(summary.histograms) == {*FEATURES} - {"number"}
    for name, found in summary.histograms.items():
        assert found.rows == (48 if name in ("length", "script", "language") else 32)
    assert summary.histograms["label"].counts.keys() == {"bad", "good"}
    assert (trained / SUMMARY).stat().st_size < 64 << 10


def test_no_word_stands_in_it(trained: Path) -> None:
    content = (trained / SUMMARY).read_bytes()
    for word in (*WORDS["good"], *WORDS["bad"], *FILLER):
        assert len(word) < 4 or word.encode() not in content


def test_it_is_read_as_it_was_written(summary: TextsSummary) -> None:
    again = TextsSummary.from_bytes(summary.to_bytes())
    assert again.to_bytes() == summary.to_bytes()
    assert (again.counts == summary.counts).all() and (again.sums == summary.sums).all()
    assert again.histograms == summary.histograms


def test_counts_and_sums_are_those_of_the_training_texts(summary: TextsSummary, trained: Path) -> None:
    hashed = Hashed()
    words = {word for text, _ in labelled_texts(["good", "bad"], 80) for word in split_words(text)}
    places = {hashed.place(word) for word in words}
    assert set(np.flatnonzero(summary.counts)) <= places
    weights = rarity(summary.counts, summary.texts)
    lengths = np.sqrt((summary.sums**2).sum(axis=1))
    assert (lengths <= summary.sizes).all() and (lengths > 0).all()
    assert ((summary.sums > 0).any(axis=0) == (summary.counts > 0)).all()
    assert weights[summary.counts.argmax()] < weights[summary.counts.argmin()]


def test_vectors_have_length_1_and_their_sum_is_the_sum() -> None:
    hashed = Hashed()
    places = [hashed.places(text) for text in ("a warm film", "dull", "", "warm warm dull")]
    weights = rarity(counts_of(places), 4)
    found = vectors(places, weights)
    assert np.sqrt((found**2).sum(axis=1)) == pytest.approx([1, 1, 0, 1])
    assert sum_of_vectors(places, weights) == pytest.approx(found.sum(axis=0), abs=1e-6)
    assert found.shape == (4, BUCKETS)


def test_the_same_run_gives_the_same_bytes(trained: Path, summary: TextsSummary) -> None:
    assert kept_summary(Bundle.open(trained)).to_bytes() == (trained / SUMMARY).read_bytes()


@given(st.lists(st.floats(0, 2_000), min_size=1))
def test_numbers_are_counted_in_the_bins_of_their_edges(values: list[float]) -> None:
    found = of_numbers("length", values)
    assert found.rows == len(values)
    for edge, name in zip((0.0, *EDGES["length"]), bin_names("length"), strict=True):
        upper = next((each for each in EDGES["length"] if each > edge), np.inf)
        assert found.counts[name] == sum(edge <= value < upper for value in values)


def test_rare_names_are_counted_together() -> None:
    then = of_names([f"l{number:03}" for number in range(MOST_VALUES + 5)] * 2 + ["l000"] * 9)
    assert then.counts["l000"] == 11 and then.counts["(others)"] == 10
    names, first, second = in_same_bins(then, of_names(["l000", "l054", "new", None]))
    assert dict(zip(names, second.tolist(), strict=True))["(others)"] == 3
    assert (first.sum(), second.sum()) == (then.rows, 4)


def test_a_name_that_is_new_has_a_bin() -> None:
    names, first, second = in_same_bins(Histogram({"a": 3}), Histogram({"a": 1, "b": 2}))
    assert (names, first.tolist(), second.tolist()) == (["a", "b"], [3, 0], [1, 2])


def test_a_model_of_an_earlier_release_still_predicts_and_says_what_it_lacks(trained: Path, tmp_path: Path) -> None:
    old = Forged(trained, tmp_path / "old")
    (old.path / SUMMARY).unlink()
    old.sign(files={name: proof for name, proof in old.manifest["files"].items() if name != SUMMARY})
    with pytest.raises(BundleError, match="keeps no summary of its texts .* train it again"):
        rnn.drift(old.path, ["a film"] * 40)
    text = "a warm lovely film"
    assert rnn.load(old.path).predict(text) == rnn.load(trained).predict(text)


DAMAGE = [
    lambda content: b"",
    lambda content: content[:-1],
    lambda content: b"{}\n" + content.partition(b"\n")[2],
    lambda content: content.replace(b'"version": 1', b'"version": 2'),
    lambda content: content.replace(b'"sizes": [24, 24]', b'"sizes": [24, 0]'),
    lambda content: content.replace(b'"sizes": [24, 24]', b'"sizes": [2, 2]'),
    lambda content: content.replace(b'"length"', b'"width"'),
    lambda content: content[:-4] + b"\x00\x00\xc0\x7f",
    lambda content: content[:-4] + b"\x00\x00\x80\xbf",
    lambda content: b"[" * 100_000 + b"\n" + content.partition(b"\n")[2],
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_forged_summary_is_refused(damage: object, trained: Path, tmp_path: Path) -> None:
    forged = Forged(trained, tmp_path / "forged")
    content = (trained / SUMMARY).read_bytes()
    changed = damage(content)  # type: ignore[operator]
    assert changed != content
    forged.write(SUMMARY, changed)
    with pytest.raises(BundleError, match="not a summary of texts as this rnn writes it"):
        kept_summary(Bundle.open(forged.path))


def test_negative_and_foreign_counts_are_refused(summary: TextsSummary) -> None:
    content = summary.to_bytes()
    head, arrays = content.split(b"\n", 1)
    for name, value in (("label", {"bad": -1}), ("label", {"bad": 1.5}), ("length", {"0": 5}), ("script", {})):
        changed = json.loads(head)
        changed["histograms"][name]["counts"] = value
        with pytest.raises(ValueError, match="its|counts|bins|names"):
            TextsSummary.from_bytes(json.dumps(changed).encode() + b"\n" + arrays)


@pytest.fixture(scope="module")
def predictor(trained: Path) -> Predictor:
    return Predictor.open(trained, threads=1)


def rows_of(texts: list[str], labels: list[str] | None = None) -> Dataset:
    return Dataset("new.csv", texts, labels or [""] * len(texts), list(range(2, len(texts) + 2)))


NEW = [text for text, _ in labelled_texts(["good", "bad"], 160)[80:]]
"""Texts of the same source, which the model has not seen."""


def test_texts_of_the_same_source_do_not_differ(predictor: Predictor, summary: TextsSummary) -> None:
    found = find_drift(predictor, summary, rows_of(NEW), np.zeros(80, bool))
    assert not found.is_sure and found.p_value > 0.05
    assert (found.rows, found.learned) == (80, 0)
    assert [each.feature for each in found.shifts] == [*FEATURES[:-1], "words"]


def test_another_subject_is_seen_in_its_words_and_rows(predictor: Predictor, summary: TextsSummary) -> None:
    others = [f"parcel number {number} never came, where is the courier" for number in range(40)]
    found = find_drift(predictor, summary, rows_of(NEW[:40] + others), None)
    sure = {each.feature for each in found.shifts if each.is_sure}
    assert {"unknown", "words"} <= sure
    words = [each.word for each in found.more]
    assert set(words) & {"parcel", "courier", "never", "number"}
    assert all(each.now > each.then for each in found.more) and all(each.now < each.then for each in found.fewer)
    assert all("parcel" in each.text for each in found.examples)
    assert found.examples[0].where.startswith("new.csv:")


def test_another_script_is_seen(predictor: Predictor, summary: TextsSummary) -> None:
    found = find_drift(predictor, summary, rows_of(NEW[:40] + ["хороший фильм, тёплый и смешной"] * 20), None)
    (script,) = [each for each in found.shifts if each.feature == "script"]
    assert script.is_sure and (script.name, script.then) in (("Latin", 1.0), ("Cyrillic", 0.0))


def test_another_mix_of_labels_is_seen_in_the_predictions(predictor: Predictor, summary: TextsSummary) -> None:
    good = [text for text, label in labelled_texts(["good", "bad"], 240)[80:] if label == "good"]
    found = find_drift(predictor, summary, rows_of(good), None)
    (label,) = [each for each in found.shifts if each.feature == "label"]
    assert label.is_sure and label.now is not None and label.then is not None
    assert abs(label.now - label.then) > 0.3


def test_rows_that_it_learned_from_are_left_out_of_what_it_does_with_them(
    predictor: Predictor, summary: TextsSummary
) -> None:
    learned = np.arange(80) < 30
    found = find_drift(predictor, summary, rows_of(NEW), learned)
    rows = {each.feature: each.rows_now for each in found.shifts}
    assert (found.learned, rows["length"], rows["label"], rows["confidence"]) == (30, 80, 50, 50)
    none_left = find_drift(predictor, summary, rows_of(NEW), np.ones(80, bool))
    assert [each.feature for each in none_left.shifts] == ["length", "script", "language", "words"]


def test_labels_tell_whether_it_is_as_often_right(predictor: Predictor, summary: TextsSummary) -> None:
    rows = labelled_texts(["good", "bad"], 160)[80:]
    right = Histogram({"right": 16, "wrong": 0})
    turned = [{"good": "bad", "bad": "good"}[label] for _, label in rows]
    for labels, is_sure in (([label for _, label in rows], False), (turned, True)):
        found = find_drift(predictor, summary, rows_of([text for text, _ in rows], labels), None, right)
        (accuracy,) = [each for each in found.shifts if each.feature == "accuracy"]
        assert accuracy.is_sure is is_sure
        assert accuracy.name == "right" and accuracy.then == 1.0
    assert accuracy.now is not None and accuracy.now < 0.5
    with pytest.raises(DataError, match="none of the model's"):
        find_drift(predictor, summary, rows_of([text for text, _ in rows], ["so-so"] * 80), None, right)


def test_too_few_rows_are_refused(predictor: Predictor, summary: TextsSummary) -> None:
    with pytest.raises(DataError, match="29 rows are too few to tell drift from chance"):
        find_drift(predictor, summary, rows_of(NEW[:29]), None)


def test_texts_from_memory_and_of_a_model_of_several_labels(trained_several: Path) -> None:
    from tests.conftest import several_rows

    found = rnn.drift(trained_several, [text for text, _ in several_rows(240)[160:]])
    assert not found.is_sure
    assert "Drift(" in repr(found)
    text = ([text for text, _ in several_rows(80)], [labels for _, labels in several_rows(80)])
    assert "length" in {each.feature for each in rnn.drift(trained_several, text, labelled=True).shifts}


def test_an_export_has_no_summary(trained: Path, tmp_path: Path) -> None:
    from rnn_cli.export.export import export_bundle

    export_bundle(Bundle.open(trained), tmp_path / "out", precision="fp32", force=False)
    assert not (tmp_path / "out" / SUMMARY).exists()
    shutil.rmtree(tmp_path / "out")
