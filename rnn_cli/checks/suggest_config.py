"""A config that suits a file, with the reasons for its values: `rnn init`.

It starts from a recipe that was measured on texts of this kind, and changes what follows from the file. No config is
tried out.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_cli.arrays import label_indices
from rnn_cli.checks.find_numbers import look_like_numbers, read_as_numbers
from rnn_cli.checks.find_ordered import look_ordered, ordered_in_words
from rnn_cli.checks.labels import IMBALANCE
from rnn_cli.checks.lengths import Lengths, fit_tokenizer, measure_lengths
from rnn_cli.checks.rows import config_for, several_of
from rnn_cli.checks.scripts import script_of
from rnn_cli.checks.suggest_split import SplitColumns, likely_split_columns
from rnn_cli.checks.word_pieces import settings_of_pieces
from rnn_cli.config.commented import with_comments
from rnn_cli.config.load import Override, load_config, recipes, with_overrides
from rnn_cli.config.schema import FEW_STEPS, Config, DataConfig, TeacherConfig, TokenizerConfig, TrainingConfig
from rnn_cli.copies.words import KNOWN_WORDS, UNSPACED, split_words
from rnn_cli.data.label_lists import find_label_lists
from rnn_cli.data.label_sets import written_labels
from rnn_cli.data.label_spellings import about_spellings
from rnn_cli.data.numbers import groups_of, numbers_in_words, numbers_of
from rnn_cli.data.rows import Dataset
from rnn_cli.data.source import InMemory, from_memory, load_rows
from rnn_cli.data.splits import load_splits, stratify
from rnn_cli.data.together import group_equal
from rnn_cli.errors import DataError, Setting
from rnn_cli.transfer.base import Base
from rnn_cli.transfer.stacking import KnownRows, Trial, fit_stack

TINY_ROWS = 1_000
"""For fewer rows the small network is enough; a fifth of them, not a tenth, is for validation and for test."""

FEW_A_BATCH, MANY_EPOCHS = 16, 12
"""For tiny sets: small batches and many passes."""

TRANSDUCTIVE_KEY = "data.transductive"

TEACHES = "A teacher gives the unlabelled texts probable labels, from which the network learns (docs/unlabelled.md)."
TEACHES_NOT = (
    "The unlabelled texts serve the vocabulary and the token vectors alone: a teacher is for texts of words with one "
    "label each."
)

STEPS, TINY_STEPS, TOO_FEW = 300, 2 * FEW_STEPS, 0.75
"""A network needs so many steps, and as many more with each doubling of the labels, however few the rows are: 600 for
two labels, 2,000 for 50. Up to a quarter may be missing.

With 200 steps instead of 640 it was right in 77.2 % instead of 78.6 % of held-out rows of `rotten_tomatoes`; with 650
instead of 1,300 in 76.0 % instead of 77.0 % of 50 kinds of questions. Smaller batches gain more than more passes do.
The small network for tiny sets learns nothing more.
"""

NUMBER_AS_LABELS = 5
"""A number takes about as many steps to learn as so many labels."""

BASE, FEW_LABELS = "general", "few-labels"
"""The model that few labels can build on, and the recipe for that."""

ROWS_TO_TRY, MOST_ROWS_ON_BASE = 5_000, 20_000
"""Of few rows any gain speaks for a base. Of more a network of their own gains, too: only `CLEAR_GAIN` does, and a
sample of so few is tried. With still more rows no base is tried."""

CLEAR_GAIN = 0.04
"""More than a network gained on its n-grams with 7,000 to 10,000 rows of `rotten_tomatoes` and `tweets` (2 points)."""

MOST_TO_TRY = 50_000
"""The trial's time grows with rows times labels: about 25 seconds of one core for so many."""

TRIAL_SEED = 1
PROPOSED_FOLDS, LEAST_ROWS_IN_FOLDS, MOST_ROWS_IN_FOLDS, MOST_TOKENS_IN_FOLDS = 5, 20, 2_000, 500_000
"""Few rows are measured by folds where a whole training is quick: on a base, or with so many tokens in all epochs,
which are some ten seconds of one core."""

