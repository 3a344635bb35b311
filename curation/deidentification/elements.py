"""Which elements of a DICOM data set are kept: an allow-list, of elements and of their values.

PS3.15 Annex E (Basic Application Level Confidentiality Profile) lists what to remove. A list of what to remove is only
as good as it is complete: private elements, misused fields and elements of later editions pass it. So the direction is
turned: an element is kept only if it is named here, and then only if its value is one that the element is meant to
hold:

- a code is kept only if it is one of the defined terms named here (a name in Modality is no modality);
- a number is parsed, bounded and written anew (nine significant digits, below one million), so no text survives in it;
- free text (SeriesDescription, ImageComments, ProtocolName, window explanations ...) is never kept: the option
  "Clean Descriptors" asks for a person's judgement, which an import cannot give;
- dates, times, ages, names, identifiers, institutions, device serials, private groups, overlays, curves: never;
- UIDs of the source are never kept (the option "Retain UIDs" is not chosen); new ones come from the stored content.
"""

import math
import re
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.multival import MultiValue

#: Written to DeidentificationMethod; raise it with any change of the lists below.
METHOD = "Sightline allow-list 1"

_LARGEST = 1e6


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_MODALITIES = """
    AR AU BDUS BI BMD CD CR CT DD DG DX ECG EM ES FA FS GM IO IVOCT IVUS LS MA MG MR MS NM OAM OCT OP OPM OPT OPV OT PT
    PX RF RG RTDOSE RTIMAGE SC SEG SM ST TG US VF XA XC
"""
_BODY_PARTS = """
    ABDOMEN ABDOMENPELVIS ADRENAL ANKLE AORTA ARM AXILLA BACK BLADDER BONE BRAIN BREAST BRONCHUS BUTTOCK CALCANEUS CALF
    CAROTID CEREBELLUM CERVIX CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS CLAVICLE COCCYX COLON CORNEA CSPINE CTSPINE
    DUODENUM EAR ELBOW ESOPHAGUS EXTREMITY EYE EYELID FACE FEMUR FETUS FINGER FOOT GALLBLADDER HAND HEAD HEADNECK HEART
    HIP HUMERUS ILEUM ILIUM IAC JAW JEJUNUM KIDNEY KNEE LARYNX LEG LIVER LSPINE LSSPINE LUNG MANDIBLE MAXILLA
    MEDIASTINUM MOUTH NECK NOSE ORBIT OVARY PANCREAS PAROTID PATELLA PELVIS PENIS PHARYNX PLACENTA PROSTATE RECTUM RIB
    SACRUM SCALP SCAPULA SCROTUM SHOULDER SINUS SKIN SKULL SPINE SPLEEN SSPINE STERNUM STOMACH SUBMANDIBULAR TESTIS
    THIGH THUMB THYMUS THYROID TIBIA TOE TONGUE TRACHEA TSPINE URETER URETHRA UTERUS VAGINA VULVA WHOLEBODY WRIST ZYGOMA
"""
_IMAGE_TYPES = """
    ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER MPR MIP MINIP REFORMATTED VOLUME OTHER M P R I FFE SE PHASE
    MAGNITUDE REAL IMAGINARY NORM DIS2D DIS3D ND DIFFUSION ADC FA STATIC DYNAMIC GATED WHOLE BODY TOMO EMISSION
    TRANSMISSION RECON MIXED SINGLE PLANE BIPLANE A B FLUORO COLOR DOPPLER
"""
_WINDOW_NAMES = """
    NORMAL HARDER SOFTER WINDOW WINDOW1 WINDOW2 BRAIN BONE LUNG ABDOMEN MEDIASTINUM LIVER SPINE STROKE SUBDURAL CHEST
    HEAD NECK PELVIS ANGIO DEFAULT
"""

#: Coded elements, each with the only values that are kept (PS3.3 defined terms; PS3.16 Annex L for body parts).
CODES: dict[str, frozenset[str]] = {
    "Modality": _words(_MODALITIES),
    "BodyPartExamined": _words(_BODY_PARTS),
    "ImageType": _words(_IMAGE_TYPES),
    "Laterality": _words("R L B U"),
    "ImageLaterality": _words("R L B U"),
    "PatientPosition": _words("HFP HFS HFDR HFDL FFDR FFDL FFP FFS LFP LFS RFP RFS AFP AFS PFP PFS SITTING"),
    "ViewPosition": _words("AP PA LL RL LLD RLD LLO RLO LPO RPO LAO RAO CC MLO ML LM LMO XCC XCCL XCCM TAN"),
    "PatientOrientation": _words("A P L R H F AR AL PR PL AF AH PF PH LA LP LF LH RA RP RF RH HA HP HL HR FA FP FL FR"),
    "ScanningSequence": _words("SE IR GR EP RM"),
    "SequenceVariant": _words("SK MTC SS TRSS SP MP OSP NONE"),
    "ScanOptions": _words("PER RG CG PPG FC PFF PFP SP FS HELIX AXIAL HELICAL"),
    "MRAcquisitionType": frozenset(("2D", "3D")),
    "ConversionType": _words("DV DI DF WSD SD SI DRW SYN"),
    "LossyImageCompression": frozenset(("00", "01")),
    "BurnedInAnnotation": frozenset(("YES", "NO")),
    "VOILUTFunction": frozenset(("LINEAR", "LINEAR_EXACT", "SIGMOID")),
    "RescaleType": _words("HU US OD HU_MOD MGML Z_EFF ED EDW PCT"),
    "PixelSpacingCalibrationType": frozenset(("GEOMETRY", "FIDUCIAL")),
    "PresentationLUTShape": frozenset(("IDENTITY", "INVERSE")),
    "WindowCenterWidthExplanation": _words(_WINDOW_NAMES),
}

