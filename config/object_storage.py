"""S3-compatible storage whose files are read by ranges: a frame of a large cine costs a frame, not the cine."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Large enough that a stream of one image takes few requests, small enough that one frame takes little too much.
READ_AHEAD = 1024 * 1024
MISSING = {"404", "NoSuchKey", "NotFound"}


class RangedS3Storage(S3Storage):  # type: ignore[misc]
    """Reads by ranges; writes as django-storages does."""

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            opened: File[bytes] = super()._open(name, mode)
            return opened
        key = self._normalize_name(name)
        return File(io.BufferedReader(RangedObject(self.bucket.Object(key)), READ_AHEAD), name)


class RangedObject(io.RawIOBase):
    """One stored object as a seekable stream; each read is one request for just those bytes."""

    def __init__(self, stored: Any) -> None:
        self._stored = stored
        self._position = 0
        try:
            self._size = int(stored.content_length)
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                raise FileNotFoundError(f"File does not exist: {stored.key}") from None
            raise

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; no request is made."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError(f"negative position: {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer from here on; 0 at the end."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._position)
        if wanted <= 0:
            return 0
        content = self._fetch(wanted)
        view[: len(content)] = content
        return len(content)

    def readall(self) -> bytes:
        """All that is left, in one request."""
        left = self._size - self._position
        return self._fetch(left) if left > 0 else b""

    def _fetch(self, length: int) -> bytes:
        last = self._position + length - 1
        content: bytes = self._stored.get(Range=f"bytes={self._position}-{last}")["Body"].read()
        self._position += len(content)
        return content
