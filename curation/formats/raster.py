"""PNG and JPEG to the stored form: an upright PNG without metadata, sample for sample what the file shows.

Decisions: EXIF orientation is applied and dropped; alpha is composited on black, the colour around medical images; a
palette becomes RGB (or grey where every entry is grey); CMYK becomes RGB; colour profiles are dropped unapplied, so
that samples are those that the file holds; 16-bit grey stays 16-bit; animations are refused, since one frame of
several would be a silent choice. The header is judged before any pixel is decoded.
"""

import contextlib
import hashlib
import io
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from curation.formats.decoded import DecodedImage, UndecodableError, Window

#: Identity on 8-bit grey: what the file shows is what is shown.
FULL_8BIT = Window(centre=128.0, width=256.0, explanation="full range")
_COMPRESSION = 6


def decode_raster(data: bytes, kind: str, *, max_pixels: int) -> DecodedImage:
    """Decode a PNG or JPEG.

    Parameters
    ----------
    data : bytes
    kind : str
        ``png`` or ``jpeg``, as sniffed.
    max_pixels : int
        Width x height above which the header is refused.

    Raises
    ------
    UndecodableError
        If the file is too large, truncated, animated or damaged.
    """
    samples = _samples(data, kind, max_pixels)
    content = encode_png(samples)
    grey = samples.ndim == 2
    return DecodedImage(
        kind=kind,
        content=content,
        content_type="image/png",
        sha256=hashlib.sha256(content).hexdigest(),
        source_sha256=hashlib.sha256(data).hexdigest(),
        width=samples.shape[1],
        height=samples.shape[0],
        frames=1,
        channels=1 if grey else 3,
        dtype=samples.dtype.name,
        pixel_offset=None,
        photometric="MONOCHROME2" if grey else "RGB",
        slope=1.0,
        intercept=0.0,
        windows=(FULL_8BIT,) if grey and samples.dtype == np.uint8 else (),
        voi_luts=(),
        spacing_mm=None,
        spacing_source="",
        frame_time_ms=None,
        modality="",
        acquisition={},
        needs_text_check=False,
    )


def encode_png(samples: NDArray[np.generic]) -> bytes:
    """Lossless PNG of uint8 grey, uint16 grey or uint8 RGB samples, without metadata, the same bytes every time."""
    target = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(samples)).save(target, format="PNG", compress_level=_COMPRESSION)
    return target.getvalue()


def _samples(data: bytes, kind: str, max_pixels: int) -> NDArray[np.generic]:
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    if kind == "png" and len(data) >= 24:  # IHDR comes first, so that a bare header is judged by its size too
        _check_size(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"), max_pixels)
    with warnings.catch_warnings(), _own_limit():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=(kind.upper(),)) as image:
                _check_header(image, max_pixels)
                image.load()
                return _upright(image)
        except UnidentifiedImageError:
            raise UndecodableError(f"begins like a {kind.upper()} but its header is damaged or cut off") from None
        except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
            if isinstance(error, UndecodableError):
                raise
            raise UndecodableError(f"is a damaged or truncated {kind.upper()}: {str(error)[:200]}") from None


@contextlib.contextmanager
def _own_limit() -> Iterator[None]:
    """Set Pillow's own limit aside: ours is judged right after the header; the codecs of DICOM keep Pillow's."""
    kept, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = kept


def _check_header(image: Image.Image, max_pixels: int) -> None:
    _check_size(*image.size, max_pixels)
    frames = getattr(image, "n_frames", 1)
    if getattr(image, "is_animated", False) and image.format == "PNG":
        raise UndecodableError(f"is an animation of {frames} frames; single images are taken")


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise UndecodableError(
            f"is {width} x {height} = {width * height / 1e6:.0f} megapixels; the limit is {max_pixels / 1e6:g}"
        )


def _upright(image: Image.Image) -> NDArray[np.generic]:
    image = ImageOps.exif_transpose(image)
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        samples = np.asarray(image)
        if samples.min() < 0 or samples.max() > 65535:
            raise UndecodableError(f"holds grey values from {samples.min()} to {samples.max()}, beyond 16 bits")
        return samples.astype(np.uint16)
    if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        layer = image.convert("RGBA")
        black = Image.new("RGBA", layer.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, layer).convert("L" if image.mode in ("L", "LA", "La", "1") else "RGB")
    if image.mode == "1":
        image = image.convert("L")
    if image.mode != "L":
        image = image.convert("RGB")
    samples = np.asarray(image)
    if samples.ndim == 3 and (samples == samples[..., :1]).all():
        return samples[..., 0]  # grey stored as colour is grey: one channel, windowable
    return samples