LINEAR_VOCAB = 50_000
"""A linear model gains from words that occur once: 4.6 points on 500 questions, and they cost it little."""

LONG_TEXT = 100
"""Words: if one text in twenty has more, texts are long and not sentences."""

LENGTH_OF_TINY = 400
"""Tiny sets are read as far as `default` reads, and with all their words: of 500 questions 74.2 % of held-out rows were
right instead of 72.1 (words that occur once; linear 72.9), of 500 product reviews 75.9 instead of 73.2 (texts read
whole; linear 75.4), means of three draws. With 2,000 rows rare words gain nothing more."""

POSITIVE = ("positive", "pos", "yes", "true", "1", "spam", "toxic", "good", "relevant")
"""Labels that are probably the positive one of two."""


@dataclass(frozen=True)
class Proposal:
    """A config for the rows `dataset`, the reasons for its values by key, and what the file holds, in sentences.

    `class_weight` is the comment on class weights, for imbalanced labels; `split` names columns that the split might
    follow, which is for the user to decide.
    """

    config: Config
    dataset: Dataset
    recipe: str
    reasons: Mapping[str, str]
    found: tuple[str, ...]
    class_weight: str | None
    split: SplitColumns = SplitColumns()


def propose(
    source: str,
    overrides: Sequence[Override] = (),
    rows: InMemory | None = None,
    *,
    may_build_on_base: bool = True,
    may_fold: bool = True,
    is_linear: bool = False,
    may_order: bool = True,
) -> Proposal:
    """Propose a config for a file, a built-in set or `rows` in memory; overrides are of keys of `data`.

    With `is_linear` it is for a linear model. Unless `may_order` is false, whole numbers are read as ratings, in order,
    and many different numbers as numbers to predict. Few rows are measured by folds, unless `may_fold` is false. Of few
    rows, and unless `may_build_on_base` is false, cross-validation tells whether the general model is a base that pays.
    Raises `DataError`, also for labels that do not look like labels, and `ConfigError`.
    """
    asked = [each for each in overrides if each.key != TRANSDUCTIVE_KEY]  # it needs the teacher that is proposed here
    given = config_for(source, asked).data
    several = several_of(source if rows is None else rows, given, overrides)
    given = given.model_copy(update=several.settings)
    columns: list[tuple[str, str | None]] = []
    dataset = load_rows(source, given, columns.append) if rows is None else from_memory(rows, given)
    counts = dataset.label_counts()
    alone = given.extra_columns is None  # a base and a teacher read texts alone
    told = [several.note] if several.note else []
    dataset, given = _perhaps_numbers(dataset, counts, given, columns, overrides, told, may=may_order)
    _need_labels(dataset, counts)
    of_one_label = not (dataset.several or dataset.number or given.ordered)
    may_teach = given.unlabelled is not None and alone and of_one_label
    is_said = any(each.key == "data.labels" for each in overrides)
    may_order &= of_one_label and not (given.several or may_teach or is_said)
    if may_order and not given.ordered and given.positive_label is None and look_ordered(counts):
        given = given.model_copy(update={"labels": "ordered"})
        told.append(ordered_in_words(counts))
    recipe, why = _recipe(dataset, taught=may_teach)
    has_teacher = may_teach and recipe != "char"
    split, tried = _split(dataset, given, rows), list[str]()
    of_one_label = not (dataset.several or dataset.number or given.ordered)
    may_build_on_base &= alone and of_one_label and not (has_teacher or given.sources) and recipe != "char"
    if may_build_on_base and len(dataset) <= MOST_ROWS_ON_BASE:
        proposal, figures = _on_base(dataset, counts, given, columns, overrides, split, may_fold=may_fold)
        if proposal is not None:
            return proposal
        tried.append(figures)
    start = load_config(str(recipes()[recipe]))  # not by its name, which a file may have, too
    reasons: dict[str, str] = {}
    if dataset.several:
        start = _for_several(start, recipe, reasons)
    lengths = measure_lengths(dataset.texts, fit_tokenizer(dataset.texts, start.tokenizer), start.tokenizer)
    data = _data(dataset, counts, given, columns, overrides, reasons)
    tokenizer = start.tokenizer
    if not has_teacher:
        tokenizer = _tokenizer(lengths, start.tokenizer, reasons, is_tiny=len(dataset) < TINY_ROWS)
    if is_linear and tokenizer.level == "word":
        tokenizer = tokenizer.model_copy(update={"vocab_size": LINEAR_VOCAB})
        reasons["tokenizer.vocab_size"] = "a linear model gains from rare words"
    if start.model.ngrams:
        reasons["model.ngrams"] = "mixes with a linear model of up to this many tokens in a row"
    if several.note:
        reasons |= {f"data.{key}": "found in the file" for key in several.settings}
    training = _training(start.training, dataset, data, reasons, has_teacher=has_teacher)
    config = start.model_copy(update={"data": data, "tokenizer": tokenizer, "training": training})
    config = _with_pieces(config, dataset, lengths, reasons)
    tokens = training.epochs * len(dataset) * min(lengths.quantiles[0.5], tokenizer.max_length)
    is_quick = may_fold and tokens <= MOST_TOKENS_IN_FOLDS
    config, by_folds = _in_folds(config, len(dataset), overrides, reasons, is_quick=is_quick)
    if given.unlabelled is not None:
        told.append(TEACHES if has_teacher else TEACHES_NOT)
    config = with_overrides(config, [each for each in overrides if each.key == TRANSDUCTIVE_KEY], "the config proposed")
    found = (*_found(dataset, counts, lengths), *told, *_split_in_words(split), *tried, why, *by_folds)
    weight = None if dataset.several or dataset.number else _class_weight(counts)
    return Proposal(config, dataset, recipe, reasons, found, weight, split)


