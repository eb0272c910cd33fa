"""A config and its sections: data, tokenizer, network, training, and how the model decides. Loads pydantic alone."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from rnn_cli.formats import Format

PLAIN_NUMBER = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
"""A number that every reader takes for the same one: without leading zeros, which make it octal for YAML 1.1."""


class WrittenInt(int):
    """A whole number that remembers how it was written."""

    written = ""


class WrittenFloat(float):
    """A number that remembers how it was written."""

    written = ""


def as_number(value: object) -> object:
    """Refuse what is no number, or one that readers of YAML disagree about."""
    # Pydantic would take true for 1, and the text 1_000 for 1000.
    is_plain = PLAIN_NUMBER.fullmatch(value) is not None if isinstance(value, str) else not has_leading_zeros(value)
    if isinstance(value, bool) or not is_plain:
        raise PydanticCustomError("no_number", "no number")
    return value


def has_leading_zeros(value: object) -> bool:
    """Whether a number was written as 010 is."""
    return re.match(r"[-+]?0[0-9]", getattr(value, "written", "")) is not None


def _countable(value: object) -> object:
    value = as_number(value)
    if isinstance(value, int | float) and value >= 2**31:
        raise ValueError(f"at most {2**31 - 1:,}")
    return value


def _label(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"YAML reads this as {str(value).lower()}; quote it if it is a label")
    # Labels are text everywhere. One that is written 010 is the label "010" of the file; a number that was never
    # written is spelled as a file's typed values are: 1.0 is the label "1".
    if isinstance(value, WrittenInt | WrittenFloat):
        return value.written
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    return str(value) if isinstance(value, int | float) else value


def share_or_file(value: object) -> object:
    """A number, if it is one, else the name of a file."""
    if isinstance(value, str):
        return float(value) if PLAIN_NUMBER.fullmatch(value) else value
    return as_number(value)


# The bounds stand before the validator, which runs first all the same: only so do they reach the JSON schema.
Count = Annotated[int, Field(ge=1), BeforeValidator(_countable)]
VocabSize = Annotated[int, Field(ge=3), BeforeValidator(_countable)]
Seed = Annotated[int, Field(ge=0, lt=2**32), BeforeValidator(as_number)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(as_number)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(as_number)]
Rate = Annotated[float, Field(ge=0, lt=1), BeforeValidator(as_number)]
_SourceName = Annotated[str, Field(min_length=1)]
Label = Annotated[str, BeforeValidator(_label)]


class Section(BaseModel):
    """What all sections share: unknown keys are mistakes, values never change, docstrings describe keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


OWN = "own"
"""What `model.embeddings` says for token vectors made from the run's own texts."""


class DataConfig(Section):
    """Which labelled texts, and how they are split."""

    source: str = Field(default="imdb", min_length=1)
    """A built-in set's name (`rnn data list`) or a CSV, TSV, JSONL or Parquet file, plain, .gz or .zst; a path
    begins in the folder you stand in, as all paths in a config do. Also a URL (s3://bucket/reviews.csv), or - for the
    standard input."""
    text_column: str | None = None
    """The column of texts; found by its name (text, review, sentence, ...) when not given."""
    label_column: str | None = None
    """The column of labels; found by its name (label, sentiment, class, ...) when not given."""
    positive_label: Label | None = None
    """Of two labels, the one whose probability the network answers; else the second in sorted order."""
    validation: Annotated[Annotated[float, Field(gt=0, lt=1)] | str, BeforeValidator(share_or_file)] = 0.1
    """Validation rows, which choose the best epoch: a share of the source, or a file of their own."""
    test: Annotated[Annotated[float, Field(ge=0, lt=1)] | str, BeforeValidator(share_or_file)] = 0.1
    """Test rows, looked at once, at the end: a share of the source, or a file of their own; 0 for none."""
    unlabelled: _SourceName | list[_SourceName] | None = None
    """Further texts, a built-in set or file or a list of them, whose labels, if any, are not read: they serve the
    vocabulary and `model.embeddings: own`. Those that are validation or test texts too are left out."""
    split_seed: Seed = 1
    """Seeds the split only, so that another training.seed is measured on the same rows."""
    format: Format | None = None
    """What the files are, where their names do not say it, as that of the standard input does not."""
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    """The character between fields; , for .csv and a tab for .tsv when not given."""
    encoding: str | None = None
    """The source's text encoding; UTF-8, or what a byte order mark says, when not given."""
    strip_nul: bool = False
    """Drop NUL characters, which are a mistake otherwise."""
    max_field_bytes: Count = 16 << 20
    """The largest line or record, in bytes of UTF-8: a longer one is a mistake, so that memory is bounded."""

    @model_validator(mode="after")
    def _some_rows_are_left_to_train_on(self) -> "DataConfig":
        shares = [share for share in (self.validation, self.test) if isinstance(share, float)]
        if sum(shares) >= 1:
            raise ValueError("validation and test take all rows; leave some to train on")
        return self

    @model_validator(mode="after")
    def _the_standard_input_is_read_once(self) -> "DataConfig":
        unlabelled = self.unlabelled if isinstance(self.unlabelled, list) else [self.unlabelled]
        if [self.source, self.validation, self.test, *unlabelled].count("-") > 1:
            raise ValueError("- is the standard input, which can be read only once; save it to a file")
        return self


