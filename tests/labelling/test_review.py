"""Labels that are most likely wrong: which are found, and what a second look leaves in the log."""

import pytest

from rnn_cli.errors import DataError, UsageError
from rnn_cli.labelling.answers import CHANCE
from rnn_cli.labelling.session import Session
from tests.labelling.conftest import Begin
from tests.labelling.test_session import TRUE

OTHER = {"good": "bad", "bad": "good"}


def labelled(session: Session, wrong: int) -> set[int]:
    """Label 120 texts, every fifteenth wrongly; the rows of these."""
    found = set()
    for at in range(120):
        assert session.current is not None
        row = session.current.row
        is_wrong = at % (120 // wrong) == 0
        session.label(OTHER[TRUE[row]] if is_wrong else TRUE[row])
        found |= {row} if is_wrong else set()
    return found


def test_wrong_labels_are_doubted_first_beside_a_text_of_the_better_label(begin: Begin) -> None:
    session = begin("good", "bad")
    wrong = labelled(session, 8)
    doubts = session.doubts()
    found = [each for each in doubts[:8] if each.row in wrong]
    assert len(found) >= 6
    for each in found:
        assert (each.label, each.suggested) == (OTHER[TRUE[each.row]], TRUE[each.row])
        assert each.probability > 0.5 > each.label_probability
        assert session.log.answers.labelled[each.like] == each.suggested and each.like not in wrong
    assert [each.label_probability for each in doubts] == sorted(each.label_probability for each in doubts)


def test_what_was_looked_at_again_is_not_doubted_again_and_can_be_taken_back(begin: Begin) -> None:
    session = begin("good", "bad")
    labelled(session, 8)
    first, second, *_ = doubts = session.doubts()
    answers = dict(session.log.answers.by_row)
    session.review(first.row, first.label)
    session.review(second.row, second.suggested)
    session = begin()
    assert session.log.answers.labelled[first.row] == first.label
    assert session.log.answers.labelled[second.row] == second.suggested
    again = {each.row for each in session.doubts()}
    assert not {first.row, second.row} & again
    assert session.undo() and session.undo()
    assert session.log.answers.by_row == answers
    assert session.doubts() == doubts


def test_a_reviewed_label_counts_for_the_figures_and_not_for_the_guesses(begin: Begin) -> None:
    session = begin("good", "bad")
    labelled(session, 8)
    session.learner.wait()
    before = session.standing()
    row = next(row for row, each in session.log.answers.by_row.items() if each.chosen == CHANCE)
    session.review(row, OTHER[TRUE[row]])
    after = session.standing()
    assert before.accuracy is not None and after.accuracy is not None
    assert after.accuracy.rows == before.accuracy.rows and after.accuracy.share != before.accuracy.share
    assert after.agreement == before.agreement and after.labelled == before.labelled
    with pytest.raises(UsageError, match="no answer to review"):
        session.review(next(row for row in range(200) if row not in session.log.answers.by_row), "good")


def test_labels_that_words_do_not_tell_are_not_doubted(begin: Begin) -> None:
    session = begin("good", "bad")
    for at in range(120):
        session.label("good" if at % 2 else "bad")
    assert session.doubts() == []


def test_too_few_labels_are_not_judged(begin: Begin) -> None:
    session = begin("good", "bad", "rare")
    for _ in range(9):
        session.label("bad")
    for _ in range(60):
        session.label("good")
    with pytest.raises(DataError, match="good 60, bad 9, rare 0"):
        session.doubts()
