"""A config and its sections: data, tokenizer, model, training, decision. Imports only pydantic."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rnn_cli.formats import DELIMITER_NAMES, Format
from rnn_cli.kinds import LEAST_ORDERED, LabelsKind

PLAIN_NUMBER = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
"""A number that all YAML readers agree on: without leading zeros, which make it octal in YAML 1.1."""


class WrittenInt(int):
    """A whole number that keeps its spelling."""

    written = ""


class WrittenFloat(float):
    """A number that keeps its spelling."""

    written = ""


def as_number(value: object) -> object:
    """Refuse a value that is not a number, or a spelling that YAML readers read differently."""
    # Pydantic would read true as 1, and the text 1_000 as 1000.
    is_plain = PLAIN_NUMBER.fullmatch(value) is not None if isinstance(value, str) else not has_leading_zeros(value)
    if isinstance(value, bool) or not is_plain:
        raise PydanticCustomError("no_number", "not a number")
    return value


def has_leading_zeros(value: object) -> bool:
    """Whether a number is spelled like 010."""
    return re.match(r"[-+]?0[0-9]", getattr(value, "written", "")) is not None


def _countable(value: object) -> object:
    value = as_number(value)
    if isinstance(value, int | float) and value >= 2**31:
        raise ValueError(f"at most {2**31 - 1:,}")
    return value


def _label(value: object, what: str = "label") -> object:
    if isinstance(value, bool):
        raise ValueError(f"YAML reads this as {str(value).lower()}; quote it if it is a {what}")
    # Labels are text everywhere. 010 in YAML is the label "010" of the file; a number without a spelling is written as
    # a file's typed values are: 1.0 is the label "1".
    if isinstance(value, WrittenInt | WrittenFloat):
        return value.written
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    return str(value) if isinstance(value, int | float) else value


def _sheet(value: object) -> object:
    return _label(value, "name")


def _delimiter(value: object) -> object:
    return DELIMITER_NAMES.get(value.lower(), value) if isinstance(value, str) else value


def _kinds_of_columns(value: object) -> object:
    """The kind of each column by its name, where only names, or some kinds, are given."""
    if isinstance(value, dict):
        return {_label(name, "name"): "auto" if kind is None else kind for name, kind in value.items()}
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        return value
    found: dict[object, object] = {}
    for each in listed:
        for name, kind in (each if isinstance(each, dict) else {each: "auto"}).items():
            name = _label(name, "name")
            if name in found:
                raise ValueError(f"names {name} twice; remove one")
            found[name] = "auto" if kind is None else kind
    return found


def share_or_file(value: object) -> object:
    """The number, if the value is one, else the name of a file."""
    if isinstance(value, str):
        return float(value) if PLAIN_NUMBER.fullmatch(value) else value
    return as_number(value)


# The bounds come before the validator, although it runs first: only so do they reach the JSON schema.
Count = Annotated[int, Field(ge=1), BeforeValidator(_countable)]
VocabSize = Annotated[int, Field(ge=3), BeforeValidator(_countable)]
Seed = Annotated[int, Field(ge=0, lt=2**32), BeforeValidator(as_number)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(as_number)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(as_number)]
Rate = Annotated[float, Field(ge=0, lt=1), BeforeValidator(as_number)]
Folds = Annotated[int, Field(ge=2, le=20), BeforeValidator(as_number)]
Repeats = Annotated[int, Field(ge=1, le=100), BeforeValidator(as_number)]
_SourceName = Annotated[str, Field(min_length=1)]
Label = Annotated[str, BeforeValidator(_label)]
ExtraKind = Literal["auto", "number", "category"]
_Delimiter = Annotated[str, Field(min_length=1, max_length=1), BeforeValidator(_delimiter)]


class Section(BaseModel):
    """Base of all sections: unknown keys are mistakes, values are immutable, docstrings describe keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def source_name(source: str) -> str:
    """A source without its folders; a URL without its query, which may be secret."""
    return (source.partition("?")[0] if "://" in source else source).rstrip("/").rpartition("/")[2]