def _with_pieces(config: Config, dataset: Dataset, lengths: Lengths, reasons: dict[str, str]) -> Config:
    """The config, with n-grams that learn from pieces of words, too, where that is for it."""
    has_been_tried = not (dataset.several or config.data.ordered or config.data.extra_columns)
    pieces = settings_of_pieces(config, len(dataset), lengths.quantiles[0.95]) if has_been_tried else None
    if pieces is None:
        return config
    reasons["model.char_ngrams"] = "words of like spelling share what is learned"
    if "tokenizer.vocab_size" in pieces:
        reasons["tokenizer.vocab_size"] = "rare words have pieces in common"
    return with_overrides(config, [Override(*each) for each in pieces.items()], "the config proposed")


def _on_base(
    dataset: Dataset,
    counts: Counter[str],
    given: DataConfig,
    columns: Sequence[tuple[str, str | None]],
    overrides: Sequence[Override],
    split: SplitColumns,
    *,
    may_fold: bool,
) -> tuple[Proposal | None, str]:
    """A config that builds on the general model, None if that does not pay, and the trial's figures in a sentence."""
    if min(len(dataset), ROWS_TO_TRY) * len(counts) > MOST_TO_TRY:
        many = f"{len(counts):,} labels of {len(dataset):,} rows"
        return None, f"{many} would take long to try on the model {BASE}; rnn train {FEW_LABELS} builds on it untried."
    start, reasons = load_config(str(recipes()[FEW_LABELS])), {"model.base": "whose tokenizer and layers are used"}
    data = _data(dataset, counts, given, columns, overrides, reasons)
    if "data.validation" not in {override.key for override in overrides}:
        data = data.model_copy(update={"validation": min(data.validation, start.data.validation)})
        reasons["data.validation"] = "calibrates; cross-validation chooses the rest"
    base = Base.open(BASE)
    rows = load_splits(data, dataset).train
    unread = np.flatnonzero(~base.learned.knows(rows.texts))
    tried = np.sort(np.random.default_rng(TRIAL_SEED).permutation(unread)[:ROWS_TO_TRY])
    new = rows.select(tried.tolist())
    trial = _trial(base, new, new.further[data.group_column] if data.group_column else None)
    if trial is None:
        return None, _untried(len(rows), len(new))
    found = trial.in_words(BASE)
    found = found[:1].upper() + found[1:]
    if not trial.pays:
        return None, f"{found}: no clear gain, so no base is used."
    if len(rows) > ROWS_TO_TRY and trial.accuracy - trial.ngram_accuracy < CLEAR_GAIN:
        own = f"{len(rows):,} rows teach a network of their own as much"
        return None, f"{found}: {own}, so no base is used."
    why = f"{found}: the config builds on it (recipe {FEW_LABELS})."
    tokenizer = base.config.tokenizer
    lengths = measure_lengths(dataset.texts, fit_tokenizer(dataset.texts, tokenizer), tokenizer)
    config, by_folds = _in_folds(
        start.model_copy(update={"data": data}), len(dataset), overrides, reasons, is_quick=may_fold
    )
    known = (*_found(dataset, counts, lengths), *_split_in_words(split), why, *by_folds)
    return Proposal(config, dataset, FEW_LABELS, reasons, known, _class_weight(counts), split), why


