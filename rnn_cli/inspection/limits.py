"""How much of the texts the gradients are measured on; apart, since it is needed before TensorFlow loads."""

from rnn_cli.config import Config


def shortened(config: Config, tokens: int) -> Config:
    """The config with texts of at most `tokens` tokens: the measurement takes time by the token."""
    most = min(tokens, config.tokenizer.max_length)
    return config.model_copy(update={"tokenizer": config.tokenizer.model_copy(update={"max_length": most})})
