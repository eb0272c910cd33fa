"""The report and the card of a model of numbers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.bundle.model_folder import CARD, ONNX_MODEL, Bundle
from rnn_cli.data.rows import Dataset
from rnn_cli.evaluation.evaluate_numbers import against_median, evaluate_numbers
from rnn_cli.evaluation.numbers import measure_numbers, slices_by_number
from rnn_cli.graph.reading import read_graph
from rnn_cli.linear.ngrams import ngram_counts
from rnn_cli.reporting.charts_numbers import MOST_DOTS, draw_numbers
from rnn_cli.reporting.html import page
from rnn_cli.reporting.report_numbers import NumberReport, gather_number_report
from rnn_cli.scoring.ngram_weights import ngram_weights
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.text.tokenizer_json import UNKNOWN
from tests.conftest import BuiltOnce, _train, numbered_rows
from tests.reporting.conftest import Page


@pytest.fixture(scope="module")
def report(trained_number: Path) -> NumberReport:
    opened = Bundle.open(trained_number)
    predictor, rows = Predictor(opened), numbered_rows(80)
    dataset = Dataset("rows.csv", [text for text, _ in rows], [number for _, number in rows], list(range(2, 82)))
    found = against_median(evaluate_numbers(predictor, dataset), 30.0)
    return gather_number_report(opened, predictor, found, None)


def test_the_bundles_page_and_card_have_the_figures_of_its_test_rows(trained_number: Path) -> None:
    kept = json.loads((trained_number / "metrics.json").read_text())
    written = Page.read((trained_number / "report.html").read_text())
    row = written.row("mean absolute error")
    wanted = (kept["test"], kept["baseline"]["test"])
    assert [cell.split()[0] for cell in row[1:3]] == [f"{each['mean_absolute_error']:.2f}" for each in wanted]
    assert len(row) == 4 and not written.outside()
    for chapter in ("Predicted and true", "Rows off by at most", "By true number", "Ranges", "Farthest off"):
        assert chapter in written.text
    card = (trained_number / CARD).read_text()
    assert f"| mean absolute error | {kept['test']['mean_absolute_error']:.2f} |" in card
    assert card.startswith("# Numbers of texts: minutes\n") and "| lowest |" in card and "probabilit" not in card


def test_the_farthest_off_come_first_and_say_how_far(report: NumberReport) -> None:
    off = report.evaluation.predicted - report.evaluation.truth
    first = report.mistakes[0]
    row = int(np.argmax(np.abs(off)))
    assert (first.line, first.label) == (row + 2, report.evaluation.dataset.labels[row])
    assert first.off == f"{abs(off[row]):.1f} too {'high' if off[row] > 0 else 'low'}"
    assert first.parts and first.probability is None


@pytest.fixture(scope="session")
def with_ngrams(numbered_file: Path, built_once: BuiltOnce) -> Path:
    data = {"labels": "number", "label_column": "minutes", "validation": 0.2, "test": 0.2}
    model = {"ngrams": 2, "ngram_buckets": 256}
    return built_once("numbers_of_ngrams", lambda home: _train(numbered_file, home, model, **data)) / "model"


def test_n_grams_add_up_to_what_the_graph_s_n_gram_part_adds(with_ngrams: Path) -> None:
    predictor = Predictor.open(with_ngrams)
    made = predictor.architecture
    graph = read_graph((with_ngrams / ONNX_MODEL).read_bytes(), "")
    table = next(tensor for name, tensor in graph.tensors.items() if name.startswith("ngrams"))
    text = "superb the warm the superb"
    ids = predictor.tokenizer.encode(text)
    counts = ngram_counts([ids], longest=2, vocab_size=made.vocab_size, buckets=made.buckets)
    last = [node for node in graph.skeleton.nodes if node.operator == "Gemm"][-1]
    kernel = float(graph.tensors[last.inputs[1]][0, 0])
    wanted = float((counts @ table)[0, 0]) * kernel / 2 * predictor.spread
    found = ngram_weights(predictor, [text] * 8)
    assert {each.texts for each in found} == {8} and UNKNOWN not in ids and len(found) == 7
    assert sum(each.weight for each in found) == pytest.approx(wanted, rel=1e-5)
    assert "What raises and lowers it" in (with_ngrams / "report.html").read_text()


def test_the_n_grams_that_tell_have_the_sign_of_what_they_tell(with_ngrams: Path) -> None:
    texts = [text for text, _ in numbered_rows(200)]
    found = {each.words: each.weight for each in ngram_weights(Predictor.open(with_ngrams), texts)}
    assert all(found[word] > 0 for word in ("superb", "warm")) and found["awful"] < 0
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_slices_by_number_are_in_order_and_add_up(report: NumberReport) -> None:
    found, whole = report.by_number, report.evaluation.metrics
    assert 2 <= len(found) <= 5 and sum(each.rows for each in found) == whole.rows
    lowest = [float(each.name.split(" to ")[0]) for each in found]
    assert lowest == sorted(lowest)
    total = sum(each.rows * each.mean_error for each in found) / whole.rows
    assert total == pytest.approx(whole.mean_error)
    assert len(slices_by_number(np.full(30, 4.0), np.arange(30.0))) == 1


def test_ranges_hold_about_what_they_say(report: NumberReport) -> None:
    assert [each.coverage for each in report.ranges][:2] == [0.5, 0.8]
    widths = [each.half_width for each in report.ranges]
    assert widths == sorted(widths)
    off = np.abs(report.evaluation.predicted - report.evaluation.truth)
    for each in report.ranges:
        assert each.held == pytest.approx((off <= each.half_width + 1e-9).mean())


def test_many_rows_make_no_larger_page_and_far_ones_are_told(report: NumberReport) -> None:
    chance, rows = np.random.default_rng(1), 20 * MOST_DOTS
    truth = chance.normal(30, 9, rows)
    truth[:4] = 1e9
    scores = replace(report.evaluation.scores, probabilities=(truth + chance.normal(0, 3, rows))[:, None])
    dataset = Dataset("rows.csv", ["text"] * rows, [repr(each) for each in truth.tolist()], list(range(rows)))
    metrics = measure_numbers(truth, scores.probabilities[:, 0])
    evaluation = replace(report.evaluation, dataset=dataset, scores=scores, metrics=metrics)
    many = replace(report, evaluation=evaluation)
    assert "4 rows lie beyond the edges" in draw_numbers(many)["predicted"].caption
    assert len(page(many)) < 2 * len(page(report))


def test_odd_rows_are_shown_as_words(report: NumberReport) -> None:
    mark = "<script>alert(1)</script>"
    first = replace(report.mistakes[0], text=mark, parts=(), label=mark)
    found = Page.read(page(replace(report, mistakes=(first,))))
    assert mark in found.text and "script" not in {name for name, _ in found.elements}