class LabelledFile(Section):
    """How labelled texts in a file are read: what a single source of texts and one of several share."""

    source: str = Field(min_length=1)
    """Where the texts are."""
    text_column: str | None = None
    """The column of texts; by default found by its name (text, review, sentence, ...)."""
    label_column: str | None = None
    """The column of labels; by default found by its name (label, sentiment, class, ...)."""
    format: Format | None = None
    """The format of files whose names do not show it, such as the standard input."""
    sheet: Annotated[str | None, Field(min_length=1), BeforeValidator(_sheet)] = None
    """The sheet of an Excel workbook, by its name or its number, from 1; by default the only one that is not empty."""
    delimiter: _Delimiter | None = None
    """The character between fields, or `tab`; by default , for .csv and a tab for .tsv, or another that the first lines
    show."""
    quoting: Literal["auto", "csv", "none"] = "auto"
    """How CSV and TSV use quotes: around fields (`csv`), or as plain characters (`none`). `auto` reads them as CSV, and
    as plain characters if the whole file shows that they are."""
    header: bool | None = None
    """Whether the first line of CSV and TSV names the columns; without names they are 1, 2, .... By default it does,
    and a first line that looks like a row is refused."""
    encoding: str | None = None
    """The text encoding of the source; by default UTF-8, or as a byte order mark says."""


class SourceConfig(LabelledFile):
    """One of several sources of labelled texts. It says itself how it is read."""

    name: str | None = Field(default=None, min_length=1)
    """Its name in figures by source; by default `source` without its folder."""
    optional: bool = False
    """Whether training goes on without it, with a warning, where it is not there."""
    labels: dict[Label, Label | None] | None = None
    """What each of its labels is called in the model, {label: label}; null leaves the rows out. It must name all of
    them, or all others together as "*", unless it only leaves rows out. By default they keep their names."""
    label: Label | None = None
    """The label of all its rows; its own labels, if it has any, are not read."""
    unlabelled: bool = False
    """Whether its texts serve as those of `data.unlabelled` do; its labels, if it has any, are not read."""
    rows: Count | None = None
    """At most so many of its rows, drawn by `data.split_seed`; by default all."""
    sentences: Count | None = None
    """Learn also from up to so many sentences of each text, drawn by `data.split_seed`, as rows with its label."""
    weight: Positive = 1.0
    """The weight of each of its rows in the loss, beside the other sources' rows."""
    balance: bool = False
    """Whether all of its labels weigh alike in the loss, however many rows they have."""
    validation: bool = True
    """Whether its rows are also validation and test rows; false: all of them are training rows."""

    @property
    def called(self) -> str:
        """Its name."""
        return self.name or source_name(self.source) or self.source

    @model_validator(mode="after")
    def _its_labels_are_said_once(self) -> "SourceConfig":
        if self.label is not None and (self.labels is not None or self.label_column is not None):
            raise ValueError("label is that of all rows; leave labels and label_column out")
        if self.unlabelled and (self.label is not None or self.labels is not None or self.sentences is not None):
            raise ValueError("unlabelled rows have no label; leave label, labels and sentences out")
        return self


OWN = "own"
"""The value of `model.embeddings` for token vectors made from the run's texts."""


