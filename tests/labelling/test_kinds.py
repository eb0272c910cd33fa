"""Several labels a text, and labels that have an order: what is kept, learned, chosen and refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.errors import DataError, UsageError
from rnn_cli.labelling.answers import DOUBT, read_log
from rnn_cli.labelling.learner import EachLabel, Opinion, predicted_labels
from rnn_cli.labelling.session import Session
from tests.labelling.conftest import Begin, made

NAMES = ("good", "film", "plot")


def truth(text: str, label: str) -> tuple[str, ...]:
    return tuple(name for name in NAMES if name == label or name in text.split())


TRUE_SETS = {row: truth(*each) for row, each in enumerate(made(200))}


def answer_with_sets(session: Session, count: int) -> None:
    for _ in range(count):
        assert session.current is not None
        session.label(TRUE_SETS[session.current.row])
        session.learner.wait()


def test_a_text_may_have_several_labels_or_none(begin: Begin, texts_file: Path) -> None:
    session = begin(*NAMES, kind="several")
    answer_with_sets(session, 80)
    stands, standing = session.current, session.standing()
    assert standing.labelled == 80 and standing.accuracy is not None and standing.accuracy.rows == 8
    for name in NAMES:
        assert standing.counts[name] == sum(name in each for each in session.log.answers.labelled.values())
    assert stands is not None and stands.chosen == DOUBT and isinstance(stands.guess, tuple)
    assert 0.5 <= stands.probability <= 1
    head, *lines = map(json.loads, Path(f"{texts_file}.labels.jsonl").read_text().splitlines())
    assert head["kind"] == "several" and head["format"] == 2
    assert all(isinstance(line["label"], list) for line in lines if line["do"] == "label")
    session.learner.wait_for_curve()
    assert session.learner.curve is not None
    answers = dict(session.log.answers.by_row)
    session = begin()
    assert session.kind == "several" and session.log.answers.by_row == answers


def test_a_model_of_several_labels_learns_them_all(begin: Begin) -> None:
    session = begin(*NAMES, kind="several")
    answer_with_sets(session, 120)
    opinion, rows = session.learner.latest, [row for row in range(200) if row not in session.log.answers.by_row]
    assert opinion is not None
    places = [int(np.flatnonzero(session.texts.pool == row)[0]) for row in rows]
    found = predicted_labels("several", opinion.labels, opinion.probabilities[places])
    assert np.mean([one == TRUE_SETS[row] for one, row in zip(found, rows, strict=True)]) > 0.8


def test_a_label_too_many_is_doubted_by_itself(begin: Begin) -> None:
    session = begin(*NAMES, kind="several")
    wrong = set()
    for at in range(150):
        assert session.current is not None
        row = session.current.row
        session.label(tuple(set(TRUE_SETS[row]) ^ {"good"}) if at % 25 == 0 else TRUE_SETS[row])
        wrong |= {row} if at % 25 == 0 else set()
    doubts = session.doubts()
    of_good = [each for each in doubts if set(each.label) ^ set(each.suggested) == {"good"}]
    assert len(wrong & {each.row for each in of_good[:6]}) >= 4
    assert all(each.suggested == TRUE_SETS[each.row] for each in of_good if each.row in wrong)


def test_a_log_keeps_its_kind(begin: Begin) -> None:
    begin(*NAMES, kind="several")
    for kind in ("single", "ordered"):
        with pytest.raises(UsageError, match="was begun with --several"):
            begin(*NAMES, kind=kind)
    begin("good", "bad", by="ann")
    with pytest.raises(UsageError, match="was begun without --several and --ordered"):
        begin(kind="several", by="ann")


def test_one_label_is_one_and_a_set_has_known_ones(begin: Begin, texts_file: Path) -> None:
    session = begin("good", "bad")
    for wrong in ((), ("good", "bad"), ("ugly",)):
        with pytest.raises(UsageError):
            session.label(wrong)
    session = begin(*NAMES, kind="several", by="ann")
    session.label(("plot", "good"))  # in any order
    assert [*session.log.answers.labelled.values()] == [("good", "plot")]
    log = Path(f"{texts_file}.labels.ann.jsonl")
    with log.open("a") as file:
        file.write('{"do": "label", "row": 9, "label": "good"}\n')
    with pytest.raises(DataError, match="no list of labels"):
        read_log(log)


def test_an_order_is_of_three_labels_and_stays_as_it_is(begin: Begin) -> None:
    with pytest.raises(UsageError, match="3 or more"):
        begin("low", "high", kind="ordered")
    session = begin("low", "middle", "high", kind="ordered")
    with pytest.raises(UsageError, match="an order of labels is fixed"):
        session.add_label("top")
    with pytest.raises(UsageError, match="an order of labels is fixed"):
        begin("low", "middle", "high", "top")
    assert begin("middle").labels == ("low", "middle", "high")


def test_how_sure_a_model_is_by_hand() -> None:
    def of(*rows: list[float], kind: str) -> list[float]:
        opinion = Opinion(NAMES, np.array(rows), 9, EachLabel(np.zeros((1, 3)), np.zeros(3)), kind)  # type: ignore[arg-type]
        return [round(float(each), 6) for each in opinion.margins]

    assert of([0.9, 0.2, 0.1], [0.5, 1, 0], kind="several") == [0.6, 0]
    # Between the ends it is as unsure as can be; next to each other it is surer.
    assert of([0.5, 0, 0.5], [0.5, 0.5, 0], [1, 0, 0], kind="ordered") == [0, 0.5, 1]
    assert of([0.5, 0, 0.5], [0.7, 0.2, 0.1], kind="single") == [0, 0.5]
