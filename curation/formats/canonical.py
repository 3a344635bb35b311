"""Canonical JSON (RFC 8785) and the digest of it: the same value has the same bytes on every machine."""

import hashlib
import json
from typing import Any

import rfc8785

LARGEST_EXACT = 2**53 - 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class _OddError(Exception):
    """A value that Python's own encoder would write otherwise than RFC 8785."""


def canonical_json(value: Any) -> bytes:
    """RFC 8785 form of a JSON value.

    Raises
    ------
    ValueError
        If the value is not JSON: nan, infinity, an integer beyond 2**53, a key that is not a string.

    Examples
    --------
    >>> canonical_json({"b": 1.0, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    simple = simple_json(value)
    return rfc8785.dumps(value) if simple is None else simple


def simple_json(value: Any) -> bytes | None:
    """RFC 8785 form of a value that Python's own encoder, in C and eight times as fast, writes alike; None of others.

    Raises
    ------
    ValueError
        Text that is not Unicode.

    Examples
    --------
    >>> simple_json([1.0, "a"]), simple_json([1e300]), simple_json({"ä": 1})
    (b'[1,"a"]', None, None)
    """
    try:
        return _ENCODER.encode(_simple(value)).encode()
    except (_OddError, RecursionError):
        return None


def _simple(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int and -LARGEST_EXACT <= value <= LARGEST_EXACT:
        return value
    if kind is float:
        if value.is_integer() and -LARGEST_EXACT <= value <= LARGEST_EXACT:
            return int(value)
        # Outside this range the two write exponents differently.
        if 1e-4 <= abs(value) < 1e15:
            return value
    elif kind is dict:
        # Keys are sorted by UTF-16 units, which beyond ASCII need not be the order of code points.
        if all(type(key) is str and key.isascii() for key in value):
            return {key: _simple(inner) for key, inner in value.items()}
    elif kind is list or kind is tuple:
        return [_simple(inner) for inner in value]
    raise _OddError


def canonical_digest(value: Any) -> str:
    """Sha256, in hex, of the RFC 8785 form of a JSON value.

    Examples
    --------
    >>> canonical_digest({}) == hashlib.sha256(b"{}").hexdigest()
    True
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()