class DataConfig(LabelledFile):
    """The labelled texts and their split."""

    source: str = Field(default="imdb", min_length=1)
    """A built-in set (`rnn data list`), or a CSV, TSV, JSONL or Parquet file, plain, .gz or .zst, or an Excel workbook;
    a folder of such files of one format, or one with a folder of .txt files per label; also a pattern
    ('reviews/train-*.parquet'), a URL (s3://bucket/reviews.csv), or - for the standard input. All paths in a config are
    relative to the current folder."""
    sources: Annotated[list[SourceConfig], Field(min_length=1)] | None = None
    """Several sources instead of `source`, learned from together, each of which says how it is read: docs/general.md.
    Such keys beside them are of files of validation, test and unlabelled texts."""
    balance: Literal["rows", "sources"] = "rows"
    """Whether all rows of several sources weigh alike in the loss, or all sources, however many rows each has; times
    their weights."""
    labels: LabelsKind = "single"
    """Whether a text has one of the labels; `several` of them, or none (docs/several-labels.md); one of labels that are
    `ordered`, such as ratings (docs/ordered.md); or a `number`, such as a price (docs/numbers.md)."""
    order: Annotated[list[Label], Field(min_length=LEAST_ORDERED)] | None = None
    """The labels in their order, `[bad, middling, good]`, which makes `labels` ordered; numbers need none."""
    label_separator: str | None = Field(default=None, min_length=1, max_length=10)
    """What separates a row's labels in the column of labels, as in `anger|joy`, which makes `labels` several. Without
    it, several labels are a list, as `["anger", "joy"]`. An empty value is a text with none of them."""
    label_columns: Annotated[list[Label], Field(min_length=2)] | None = None
    """The columns of which each holds 1 for the rows with its label, else 0, which makes `labels` several."""
    extra_columns: Annotated[dict[Label, ExtraKind] | None, Field(min_length=1), BeforeValidator(_kinds_of_columns)] = (
        None
    )
    """Other columns of a row that the model reads beside its text, as `[price, country]`: numbers, or else categories,
    as the training rows show, or as said, `{price: number, zip: category}`. docs/columns.md."""
    positive_label: Label | None = None
    """The positive one of two labels, whose probability the network predicts; by default the second in sorted order."""
    validation: Annotated[Annotated[float, Field(gt=0, lt=1)] | str, BeforeValidator(share_or_file)] = 0.1
    """Validation rows, which choose the best epoch: a share of the source, or a separate file."""
    test: Annotated[Annotated[float, Field(ge=0, lt=1)] | str, BeforeValidator(share_or_file)] = 0.1
    """Test rows, used once, at the end: a share of the source, or a separate file; 0 for none."""
    unlabelled: _SourceName | list[_SourceName] | None = None
    """More texts for the vocabulary, `model.embeddings: own` and `training.teacher`: a built-in set, a file (of a .txt
    file each line), or a list of them. Their labels are not read. Texts that labelled rows have, too, are left out, and
    of more than 200 million characters a sample is kept."""
    transductive: bool = False
    """Let a teacher (`training.teacher`) read the texts of validation and test rows, too, without their labels. It may
    know these texts better than others then, and every figure says so."""
    group_column: str | None = None
    """A column whose values, such as customers, authors or threads, have all their rows on one side of the split."""
    time_column: str | None = None
    """A column of dates or numbers: the newest rows are the test rows, the next newest the validation rows."""
    split_seed: Seed = 1
    """Seed of the split, apart from training.seed, so that runs with other seeds use the same rows."""
    strip_nul: bool = False
    """Drop NUL characters instead of refusing them."""
    max_field_bytes: Count = 16 << 20
    """The largest line or record in bytes of UTF-8; a larger one is refused, which bounds the memory."""

    @model_validator(mode="before")
    @classmethod
    def _how_several_labels_are_written_says_that_they_are(cls, value: Any) -> Any:
        if isinstance(value, dict) and "labels" not in value:
            if value.get("label_separator") is not None or value.get("label_columns") is not None:
                return {**value, "labels": "several"}
            if value.get("order") is not None:
                return {**value, "labels": "ordered"}
        return value

    @property
    def several(self) -> bool:
        """Whether a text may have several labels, or none."""
        return self.labels == "several"

    @property
    def ordered(self) -> bool:
        """Whether the labels have an order, such as ratings."""
        return self.labels == "ordered"

    @property
    def number(self) -> bool:
        """Whether each text has a number instead of a label."""
        return self.labels == "number"

    @model_validator(mode="after")
    def _numbers_are_no_labels(self) -> "DataConfig":
        for key in ("positive_label", "sources", "transductive") if self.number else ():
            if getattr(self, key):
                raise ValueError(f"labels: number and {key} exclude each other; remove one")
        return self

    @model_validator(mode="after")
    def _rows_remain_for_training(self) -> "DataConfig":
        shares = [share for share in (self.validation, self.test) if isinstance(share, float)]
        if sum(shares) >= 1:
            raise ValueError("validation and test take all rows; leave some for training")
        return self

    @model_validator(mode="after")
    def _several_labels_are_written_one_way(self) -> "DataConfig":
        ways = [key for key in ("label_separator", "label_columns") if getattr(self, key) is not None]
        if ways and not self.several:
            raise ValueError(f"{ways[0]} is for texts of several labels; add labels: several")
        if not self.several:
            return self
        if len(ways) > 1:
            raise ValueError("label_separator and label_columns exclude each other; remove one")
        if self.label_columns is not None and self.label_column is not None:
            raise ValueError("label_column and label_columns exclude each other; remove one")
        names = self.label_columns or []
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"label_columns names {twice} twice; remove one")
        for key in ("sources", "positive_label"):
            if getattr(self, key) is not None:
                raise ValueError(f"labels: several and {key} exclude each other; remove one")
        return self

    @model_validator(mode="after")
    def _ordered_labels_have_one_order(self) -> "DataConfig":
        if self.order is not None and not self.ordered:
            raise ValueError("order is for ordered labels; add labels: ordered")
        if self.ordered and self.positive_label is not None:
            raise ValueError("labels: ordered and positive_label exclude each other; remove one")
        if twice := next((name for name in self.order or [] if (self.order or []).count(name) > 1), None):
            raise ValueError(f"order names {twice} twice; remove one")
        return self

    @model_validator(mode="after")
    def _several_sources_tell_all_about_themselves(self) -> "DataConfig":
        if self.sources is None:
            return self
        alone = ["source", "group_column", "time_column", "extra_columns"]
        if self.unlabelled is None and not any(isinstance(side, str) for side in (self.validation, self.test)):
            alone += [key for key in LabelledFile.model_fields if key != "source"]  # they would be of no file
        if given := [key for key in alone if getattr(self, key) != DataConfig.model_fields[key].default]:
            raise ValueError(f"sources and {given[0]} exclude each other; say it within sources, or remove one")
        names = [each.called for each in self.sources]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two sources are called {twice}; give one of them another name")
        return self

    @model_validator(mode="after")
    def _extra_columns_are_no_texts_and_no_labels(self) -> "DataConfig":
        taken = [self.text_column, self.label_column, *(self.label_columns or ())]
        if wrong := next((name for name in self.extra_columns or () if name in taken), None):
            raise ValueError(f"extra_columns: {wrong} is the column of texts or labels; leave it out")
        return self

    @model_validator(mode="after")
    def _the_standard_input_is_read_once(self) -> "DataConfig":
        unlabelled = self.unlabelled if isinstance(self.unlabelled, list) else [self.unlabelled]
        sources = [self.source] if self.sources is None else [each.source for each in self.sources]
        if [*sources, self.validation, self.test, *unlabelled].count("-") > 1:
            raise ValueError("the standard input (-) can be read only once; save it to a file")
        return self


