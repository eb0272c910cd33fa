"""Writes arrays to the bytes of an `.npz` file, as numpy does, and reads them without trusting the file.

Reads only members that are stored uncompressed, and only arrays whose header matches the bytes that follow. So the
arrays, which are views, take no more memory than the file.
"""

import io
import zipfile
from collections.abc import Sequence
from math import prod

import numpy as np

from rnn_cli.arrays import AnyArray

MOST_ARRAYS = 10_000
"""Enough for a network of a thousand layers."""

STORED_TYPES = ("<f4", "<f8", "<i4", "<i8", "<u4", "<u8")
"""Types of weights, of counters of optimizers and of dropout, and of a baseline's predictions."""

CENTRAL = b"PK\x01\x02"
"""The first bytes of an archive's entry for a member."""

ENCRYPTED = 1
"""The flag of an encrypted member."""


def pack_arrays(arrays: Sequence[AnyArray]) -> bytes:
    """The bytes of an `.npz` file."""
    packed = io.BytesIO()
    np.savez(packed, *arrays)
    return packed.getvalue()


def unpack_arrays(content: bytes) -> list[AnyArray]:
    """The packed arrays; raises `ValueError` for any other content and for numbers that are not finite."""
    if content.count(CENTRAL) > MOST_ARRAYS:  # checked before any is read
        raise ValueError("more arrays than any network has")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            sizes = sum(member.file_size for member in members)  # members that share bytes are refused
            if sizes > len(content):
                raise ValueError("its arrays are larger than the file")
            if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & ENCRYPTED for member in members):
                raise ValueError("an array is compressed or encrypted")
            if [member.filename for member in members] != [f"arr_{index}.npy" for index in range(len(members))]:
                raise ValueError("its arrays have other names")
            return [_array(archive.read(member)) for member in members]
    except (EOFError, NotImplementedError, OSError, OverflowError, RuntimeError, zipfile.BadZipFile) as error:
        raise ValueError(f"not an archive of arrays ({error})") from None


def _array(content: bytes) -> AnyArray:
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        shape, by_columns, kind = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # a header is a Python expression, which can fail in many ways
        raise ValueError(f"not an array of numbers ({error})") from None
    if version != (1, 0):
        raise ValueError("not an array as rnn writes it")
    if kind.str not in STORED_TYPES or min(shape, default=0) < 0:
        raise ValueError("not an array of numbers")
    if prod(shape) * kind.itemsize != len(content) - stream.tell():
        raise ValueError("an array does not have the size its header says")
    array = np.frombuffer(content, kind, offset=stream.tell()).reshape(shape, order="F" if by_columns else "C")
    if not np.isfinite(array).all():
        raise ValueError("a number is not finite")
    return array
