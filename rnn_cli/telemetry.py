"""Telemetry of libraries switched off. Imports next to nothing, as `import rnn_cli` does it first of all."""

import os

NO_TELEMETRY = {
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime looks names up, and keeps a database in the user's cache
    "RAY_USAGE_STATS_ENABLED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",  # of huggingface_hub, which the library tokenizers installs
}


def report_to_nobody() -> None:
    """Switch telemetry off in this process and those it starts, before the libraries load."""
    for name, value in NO_TELEMETRY.items():
        os.environ.setdefault(name, value)