class TokenizerConfig(Section):
    """How a text becomes token ids."""

    level: Literal["word", "char", "sentence", "subword"] = "word"
    """What a token is: a word, a character, a whole sentence, or a piece of a word (byte-pair encoding)."""
    vocab_size: VocabSize = 10_000
    """The maximum number of ids: 0 is padding, 1 the unknown token, the others are the most frequent tokens."""
    oov_token: str = Field(default="<OOV>", min_length=1)
    """The name of the unknown ("out of vocabulary") token."""
    lowercase: bool = True
    """Convert texts to lower case."""
    filters: str | None = Field(default=None, max_length=10_000)
    """Characters to read as spaces, and with `splitting: unicode` those that mean the same; by default punctuation of
    any kind except the apostrophe at word level with `punctuation: drop`, else none."""
    punctuation: Literal["drop", "keep"] = "drop"
    """Word level only: `drop` removes the marks in filters, `keep` makes each mark or symbol a token."""
    splitting: Literal["unicode", "posts", "ascii"] = "unicode"
    """`unicode` reads texts in their usual typography: spaces, quotes and marks of any kind count as those of ASCII (–
    as -, — as --, … as ...), composed and decomposed accents alike, and what is not seen does not count. `posts` also
    reads links, e-mail addresses and @names as spaces, and a letter written three times or more as two. `ascii` splits
    as Keras's Tokenizer does."""
    max_length: Count = 200
    """The maximum number of tokens to read of a text."""
    truncate: Literal["head", "tail", "both"] = "head"
    """Which part of a longer text to read: its beginning, its end, or half of each."""

    @model_validator(mode="after")
    def _punctuation_is_kept_beside_words(self) -> "TokenizerConfig":
        if self.punctuation == "keep" and self.level != "word":
            raise ValueError(
                f"punctuation: keep needs level: word; level: {self.level} keeps all marks that are not in filters"
            )
        return self


