"""One file to its stored form, whatever kind it is. Runs in a child process: curation.intake is the way in."""

from curation.formats.decoded import DecodedImage
from curation.formats.dicom import decode_dicom
from curation.formats.raster import decode_raster
from curation.formats.sniff import sniff


def decode(data: bytes, *, max_pixels: int, max_content_bytes: int) -> DecodedImage:
    """Decode a file after a look at its bytes.

    Raises
    ------
    UndecodableError
        With the cause, in words for the person who sent it.
    """
    kind = sniff(data)
    if kind == "dicom":
        return decode_dicom(data, max_pixels=max_pixels, max_content_bytes=max_content_bytes)
    return decode_raster(data, kind, max_pixels=max_pixels)
