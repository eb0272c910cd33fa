"""The YAML's typed shape: what each key means, its default and its bounds.

Reading files and overrides is `rnn_cli.loading`'s work. Knows nothing of Keras, of data or of the terminal.
"""

from typing import Any

from pydantic import model_validator

from rnn_cli.config.decision import AT_LEAST, CostGoal, DecisionConfig
from rnn_cli.config.sections import OWN, DataConfig, EarlyStopping, ModelConfig, TokenizerConfig, TrainingConfig
from rnn_cli.config.values import Section

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