class ModelConfig(Section):
    """The network: input, stacked recurrent layers, pooling, Dense layers."""

    kind: Literal["network", "linear", "auto"] = "network"
    """What is made: a `network`, with its n-grams; the `linear` model of n-grams alone, which is small, learned in a
    second and scores faster; or by `auto` the linear model unless the network is right more often: docs/folds.md."""
    base: str | None = None
    """For few labels: a trained model to build on, `general` or a model's folder. Its tokenizer and network take the
    place of the config's; only the last layers and n-grams are fitted to the rows, in one step, without epochs."""
    input: Literal["embedding", "one_hot"] = "embedding"
    """The input per token: a learned vector, or a 1 among zeros (for small vocabularies)."""
    embedding_dim: Count = 64
    """The length of a token vector."""
    embeddings: str | None = None
    """Initial token vectors: `own` computes them from the texts, by which tokens are neighbours; else a file of word
    vectors (GloVe or fastText text format, plain or .gz; write ./own for a file of that name)."""
    trainable_embeddings: bool = True
    """Whether training changes the token vectors."""
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    """The recurrent cell."""
    units: Annotated[list[Count], Field(min_length=1)] = [64, 64]
    """Units of each recurrent layer, from the input up; a bidirectional layer has twice as many outputs."""
    bidirectional: bool = True
    """Read each text in both directions."""
    pooling: Literal["last", "max", "mean", "max_mean"] = "last"
    """The output of the top recurrent layer: its last states, or the maximum and/or mean over the text."""
    dense_units: list[Count] = [32, 16]
    """Units of each hidden Dense layer (ReLU); [] for none."""
    ngrams: Annotated[int, Field(ge=0, le=3), BeforeValidator(as_number)] = 0
    """Average the network with a linear model over n-grams of up to so many tokens, fitted first; 0 for none."""
    ngram_buckets: Count = 1 << 20
    """The number of weights that n-grams of two and more tokens share by a hash (4 bytes each, per label). With many
    labels, as many as fit into 256 MiB together with those of single tokens."""
    char_ngrams: Annotated[int, Field(ge=0, le=8), BeforeValidator(as_number)] = 0
    """Have the n-grams learn from pieces of words, too, of two to so many characters, so that words of like spelling
    share what is learned; 0 for none. Gains where rows are few; the model is no larger. Word level only."""
    dropout: Rate = 0.0
    """The share of each recurrent and hidden Dense layer's output to drop in training."""
    embedding_dropout: Rate = 0.0
    """The share of the token vectors' dimensions to drop in training, the same for all tokens of a text."""
    recurrent_dropout: Rate = 0.0
    """The share of the recurrent state to drop between time steps in training."""

    @model_validator(mode="after")
    def _a_linear_model_has_ngrams(self) -> "ModelConfig":
        if self.kind == "network":
            return self
        if not self.ngrams:
            raise ValueError(f"kind: {self.kind} needs n-grams; set model.ngrams to 2")
        if self.base is not None:
            raise ValueError(f"kind: {self.kind} and base exclude each other; remove one")
        return self

    @model_validator(mode="after")
    def _one_hot_has_no_vectors(self) -> "ModelConfig":
        if self.input == "one_hot" and self.embeddings is not None:
            raise ValueError("embeddings needs input: embedding")
        return self


class EarlyStopping(Section):
    """When to stop before the last epoch."""

    patience: Count = 2
    """The number of epochs without improvement before training stops."""
    monitor: Literal["loss", "accuracy"] = "loss"
    """The validation metric that chooses the best epoch, whose weights are kept."""


class TeacherConfig(Section):
    """A teacher that reads labelled and unlabelled texts, and gives the latter probable labels to learn from."""

    dim: Count = 200
    """The length of a document vector."""
    passes: Count | None = None
    """How often all texts are read for the document vectors; by default 5 to 40 times, fewer of more text."""


