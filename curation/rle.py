"""Run-length encoding of masks as COCO writes it: column-major runs, counted from unset pixels.

A compressed string holds each run (from the third on, its difference from the run two before it) in groups of five
bits, least group first, as characters from ``0`` on; bit 5 says that another group follows, and bit 4 of the last is
the sign.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: A mask of more pixels is refused before anything is allocated: an RLE of ten bytes can claim any size.
MAX_MASK_PIXELS = 100_000_000
_MOST_GROUPS = 12  # 60 bits: more than any run that fits MAX_MASK_PIXELS can need


def encode_rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Encode a mask as COCO's compressed run lengths.

    Parameters
    ----------
    mask : bool array, (rows, columns)

    Returns
    -------
    dict
        ``{"size": [height, width], "counts": str}``.

    Raises
    ------
    ValueError
        If ``mask`` is not a two-dimensional bool array.

    Examples
    --------
    >>> encode_rle(np.array([[False, True], [False, True]]))
    {'size': [2, 2], 'counts': '22'}
    """
    if mask.ndim != 2 or mask.dtype != np.bool_:
        raise ValueError(f"a mask is a bool array of two dimensions, not {mask.dtype} of shape {mask.shape}")
    flat = mask.ravel(order="F")
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = np.concatenate(([0], turns, [flat.size]))
    runs = np.diff(edges).astype(np.int64)
    if flat.size and flat[0]:
        runs = np.concatenate((np.zeros(1, dtype=np.int64), runs))
    return {"size": [int(mask.shape[0]), int(mask.shape[1])], "counts": compress_runs(runs)}


def decode_rle(rle: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Decode COCO run lengths, compressed or as a list, into a mask.

    Parameters
    ----------
    rle : mapping
        ``{"size": [height, width], "counts": str | list of int}``.

    Returns
    -------
    bool array, (rows, columns)

    Raises
    ------
    ValueError
        If the size is not two positive integers or is above ``MAX_MASK_PIXELS``, or if the runs are malformed, negative
        or do not add up to height x width.

    Examples
    --------
    >>> decode_rle({"size": [2, 2], "counts": [2, 2]}).tolist()
    [[False, True], [False, True]]
    """
    height, width = mask_size(rle)
    runs = run_lengths(rle)
    flags = np.zeros(runs.size, dtype=np.bool_)
    flags[1::2] = True
    return np.repeat(flags, runs).reshape((height, width), order="F")


def mask_size(rle: Mapping[str, Any]) -> tuple[int, int]:
    """(height, width) of an RLE, checked to be whole, positive and within ``MAX_MASK_PIXELS``."""
    size = rle.get("size")
    if not isinstance(size, list | tuple) or len(size) != 2 or any(type(side) is not int or side < 1 for side in size):
        raise ValueError(f"size is two positive whole numbers [height, width], not {size!r:.80}")
    if size[0] * size[1] > MAX_MASK_PIXELS:
        raise ValueError(f"a mask of {size[0]} x {size[1]} is above the limit of {MAX_MASK_PIXELS} pixels")
    return size[0], size[1]


def run_lengths(rle: Mapping[str, Any]) -> NDArray[np.int64]:
    """Runs of an RLE, checked to be whole, not negative and to add up to its size; allocates no mask."""
    height, width = mask_size(rle)
    counts = rle.get("counts")
    if isinstance(counts, str | bytes):
        runs = _decompress_runs(counts)
    elif isinstance(counts, list | tuple):
        if any(type(count) is not int or not 0 <= count <= MAX_MASK_PIXELS for count in counts):
            raise ValueError("counts holds something other than whole numbers from 0 to the mask's size")
        runs = np.array(counts, dtype=np.int64)
    else:
        raise ValueError(f"counts is a string or a list, not {type(counts).__name__}")
    if runs.size and (runs.min() < 0 or runs.max() > MAX_MASK_PIXELS):
        raise ValueError("counts holds a run that is negative or longer than any mask")
    if int(runs.sum()) != height * width:
        raise ValueError(f"counts add up to {int(runs.sum())}, but {height} x {width} is {height * width}")
    return runs


def compress_runs(runs: NDArray[np.int64]) -> str:
    """COCO's compressed string of run lengths."""
    values = runs.astype(np.int64)
    values[3:] -= runs[1:-2]
    groups = []
    waiting = np.ones(values.size, dtype=np.bool_)
    while waiting.any():
        low = values & 0x1F
        values >>= 5
        more = np.where(low & 0x10, values != -1, values != 0) & waiting
        groups.append(np.where(waiting, low | (more << 5), -1))
        waiting = more
    if not groups:
        return ""
    codes = np.stack(groups, axis=1).ravel()  # (runs, groups) flattened: each run's groups in order
    return bytes((codes[codes >= 0] + 48).astype(np.uint8)).decode("ascii")


def _decompress_runs(counts: str | bytes) -> NDArray[np.int64]:
    try:
        raw = counts.encode("ascii") if isinstance(counts, str) else bytes(counts)
    except UnicodeEncodeError:
        raise ValueError("counts holds a character that no compressed RLE has") from None
    codes = np.frombuffer(raw, dtype=np.uint8).astype(np.int64) - 48
    if codes.size == 0:
        return codes
    if codes.min() < 0 or codes.max() > 0x3F:
        raise ValueError("counts holds a character that no compressed RLE has")
    is_last = (codes & 0x20) == 0
    if not is_last[-1]:
        raise ValueError("counts ends in the middle of a run")
    ends = np.flatnonzero(is_last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > _MOST_GROUPS:
        raise ValueError("counts holds a run that is longer than any mask")
    shifts = (np.arange(codes.size) - np.repeat(starts, lengths)) * 5
    values = np.add.reduceat((codes & 0x1F) << shifts, starts)
    values -= np.where(codes[ends] & 0x10, np.int64(1) << (5 * lengths), 0)
    # A run is stored as its difference from the one two before: undone apart for odd and for even places. int64 cannot
    # overflow unseen: each value is below 2**60, and a float sum of magnitudes bounds every partial sum.
    if float(np.abs(values.astype(np.float64)).sum()) > 2.0**62:
        raise ValueError("counts holds a run that is longer than any mask")
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values
