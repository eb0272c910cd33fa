"""The Open Inference Protocol, version 2, over REST: what clients of KServe, Triton and MLServer speak.

Source: https://github.com/kserve/open-inference-protocol, required API. Texts come in one tensor of BYTES; label,
probability, probabilities, no_known_words and unsure go out as one tensor each.
"""

from collections.abc import Sequence
from typing import Any

from rnn_cli import __version__
from rnn_cli.scoring.prediction import Prediction
from rnn_cli.serving.bodies import checked_texts
from rnn_cli.serving.models import ServedModel
from rnn_cli.serving.problems import Problem
from rnn_cli.serving.settings import Limits

SERVER: dict[str, Any] = {"name": "rnn", "version": __version__, "extensions": []}
"""The answer of /v2."""

VERSION = "1"
"""The one version that a model has."""

INPUT = "text"
OUTPUTS = {"label": "BYTES", "probability": "FP64", "probabilities": "FP64", "no_known_words": "BOOL", "unsure": "BOOL"}


def tensors_of(model: ServedModel) -> dict[str, Any]:
    """What the model takes and gives; -1 stands for any number of texts. Raises `Problem` as `refuse_several` does."""
    refuse_several(model)
    labels = len(model.predictor.labels)
    return {
        "name": model.name,
        "versions": [VERSION],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": INPUT, "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": name, "datatype": kind, "shape": [-1, labels] if name == "probabilities" else [-1]}
            for name, kind in OUTPUTS.items()
        ],
    }


def refuse_several(model: ServedModel) -> None:
    """Raise `Problem` 404 for a model of several labels a text: their number varies, and a tensor's shape does not.

    So for a model that reads other columns beside the text, and for one of numbers.
    """
    if model.predictor.number:
        raise Problem(404, "a model of numbers has no tensors here; use /v1/predict")
    if model.predictor.several:
        raise Problem(404, "a model of several labels a text has no tensors here; use /v1/predict")
    if model.predictor.columns:
        raise Problem(404, "a model that reads other columns has no tensors here; use /v1/predict")


def texts_of_tensors(body: dict[str, Any], limits: Limits) -> list[str]:
    """The texts of a request. Raises `Problem` that points to what is wrong."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise Problem(422, "expected a list of one input", "/inputs")
    tensor = inputs[0]
    if tensor.get("name") != INPUT:
        raise Problem(422, f"expected the input {INPUT}", "/inputs/0/name")
    if tensor.get("datatype") != "BYTES":
        raise Problem(422, "expected BYTES", "/inputs/0/datatype")
    data = tensor.get("data")
    if isinstance(data, list) and data and all(isinstance(each, list) and len(each) == 1 for each in data):
        data = [each[0] for each in data]  # nested as the shape [n, 1] is
    texts = checked_texts(data, limits, "/inputs/0/data")
    if tensor.get("shape") not in ([len(texts)], [len(texts), 1]):
        raise Problem(422, f"expected [{len(texts)}], as data holds so many texts", "/inputs/0/shape")
    return texts


def wanted_outputs(body: dict[str, Any]) -> list[str]:
    """The names of the outputs that a request wants; all where it names none. Raises `Problem`."""
    if "outputs" not in body:
        return list(OUTPUTS)
    outputs = body["outputs"]
    if not isinstance(outputs, list) or not outputs:
        raise Problem(422, "expected a list of outputs", "/outputs")
    for index, each in enumerate(outputs):
        if not isinstance(each, dict) or not isinstance(each.get("name"), str) or each["name"] not in OUTPUTS:
            raise Problem(422, f"expected one of {', '.join(OUTPUTS)}", f"/outputs/{index}/name")
    return [each["name"] for each in outputs]


def checked_id(body: dict[str, Any]) -> str | None:
    """The id that a request gives itself, which its answer repeats. Raises `Problem`."""
    found = body.get("id")
    if "id" in body and not isinstance(found, str):
        raise Problem(422, "expected a text", "/id")
    return found


def inferred(
    model: ServedModel, predictions: Sequence[Prediction], wanted: Sequence[str], request_id: str | None
) -> dict[str, Any]:
    """The answer to a request."""
    labels = len(model.predictor.labels)
    outputs = []
    for name in wanted:
        data = [getattr(each, name) for each in predictions]
        shape = [len(data)]
        if name == "probabilities":
            data, shape = [value for row in data for value in row], [len(data), labels]
        outputs.append({"name": name, "datatype": OUTPUTS[name], "shape": shape, "data": data})
    found: dict[str, Any] = {"model_name": model.name, "model_version": VERSION, "outputs": outputs}
    return found if request_id is None else {**found, "id": request_id}