class TrainingConfig(Section):
    """How the network is trained."""

    epochs: Count = 5
    """The maximum number of passes over the training rows."""
    batch_size: Count = 64
    """The number of texts per step."""
    optimizer: Literal["adam", "adamw", "nadam", "rmsprop", "sgd"] = "adam"
    """The Keras optimizer."""
    learning_rate: Positive = 1e-3
    """The (initial) learning rate."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """The course of the learning rate: constant, or down to zero along a line or half a cosine."""
    clip_norm: Positive | None = None
    """The maximum norm of the whole gradient; a larger gradient is scaled down to it."""
    weight_decay: NotNegative = 0.0
    """Decoupled weight decay per step, multiplied by the learning rate."""
    label_smoothing: Rate = 0.0
    """The share of each target probability that is spread over all labels."""
    class_weight: Literal["balanced"] | dict[Label, Positive] | None = None
    """The weight of each label's rows in the loss: `balanced` (rare labels weigh more) or {label: weight}. With
    `labels: several` it is that of the rows with the label in the label's own loss, and `balanced` is at most 10."""
    early_stopping: EarlyStopping | None = EarlyStopping()
    """Stop when validation no longer improves; null trains all epochs and keeps the one with the least loss."""
    seed: Seed = 1
    """Seed of the initial weights, the order of rows and dropout."""
    deterministic: bool = True
    """Make a repeated run on the same machine give the same bytes of weights."""
    checkpoint_minutes: Positive = 5.0
    """Save the run for `rnn train --resume` after each epoch, and within an epoch after so many minutes."""
    teacher: TeacherConfig | None = None
    """Learn from `data.unlabelled` by a teacher: document vectors of all texts, to which the labels are fitted, give
    the texts without labels probable ones; {} for the usual one. It pays with few labels and many texts like them."""
    baseline: bool = True
    """Also fit a linear model on the same rows and compare the network with it: a network that is not better is not
    worth its time."""
    folds: Folds | None = None
    """For few rows: measure by cross-validation. The rows are dealt into so many folds, each of which is predicted by a
    model of the others; the final model then learns from all rows, and no test rows are kept: docs/folds.md."""
    fold_repeats: Repeats = 1
    """How often the rows are dealt into folds anew; more often narrows what the choice of folds leaves open."""


FEW_STEPS = 100
"""Fewer steps than this change a network very little."""

AT_LEAST = re.compile(r"(?P<metric>precision|recall) *>= *(?P<share>0?\.[0-9]+|[01]|1\.0+)")
"""A value of `decision.goal` that sets a minimum for a metric of the positive label."""


def _goal(value: object) -> object:
    if isinstance(value, str) and value not in ("accuracy", "f1", "balanced_accuracy"):
        if not AT_LEAST.fullmatch(value):
            raise ValueError(
                "expected accuracy, f1, balanced_accuracy, precision >= 0.95, recall >= 0.9 (or other shares) or "
                f"{{cost: {{false_positive: 1, false_negative: 5}}}}, got {value!r}"
            )
    return value


class Cost(Section):
    """The cost of each kind of mistake, in any unit."""

    false_positive: NotNegative = 1.0
    """The cost of predicting the positive label for a text with the other label."""
    false_negative: NotNegative = 1.0
    """The cost of predicting the other label for a text with the positive label."""


class CostGoal(Section):
    """Minimize the cost of mistakes."""

    cost: Cost = Cost()
    """The costs of mistakes; the threshold minimizes their sum."""


