"""Bundles made without training: networks with large random weights, which answer every text in their own way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnn_cli.bundle.checkpoints import beginning
from rnn_cli.bundle.model_folder import CONFIG, ONNX_MODEL, PREDICTIONS, TOKENIZER, Bundle, Manifest
from rnn_cli.config.load import to_yaml
from rnn_cli.config.schema import Config
from rnn_cli.text.tokenizer import Tokenizer

TAUGHT = [
    "A warm, funny film. It isn't dull! I can't recommend it enough?",
    "the film was warm and the plot was dull… (or so: I thought) 100% 3.5",
    "İstanbul'da güzel bir film; naïve café ﬁlm ﬂat e\u0301te\u0301 straße",
    "👩‍👩‍👧 فيلم رائع 😀😀 हिन्दी फ़िल्म 好。真的吗？ 🇩🇪 👍🏽",
    "dogs’ dogs' ’tis 'twas - -- ... !! snake_case a\u00a0b c\u2028d",
] * 2
"""What the tokenizers have seen: enough of everything that there are tokens to know, joined and apart."""

SETTINGS: dict[str, dict[str, Any]] = {
    "word": {"level": "word"},
    "word, as written": {"level": "word", "lowercase": False, "filters": "", "truncate": "tail", "max_length": 4},
    "word, own filters": {"level": "word", "filters": "aé😀.", "truncate": "both", "max_length": 5},
    "marks": {"level": "word", "punctuation": "keep"},
    "marks, cut": {"level": "word", "punctuation": "keep", "lowercase": False, "truncate": "both", "max_length": 3},
    "char": {"level": "char"},
    "char, cut": {"level": "char", "lowercase": False, "filters": "e ", "truncate": "tail", "max_length": 7},
    "sentence": {"level": "sentence"},
    "sentence, cut": {"level": "sentence", "filters": ".!", "truncate": "both", "max_length": 1},
    "subword": {"level": "subword"},
    "subword, as written": {
        "level": "subword",
        "lowercase": False,
        "filters": ",",
        "truncate": "both",
        "max_length": 9,
    },
    "subword, signs are unknown": {"level": "subword", "oov_token": "--", "vocab_size": 90},
    "subword, a word is unknown": {"level": "subword", "oov_token": "film", "vocab_size": 90},
}


@dataclass(frozen=True)
class Made:
    """An exported folder and the bundle it was made of."""

    bundle: Path
    folder: Path


Make = Callable[..., Bundle]


@pytest.fixture(scope="session")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Writes a bundle that nobody trained: labels, the tokenizer's settings, changes of the manifest."""

    def make(
        labels: Sequence[str] = ("bad", "good"), tokenizer: dict[str, Any] | None = None, **changes: Any
    ) -> Bundle:
        from rnn_cli.network.build import build
        from rnn_cli.network.onnx_export import to_onnx

        settings = {"vocab_size": 120} | (tokenizer or {})
        fitted = Tokenizer.fit(TAUGHT, **settings)
        config = Config.model_validate(
            {
                "data": {"source": "/home/someone/secret/reviews.csv", "unlabelled": ["imdb", "/data/more.jsonl"]},
                "tokenizer": settings,
                "model": {"embedding_dim": 4, "units": [3], "dense_units": [], "embeddings": None},
            }
        )
        network = build(config.model, vocab_size=fitted.vocab_size, classes=len(labels), seed=1)
        chance = np.random.default_rng(4)
        for weight in network.trainable_weights:
            weight.assign(chance.normal(0, 1.5, weight.shape))
        manifest = Manifest(
            labels=tuple(labels),
            threshold=0.5,
            temperature=0.8,
            data={"fingerprint": "f", "rows": {"train": 3, "validation": 2, "test": 0}},
            versions={"rnn-cli": "0.1.0"},
        )
        path = tmp_path_factory.mktemp("bundle") / "model"
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(path.parent)  # a run writes runs/latest where it stands
            with beginning(path, name="m", force=False) as place, place.draft() as draft:
                draft.write(CONFIG, to_yaml(config))
                draft.write(TOKENIZER, fitted.to_json())
                draft.write(ONNX_MODEL, to_onnx(network, config.model))
                draft.write(PREDICTIONS, "text,label\n")
                return draft.finish(replace(manifest, **changes))

    return make
