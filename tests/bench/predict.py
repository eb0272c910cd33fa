"""One sentence, from the shell: `rnn predict "..."` against a script that loads the Keras file and predicts.

    python tests/bench/predict.py [MODEL] [ROUNDS]

MODEL is a trained word-level bundle (if not given, runs/latest, else one is trained). Both are whole processes, run
in turn; the script is given the vocabulary as plain JSON, so that it loads nothing but Keras.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from measuring import in_turn, process, show, trained

from rnn_cli.bundle.model_folder import Manifest
from rnn_cli.scoring.calibration import Calibration

SENTENCE = "A warm, funny film that never outstays its welcome."

PEER = """
import json, sys
import numpy as np
import keras
model = keras.saving.load_model(sys.argv[1])
ids = json.load(open(sys.argv[2]))
words = sys.argv[3].lower().replace(",", " ").replace(".", " ").split()
row = np.array([[ids.get(word, 1) for word in words]], np.int32)
print(float(model.predict(row, verbose=0)[0, 0]))
"""


def main() -> None:
    named, rounds_asked = (*sys.argv[1:], None, None)[:2]
    model, rounds = Path(trained(named)), int(rounds_asked or 7)
    rnn = str(Path(sys.executable).with_name("rnn"))
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))["vocabulary"]
        words = Path(folder) / "words.json"
        words.write_text(json.dumps({word: place for place, word in enumerate(vocabulary)}), encoding="utf-8")
        script = Path(folder) / "peer.py"
        script.write_text(PEER, encoding="utf-8")
        ours = [rnn, "predict", "--model", str(model), "--proba", "--format", "jsonl", SENTENCE]
        peer = [sys.executable, str(script), str(model / "model.keras"), str(words), SENTENCE]

        answered, theirs = json.loads(process(ours)[2])["probabilities"], float(process(peer)[2])
        # The script knows of no calibration: it is applied here.
        manifest = Manifest.read(model)
        calibration = Calibration(manifest.temperature, manifest.scales, manifest.biases)
        calibrated = float(calibration.of(np.array([[1 - theirs, theirs]]))[0, 1])
        assert abs(list(answered.values())[1] - calibrated) < 1e-5, (answered, calibrated)
        print(f"both answer {calibrated:.6f}")

        memory: dict[str, list[float]] = {"ours": [], "peer": []}

        def run(name: str, command: list[str]) -> float:
            elapsed, peak, _ = process(command)
            memory[name].append(peak)
            return elapsed

        times = in_turn(lambda: run("ours", ours), lambda: run("peer", peer), rounds)
        show("whole process, wall clock", *times, "s")
        show("whole process, peak memory", memory["ours"][1:], memory["peer"][1:], "MB")
        helped = [process([rnn, "--help"])[0] for _ in range(rounds)]
        print(f"rnn --help: {sorted(helped)[rounds // 2]:.2f} s")


if __name__ == "__main__":
    main()