def _in_folds(
    config: Config, rows: int, overrides: Sequence[Override], reasons: dict[str, str], *, is_quick: bool
) -> tuple[Config, list[str]]:
    """The config, measured by folds where rows are few and a training is quick, and that in a sentence.

    Whoever names test rows, or what does not go with folds, wants none.
    """
    data, named = config.data, {override.key for override in overrides}
    left_out = data.time_column or data.sources or config.training.teacher or "data.test" in named
    if not LEAST_ROWS_IN_FOLDS <= rows <= MOST_ROWS_IN_FOLDS or left_out or not is_quick:
        return config, []
    reasons["data.test"] = "none: the folds measure"
    reasons["training.folds"] = "rows are few; the final model learns from all of them"
    training = config.training.model_copy(update={"folds": PROPOSED_FOLDS})
    measured = f"the model is measured by {PROPOSED_FOLDS}-fold cross-validation"
    why = f"Few rows, so {measured}, and no test rows are kept (docs/folds.md)."
    return config.model_copy(update={"data": data.model_copy(update={"test": 0.0}), "training": training}), [why]


def _untried(rows: int, new: int) -> str:
    """Why the base is not tried on training rows, of which so many are new to it."""
    if not new:
        return f"The model {BASE} has learned from all training rows, so it is not tried as a base."
    if new == rows:
        return f"{rows:,} training rows are too few to try the model {BASE} as a base."
    return f"Only {new:,} of {rows:,} training rows are new to the model {BASE}: too few to try it as a base."


def _trial(base: Base, rows: Dataset, groups: Sequence[str | None] | None) -> Trial | None:
    """What the base is worth on training rows, by cross-validation; None where they are too few."""
    names = sorted(set(rows.labels))
    if len(names) < 2:
        return None
    base = base.for_texts(rows.texts)
    weights = np.array(rows.weights or [1.0] * len(rows), np.float32)
    sequences = base.tokenizer.encode_all(rows.texts)
    known = KnownRows.of(base, sequences, label_indices(names, rows.labels), weights, base.config.model)
    return fit_stack(known, rows.texts, names, base.answer(names), groups=groups).trial


def _train_rows(dataset: Dataset, data: DataConfig) -> int:
    """About how many rows are left for training."""
    return round(len(dataset) * (1 - sum(side for side in (data.validation, data.test) if isinstance(side, float))))


