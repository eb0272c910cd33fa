"""The contract of requests and answers, as OpenAPI 3.1: what /openapi.json answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from rnn_cli import __version__
from rnn_cli.errors import few_of
from rnn_cli.scoring.unknown import UNKNOWN_TOKENS
from rnn_cli.serving.inference import OUTPUTS, SERVER, VERSION
from rnn_cli.serving.problems import MEDIA_TYPE, WAIT_SECONDS
from rnn_cli.serving.rows import MEDIA_TYPES, ROW_CHOICES
from rnn_cli.serving.settings import MODEL_NAME, Limits

_Schema = dict[str, Any]

REASONS = {
    400: "The request is no valid HTTP, or has no Host header.",
    401: "A key is needed.",
    403: "A page of this Origin may not ask, or there are no keys that allow it.",
    404: "There is no such model, or no such path.",
    405: "The path has other methods.",
    408: "The request did not arrive in time.",
    409: "The models could not be loaded; those before answer on.",
    413: "The body is too large.",
    415: "The body is compressed, or its Content-Type is none of rows.",
    421: "The Host header names another server.",
    422: "The body or the query is not as it must be; `pointer` is the JSON pointer to the mistake.",
    429: "Too many requests wait; ask again after Retry-After seconds.",
    431: "The request's head is too large.",
    503: "The model cannot score this, or the server ends.",
}
"""Why each error comes."""

COVERAGE: _Schema = {
    "type": "number",
    "exclusiveMinimum": 0,
    "exclusiveMaximum": 1,
    "description": "Add the set of labels that holds the true one, or all of several, so often, as 0.9.",
}

_ANYWHERE = (400, 401, 403, 405, 408, 421, 431, 503)

_TEXT_EXAMPLE = "A warm, funny film."


def openapi_document(limits: Limits, labels: Sequence[str]) -> dict[str, Any]:
    """The document for a server with these limits; examples are of a model with these labels."""
    predict, explain = _predict(limits), _predict(limits, explained=True)
    of_model, posts = [_name_parameter()], (404, 413, 415, 422, 429)
    model, models = _get("What a model is", _ref("Model"), 404), _get("All models", _ref("Models"))
    report = {"get": _operation("A model's report", _answer({"type": "string"}, "text/html"), 404)}
    infer, health = _infer(limits, labels), _get("Whether it is well", {"type": "object"})
    health["get"]["responses"]["503"] = _answer({"type": "object"}, what="It ends soon.")
    tensors, ready = _get("What a model takes and gives", {"type": "object"}, 404), _copy_with(health, 404)
    paths: dict[str, Any] = {
        "/v1/predict": {"post": _operation("Predict labels", predict["answer"], *posts) | predict["asked"]},
        "/v1/explain": {"post": _operation("Predict and explain", explain["answer"], *posts) | explain["asked"]},
        "/v1/score": {"post": _score(posts)},
        "/v1/model": model,
        "/v1/models": models,
        "/v1/report": report,
        "/v1/reload": {"post": _operation("Load the models anew", _answer(_ref("Models")), 409)},
        "/v2": _get("What the server is", {"type": "object", "example": SERVER}),
        "/health/live": health,
        "/health/ready": health,
        "/v2/health/live": health,
        "/v2/health/ready": health,
        "/metrics": {"get": _operation("Counters for Prometheus", _answer({"type": "string"}, "text/plain"))},
        "/openapi.json": _get("This document", {"type": "object"}),
    }
    named = {path: paths[f"/v1/{path}"] for path in ("predict", "explain", "score", "report")}
    paths |= {f"/v1/models/{{name}}/{path}": {"parameters": of_model, **each} for path, each in named.items()}
    paths["/v1/models/{name}"] = {"parameters": of_model, **model}
    for root in ("/v2/models/{name}", f"/v2/models/{{name}}/versions/{VERSION}"):
        paths[root] = {"parameters": of_model, **tensors}
        paths[f"{root}/ready"] = {"parameters": of_model, **ready}
        paths[f"{root}/infer"] = {
            "parameters": of_model,
            "post": _operation("Open Inference Protocol", infer["answer"], *posts) | infer["asked"],
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": "rnn serve", "version": __version__, "description": "Predictions of text classifiers."},
        "paths": paths,
        "components": {
            "schemas": _schemas(labels),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        "security": [{}, {"bearer": []}, {"header": []}],
    }


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(schema: _Schema, media_type: str = "application/json", what: str = "OK") -> dict[str, Any]:
    return {"description": what, "content": {media_type: {"schema": schema}}}


def _operation(summary: str, answer: Mapping[str, Any], *codes: int) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": answer}
    for code in sorted({*codes, *_ANYWHERE}):
        responses[str(code)] = _answer(_ref("Problem"), MEDIA_TYPE, REASONS[code])
    if "429" in responses:
        wait = {"schema": {"type": "integer", "example": WAIT_SECONDS}, "description": "Seconds"}
        responses["429"]["headers"] = {"Retry-After": wait}
    return {"summary": summary, "responses": responses}


def _get(summary: str, schema: _Schema, *codes: int) -> dict[str, Any]:
    return {"get": _operation(summary, _answer(schema), *codes)}


def _copy_with(path: Mapping[str, Any], code: int) -> dict[str, Any]:
    get = path["get"]
    return {"get": {**get, "responses": {**get["responses"], str(code): _answer(_ref("Problem"), MEDIA_TYPE)}}}


def _name_parameter() -> dict[str, Any]:
    schema = {"type": "string", "pattern": f"^{MODEL_NAME.pattern}$"}
    return {"name": "name", "in": "path", "required": True, "schema": schema, "example": "default"}


def _asked(schema: _Schema, example: object) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def _predict(limits: Limits, *, explained: bool = False) -> dict[str, Any]:
    text = {"type": "string", "maxLength": limits.characters}
    most = limits.explained if explained else limits.texts
    texts = {"type": "array", "items": text, "minItems": 1, "maxItems": most}
    flags = {
        "proba": {"type": "boolean", "default": False, "description": "Add the probability of every label."},
        "explain": {
            "type": "boolean",
            "default": explained,
            "description": f"Add what speaks for and against it; of at most {limits.explained} texts.",
        },
        "coverage": COVERAGE,
    }
    values = {
        "type": "object",
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        "description": "Of a model that reads other columns alone (/v1/model names them): their values by name. What "
        "is not given counts as missing, which missing_columns of the answer says.",
    }
    each = {"type": "array", "items": values, "maxItems": most, "description": "One for each of the texts."}
    shapes = [
        {
            "type": "object",
            "properties": {name: schema, "columns": columns, **flags},
            "required": [name],
            "additionalProperties": False,
        }
        for name, schema, columns in (("text", text, values), ("texts", texts, each))
    ]
    example = {"texts": [_TEXT_EXAMPLE], "proba": True}
    return {"asked": _asked({"oneOf": shapes}, example), "answer": _answer(_ref("Predictions"))}


def _score(codes: Sequence[int]) -> dict[str, Any]:
    def flag(about: str) -> _Schema:
        return {"schema": {"type": "boolean"}, "description": about}

    parameters: dict[str, dict[str, Any]] = {
        "format": {"schema": {"enum": sorted(set(MEDIA_TYPES.values()))}, "description": "By default as Content-Type."},
        "text_column": {"schema": {"type": "string"}, "description": "By default by its name."},
        "delimiter": {"schema": {"type": "string"}, "description": "Of CSV; by default what is found."},
        "encoding": {"schema": {"type": "string"}, "description": "By default UTF-8, or UTF-16 by its mark."},
        "quoting": {"schema": {"enum": list(ROW_CHOICES["quoting"])}, "description": "none: quotes are characters."},
        "header": flag("Whether line 1 names the columns."),
        "proba": flag("Add the probability of every label."),
        "coverage": {"schema": COVERAGE, "description": COVERAGE["description"]},
        "prefix": {"schema": {"type": "string"}, "description": "Begin the names of added columns with this."},
        "on_bad_row": {
            "schema": {"enum": list(ROW_CHOICES["on_bad_row"])},
            "description": "On a row that cannot be read.",
        },
        "spreadsheet_safe": flag("Put ' before cells that would run as formulas."),
    }
    rows = {each: {"schema": {"type": "string"}, "example": _ROWS[name]} for each, name in MEDIA_TYPES.items()}
    rows_out = {each: {"schema": {"type": "string"}} for each in MEDIA_TYPES}
    count = {"schema": {"type": "integer"}, "description": "How many rows come."}
    answer = {"description": "The rows, with columns added.", "content": rows_out, "headers": {"X-Row-Count": count}}
    return {
        **_operation("Add predictions to rows", answer, *codes),
        "parameters": [{"name": name, "in": "query", **each} for name, each in parameters.items()],
        "requestBody": {"required": True, "content": rows},
    }


_ROWS = {
    "csv": f'id,text\n1,"{_TEXT_EXAMPLE}"\n',
    "tsv": f"id\ttext\n1\t{_TEXT_EXAMPLE}\n",
    "jsonl": f'{{"id": 1, "text": "{_TEXT_EXAMPLE}"}}\n',
}


def _infer(limits: Limits, labels: Sequence[str]) -> dict[str, Any]:
    text = {"type": "string", "maxLength": limits.characters}
    tensor = {
        "type": "object",
        "properties": {
            "name": {"const": "text"},
            "datatype": {"const": "BYTES"},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2},
            "data": {"type": "array", "items": text, "minItems": 1, "maxItems": limits.texts},
        },
        "required": ["name", "datatype", "shape", "data"],
    }
    output = {"type": "object", "properties": {"name": {"enum": list(OUTPUTS)}}, "required": ["name"]}
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "inputs": {"type": "array", "items": tensor, "minItems": 1, "maxItems": 1},
            "outputs": {"type": "array", "items": output, "minItems": 1},
        },
        "required": ["inputs"],
    }
    example = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [_TEXT_EXAMPLE]}]}
    answer = {
        "type": "object",
        "properties": {"model_name": {"type": "string"}, "model_version": {"const": VERSION}, "id": {"type": "string"}},
        "required": ["model_name", "model_version", "outputs"],
        "example": {
            "model_name": "default",
            "model_version": VERSION,
            "outputs": [{"name": "label", "datatype": "BYTES", "shape": [1], "data": [labels[-1] if labels else "3"]}],
        },
    }
    return {"asked": _asked(schema, example), "answer": _answer(answer)}


def _schemas(labels: Sequence[str]) -> dict[str, _Schema]:
    here = f"Here one of {few_of(labels)}; " if labels else ""
    share, is_of_numbers = {"type": "number", "minimum": 0, "maximum": 1}, not labels
    name = {"type": "string"}
    part = {
        "type": "object",
        "description": "text[start:end], counted in characters (code points, not UTF-16 units), and its weight: how "
        "much the log-odds of the label fall without it; of ordered labels, the expected value.",
        "properties": {
            "text": {"type": "string"},
            "start": {"type": "integer"},
            "end": {"type": "integer"},
            "weight": {"type": "number"},
        },
        "required": ["text", "start", "end", "weight"],
    }
    prediction = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "label": {
                "type": "string",
                "description": f"{here}of a model of several labels, all that are predicted, for people.",
            },
            "labels": {
                "type": "array",
                "items": name,
                "description": "Of a model of several labels alone: those predicted, the most probable first.",
            },
            "label_probabilities": {"type": "array", "items": share, "description": "Theirs."},
            "probability": share,
            "expected": {
                "type": "number",
                "description": "Of a model of ordered labels alone: their mean by probability.",
            },
            "label_set": {
                "type": "array",
                "items": name,
                "description": "Where a coverage was asked for: the labels that hold the true one that often.",
            },
            "number": {"type": "number", "description": "Of a model of numbers alone, instead of a label."},
            "low": {
                "type": "number",
                "description": "Of numbers, where a coverage was asked for: the range's low end.",
            },
            "high": {"type": "number", "description": "Its high end."},
            "no_known_words": {"type": "boolean", "description": "The model has seen no word of it."},
            "unsure": {"type": "boolean", "description": "Another label is too close; the model would abstain."},
            "probabilities": {"type": "object", "additionalProperties": share},
            "explanation": {"type": "array", "items": _ref("Part")},
            "columns": {
                "type": "array",
                "items": _ref("ColumnPart"),
                "description": "Beside an explanation, of a model that reads other columns alone.",
            },
        },
        "required": ["text", "no_known_words", *([] if is_of_numbers else ["label", "probability", "unsure"])],
        "example": {
            "text": _TEXT_EXAMPLE,
            "number": 3.5,
            "no_known_words": False,
        }
        if is_of_numbers
        else {
            "text": _TEXT_EXAMPLE,
            "label": labels[-1],
            "probability": 0.97,
            "no_known_words": False,
            "unsure": False,
            "probabilities": {label: 0.97 if label == labels[-1] else 0.03 for label in labels[-2:]},
        },
    }
    brief = {"name": name, "folder": name, "labels": {"type": "array", "items": name}, "fingerprint": name}
    about = {**brief, "report": {"type": "boolean", "description": "Whether there is a report of its run."}}
    return {
        "Problem": {
            "type": "object",
            "description": "RFC 9457",
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "error": {"type": "string", "description": "As detail, for clients of the Open Inference Protocol."},
                "pointer": {"type": "string", "description": "A JSON pointer into the body."},
            },
            "required": ["type", "title", "status", "detail", "error"],
            "example": {
                "type": "about:blank",
                "title": "Unprocessable Entity",
                "status": 422,
                "detail": "expected a text",
                "error": "expected a text",
                "pointer": "/texts/0",
            },
        },
        "Part": part,
        "ColumnPart": {
            "type": "object",
            "description": "Another column, its value, and its weight: how much the log-odds of the label fall where "
            "the value is missing; of ordered labels, the expected value.",
            "properties": {"column": name, "value": {"type": ["string", "null"]}, "weight": {"type": "number"}},
            "required": ["column", "value", "weight"],
        },
        "Prediction": prediction,
        "Predictions": {
            "type": "object",
            "properties": {
                "model": name,
                "predictions": {"type": "array", "items": _ref("Prediction")},
                UNKNOWN_TOKENS: {
                    "type": "object",
                    "description": "How many tokens of these texts were read, and how many of them the model does not "
                    "know. /v1/model has the same of its validation texts.",
                    "properties": {"read": {"type": "integer"}, "unknown": {"type": "integer"}},
                },
                "missing_columns": {
                    "type": "array",
                    "items": name,
                    "description": "Other columns that the model reads and that no text has a value of.",
                },
            },
            "required": ["model", "predictions"],
        },
        "Model": {"type": "object", "properties": about, "required": list(about)},
        "Models": {
            "type": "object",
            "properties": {"models": {"type": "array", "items": {"type": "object", "properties": brief}}},
            "required": ["models"],
        },
    }
