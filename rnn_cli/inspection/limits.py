"""How much of a run the gradients are measured on; apart, since it is needed before TensorFlow loads."""

from rnn_cli.config import Config


def shortened(config: Config, tokens: int) -> Config:
    """The config with texts of at most `tokens` tokens, as the measurement takes time by the token, and no baseline."""
    tokenizer = config.tokenizer.model_copy(update={"max_length": min(tokens, config.tokenizer.max_length)})
    training = config.training.model_copy(update={"baseline": False})
    return config.model_copy(update={"tokenizer": tokenizer, "training": training})