def _training(
    start: TrainingConfig, dataset: Dataset, data: DataConfig, reasons: dict[str, str], *, has_teacher: bool
) -> TrainingConfig:
    """The recipe's training; where that would be too few steps, with smaller batches and then with more passes."""
    if has_teacher:
        reasons["training.teacher"] = "gives the unlabelled texts probable labels"
        return start.model_copy(update={"teacher": TeacherConfig()})
    rows, is_tiny = _train_rows(dataset, data), len(dataset) < TINY_ROWS
    labels = NUMBER_AS_LABELS if dataset.number else len(dataset.label_counts())
    enough = TINY_STEPS if is_tiny else round(STEPS * (1 + math.log2(labels)))
    batch_size, epochs = (FEW_A_BATCH, MANY_EPOCHS) if is_tiny else (start.batch_size, start.epochs)
    if math.ceil(rows / batch_size) * epochs < TOO_FEW * enough:
        while batch_size > 2 * FEW_A_BATCH and math.ceil(rows / batch_size) * epochs < enough:
            batch_size //= 2
        epochs = max(epochs, math.ceil(enough / max(math.ceil(rows / batch_size), 1)))
    if (batch_size, epochs) != (start.batch_size, start.epochs):
        steps = math.ceil(rows / batch_size) * epochs
        reasons["training.epochs"] = f"rows are few: passes for about {steps:,} steps in all,"
        reasons["training.batch_size"] = "in small batches"
    return start.model_copy(update={"batch_size": batch_size, "epochs": epochs})


def _split(dataset: Dataset, given: DataConfig, rows: InMemory | None) -> SplitColumns:
    """Columns that the split might follow and does not yet."""
    likely = likely_split_columns(dataset, given, rows)
    return SplitColumns(
        None if given.group_column else likely.group,
        None if given.time_column else likely.time,
    )


def _split_in_words(split: SplitColumns) -> Iterator[str]:
    if split.group:
        yield (
            f"The column {_printable(split.group)} repeats its values: data.group_column keeps the rows of each on one "
            "side of the split."
        )
    if split.time:
        yield f"The column {_printable(split.time)} holds dates in order: data.time_column tests on the newest rows."


def commented_yaml(proposal: Proposal) -> str:
    """The config as YAML: every key that differs from its default or has a reason, with the reason as a comment."""
    head = [f"Written by rnn init; based on the recipe {proposal.recipe} (rnn config show {proposal.recipe})."]
    columns = {"data.group_column": proposal.split.group, "data.time_column": proposal.split.time}
    instead = {
        name: f"  # {name.partition('.')[2]}: {json.dumps(column, ensure_ascii=False)}"
        for name, column in columns.items()
        if column
    }
    if proposal.class_weight:
        instead["training.class_weight"] = f"  # class_weight: balanced   # {proposal.class_weight}"
    return with_comments(proposal.config, [*head, *proposal.found], proposal.reasons, instead)


def _for_several(start: Config, recipe: str, reasons: dict[str, str]) -> Config:
    """The recipe for texts of several labels: rare labels weigh more; of many sentences, a wider network.

    On 28 emotions of short comments (docs/measured.md) both raised the macro F1 by a point each on validation rows.
    """
    reasons["training.class_weight"] = "rare labels weigh more in their own loss"
    training = start.training.model_copy(update={"class_weight": "balanced"})
    if recipe != "short-text":
        return start.model_copy(update={"training": training})
    reasons["model.units"] = "wider than the recipe's, as there is more to tell apart"
    model = start.model.model_copy(update={"units": [128], "embedding_dim": 200})
    return start.model_copy(update={"training": training, "model": model})


def _perhaps_numbers(
    dataset: Dataset,
    counts: Counter[str],
    given: DataConfig,
    columns: Sequence[tuple[str, str | None]],
    overrides: Sequence[Override],
    told: list[str],
    *,
    may: bool,
) -> tuple[Dataset, DataConfig]:
    """The same, read as numbers to predict where the labels look like some and nothing says what they are."""
    said = given.labels != "single" or any(each.key == "data.labels" for each in overrides)
    if (
        not may
        or given.extra_columns is not None
        or said
        or given.positive_label is not None
        or given.sources is not None
    ):
        return dataset, given
    column = next((label for _, label in columns), given.label_column)
    if not look_like_numbers(counts, column):
        return dataset, given
    told.append(read_as_numbers(numbers_of(dataset)))
    return replace(dataset, number=True), given.model_copy(update={"labels": "number"})