#: Numbers that are kept: geometry, pixel description, acquisition, order within a series.
NUMBERS: frozenset[str] = _words("""
    PixelSpacing ImagerPixelSpacing NominalScannedPixelSpacing PixelAspectRatio SliceThickness SpacingBetweenSlices
    SliceLocation ImagePositionPatient ImageOrientationPatient EstimatedRadiographicMagnificationFactor
    ReconstructionDiameter GantryDetectorTilt TableHeight DistanceSourceToDetector DistanceSourceToPatient KVP
    ExposureTime XRayTubeCurrent Exposure FilterThicknessMinimum RepetitionTime EchoTime InversionTime FlipAngle
    EchoTrainLength NumberOfAverages MagneticFieldStrength ImagingFrequency PercentSampling PixelBandwidth FrameTime
    CineRate RecommendedDisplayFrameRate EffectiveDuration TransducerFrequency MechanicalIndex BoneThermalIndex
    SoftTissueThermalIndex CranialThermalIndex DepthOfScanField SeriesNumber AcquisitionNumber InstanceNumber
    LossyImageCompressionRatio WindowCenter WindowWidth RescaleIntercept RescaleSlope
    """)

#: Sequences that are kept, each with the numbers kept in an item.
SEQUENCES: dict[str, frozenset[str]] = {
    "SequenceOfUltrasoundRegions": _words("""
        RegionSpatialFormat RegionDataType RegionFlags RegionLocationMinX0 RegionLocationMinY0 RegionLocationMaxX1
        RegionLocationMaxY1 PhysicalUnitsXDirection PhysicalUnitsYDirection PhysicalDeltaX PhysicalDeltaY
        ReferencePixelX0 ReferencePixelY0 ReferencePixelPhysicalValueX ReferencePixelPhysicalValueY
        """),
}
_MOST_VALUES = 64
_MOST_ITEMS = 64


def kept_elements(source: Dataset) -> Dataset:
    """A new data set with the allow-listed elements of another, each value checked and written anew.

    Pixel description (rows, photometric interpretation ...), look-up tables, UIDs and pixel data are not its affair:
    the writer of the stored file makes them from the decoded samples.

    Parameters
    ----------
    source : pydicom.Dataset
        Left as it is.

    Returns
    -------
    pydicom.Dataset
        Nothing of it is shared with ``source``.
    """
    kept = Dataset()
    for keyword, allowed in CODES.items():
        codes = [code for value in _values(source, keyword) if (code := str(value).strip().upper()) in allowed]
        if codes:
            setattr(kept, keyword, codes if len(codes) > 1 else codes[0])
    _keep_numbers(source, kept, NUMBERS)
    for keyword, numbers in SEQUENCES.items():
        items = [item for item in _items(source, keyword) if len(item)]
        filtered = []
        for item in items:
            filtered.append(Dataset())
            _keep_numbers(item, filtered[-1], numbers)
        if filtered:
            setattr(kept, keyword, filtered)
    if len(_values(kept, "WindowCenter")) != len(_values(kept, "WindowWidth")):
        for keyword in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation"):
            if keyword in kept:
                delattr(kept, keyword)
    return kept


def clean_number(value: object) -> float | None:
    """A number as it is kept: finite, below one million, nine significant digits; None for anything else.

    Examples
    --------
    >>> clean_number("120.0"), clean_number("5551234567"), clean_number("DOE^JANE")
    (120.0, None, None)
    """
    text = str(value).strip()
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text, re.ASCII):
        return None
    number = float(text)
    if not math.isfinite(number) or abs(number) >= _LARGEST:
        return None
    return float(f"{number:.9g}")


def window_name(value: object) -> str:
    """A window's explanation if it is one of the plain words that cannot name a person, else nothing."""
    name = str(value).strip().upper()
    return name if name in CODES["WindowCenterWidthExplanation"] else ""


def _keep_numbers(source: Dataset, kept: Dataset, keywords: frozenset[str]) -> None:
    for keyword in sorted(keywords):
        numbers = [clean_number(value) for value in _values(source, keyword)]
        # One bad value spoils the element: three coordinates with the second dropped would be another place.
        whole = [number for number in numbers if number is not None]
        if not whole or len(whole) != len(numbers):
            continue
        written = [_written(number, dictionary_VR(keyword)) for number in whole]
        if None not in written:
            setattr(kept, keyword, written if len(written) > 1 else written[0])


def _written(number: float, value_type: str) -> float | int | str | None:
    """A number in the form its element takes, None where the element cannot hold it."""
    if value_type in ("IS", "US", "SS", "UL", "SL"):
        fits = number == int(number) and (number >= 0 or value_type in ("IS", "SS", "SL"))
        limit = {"US": 65535, "SS": 32767}.get(value_type, _LARGEST)
        return int(number) if fits and abs(number) <= limit else None
    return f"{number:.9g}" if value_type == "DS" else number


def _values(source: Dataset, keyword: str) -> list[object]:
    """Values of an element as a list; nothing for what is absent, unreadable or longer than it could mean."""
    try:
        element = source[keyword]
        value = element.value
    except (KeyError, ValueError, TypeError, NotImplementedError, AttributeError, OverflowError):
        return []
    if value is None or element.VR == "SQ":
        return []
    values = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    return [item for item in values if item is not None and str(item) != ""] if len(values) <= _MOST_VALUES else []


def _items(source: Dataset, keyword: str) -> Iterator[Dataset]:
    try:
        element = source[keyword]
        items = list(element.value) if element.VR == "SQ" else []
    except (KeyError, ValueError, TypeError, NotImplementedError, AttributeError):
        return
    yield from items[:_MOST_ITEMS]
