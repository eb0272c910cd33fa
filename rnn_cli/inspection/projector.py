"""Token vectors as the files of TensorBoard's Embedding Projector.

Source: https://www.tensorflow.org/tensorboard/tensorboard_projector_plugin; a metadata file of one column has no
header, and the projector skips its blank lines.
"""

import re
from pathlib import Path

from rnn_cli.bundle import disk
from rnn_cli.errors import UsageError
from rnn_cli.inspection.vectors import Vectors
from rnn_cli.text.stored import PADDING

TENSORS, METADATA, CONFIG = FILES = ("tensors.tsv", "metadata.tsv", "projector_config.pbtxt")

_PBTXT = f"""\
embeddings {{
  tensor_name: "embedding"
  tensor_path: "{TENSORS}"
  metadata_path: "{METADATA}"
}}
"""

_BREAKING = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Control characters, what some reader takes for a line's end, and the escapes' own backslash."""


def check_target(out: Path, *, force: bool) -> None:
    """Refuse, before any work is done, to write where something stands; with `force`, where it holds other files.

    Raises `UsageError`.
    """
    if not (out.exists() or out.is_symlink()):
        return
    if not out.is_dir():
        raise UsageError("is not a folder", where=str(out), mend="choose another --out")
    if not force:
        raise UsageError("exists", where=str(out), mend="use --force to replace its files, or another --out")
    if foreign := sorted({file.name for file in out.iterdir()} - set(FILES)):
        raise UsageError(f"holds {foreign[0]}, which would be lost", where=str(out), mend="choose another --out")


def write(vectors: Vectors, out: Path, *, force: bool) -> int:
    """Write the three files to the folder `out`, all or none; answers how many tokens they hold.

    Padding (id 0) is no token and its vector is never read, so line `i` of both tables, from 1, is the token of
    id `i`. Numbers have nine digits: read as float32 they equal the model's. Raises `UsageError` if `out` may not be
    replaced, `WriteError` where the disk refuses.
    """
    check_target(out, force=force)
    tokens = vectors.tokenizer.vocab[PADDING + 1 :]
    with disk.told(out), disk.whole_folder(out.resolve(), lambda: check_target(out, force=force)) as folder:
        with (folder / TENSORS).open("w", encoding="utf-8", newline="\n") as tensors:
            for row in vectors.table[PADDING + 1 :]:
                tensors.write("\t".join([f"{value:.9g}" for value in row.tolist()]) + "\n")
        disk.write(folder / METADATA, "".join(f"{escape(token)}\n" for token in tokens))
        disk.write(folder / CONFIG, _PBTXT)
    return len(tokens)


def escape(token: str) -> str:
    """A token as one field of one line: what would break it, or be skipped as blank, is written as in Python."""
    breaking = _BREAKING if token.strip() else re.compile(r"\s|" + _BREAKING.pattern)
    return breaking.sub(lambda found: _escaped(found[0]), token)


def _escaped(character: str) -> str:
    return r"\x20" if character == " " else character.encode("unicode_escape").decode("ascii")
