"""Arrays to the bytes of an `.npz` file, as numpy writes it, and back without trusting them.

Nothing is expanded: an archive's members are stored as they are, and what an array's header says must be the bytes
behind it. So the arrays, which are views, take no more memory than the file.
"""

import io
import zipfile
from collections.abc import Sequence
from math import prod

import numpy as np

from rnn_cli.arrays import AnyArray

MOST_ARRAYS = 10_000
"""Those of a network of a thousand layers."""

STORED_TYPES = ("<f4", "<f8", "<i4", "<i8", "<u4", "<u8")
"""Weights, the counters of optimizers and of dropout, and a baseline's answers."""

CENTRAL = b"PK\x01\x02"
"""What an archive's entry for a member begins with."""

ENCRYPTED = 1
"""The bit among a member's flags."""


def pack_arrays(arrays: Sequence[AnyArray]) -> bytes:
    """The bytes of an `.npz` file."""
    packed = io.BytesIO()
    np.savez(packed, *arrays)
    return packed.getvalue()


def unpack_arrays(content: bytes) -> list[AnyArray]:
    """What was packed; raises `ValueError` for anything else, and for what is no finite number."""
    if content.count(CENTRAL) > MOST_ARRAYS:  # before they are read, one by one
        raise ValueError("more arrays than any network has")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            sizes = sum(member.file_size for member in members)  # members may share bytes, which they never do here
            if sizes > len(content):
                raise ValueError("larger than its file")
            if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & ENCRYPTED for member in members):
                raise ValueError("not stored as it is")
            if [member.filename for member in members] != [f"arr_{index}.npy" for index in range(len(members))]:
                raise ValueError("holds other arrays")
            return [_array(archive.read(member)) for member in members]
    except (EOFError, NotImplementedError, OSError, OverflowError, RuntimeError, zipfile.BadZipFile) as error:
        raise ValueError(f"no arrays ({error})") from None


def _array(content: bytes) -> AnyArray:
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        shape, by_columns, kind = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # a header is an expression of Python, and there are many ways to be none
        raise ValueError(f"not an array of numbers ({error})") from None
    if version != (1, 0):
        raise ValueError("not an array as rnn writes it")
    if kind.str not in STORED_TYPES or min(shape, default=0) < 0:
        raise ValueError("not an array of numbers")
    if prod(shape) * kind.itemsize != len(content) - stream.tell():
        raise ValueError("an array of another size than its numbers")
    array = np.frombuffer(content, kind, offset=stream.tell()).reshape(shape, order="F" if by_columns else "C")
    if not np.isfinite(array).all():
        raise ValueError("holds what is no finite number")
    return array
