"""The course of the accuracy: where its points are, and that each is found out once."""

import numpy as np
import pytest

from rnn_cli.labelling.course import MOST_POINTS, Course, LabelledText, point_sizes


@pytest.mark.parametrize(("answers", "first", "count"), [(9, 10, 0), (10, 10, 1), (169, 10, 16), (170, 20, 8)])
def test_points_are_few_and_those_of_fewer_answers_stay(answers: int, first: int, count: int) -> None:
    assert len(point_sizes(answers)) == count and list(point_sizes(answers))[:1] in ([], [first])
    for more in range(answers, 4 * answers, 7):
        assert len(point_sizes(more)) <= MOST_POINTS
        assert [each for each in point_sizes(more) if each <= answers] == [
            each for each in point_sizes(answers) if each % point_sizes(more).step == 0
        ]


def test_each_point_is_fitted_once_and_anew_after_a_change() -> None:
    fitted: list[dict[int, str]] = []
    course = Course(lambda _, known: fitted.append(dict(known)), np.array([3]), np.ones(99))
    answers = [LabelledText(number, "ab"[number % 2], number == 3) for number in range(25)]
    for count in (10, 15, 20, 25):
        assert course.points("ab", answers[:count]) == []
        course.wait()
    assert [len(each) for each in fitted] == [9, 19] and not any(3 in each for each in fitted)
    answers[0] = LabelledText(0, "b", False)
    course.points("ab", answers)
    course.wait()
    assert [len(each) for each in fitted] == [9, 19, 9, 19]
    course.close()


def test_what_stops_a_fit_is_raised() -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    course = Course(fail, np.array([0]), np.ones(99))
    answers = [LabelledText(number, "a", number == 0) for number in range(10)]
    with pytest.raises(MemoryError):
        for _ in range(1_000):
            course.points("ab", answers)
            next(iter(course._found.values())).exception()
    course.close()
