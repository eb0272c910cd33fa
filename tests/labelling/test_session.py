"""A sitting: what comes next, what is taken back, and that all of it is there again afterwards."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_cli.errors import DataError, UsageError
from rnn_cli.labelling.answers import AFTER, CHANCE, DOUBT, HINT, SEARCH, VARIED
from rnn_cli.labelling.session import Session
from tests.labelling.conftest import Begin, made

TRUE = {row: label for row, (_, label) in enumerate(made(200))}


def answer(session: Session, count: int, *, wait: bool = True) -> list[str]:
    """Answer truly, each time with all that the model can know; why each text was asked."""
    asked = []
    for _ in range(count):
        assert session.current is not None
        asked.append(session.current.chosen)
        session.label(TRUE[session.current.row])
        if wait:
            session.learner.wait()
    return asked


def test_first_all_kinds_then_the_unsure_and_every_tenth_by_chance(begin: Begin) -> None:
    asked = answer(begin("good", "bad"), 60)
    assert [at for at, why in enumerate(asked, 1) if why == CHANCE] == [10, 20, 30, 40, 50, 60]
    assert set(asked[:22]) == {VARIED, CHANCE} and set(asked[22:]) == {DOUBT, CHANCE}


def test_texts_drawn_by_chance_are_measured_on_and_never_learned_from(begin: Begin) -> None:
    session = begin("good", "bad")
    answer(session, 60)
    opinion, standing = session.learner.latest, session.standing()
    assert opinion is not None and opinion.rows == 54
    assert standing.accuracy is not None and standing.accuracy.rows == 6 and standing.accuracy.share == 1
    assert standing.labelled == 60 and sum(standing.counts.values()) == 60 and standing.texts == 200


def test_undo_goes_back_any_number_of_steps(begin: Begin) -> None:
    session = begin("good", "bad")
    stood = []
    for _ in range(12):
        assert session.current is not None
        stood.append(session.current.row)
        session.label("good") if len(stood) % 3 else session.skip()
    for row in reversed(stood):
        assert session.undo()
        assert session.current is not None and session.current.row == row
    assert not session.undo()
    assert session.standing().labelled == session.standing().skipped == 0
    assert answer(session, 12, wait=False).count(CHANCE) == 1


def test_going_on_knows_all_and_asks_what_would_have_come(begin: Begin, texts_file: Path) -> None:
    session = begin("good", "bad")
    answer(session, 30)
    session.note("odd\x1b[2J one")
    stood, opinion = session.current, session.learner.latest
    session = begin()
    assert session.labels == ("good", "bad") and session.standing().labelled == 30
    again = session.learner.latest
    assert opinion is not None and again is not None
    np.testing.assert_array_equal(again.probabilities, opinion.probabilities)
    assert stood is not None and session.current is not None
    assert session.log.answers.notes == {stood.row: "odd\ufffd[2J one"}
    assert texts_file.read_text().startswith("id,text\n")


def test_an_answer_is_on_the_disk_before_the_next_text_stands(begin: Begin, texts_file: Path) -> None:
    session = begin("good", "bad")
    assert session.current is not None
    row = session.current.row
    session.label("bad")
    last = json.loads(Path(f"{texts_file}.labels.jsonl").read_text().splitlines()[-1])
    assert (last["do"], last["row"], last["label"]) == ("label", row, "bad")


def test_words_bring_texts_but_none_that_is_kept_for_the_figures(begin: Begin) -> None:
    session = begin("good", "bad")
    found = session.search("lovely")
    holding, kept = {row for row, (text, _) in enumerate(made(200)) if "lovely" in text}, set(session._kept)
    assert found == len(holding - kept) > 0
    asked = []
    for _ in range(found):
        assert session.current is not None and session.current.chosen == SEARCH
        asked.append(session.current.row)
        session.label("good")
    assert set(asked) == holding - kept
    assert session.is_searching  # those near to them
    session.search("")
    assert session.current is not None and session.current.chosen == CHANCE  # whose tenth comes after a search
    assert session.search("nowhere") == 0


def test_undo_within_a_search_loses_no_text_of_it(begin: Begin) -> None:
    session = begin("good", "bad")
    session.search("lovely")
    session.label("good")
    second = session.current
    session.undo()
    session.label("good")
    assert second is not None and session.current is not None and session.current.row == second.row


def test_hints_order_and_never_decide(begin: Begin) -> None:
    session = begin("good", "bad", hints=["bad: tedious|hollow"])
    for _ in range(5):
        assert session.current is not None and session.current.chosen == HINT
        assert "tedious" in session.current.text or "hollow" in session.current.text
        session.label("bad")
    assert session.current is not None and session.current.chosen == VARIED
    with pytest.raises(UsageError, match="no label"):
        begin(hints=["ugly: x"])


def test_a_new_label_on_the_way(begin: Begin) -> None:
    session = begin("good", "bad")
    answer(session, 25)
    assert session.add_label("  so   so ") == "so so"
    for label in ("so so", "", " ", "x" * 61):
        with pytest.raises(UsageError):
            session.add_label(label)
    session.label("so so")
    session.learner.wait()
    assert session.labels == ("good", "bad", "so so")
    opinion = session.learner.latest
    assert opinion is not None and opinion.probabilities.shape[1] == 3
    with pytest.raises(UsageError, match="no label 'ugly'"):
        session.label("ugly")


def test_when_all_are_answered_nothing_stands(begin: Begin) -> None:
    session = begin("good", "bad")
    answer(session, 200, wait=False)
    assert session.current is None and session.why() is None
    session.skip()  # there is nothing to skip
    assert session.standing().labelled == 200
    assert session.undo() and session.current is not None


def test_why_says_the_reason_and_the_words(begin: Begin) -> None:
    session = begin("good", "bad")
    why = session.why()
    assert why is not None and why.chosen == VARIED and why.probabilities == ()
    answer(session, 40)
    why = session.why()
    assert why is not None and sum(probability for _, probability in why.probabilities) == pytest.approx(1)
    assert session.current is not None and set(why.words_for) <= set(session.current.text.split())


def test_a_changed_file_is_refused(begin: Begin, texts_file: Path) -> None:
    answer(begin("good", "bad"), 3)
    texts_file.write_text(texts_file.read_text() + "200,one more\n")
    with pytest.raises(
        DataError, match=r"texts\.csv: its texts are not those that were labelled \(201 rows, 200 then\)"
    ):
        begin()


def test_two_people_have_a_log_each(begin: Begin) -> None:
    answer(begin("good", "bad", by="ann"), 3)
    assert begin("good", "bad", by="bob").standing().labelled == 0
    assert begin(by="ann").standing().labelled == 3


@pytest.mark.parametrize("labels", [("good", "good"), ("good", " "), ("good",), ()])
def test_unfit_labels_are_refused(labels: tuple[str, ...], begin: Begin) -> None:
    with pytest.raises(UsageError):
        begin(*labels)


def test_a_second_person_is_asked_what_the_first_has_labelled(begin: Begin) -> None:
    first = begin("good", "bad", by="ann")
    answer(first, 25, wait=False)
    labelled = dict(first.log.answers.labelled)
    second = begin("good", "bad", by="bob", after="ann")
    asked = answer(second, 25, wait=False)
    assert second.log.answers.labelled == labelled
    assert list(second.log.answers.labelled) != list(labelled)  # in an order of its own
    assert asked.count(CHANCE) == 2 and set(asked) == {AFTER, CHANCE}
    assert second.current is not None and second.current.chosen != AFTER
    with pytest.raises(DataError, match="no such file"):
        begin(by="bob", after="eve")


def test_an_earlier_answer_is_changed_and_that_is_taken_back(begin: Begin) -> None:
    session = begin("good", "bad")
    answer(session, 12)
    (first, before), *_ = session.log.answers.by_row.items()
    drawn = next(row for row, each in session.log.answers.by_row.items() if each.chosen == CHANCE)
    stands, other = session._shown, {"good": "bad", "bad": "good"}
    for row in (first, drawn):
        session.change(row, other[TRUE[row]])
    session.change(first, other[TRUE[first]])  # as it is already
    assert session.log.answers.labelled[first] != before.label and session._shown == stands
    assert session.log.answers.by_row[drawn].chosen == CHANCE  # the figures keep their texts
    session.change(first, None)
    assert session.standing().labelled == 11 and session.standing().skipped == 1
    for _ in range(3):
        assert session.undo() and session._shown == stands
    assert session.log.answers.labelled == {row: TRUE[row] for row in session.log.answers.by_row}
    while drawn in session.log.answers.by_row:
        assert session.undo() and session._shown != stands  # now the texts themselves
    for row, label in ((drawn, "good"), (first, "ugly")):  # the first has no answer any more
        with pytest.raises(UsageError):
            session.change(row, label)


def test_a_row_that_is_open_can_be_asked_for(begin: Begin) -> None:
    session = begin("good", "bad")
    answer(session, 3)
    (answered, *_), kept = session.log.answers.by_row, session._kept[1]
    row = next(row for row in range(200) if row not in session.log.answers.by_row and row not in session._kept)
    session.ask(row, DOUBT)
    assert session.current is not None and (session.current.row, session.current.chosen) == (row, DOUBT)
    session.label("good")
    session.ask(kept, DOUBT)
    assert session.current is not None and session.current.chosen == CHANCE  # the model must not learn from it
    for wrong in (answered, -1, 200):
        with pytest.raises(UsageError, match="not open"):
            session.ask(wrong, DOUBT)


def test_a_request_is_kept_with_what_it_changed(begin: Begin) -> None:
    session = begin("good", "bad")
    session.log.request = "a1"
    session.label("good")
    session.log.request = None
    session.skip()
    assert session.log.answers.requests == {"a1"} and session.log.answers.changes == 2
    session = begin()
    assert session.log.answers.requests == {"a1"} and session.log.answers.changes == 2  # a start changes nothing


def test_the_course_is_that_of_models_of_the_first_answers(begin: Begin) -> None:
    session = begin("good", "bad")
    answer(session, 40)
    assert session.course() == []  # it is being found out
    session._course.wait()
    points = session.course()
    assert [each.answers for each in points] == [10, 20, 30, 40] and {each.accuracy.rows for each in points} == {4}
    assert points[-1].accuracy == session.standing().accuracy
    first = [row for row, each in session.log.answers.by_row.items() if each.chosen != CHANCE][:9]
    opinion = session.learner.fit(session.labels, {session._number(row): TRUE[row] for row in first})
    drawn = [row for row, each in session.log.answers.by_row.items() if each.chosen == CHANCE]
    assert opinion is not None
    right = [session.labels[int(opinion.probabilities[session._place[row]].argmax())] == TRUE[row] for row in drawn]
    assert points[0].accuracy.share == pytest.approx(np.mean(right))
    session = begin()  # going on: the same course
    session.course()
    session._course.wait()
    assert session.course() == points
