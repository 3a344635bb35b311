"""What a file is, from its first bytes; its name is never asked."""

from curation.formats.decoded import UndecodableError

_NAMED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"%PDF", "a PDF document"),
    (0, b"GIF8", "a GIF image"),
    (0, b"BM", "a BMP image"),
    (0, b"II*\x00", "a TIFF image"),
    (0, b"MM\x00*", "a TIFF image"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 codestream"),
    (0, b"8BPS", "a Photoshop image"),
    (4, b"ftyp", "an MP4, HEIC or AVIF file"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"\x93NUMPY", "a numpy array"),
    (344, b"n+1\x00", "a NIfTI volume"),
    (0, b"NRRD", "a NRRD volume"),
    (0, b"SQLite format 3", "an SQLite database"),
)
# First groups that a DICOM data set without preamble or file meta may begin with, in either byte order.
_FIRST_TAGS = tuple(
    tag for group in (0x0002, 0x0008) for tag in (group.to_bytes(2, "little"), group.to_bytes(2, "big"))
)


def sniff(data: bytes) -> str:
    """Kind of a file: ``png``, ``jpeg`` or ``dicom``.

    Raises
    ------
    UndecodableError
        For anything else, naming what it looks like.

    Examples
    --------
    >>> sniff(b"PK" + bytes([3, 4]) + b"...")
    Traceback (most recent call last):
    ...
    curation.formats.decoded.UndecodableError: is a zip archive, which is not taken; PNG, JPEG and DICOM are
    """
    if not data:
        raise UndecodableError("is empty (0 bytes)")
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if data[:3] == b"\xff\xd8\xff":
        return "jpeg"
    if data[128:132] == b"DICM" or _looks_like_bare_dicom(data):
        return "dicom"
    raise UndecodableError(f"is {_name_of(data)}, which is not taken; PNG, JPEG and DICOM are")


def _looks_like_bare_dicom(data: bytes) -> bool:
    """A data set may be stored without preamble: then it begins with a tag of a low group and a small element."""
    if len(data) < 12 or data[:2] not in _FIRST_TAGS:
        return False
    element = int.from_bytes(data[2:4], "little" if data[0] else "big")
    return element <= 0x0100


def _name_of(data: bytes) -> str:
    for offset, magic, name in _NAMED:
        if data[offset : offset + len(magic)] == magic:
            return name
    if data[:4] == b"RIFF":
        return "a WebP image" if data[8:12] == b"WEBP" else "a RIFF file"
    text = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return "an SVG image"
    if text.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if text.startswith(b"<?xml"):
        return "an XML file"
    if not any(byte < 9 for byte in data[:512]):
        return "a text file"
    return "of an unknown type"