class TokenizerConfig(Section):
    """How a text becomes numbers."""

    level: Literal["word", "char", "sentence", "subword"] = "word"
    """What a token is: a word, a character, a whole sentence, or a piece of a word (byte-pair encoding)."""
    vocab_size: VocabSize = 10_000
    """Ids at most: 0 pads, 1 is the unknown token, the rest go to the most frequent tokens."""
    oov_token: str = Field(default="<OOV>", min_length=1)
    """How the unknown ("out of vocabulary") token is written."""
    lowercase: bool = True
    """Read upper-case letters as lower-case ones."""
    filters: str | None = Field(default=None, max_length=10_000)
    """Characters read as spaces; when not given, punctuation but the apostrophe at word level unless it is kept, else
    none."""
    punctuation: Literal["drop", "keep"] = "drop"
    """Word level only: `drop` leaves marks to filters, `keep` makes each mark or symbol a token of its own."""
    max_length: Count = 200
    """Tokens of a text that are read, at most."""
    truncate: Literal["head", "tail", "both"] = "head"
    """Which part of a longer text is read: its beginning, its end, or half of each."""

    @model_validator(mode="after")
    def _punctuation_is_kept_beside_words(self) -> "TokenizerConfig":
        if self.punctuation == "keep" and self.level != "word":
            raise ValueError(
                f"punctuation: keep needs level: word; level: {self.level} keeps all marks that filters does not name"
            )
        return self


class ModelConfig(Section):
    """The network: input, stacked recurrent layers, pooling, Dense layers."""

    input: Literal["embedding", "one_hot"] = "embedding"
    """A token enters as a learned vector, or as a 1 among zeros (for small vocabularies)."""
    embedding_dim: Count = 64
    """Length of a token's vector."""
    embeddings: str | None = None
    """Token vectors to start from: `own` makes them from the texts, by which tokens stand beside which; else a file
    of ready word vectors (GloVe or fastText text format, plain or .gz; write ./own for one of that name)."""
    trainable_embeddings: bool = True
    """Whether training changes the vectors."""
    cell: Literal["lstm", "gru", "rnn"] = "lstm"
    """The recurrent cell."""
    units: Annotated[list[Count], Field(min_length=1)] = [64, 64]
    """Units of each recurrent layer, from the input up; twice as many values leave a bidirectional one."""
    bidirectional: bool = True
    """Read each text in both directions."""
    pooling: Literal["last", "max", "mean", "max_mean"] = "last"
    """What leaves the top recurrent layer: its last state(s), or the maximum and/or mean over the text."""
    dense_units: list[Count] = [32, 16]
    """Units of each hidden Dense layer (ReLU); [] for none."""
    ngrams: Annotated[int, Field(ge=0, le=3), BeforeValidator(as_number)] = 0
    """Average the network with a linear model over runs of up to so many tokens, fitted first; 0 for none."""
    ngram_buckets: Count = 1 << 20
    """Weights of the runs of two and more tokens, which share them by a hash (4 bytes each, a label); of many labels as
    many as fit into 256 MiB with the single tokens' ones."""
    dropout: Rate = 0.0
    """Share of each recurrent and hidden Dense layer's output that is dropped in training."""
    embedding_dropout: Rate = 0.0
    """Share of the token vectors' dimensions that is dropped in training, the same all along a text."""
    recurrent_dropout: Rate = 0.0
    """Share of the recurrent state that is dropped between time steps in training."""

    @model_validator(mode="after")
    def _one_hot_has_no_vectors(self) -> "ModelConfig":
        if self.input == "one_hot" and self.embeddings is not None:
            raise ValueError("embeddings need input: embedding")
        return self


class EarlyStopping(Section):
    """When training stops before its last epoch."""

    patience: Count = 2
    """Epochs without a better validation figure before training stops."""
    monitor: Literal["loss", "accuracy"] = "loss"
    """The validation figure that names the best epoch, whose weights are kept."""


