"""Models held against the first of them, printed."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len, set_cell_size

from rnn_cli.cli.layout import NAME_CELLS, paragraph, show_table, table
from rnn_cli.evaluation.wording import DASH, EVERY, ORDERED_SHOWN, SURE, bounds, seen_in_words, span, value
from rnn_cli.evaluation.wording_numbers import NUMBERS_SHOWN, in_unit, number_bounds, number_value
from rnn_cli.text.plain import apart, one_line

if TYPE_CHECKING:
    from rnn_cli.evaluation.compare import ComparedModel, Comparison, ModelComparison
    from rnn_cli.evaluation.compare_numbers import ComparedNumbers, NumberModelComparison
    from rnn_cli.evaluation.compare_ordered import ComparedOrdered, OrderedModelComparison
    from rnn_cli.evaluation.ordered import OrderedComparison


def show_models(comparison_of_models: "ModelComparison | OrderedModelComparison", rows: str) -> None:
    """Each model's figures, their differences from the first's, and what these come to; `rows` names the rows."""
    from rnn_cli.evaluation.compare_ordered import OrderedModelComparison

    first, *others = comparison_of_models.models
    names = apart((each.name for each in comparison_of_models.models), NAME_CELLS - len("against "), _ending)
    known = any(model.log_loss is not None for model in comparison_of_models.models)
    ordered = isinstance(comparison_of_models, OrderedModelComparison)
    main = ("mean_absolute_error", "accuracy", "log_loss") if ordered else ("accuracy", "macro_f1", "log_loss")
    fields = main[: 3 if known else 2]
    head = f"{comparison_of_models.rows:,} {rows}"
    if comparison_of_models.seen is not None:
        click.echo(paragraph(seen_in_words(comparison_of_models.seen), indent="") + "\n")
    show_table(
        *(_metrics(comparison_of_models, names, head, fields, with_intervals=each) for each in (fields, fields[:1]))
    )
    click.echo()
    p = "p" if len(others) == 1 else "p (Holm)"
    if isinstance(comparison_of_models, OrderedModelComparison):
        _show_errors(comparison_of_models, names, rows, p)
        return
    wide = table(
        (f"against {names[first.name]}", "points", EVERY, "macro F1", EVERY, p),
        [(names[each.name], *_gain(each.against_first, f1=True), _p(each.p_corrected)) for each in others],
    )
    narrow = table(
        (f"against {names[first.name]}", "points", EVERY, p),
        [(names[each.name], *_gain(each.against_first, f1=False), _p(each.p_corrected)) for each in others],
    )
    show_table(wide, narrow)
    click.echo()
    for each in others:
        click.echo(paragraph(_verdict(first, each, rows, comparison_of_models.rows), indent=""))


def _show_errors(found: "OrderedModelComparison", names: Mapping[str, str], rows: str, p: str) -> None:
    """By how much models of ordered labels are farther off than the first, and what that comes to."""
    first, *others = found.models
    against = [
        (names[each.name], *_error_gain(each.against_first), _p(each.p_corrected), *_gain(each.against_first, f1=False))
        for each in others
    ]
    head = (f"against {names[first.name]}", "error", EVERY, p, "points", EVERY)
    show_table(table(head, against), table(head[:4], [row[:4] for row in against]))
    click.echo()
    for each in others:
        click.echo(paragraph(_error_verdict(first, each, f"{found.rows:,} {rows}", "{:.3f}".format), indent=""))


def _metrics(
    comparison_of_models: "ModelComparison | OrderedModelComparison",
    names: Mapping[str, str],
    head_of_names: str,
    fields: Sequence[str],
    with_intervals: Sequence[str],
) -> list[str]:
    """Some figures of each model, beside some of them their intervals."""
    head, lines = [head_of_names], [[names[each.name]] for each in comparison_of_models.models]
    for field in fields:
        called, written = ORDERED_SHOWN[field]
        head += (called, EVERY) if field in with_intervals else (called,)
        for line, each in zip(lines, comparison_of_models.models, strict=True):
            line.append(value(each, field, written))
            if field in with_intervals:
                line.append(bounds(each, field, written) or DASH)
    return table(head, lines)


def _gain(found: "Comparison | None", *, f1: bool) -> tuple[str, ...]:
    assert found is not None  # only the first model is compared with none
    low, high = found.interval
    accuracy = f"{100 * found.difference:+.1f}", f"{100 * low:.1f} to {100 * high:.1f}"
    of_f1 = f"{found.macro_f1_difference:+.3f}", span(found.macro_f1_interval, lambda end: f"{end:.3f}")
    return accuracy + (of_f1[:1] + (of_f1[1] or "too few rows",) if f1 else ())


def _error_gain(found: "OrderedComparison | None") -> tuple[str, str]:
    assert found is not None  # only the first model is compared with none
    low, high = found.error_interval
    return f"{found.error_difference:+.3f}", f"{low:.3f} to {high:.3f}"


def show_models_of_numbers(found: "NumberModelComparison", rows: str) -> None:
    """The same of models of numbers."""
    first, *others = found.models
    names = apart((each.name for each in found.models), NAME_CELLS - len("against "), _ending)
    if found.seen is not None:
        click.echo(paragraph(seen_in_words(found.seen), indent="") + "\n")

    def metrics(fields: Sequence[str]) -> list[str]:
        head = [f"{found.rows:,} {rows}", NUMBERS_SHOWN["mean_absolute_error"], EVERY]
        lines = [[names[each.name], number_value(each, "mean_absolute_error")] for each in found.models]
        for line, each in zip(lines, found.models, strict=True):
            line += [number_bounds(each, "mean_absolute_error"), *(number_value(each, field) for field in fields)]
        return table([*head, *(NUMBERS_SHOWN[field] for field in fields)], lines)

    show_table(metrics(("root_mean_squared_error", "r2", "spearman", "mean_error")), metrics(("r2",)))
    click.echo()
    unit, against = partial(in_unit, spread=first.spread), []
    for each in others:
        gain = each.against_first
        assert gain is not None  # only the first model is compared with none
        ends = span(gain.error_interval, unit) or "too few rows"
        against.append((names[each.name], f"{'+' * (gain.error_difference > 0)}{unit(gain.error_difference)}", ends))
    p = "p" if len(others) == 1 else "p (Holm)"
    head = (f"against {names[first.name]}", "error", EVERY, p)
    show_table(table(head, [(*row, _p(each.p_corrected)) for row, each in zip(against, others, strict=True)]))
    click.echo()
    for each in others:
        click.echo(paragraph(_error_verdict(first, each, f"{found.rows:,} {rows}", unit), indent=""))


def _error_verdict(
    first: "ComparedOrdered | ComparedNumbers",
    other: "ComparedOrdered | ComparedNumbers",
    rows: str,
    written: Callable[[float], str],
) -> str:
    """Whether models really differ in how far they are off."""
    found, p = other.against_first, other.p_corrected
    assert found is not None and p is not None
    one, two = one_line(other.name), one_line(first.name)
    if p >= SURE:
        return f"{one} and {two} cannot be told apart by their errors on these {rows}."
    nearer = "nearer to" if found.error_difference < 0 else "farther from"
    what = "labels" if hasattr(first, "accuracy") else "numbers"
    return f"{one} is really {nearer} the true {what} than {two}, by {written(abs(found.error_difference))} on average."


def _verdict(first: "ComparedModel", other: "ComparedModel", rows: str, count: int) -> str:
    """Whether they really differ, for one who need not know the test."""
    found, p = other.against_first, other.p_corrected
    assert found is not None and p is not None
    one, two = one_line(other.name), one_line(first.name)
    if found.only_first_right == found.only_second_right == 0:
        return f"{one} and {two} make the same mistakes."
    split = f"alone right in {_rows(found.only_first_right)}, the other in {found.only_second_right:,}"
    if p >= SURE:
        alike = f"{one} and {two} cannot be told apart on these {count:,} {rows} ({split})."
        return alike + _in_spite_of_the_interval(found)
    return f"{one} is really {'better' if found.difference > 0 else 'worse'} than {two} ({split})."


def _in_spite_of_the_interval(found: "Comparison") -> str:
    """Why the interval beside a verdict of chance may leave out 0; nothing where it holds it."""
    low, high = found.interval
    if low <= 0 <= high:
        return ""
    if found.p_value < SURE:
        return (
            f" Its interval leaves out 0, as it is of this comparison alone, in which p is {_p(found.p_value)}; of "
            "several comparisons some look so by chance, for which Holm's p allows."
        )
    return " Its interval just leaves out 0, as it is an approximation; the test is exact."


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _p(value: float | None) -> str:
    assert value is not None
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _ending(name: str, most: int) -> str:
    """The end of a path tells more than its beginning; `most` are columns, of which a wide character takes two."""
    name = one_line(name)
    return name if cell_len(name) <= most else "…" + set_cell_size(name[::-1], most - 1)[::-1].strip()
