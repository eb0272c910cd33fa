"""The exported folder's README: how to use it, in a few lines. Knows nothing of files."""

from rnn_cli.bundle import CONFIG, SCRIPT, Manifest


def card(manifest: Manifest, precision: str) -> str:
    """The README, in Markdown."""
    release = manifest.versions.get("rnn-cli", "")
    unsure = "\nWhere the model abstains, `unsure` stands for the label." if manifest.unsure_below else ""
    labels = [" ".join(label.split()) for label in manifest.labels]
    return f"""\
# A text classifier

Answers one of {len(manifest.labels)} labels: {", ".join(labels)}. Trained by rnn {release}; the graph is {precision}.

    pip install numpy onnxruntime
    python {SCRIPT} "A text." "Another one."
    python {SCRIPT} < lines.txt

prints label, tab, probability for each text.{unsure}
The script checks the other files and works from wherever it is called. In Python:

    from predict import predict
    predict(["A text."])  # [{{"label": ..., "probability": ..., "probabilities": {{...}}}}]

`rnn predict --model` and `rnn evaluate --model ... --data` take the folder, too. `{CONFIG}` tells how the model was
trained; of paths it keeps the last part. The vocabulary, in `tokenizer.json`, holds words of the texts it learned from.
"""
