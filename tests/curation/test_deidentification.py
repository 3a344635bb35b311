"""A name planted anywhere in a DICOM file is nowhere in what is stored."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from curation.deidentification.elements import CODES, NUMBERS, SEQUENCES, clean_number, kept_elements
from curation.formats.decoding import decode

SHIPPED = Path(pydicom.__file__).parent / "data" / "test_files"
MARKER = "ZQXMARK"
NUMBER = "1557714142"  # a telephone number where only a number can be
TEXT_VRS = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")


@pytest.fixture
def quiet_pydicom() -> Iterator[None]:
    """pydicom refuses or warns of values that do not fit their element: here they are the point."""
    settings = pydicom.config.settings
    kept = settings.reading_validation_mode, settings.writing_validation_mode
    settings.reading_validation_mode = settings.writing_validation_mode = pydicom.config.IGNORE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    settings.reading_validation_mode, settings.writing_validation_mode = kept


def plant(dataset: Dataset, marker: str) -> int:
    """Write a marker into every text element of the dictionary outside of file meta and the pixel description."""
    planted = 0
    for number, (vr, *_) in DicomDictionary.items():
        tag = Tag(number)
        if vr not in TEXT_VRS or tag.group in (0x0000, 0x0002, 0x7FE0):
            continue
        if tag == Tag("NumberOfFrames") or (tag in dataset and tag.group == 0x0028):
            continue  # how to read the pixels: it would no longer be an image
        value = NUMBER if vr in ("IS", "DS") else marker
        dataset[tag] = pydicom.DataElement(tag, vr, value, validation_mode=pydicom.config.IGNORE)
        planted += 1
    return planted


def planted_file(marker: str = MARKER) -> bytes:
    dataset = pydicom.dcmread(SHIPPED / "CT_small.dcm")
    count = plant(dataset, marker)
    assert count > 2500
    inner = Dataset()
    plant(inner, marker)
    for keyword in ("RequestAttributesSequence", "ReferencedStudySequence", *SEQUENCES):
        setattr(dataset, keyword, Sequence([inner]))
    dataset.add_new((0x0009, 0x0010), "LO", "ACME")
    dataset.add_new((0x0009, 0x1001), "LT", marker)
    dataset.add_new((0x6001, 0x0010), "LO", marker)
    dataset.add_new((0x6000, 0x3000), "OW", marker.encode() * 2)
    dataset.add_new((0xFFFC, 0xFFFC), "OB", marker.encode() * 2)
    dataset.file_meta.SourceApplicationEntityTitle = marker
    dataset.file_meta.ImplementationVersionName = marker
    dataset.preamble = (marker.encode() * 20)[:128]
    target = io.BytesIO()
    dataset.save_as(target)
    return target.getvalue() + marker.encode()


def test_a_planted_name_is_nowhere_in_the_stored_file(quiet_pydicom: None) -> None:
    data = planted_file()
    assert data.count(MARKER.encode()) > 2500
    image = decode(data, max_pixels=10**8, max_content_bytes=2**28)
    for form in (MARKER, MARKER.lower(), MARKER.capitalize(), NUMBER, NUMBER[:7]):
        assert form.encode() not in image.content
        assert form.encode("utf-16-le") not in image.content
        assert form not in repr(image)


def test_uids_of_the_source_are_not_kept() -> None:
    source = pydicom.dcmread(SHIPPED / "CT_small.dcm")
    image = decode((SHIPPED / "CT_small.dcm").read_bytes(), max_pixels=10**8, max_content_bytes=2**28)
    stored = pydicom.dcmread(io.BytesIO(image.content))
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert str(source[keyword].value).encode() not in image.content
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        assert stored[keyword].value.startswith("2.25.")
    assert stored.file_meta.MediaStorageSOPInstanceUID == stored.SOPInstanceUID


def test_only_listed_elements_are_stored() -> None:
    made_here = """
        Rows Columns SamplesPerPixel PhotometricInterpretation PlanarConfiguration BitsAllocated BitsStored HighBit
        PixelRepresentation NumberOfFrames FrameIncrementPointer PixelData VOILUTSequence SOPClassUID SOPInstanceUID
        SeriesInstanceUID StudyInstanceUID PatientIdentityRemoved DeidentificationMethod
    """
    empty = {"PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
             "AccessionNumber", "ReferringPhysicianName", "Manufacturer"}  # fmt: skip
    for name in ("CT_small.dcm", "examples_ybr_color.dcm", "examples_overlay.dcm", "examples_palette.dcm"):
        image = decode((SHIPPED / name).read_bytes(), max_pixels=10**8, max_content_bytes=2**28)
        stored = pydicom.dcmread(io.BytesIO(image.content))
        kept = {element.keyword for element in stored}
        assert kept <= set(made_here.split()) | empty | set(CODES) | NUMBERS | set(SEQUENCES)
        assert all(not stored[keyword].value for keyword in empty)


def test_a_code_outside_of_its_terms_and_a_number_beyond_reason_are_dropped() -> None:
    source = Dataset()
    source.Modality, source.BodyPartExamined = "DOE", "chest "
    source.ImageType = ["ORIGINAL", "DOE", "AXIAL"]
    source.KVP, source.SliceThickness = "5551234567", "2.5000000000001"
    source.ImagePositionPatient = ["1", "2000000", "3"]
    kept = kept_elements(source)
    assert "Modality" not in kept
    assert kept.BodyPartExamined == "CHEST"
    assert list(kept.ImageType) == ["ORIGINAL", "AXIAL"]
    assert "KVP" not in kept
    assert str(kept.SliceThickness) == "2.5"
    assert "ImagePositionPatient" not in kept


@pytest.mark.parametrize("value", ["", "nan", "inf", "1_000", "0x10", "1e400", "DOE", "٣", None, "1 2"])
def test_what_is_no_plain_number_is_dropped(value: object) -> None:
    assert clean_number(value) is None