class DecisionConfig(Section):
    """How probabilities become a prediction; chosen on the validation rows and stored in the model."""

    goal: Annotated[str | CostGoal | None, BeforeValidator(_goal)] = None
    """The goal of the threshold for two labels, and with `labels: several` of each one's (by default f1): accuracy, f1
    or balanced_accuracy; `precision >= 0.95` or `recall >= 0.9` of the positive label, with the highest possible recall
    or precision; or the least cost, {cost: {false_positive: 1, false_negative: 5}}."""
    threshold: Annotated[float, Field(gt=0, lt=1), BeforeValidator(as_number)] | None = None
    """The probability from which the positive one of two labels is predicted, or each of several; by default 0.5, or as
    goal says."""
    choice: Literal["balanced", "median", "mode"] | None = None
    """With `labels: ordered`: predict the `mode`, the most probable label, which is right most often; the `median`,
    whose expected distance from the true label is least; or, by default, what is `balanced` between both: a wrong label
    costs 1, and its distance as a share of all labels' range."""
    most_labels: Count | None = None
    """With `labels: several`: predict at most so many labels a text, the most probable; by default all that reach their
    thresholds."""
    abstain: Rate | None = None
    """Predict "unsure" for the texts nearest to another prediction, for at most this share of the texts."""
    abstain_error: Rate | None = None
    """Predict "unsure" for as many texts as needed so that at most this share of the other predictions is wrong."""

    @property
    def is_chosen(self) -> bool:
        """Whether validation rows choose it."""
        return self.goal is not None or bool(self.abstain) or self.abstain_error is not None

    @model_validator(mode="after")
    def _one_way_each(self) -> "DecisionConfig":
        if self.goal is not None and self.threshold is not None:
            raise ValueError("goal and threshold exclude each other; remove one")
        if self.abstain is not None and self.abstain_error is not None:
            raise ValueError("abstain and abstain_error exclude each other; remove one")
        return self


__all__ = [
    "AT_LEAST",
    "OWN",
    "Config",
    "CostGoal",
    "DataConfig",
    "DecisionConfig",
    "EarlyStopping",
    "LabelledFile",
    "ModelConfig",
    "SourceConfig",
    "TeacherConfig",
    "TokenizerConfig",
    "TrainingConfig",
]

ONE_HOT_BYTES = 2 << 30
"""The maximum of bytes of a one-hot batch (batch_size × max_length × vocab_size float32)."""


