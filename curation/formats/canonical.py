"""Canonical JSON (RFC 8785) and the digest of it: the same value has the same bytes on every machine."""

import hashlib
from typing import Any

import rfc8785


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
    return rfc8785.dumps(value)


def canonical_digest(value: Any) -> str:
    """Sha256, in hex, of the RFC 8785 form of a JSON value.

    Examples
    --------
    >>> canonical_digest({}) == hashlib.sha256(b"{}").hexdigest()
    True
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()
