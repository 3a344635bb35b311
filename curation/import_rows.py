"""Rows of an import made ready: images resolved, gold checked, digests known; or rejected in the source's own words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from curation.asking import asked
from curation.digests import content_digest, derived_key, input_digest
from curation.formats.sightline import FaultyRecord
from curation.formats.sources import NOTES, Rejection, SourceCase
from curation.gold import BadGold, Extent, checked_gold

if TYPE_CHECKING:
    from curation.import_images import ImageResolver, ResolvedImage


@dataclass(frozen=True)
class Prepared:
    """A row whose images are stored: its record is complete and its digests are known."""

    index: int
    record: dict[str, Any]
    content_digest: str
    input_digest: str
    warnings: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The case's key."""
        return str(self.record["id"])


def prepare(
    case: SourceCase, resolver: ImageResolver, kind: str, split: str | None, labels: frozenset[str]
) -> Prepared | Rejection:
    """The row with its images stored and its record complete, or why it is not taken.

    Parameters
    ----------
    kind
        The format's name.
    split
        Put on the case, whatever its record says.
    labels
        Label ids of the benchmark's protocol.
    """
    try:
        return _complete(case, _resolved(case, resolver, kind), kind, split, labels)
    except FaultyRecord as error:
        return Rejection(case.index, case.id, _column(case, error.path), error.reason)
    except BadGold as error:
        return Rejection(case.index, case.id, _column(case, error.errors[0].path), error.errors[0].detail)
    except ValueError as error:  # a number that no JSON text holds exactly
        return Rejection(case.index, case.id, "", str(error)[:300])


def _resolved(case: SourceCase, resolver: ImageResolver, kind: str) -> list[ResolvedImage]:
    images = [resolver.resolve(image, f"images[{number}]") for number, image in enumerate(case.images)]
    if kind == "dicom":
        images = [_placed(image) for image in sorted(images, key=_acquired)]
    if case.size is not None and case.size != (images[0].width, images[0].height):
        reason = f"{case.size[0]} x {case.size[1]} is claimed, the image has {images[0].width} x {images[0].height}"
        raise FaultyRecord("size", reason)
    return images


def _complete(
    case: SourceCase, images: list[ResolvedImage], kind: str, split: str | None, labels: frozenset[str]
) -> Prepared:
    names = [image.sha256 for image in images]
    named, boxes = case.key_parts or (kind, ())
    key = case.id or derived_key(kind=named, images=names, question=case.question, boxes=boxes)
    extents = [Extent(image.width, image.height, image.frames) for image in images]
    given, notes = _noted(case, names, labels)
    record: dict[str, Any] = {
        "id": key,
        "split": case.split if split is None else split,
        "question": case.question,
        "options": case.options,
        "answer": case.answer,
        "history": case.history,
        "images": [image.record() for image in images],
        "patient": case.patient,
        "source": case.source,
        "licence": case.licence,
        "attribution": case.attribution,
        "gold": checked_gold(given, key=key, images=extents, labels=labels),
        "extra": {**case.extra, NOTES: notes} if notes else case.extra,
    }
    question = asked(record["extra"], width=images[0].width, height=images[0].height)
    seen_by_models = input_digest(
        question=case.question,
        options=case.options,
        history=case.history,
        images=names,
        question_box=question.question_box,
    )
    return Prepared(
        case.index, record, content_digest(record), seen_by_models, tuple((notes or {}).get("warnings", ()))
    )


def _noted(
    case: SourceCase, names: list[str], labels: frozenset[str]
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The gold and the notes of a row in somebody else's shape, with what only its images and the protocol tell."""
    if case.notes is None:
        return case.gold, None
    warnings = list(case.notes.get("warnings", ()))
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        same = [str(number) for number, other in enumerate(names, 1) if other == name]
        warnings.append(f"images {', '.join(same)} have the same pixels")
    gold = case.gold
    if gold is not None:
        # The label is the importer's word, not the source's: a protocol without it takes the region all the same.
        unknown = {roi["label"] for roi in gold["rois"]} - labels - {None}
        warnings += [f"the protocol has no label {label!r}: its regions have none" for label in sorted(unknown)]
        rois = [{**roi, "label": None if roi["label"] in unknown else roi["label"]} for roi in gold["rois"]]
        gold = {**gold, "rois": rois}
    notes = {**case.notes, "warnings": warnings}
    return gold, notes if warnings else case.notes


def _column(case: SourceCase, path: str) -> str:
    """The source's own name for a path of the record, if it has one."""
    for start, column in case.columns.items():
        if path == start or path.startswith(f"{start}."):
            return column + path[len(start) :]
    return path


def _acquired(image: ResolvedImage) -> tuple[float, float]:
    """Series and instance number; the sort is stable, so that files without them keep the order of their names."""
    series, instance = (image.acquisition.get(name) for name in ("SeriesNumber", "InstanceNumber"))
    return tuple(float(number) if isinstance(number, int | float) else 0.0 for number in (series, instance))  # type: ignore[return-value]


def _placed(image: ResolvedImage) -> ResolvedImage:
    series = image.acquisition.get("SeriesNumber")
    source = replace(image.source, modality=image.modality, series="" if series is None else str(series)[:64])
    return replace(image, source=source)