class Config(Section):
    """All settings of `rnn train`."""

    data: DataConfig = DataConfig()
    """The labelled texts and their split."""
    tokenizer: TokenizerConfig = TokenizerConfig()
    """How a text becomes token ids."""
    model: ModelConfig = ModelConfig()
    """The network."""
    training: TrainingConfig = TrainingConfig()
    """How the network is trained."""
    decision: DecisionConfig = DecisionConfig()
    """How probabilities become a prediction."""

    @model_validator(mode="before")
    @classmethod
    def _folds_need_no_test_rows(cls, value: Any) -> Any:
        sections = [value.get(name) or {} for name in ("training", "data")] if isinstance(value, dict) else [{}, {}]
        training, data = sections
        if not isinstance(training, dict) or not isinstance(data, dict) or training.get("folds") is None:
            return value
        test = data.get("test")
        is_file = isinstance(test, str) and not PLAIN_NUMBER.fullmatch(test)
        return value if is_file else {**value, "data": {**data, "test": 0.0}}

    @model_validator(mode="after")
    def _folds_measure_alone(self) -> "Config":
        if self.training.folds is None:
            if self.training.fold_repeats > 1:
                raise ValueError("training.fold_repeats is for folds; add training.folds: 5")
            return self
        others = {
            "a file of test rows (data.test)": isinstance(self.data.test, str),
            "data.sources": self.data.sources is not None,
            "data.time_column": self.data.time_column is not None,
            "data.transductive": self.data.transductive,
        }
        if other := next((name for name, is_there in others.items() if is_there), None):
            more = "; measure on it afterwards (rnn evaluate)" if "file" in other else ""
            raise ValueError(f"training.folds and {other} exclude each other; remove one{more}")
        return self

    @model_validator(mode="after")
    def _a_teacher_has_texts(self) -> "Config":
        if self.training.teacher is None:
            if self.data.transductive:
                raise ValueError("data.transductive is for a teacher; add training.teacher: {}")
            return self
        if self.data.unlabelled is None and not any(source.unlabelled for source in self.data.sources or ()):
            raise ValueError("training.teacher teaches from texts without labels; name them in data.unlabelled")
        if self.model.base is not None:
            raise ValueError("training.teacher and model.base exclude each other; remove one")
        if not self.model.ngrams:
            raise ValueError("training.teacher needs n-grams; set model.ngrams to 2")
        if self.model.kind == "auto":
            raise ValueError("training.teacher and model.kind: auto exclude each other; choose network or linear")
        if self.data.several:
            raise ValueError("training.teacher is for texts of one label each; leave it out with data.labels: several")
        return self

    @model_validator(mode="after")
    def _pieces_are_of_words(self) -> "Config":
        if not self.model.char_ngrams:
            return self
        if not self.model.ngrams:
            raise ValueError("model.char_ngrams is for n-grams; set model.ngrams to 2")
        if self.tokenizer.level != "word":
            raise ValueError(f"model.char_ngrams is for words, and tokenizer.level is {self.tokenizer.level}")
        without = {"model.base": self.model.base, "training.teacher": self.training.teacher}
        if key := next((key for key, given in without.items() if given is not None), None):
            raise ValueError(f"model.char_ngrams and {key} exclude each other; remove one")
        return self

    @model_validator(mode="after")
    def _several_labels_have_all_they_need(self) -> "Config":
        if self.data.several and self.model.base is not None:
            raise ValueError("model.base is for texts of one label each; leave it out with data.labels: several")
        if self.data.several and (self.decision.abstain is not None or self.decision.abstain_error is not None):
            raise ValueError("decision.abstain is for texts of one label each; with several, a text may have none")
        if not self.data.several and self.decision.most_labels is not None:
            raise ValueError("decision.most_labels is for texts of several labels; add data.labels: several")
        return self

    @model_validator(mode="after")
    def _ordered_labels_have_all_they_need(self) -> "Config":
        if self.data.ordered:
            without = {"base": self.model.base, "teacher": self.training.teacher}
            for name, given in without.items():
                if given is not None:
                    key = f"{'model' if name == 'base' else 'training'}.{name}"
                    raise ValueError(f"{key} knows no order of labels; leave it out, or set data.labels: single")
        elif self.decision.choice is not None:
            raise ValueError("decision.choice is for ordered labels; add data.labels: ordered")
        return self

    @model_validator(mode="after")
    def _numbers_have_all_they_need(self) -> "Config":
        if not self.data.number:
            return self
        without = {
            "model.base": self.model.base,
            "training.teacher": self.training.teacher,
            "training.class_weight": self.training.class_weight,
            "data.extra_columns": self.data.extra_columns,
            "training.label_smoothing": self.training.label_smoothing or None,
            "model.char_ngrams": self.model.char_ngrams or None,
        }
        without |= {f"decision.{key}": value for key, value in self.decision.model_dump().items()}
        if key := next((key for key, given in without.items() if given is not None), None):
            raise ValueError(f"{key} is for labels, not for numbers; leave it out with data.labels: number")
        if self.model.kind != "network":
            raise ValueError(f"model.kind: {self.model.kind} is for labels, not for numbers; use network")
        return self

    @model_validator(mode="after")
    def _extra_columns_are_read_by_new_networks(self) -> "Config":
        if self.data.extra_columns is not None:
            others = {"model.base": self.model.base, "training.teacher": self.training.teacher}
            for key, given in others.items():
                if given is not None:
                    raise ValueError(f"{key} reads texts alone; leave it out, or data.extra_columns")
        return self

    @model_validator(mode="after")
    def _one_hot_fits_in_memory(self) -> "Config":
        tokens = self.training.batch_size * self.tokenizer.max_length
        if self.model.input == "one_hot" and tokens * self.tokenizer.vocab_size * 4 > ONE_HOT_BYTES:
            gibibytes = tokens * self.tokenizer.vocab_size * 4 / 2**30
            raise ValueError(
                f"model.input: one_hot needs {gibibytes:.1f} GiB a batch; "
                f"use embedding, or make tokenizer.vocab_size at most {ONE_HOT_BYTES // (tokens * 4)}"
            )
        return self

    def to_dict(self) -> dict[str, Any]:
        """The whole config as plain values, including defaults."""
        return self.model_dump(mode="json")

    def differences(self, other: "Config") -> dict[str, tuple[Any, Any]]:
        """The keys whose values differ: dotted key to this config's value and the other's, as plain values."""
        return _differences(self.to_dict(), other.to_dict(), "")


def _differences(ours: dict[str, Any], theirs: dict[str, Any], prefix: str) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for key in ours:
        one, other = ours[key], theirs[key]
        if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
            found |= _differences(one, other, f"{prefix}{key}.")
        elif one != other:
            found[f"{prefix}{key}"] = one, other
    return found