class TrainingConfig(Section):
    """How the network's weights are found."""

    epochs: Count = 5
    """Passes over the training rows, at most."""
    batch_size: Count = 64
    """Texts a step."""
    optimizer: Literal["adam", "adamw", "nadam", "rmsprop", "sgd"] = "adam"
    """The Keras optimizer."""
    learning_rate: Positive = 1e-3
    """The optimizer's (first) learning rate."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate goes on: unchanged, or down to zero along a line or half a cosine."""
    clip_norm: Positive | None = None
    """Shorten the gradient of all weights together to this length when it is longer."""
    weight_decay: NotNegative = 0.0
    """Decoupled weight decay a step, times the learning rate."""
    label_smoothing: Rate = 0.0
    """Share of each label's certainty that is spread over all labels."""
    class_weight: Literal["balanced"] | dict[Label, Positive] | None = None
    """Weight of each label's rows in the loss: `balanced` (rarer labels weigh more) or {label: weight}."""
    early_stopping: EarlyStopping | None = EarlyStopping()
    """Stop when validation no longer improves; null trains all epochs and keeps the one of least loss."""
    seed: Seed = 1
    """Seeds the first weights, the order of rows and dropout."""
    deterministic: bool = True
    """Whether a run repeated on the same machine gives the same bytes of weights."""
    checkpoint_minutes: Positive = 5.0
    """A run is saved after each epoch, and within a long one as often as this, for `rnn train --resume`."""
    baseline: bool = True
    """Also fit a linear model on the same rows, and show how the network compares: a network that is no better than
    that is not worth its time."""


AT_LEAST = re.compile(r"(?P<figure>precision|recall) *>= *(?P<share>0?\.[0-9]+|[01]|1\.0+)")
"""What `decision.goal` may say of a figure of the positive label that must be reached."""


def _goal(value: object) -> object:
    if isinstance(value, str) and value not in ("accuracy", "f1", "balanced_accuracy"):
        if not AT_LEAST.fullmatch(value):
            raise ValueError(
                "expected accuracy, f1, balanced_accuracy, precision >= 0.95, recall >= 0.9 (or other shares) or "
                f"{{cost: {{false_positive: 1, false_negative: 5}}}}, got {value!r}"
            )
    return value


class Cost(Section):
    """What a mistake of each kind costs, in any unit."""

    false_positive: NotNegative = 1.0
    """Answering the positive label where it is not true."""
    false_negative: NotNegative = 1.0
    """Not answering it where it is true."""


class CostGoal(Section):
    """Mistakes are to cost as little as possible."""

    cost: Cost = Cost()
    """What mistakes cost; the threshold is the one of the least cost."""


class DecisionConfig(Section):
    """How probabilities become an answer; what serves best on the validation rows is stored in the model."""

    goal: Annotated[str | CostGoal | None, BeforeValidator(_goal)] = None
    """Of two labels, what the threshold is chosen for: accuracy, f1 or balanced_accuracy; `precision >= 0.95` or
    `recall >= 0.9` of the positive label, at the most of the other; or the least cost, {cost: {false_positive: 1,
    false_negative: 5}}."""
    threshold: Annotated[float, Field(gt=0, lt=1), BeforeValidator(as_number)] | None = None
    """Of two labels, the probability from which the positive one is answered; 0.5 when there is no goal either."""
    abstain: Rate | None = None
    """Answer "unsure" where the probabilities are nearest to another answer, for at most this share of the texts."""
    abstain_error: Rate | None = None
    """Answer "unsure" for so many texts that at most this share of the other answers is wrong."""

    @model_validator(mode="after")
    def _one_way_each(self) -> "DecisionConfig":
        if self.goal is not None and self.threshold is not None:
            raise ValueError("goal and threshold exclude each other; leave one out")
        if self.abstain is not None and self.abstain_error is not None:
            raise ValueError("abstain and abstain_error exclude each other; leave one out")
        return self


__all__ = [
    "AT_LEAST",
    "OWN",
    "Config",
    "CostGoal",
    "DataConfig",
    "DecisionConfig",
    "EarlyStopping",
    "ModelConfig",
    "TokenizerConfig",
    "TrainingConfig",
]

ONE_HOT_BYTES = 2 << 30
"""The largest one-hot batch (batch_size × max_length × vocab_size float32) a config may ask for."""


class Config(Section):
    """Everything `rnn train` may be told."""

    data: DataConfig = DataConfig()
    """Which labelled texts, and how they are split."""
    tokenizer: TokenizerConfig = TokenizerConfig()
    """How a text becomes numbers."""
    model: ModelConfig = ModelConfig()
    """The network."""
    training: TrainingConfig = TrainingConfig()
    """How the network's weights are found."""
    decision: DecisionConfig = DecisionConfig()
    """How probabilities become an answer."""

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
        """The whole config as plain values, every default spelled out."""
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
