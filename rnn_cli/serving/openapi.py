"""The contract of requests and answers."""

from typing import Any

_EXAMPLE = {"texts": ["A warm, funny film."], "proba": True, "explain": False}
_ANSWER = {
    "predictions": [
        {
            "text": "A warm, funny film.",
            "label": "positive",
            "probability": 0.97,
            "no_known_words": False,
            "unsure": False,
            "probabilities": {"negative": 0.03, "positive": 0.97},
        }
    ]
}


def _operation(method: str) -> dict[str, Any]:
    found: dict[str, Any] = {"responses": {"200": {"description": "OK"}, "default": {"description": "problem+json"}}}
    if method == "post":
        found["requestBody"] = {"content": {"application/json": {"example": _EXAMPLE}}}
        found["responses"]["200"]["content"] = {"application/json": {"example": _ANSWER}}
    return {method: found}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "rnn serve", "version": "1"},
    "paths": {
        **{path: _operation("post") for path in ("/v1/predict", "/v1/explain")},
        **{path: _operation("get") for path in ("/v1/model", "/health/live", "/health/ready")},
    },
}