def _need_labels(dataset: Dataset, counts: Counter[str]) -> None:
    if dataset.several and len(counts) < 2:
        what = f"every label is {next(iter(counts))!r}" if counts else "no row has a label"
        raise DataError(what, where=dataset.name, hint="training needs at least two labels")
    if len(counts) == 1:
        raise DataError(
            f"every row has the label {dataset.labels[0]!r}",
            where=dataset.name,
            hint=Setting("data.label_column", "NAME", "training needs at least two; name another with {}"),
        )
    if not dataset.number and len(counts) > max(2, len(dataset) / 2):
        if lists := find_label_lists(counts):
            raise DataError(str(lists), where=dataset.name, hint="a text has one label here: keep one of them")
        raise DataError(
            f"{len(counts):,} different labels in {len(dataset):,} rows, such as {dataset.labels[0][:40]!r}",
            where=dataset.name,
            hint=Setting("data.label_column", "NAME", "name the column of labels with {}"),
        )


def _recipe(dataset: Dataset, *, taught: bool) -> tuple[str, str]:
    """The recipe for the texts' length and number, and why; a teacher adds many to few rows."""
    texts = dataset.texts
    letters = "".join(texts[:: max(1, len(texts) // 2000)])
    unspaced = len(re.findall(f"[{UNSPACED}]", letters))
    if unspaced > sum(map(str.isalpha, letters)) / 2:
        return "char", "Its script has no spaces between words: the config reads characters (recipe char)."
    if _share_known(dataset) < KNOWN_WORDS:
        return "char", "Fewer than half of a tenth's words occur in the other rows: the config reads characters (char)."
    lengths = sorted(len(split_words(text)) for text in texts)
    if len(texts) < TINY_ROWS and not taught:
        return "quick", f"For so few rows a small network is best (recipe quick); {TINY_ROWS:,} are a good start."
    if lengths[int(0.95 * (len(lengths) - 1))] > LONG_TEXT:
        return "default", "The recipe default is the one for long texts."
    return "short-text", "The recipe short-text is the one for sentences."


def _share_known(dataset: Dataset) -> float:
    labels = groups_of(numbers_of(dataset)) if dataset.number else dataset.labels
    apart, rest = stratify(dataset.texts, labels, [0.1], 1)
    known = {word for row in rest for word in split_words(dataset.texts[row])}
    words = [word for row in apart for word in split_words(dataset.texts[row])]
    return sum(word in known for word in words) / len(words) if words else 1.0


def _data(
    dataset: Dataset,
    counts: Counter[str],
    given: DataConfig,
    columns: Sequence[tuple[str, str | None]],
    overrides: Sequence[Override],
    reasons: dict[str, str],
) -> DataConfig:
    chosen: dict[str, object] = {}
    named = {override.key for override in overrides}
    reasons["data.source"] = f"{len(dataset):,} rows"
    for text, label in columns:  # none, of a built-in set
        chosen |= {"text_column": text, "label_column": label}
    if dataset.several:
        reasons["data.labels"] = "a text may have several labels, or none"
    elif given.number:
        reasons["data.labels"] = "a number each, such as a price"
    elif given.ordered:
        reasons["data.labels"] = "ratings: a prediction that is nearer counts as better"
    chosen |= dataset.reading
    reasons |= {f"data.{key}": "found in the file" for key in dataset.reading}
    labels = sorted(counts)
    if len(labels) == 2 and not dataset.several and not dataset.number:
        positive = [label for label in labels if label.strip().lower() in POSITIVE]
        likely = positive[0] if len(positive) == 1 else labels[1]
        chosen["positive_label"] = likely if given.positive_label is None else given.positive_label
        reasons["data.positive_label"] = "the label whose probability is given"
    share = 0.2 if len(dataset) < TINY_ROWS else 0.1
    sides = {"validation": "chooses the best epoch", "test": "is used once, at the end"}
    shares = [getattr(given, side) for side in sides if f"data.{side}" in named]
    left = 1 - sum(value for value in shares if isinstance(value, float))
    for side, does in sides.items():
        if f"data.{side}" not in named:
            # If the other side has a large share, at most half of what it leaves for training.
            chosen[side] = most = min(share, round(left / 2, 6))
            part = "half of the rest" if most < share else "a fifth, as rows are few," if share > 0.1 else "a tenth"
            reasons[f"data.{side}"] = f"{part} {does}"
    return given.model_copy(update=chosen)


def _tokenizer(lengths: Lengths, start: TokenizerConfig, reasons: dict[str, str], *, is_tiny: bool) -> TokenizerConfig:
    # Short texts cost little, so nearly all are read whole; long ones up to the recipe's length, few ones farther.
    most = max(start.max_length, LENGTH_OF_TINY if is_tiny else LONG_TEXT)
    share = 0.99 if _rounded(lengths.max_length[0.99]) <= most else 0.95
    max_length = min(_rounded(lengths.max_length[share]), most)
    unit = "characters" if start.level == "char" else "words"
    if lengths.max_length[share] <= max_length:
        reasons["tokenizer.max_length"] = f"{unit}; keeps {share:.0%} of the texts whole"
    else:
        reasons["tokenizer.max_length"] = f"{unit}; 95% of the texts have up to {lengths.max_length[0.95]:,}"
    reasons["tokenizer.level"] = "what a token is"
    counted, most_known = (lengths.distinct, LINEAR_VOCAB) if is_tiny else (lengths.twice, start.vocab_size)
    vocab_size = max(100, min(most_known, -(-(counted + 2 * is_tiny) // 100) * 100))  # padding and unknown
    occur = "occur; of few texts each one counts" if is_tiny else "occur more than once"
    reasons["tokenizer.vocab_size"] = f"{counted:,} {unit} {occur}"
    longer = lengths.max_length[0.95] > max_length
    truncate = "both" if longer else start.truncate
    if longer:
        reasons["tokenizer.truncate"] = "leaves out the middle of a longer text"
    return start.model_copy(update={"max_length": max_length, "vocab_size": vocab_size, "truncate": truncate})


def _rounded(length: int) -> int:
    return max(10, -(-length // 10) * 10)


def _found(dataset: Dataset, counts: Counter[str], lengths: Lengths) -> list[str]:
    labels = ", ".join(f"{_shortened(label)} ({count:,})" for label, count in counts.most_common(8))
    more = f" and {len(counts) - 8:,} more" if len(counts) > 8 else ""
    unit = "characters" if lengths.level == "char" else "words"
    scripts = Counter(filter(None, map(script_of, dataset.texts)))
    what = numbers_in_words(numbers_of(dataset)) if dataset.number else f"labels: {_printable(labels)}{more}"
    found = [
        f"{len(dataset):,} rows; {what}.",
        f"Half of the texts have up to {lengths.quantiles[0.5]:,} {unit}, 95% up to {lengths.quantiles[0.95]:,}, the "
        f"longest {lengths.quantiles[1.0]:,} (splitting: {lengths.splitting}); mostly "
        f"{scripts.most_common(1)[0][0] if scripts else 'no'} letters.",
    ]
    if dataset.several:
        none = dataset.labels.count(written_labels(()))
        mean = counts.total() / max(len(dataset), 1)
        found.append(f"A text has {mean:.2f} labels on average; {none:,} rows have none.")
    if lists := None if dataset.several or dataset.number else find_label_lists(counts):
        found.append(_printable(f"{lists}; a text has one label here."))
    if not dataset.number and (spellings := about_spellings(counts)):
        found.append(_printable(f"{spellings}; spell each label one way (rnn data check)."))
    repeated = len(dataset) - len(group_equal(dataset.texts))
    if repeated:
        rows = "1 row repeats" if repeated == 1 else f"{repeated:,} rows repeat"
        found.append(f"{rows} an earlier text; copies stay on one side (rnn data check).")
    return found


def _shortened(label: str) -> str:
    return label if len(label) <= 60 else f"{label[:57]}..."


def _printable(text: str) -> str:
    """For a comment on one line, where YAML allows no control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def _class_weight(counts: Counter[str]) -> str | None:
    most, least = counts.most_common(1)[0][1], counts.most_common()[-1][1]
    if most < IMBALANCE * least:
        return None
    return f"if the rarest label, {most / least:,.0f} times rarer than the most frequent, matters as much"
