"""Every DICOM file that pydicom ships decodes or is refused with a reason; rasters come out upright and plain."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRLittleEndian

from curation.formats.decoded import DecodedImage, UndecodableError, frame_extent, frame_samples
from curation.formats.decoding import decode
from curation.formats.sniff import sniff

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"
# Neither pixels nor an image, or damaged: the beginning of what the sender is told.
REFUSED = {
    "DICOMDIR": "is a DICOMDIR",
    "ExplVR_BigEndNoMeta.dcm": "has no pixels (modality RTPLAN)",
    "ExplVR_LitEndNoMeta.dcm": "has no pixels (modality RTPLAN)",
    "JPEG-lossy.dcm": "is damaged or of a kind that is not taken",  # 12-bit JPEG: no decoder with a free licence
    "JPEG2000-embedded-sequence-delimiter.dcm": "is damaged or of a kind that is not taken",
    "JPGExtended.dcm": "is damaged or of a kind that is not taken",
    "MR_truncated.dcm": "claims 1 x 64 x 64 pixels, 8192 bytes, but holds 8130 bytes",
    "README": "is a text file",
    "README.txt": "is a text file",
    "UN_sequence.dcm": "has no pixels",
    "badVR.dcm": "has no readable NumberOfFrames",
    "crayons.icc": "is of an unknown type",
    "empty_charset_LEI.dcm": "has no pixels",
    "liver_1frame.dcm": "has 1 bits a sample",
    "liver_expb_1frame.dcm": "has 1 bits a sample",
    "meta_missing_tsyntax.dcm": "does not say its Rows",
    "nested_priv_SQ.dcm": "does not say its Rows",
    "no_meta.dcm": "is of an unknown type",
    "no_meta_group_length.dcm": "has no pixels",
    "priv_SQ.dcm": "has no pixels",
    "reportsi.dcm": "has no pixels (modality SR)",
    "reportsi_with_empty_number_tags.dcm": "has no pixels (modality SR)",
    "rtplan.dcm": "has no pixels (modality RTPLAN)",
    "rtplan.dump": "is a text file",
    "rtplan_truncated.dcm": "has no pixels (modality RTPLAN)",
    "rtstruct.dcm": "has no pixels (modality RTSTRUCT)",
    "rtstruct.dump": "is a text file",
    "test-SR.dcm": "has no pixels (modality SR)",
    "test1.json": "is a text file",
    "test_PN.json": "is a text file",
    "waveform_ecg.dcm": "has no pixels (modality ECG)",
    "zipMR.gz": "is a gzip archive",
}
TOP_LEVEL = sorted(path for path in SHIPPED.iterdir() if path.is_file())


def taken(data: bytes) -> DecodedImage:
    return decode(data, max_pixels=100_000_000, max_content_bytes=2**28)


def samples_of(image: DecodedImage, frame: int = 0) -> NDArray[np.generic]:
    return frame_samples(
        image.content,
        frame=frame,
        width=image.width,
        height=image.height,
        frames=image.frames,
        channels=image.channels,
        dtype=image.dtype,
        pixel_offset=image.pixel_offset,
    )


@pytest.mark.parametrize("path", TOP_LEVEL, ids=[path.name for path in TOP_LEVEL])
def test_shipped_file(path: Path) -> None:
    if path.name in REFUSED:
        with pytest.raises(UndecodableError) as caught:
            taken(path.read_bytes())
        assert str(caught.value).startswith(REFUSED[path.name])
        return
    image = taken(path.read_bytes())
    stored = pydicom.dcmread(io.BytesIO(image.content))
    assert stored.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (stored.Rows, stored.Columns) == (image.height, image.width)
    frames = np.stack([samples_of(image, frame) for frame in range(image.frames)])
    assert (np.asarray(stored.pixel_array).reshape(frames.shape) == frames).all()
    source = pydicom.dcmread(path, force=True)
    if not source.file_meta.get("TransferSyntaxUID") or source.PhotometricInterpretation == "PALETTE COLOR":
        return
    assert (np.asarray(pixel_array(source)).reshape(frames.shape) == frames).all()


def test_decoding_is_deterministic_and_a_stored_file_decodes_to_the_same_samples() -> None:
    data = (SHIPPED / "CT_small.dcm").read_bytes()
    image, again = taken(data), taken(data)
    assert image == again
    restored = taken(image.content)
    assert (samples_of(restored) == samples_of(image)).all()
    assert (restored.slope, restored.intercept, restored.spacing_mm) == (1.0, -1024.0, (0.661468, 0.661468))


def test_cine_facts() -> None:
    image = taken((SHIPPED / "examples_ybr_color.dcm").read_bytes())
    assert (image.frames, image.channels, image.dtype, image.photometric) == (30, 3, "uint8", "RGB")
    assert image.frame_time_ms == pytest.approx(33.333)
    assert image.spacing_source == "UltrasoundRegion"
    assert image.modality == "US"
    assert image.needs_text_check


def test_frame_extent_reads_one_frame_alone() -> None:
    image = taken((SHIPPED / "SC_rgb_rle_2frame.dcm").read_bytes())
    assert image.pixel_offset is not None
    offset, length = frame_extent(
        frame=1, width=100, height=100, frames=2, channels=3, dtype="uint8", pixel_offset=image.pixel_offset
    )
    assert image.content[offset : offset + length] == samples_of(image, 1).tobytes()
    with pytest.raises(ValueError, match="frame 2 does not exist"):
        samples_of(image, 2)


def written(**changes: object) -> bytes:
    dataset = pydicom.dcmread(SHIPPED / "MR_small.dcm")
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    target = io.BytesIO()
    dataset.save_as(target)
    return target.getvalue()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Rows": 65}, "claims 1 x 65 x 64 pixels, 8320 bytes, but holds 8192"),
        ({"Rows": 32}, "at least a frame more"),
        ({"Rows": 60000, "Columns": 60000}, "60000 x 60000 = 3600 megapixels; the limit is 100"),
        ({"NumberOfFrames": 2_000_000}, "claims 2000000 frames"),
        ({"NumberOfFrames": 2}, "claims 2 x 64 x 64"),
        ({"NumberOfFrames": -1}, "NumberOfFrames of -1"),
        ({"BitsAllocated": 12}, "has 12 bits a sample"),
        ({"BitsStored": 20}, "which cannot be"),
        ({"SamplesPerPixel": 3}, "claims 3 signed samples a pixel as MONOCHROME2"),
        ({"PhotometricInterpretation": "CMYK"}, "'CMYK', which is not taken"),
        ({"PixelData": b""}, "has no pixels"),
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, "rescale slope of 0"),
    ],
)
def test_a_header_that_lies_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UndecodableError, match=message):
        taken(written(**changes))


def test_unused_bits_are_cleared_and_sign_is_kept() -> None:
    values = np.zeros((64, 64), dtype=np.uint16)
    values[0, :4] = [0xF001, 0x0FFF, 0x0800, 0x17FF]  # bits 12 to 15 hold an overlay
    signed = taken(written(PixelData=values.tobytes(), BitsStored=12, HighBit=11))
    assert samples_of(signed)[0, :4].tolist() == [1, -1, -2048, 2047]
    unsigned = taken(written(PixelData=values.tobytes(), BitsStored=12, HighBit=11, PixelRepresentation=0))
    assert samples_of(unsigned)[0, :4].tolist() == [1, 4095, 2048, 2047]


def test_a_palette_and_a_modality_table_are_applied() -> None:
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "SS", [3, 0, 16])
    item.add_new("LUTData", "OW", np.array([1000, 2000, 3000], dtype="<u2").tobytes())
    values = np.zeros((64, 64), dtype=np.int16)
    values[0, :4] = [0, 1, 2, 3]
    image = taken(written(PixelData=values.tobytes(), ModalityLUTSequence=[item]))
    assert samples_of(image)[0, :4].tolist() == [1000, 2000, 3000, 3000]
    assert (image.slope, image.intercept) == (1.0, 0.0)
    palette = taken((SHIPPED / "examples_palette.dcm").read_bytes())
    assert (palette.channels, palette.photometric) == (3, "RGB")


def test_a_voi_table_survives_storing() -> None:
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "SS", [3, -1, 8])
    item.add_new("LUTData", "US", [0, 100, 255])
    item.LUTExplanation = "DOE^JANE"
    image = taken(written(VOILUTSequence=[item]))
    assert [(lut.first, lut.bits, lut.values, lut.explanation) for lut in image.voi_luts] == [
        (-1, 8, (0, 100, 255), "")
    ]
    assert taken(image.content).voi_luts == image.voi_luts
    assert b"DOE" not in image.content


def voi_table(first: int, bits: int, data: bytes | list[int], length: int | None = None) -> pydicom.Dataset:
    item = pydicom.Dataset()
    entries = len(data) // 2 if isinstance(data, bytes) else len(data)
    item.add_new("LUTDescriptor", "SS", [entries if length is None else length, first, bits])
    item.add_new("LUTData", "OW" if isinstance(data, bytes) else "US", data)
    return item


@pytest.mark.parametrize(
    ("data", "bits", "length"),
    [
        (b"PATIENT DOE^JANE BORN 1961-04-05", 16, None),
        (b"DOE^JANE", 16, 8),  # one byte an entry
        (b"ABCDEFGH", 8, 8),  # in order by chance
        (b"JADOJE^E"[:4], 16, None),
        (b"A\0B\0C\0D\0", 8, None),
        ([0, 200, 100, 255], 8, None),  # neither rising nor falling
        ([0, 100, 256], 8, None),  # beyond its bits
        ([0, 1, 3], 4, None),  # bits that the standard does not have
        ([0, 100, 255], 8, 2),
        ([0, 100, 255], 8, 4),
        ([7, 7, 7], 8, None),
    ],
)
def test_a_voi_table_that_is_no_curve_is_left_out(data: bytes | list[int], bits: int, length: int | None) -> None:
    good = voi_table(0, 8, [255, 100, 0])
    image = taken(written(VOILUTSequence=[voi_table(0, bits, data, length), good]))
    assert [lut.values for lut in image.voi_luts] == [(255, 100, 0)]
    if isinstance(data, bytes):
        assert data not in image.content


def test_no_more_than_four_voi_tables_are_kept() -> None:
    image = taken(written(VOILUTSequence=[voi_table(first, 8, [0, 128, 255]) for first in range(6)]))
    assert [lut.first for lut in image.voi_luts] == [0, 1, 2, 3]


def test_a_voi_table_of_bytes_is_read_a_byte_an_entry() -> None:
    image = taken(written(VOILUTSequence=[voi_table(0, 8, bytes([0, 9, 255, 0]), 3)]))
    assert [lut.values for lut in image.voi_luts] == [(0, 9, 255)]


def test_rescale_of_frames_that_differ_is_refused_and_a_shared_one_taken() -> None:
    def groups(*slopes: float) -> list[pydicom.Dataset]:
        made = []
        for slope in slopes:
            values, frame = pydicom.Dataset(), pydicom.Dataset()
            values.RescaleSlope, values.RescaleIntercept = slope, 0
            frame.PixelValueTransformationSequence = [values]
            made.append(frame)
        return made

    pixels = np.zeros((2, 64, 64), dtype=np.int16).tobytes()
    same = taken(written(NumberOfFrames=2, PixelData=pixels, PerFrameFunctionalGroupsSequence=groups(2, 2)))
    assert (same.slope, same.frames) == (2.0, 2)
    with pytest.raises(UndecodableError, match="2 different rescales"):
        taken(written(NumberOfFrames=2, PixelData=pixels, PerFrameFunctionalGroupsSequence=groups(2, 3)))


def test_stored_bits_may_sit_high() -> None:
    values = np.full((64, 64), 0x1230, dtype=np.uint16)
    image = taken(written(PixelData=values.tobytes(), BitsStored=12, HighBit=15, PixelRepresentation=0))
    assert int(samples_of(image)[0, 0]) == 0x123


def test_spacing_of_ultrasound_regions() -> None:
    def region(delta: float, unit: int = 3) -> pydicom.Dataset:
        item = pydicom.Dataset()
        item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = unit
        item.PhysicalDeltaX, item.PhysicalDeltaY = delta, delta * 2
        return item

    def spacing(*regions: pydicom.Dataset) -> tuple[float, float] | None:
        dataset = pydicom.dcmread(io.BytesIO(written()))
        del dataset.PixelSpacing
        dataset.SequenceOfUltrasoundRegions = list(regions)
        target = io.BytesIO()
        dataset.save_as(target)
        return taken(target.getvalue()).spacing_mm

    assert spacing(region(0.05)) == pytest.approx((1.0, 0.5))
    assert spacing(region(0.05), region(0.05)) == pytest.approx((1.0, 0.5))
    assert spacing(region(0.05), region(0.04)) is None
    assert spacing(region(0.05), region(0.05, unit=4)) is None
    assert spacing(region(0.05, unit=4)) is None


def test_the_first_window_and_its_function() -> None:
    image = taken(written(WindowCenter=[40, 300], WindowWidth=[400, 1500], VOILUTFunction="SIGMOID"))
    assert [(window.centre, window.width) for window in image.windows] == [(40, 400), (300, 1500)]
    assert image.windows[0].function == "SIGMOID"
    assert taken(written(WindowCenter=40, WindowWidth=0)).windows == ()


def png(image: Image.Image, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, format="PNG", **options)
    return target.getvalue()


def jpeg(image: Image.Image, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, format="JPEG", **options)
    return target.getvalue()


GRADIENT = (np.arange(12 * 20).reshape(12, 20) % 256).astype(np.uint8)


def test_grey_and_16_bit_keep_their_samples() -> None:
    grey = taken(png(Image.fromarray(GRADIENT)))
    assert (grey.channels, grey.dtype, grey.photometric, grey.content_type) == (1, "uint8", "MONOCHROME2", "image/png")
    assert (samples_of(grey) == GRADIENT).all()
    deep = taken(png(Image.fromarray(GRADIENT.astype(np.uint16) * 257)))
    assert deep.dtype == "uint16"
    assert (samples_of(deep) == GRADIENT.astype(np.uint16) * 257).all()
    assert not deep.needs_text_check


def test_alpha_is_composited_on_black() -> None:
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    pixels[...] = (200, 100, 50, 0)
    pixels[0, 0, 3], pixels[0, 1, 3] = 255, 51
    image = taken(png(Image.fromarray(pixels)))
    assert samples_of(image).tolist() == [[[200, 100, 50], [40, 20, 10]], [[0, 0, 0], [0, 0, 0]]]


def test_exif_orientation_is_applied_and_metadata_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "MARKER^JANE"  # turn by 90 degrees; a description
    data = jpeg(Image.fromarray(GRADIENT), exif=exif, comment=b"MARKER^JANE", quality=95)
    assert b"MARKER" in data
    image = taken(data)
    assert (image.width, image.height, image.kind) == (12, 20, "jpeg")
    assert b"MARKER" not in image.content
    upright = np.rot90(np.asarray(Image.open(io.BytesIO(data))), k=-1)
    assert (samples_of(image) == upright).all()


def test_palette_and_cmyk_become_rgb() -> None:
    palette = Image.fromarray(GRADIENT).convert("RGB").quantize(4)
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    assert samples_of(taken(png(palette))).tolist() == np.asarray(palette.convert("RGB")).tolist()
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    image = taken(jpeg(cmyk))
    assert image.channels == 3
    assert samples_of(image)[0, 0].tolist() == pytest.approx([255, 0, 0], abs=3)


def test_text_chunks_do_not_reach_the_stored_png() -> None:
    target = io.BytesIO()
    Image.fromarray(GRADIENT).save(target, format="PNG", icc_profile=b"MARKER profile", dpi=(72, 72))
    image = taken(target.getvalue() + b"MARKER after the end")
    assert b"MARKER" not in image.content


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def huge_png(side: int) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_a_huge_png_is_refused_by_its_header() -> None:
    with pytest.raises(UndecodableError, match="60000 x 60000 = 3600 megapixels; the limit is 100"):
        taken(huge_png(60_000))
    with pytest.raises(UndecodableError, match="60000 x 60000 = 3600 megapixels"):
        taken(huge_png(60_000)[:33])  # the header alone


@pytest.mark.parametrize("keep", [8, 20, 40, 90, 4000])
def test_a_truncated_png_is_refused(keep: int) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (80, 80), dtype=np.uint8)
    with pytest.raises(UndecodableError):
        taken(png(Image.fromarray(noise))[:keep])


def test_a_truncated_jpeg_is_refused() -> None:
    whole = jpeg(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)))
    with pytest.raises(UndecodableError, match="truncated"):
        taken(whole[: len(whole) // 2])


def test_an_animation_is_refused() -> None:
    frames = [Image.fromarray(GRADIENT), Image.fromarray(255 - GRADIENT)]
    with pytest.raises(UndecodableError, match="animation of 2 frames"):
        taken(png(frames[0], save_all=True, append_images=frames[1:]))


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"GIF89a", "a GIF image"),
        (b"%PDF-1.7", "a PDF document"),
        (b"<svg xmlns='x'><script/></svg>", "an SVG image"),
        (b"<!DOCTYPE html><p>", "an HTML page"),
        (b"hello", "a text file"),
        (bytes(range(9)) * 3, "of an unknown type"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP image"),
    ],
)
def test_other_files_are_named(data: bytes, cause: str) -> None:
    with pytest.raises(UndecodableError, match=cause):
        sniff(data)
