"""What the API says of images and cases; of a case, no more than its reader may know before reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from curation.digests import gold_record
from curation.models import CaseFacts, Role, gold_in_force

if TYPE_CHECKING:
    from curation.models import Case, CaseImage, ImageAsset, User

FACT_FIELDS = (
    "readings_submitted",
    "readings_open",
    "predictions_done",
    "answer_disagreement",
    "region_disagreement",
    "disagreement",
)


def _pixel_facts(asset: ImageAsset) -> dict[str, Any]:
    return {
        "sha256": asset.sha256,
        "kind": asset.kind,
        "width": asset.width,
        "height": asset.height,
        "frames": asset.frames,
        "channels": asset.channels,
        "dtype": asset.dtype,
        "photometric": asset.photometric,
        "slope": asset.slope,
        "intercept": asset.intercept,
        "windows": asset.windows,
        "voi_luts": asset.voi_luts,
        "spacing_mm": asset.spacing_mm,
        "spacing_source": asset.spacing_source,
        "frame_time_ms": asset.frame_time_ms,
    }


def describe_image(asset: ImageAsset, *, is_curated: bool) -> dict[str, Any]:
    """All that is known of a stored image: geometry, samples and windows, never an identity.

    An image may lie in several benchmarks: that somebody has checked it is told to those alone who curate one of them
    (`is_curated`), since it says that another holds it too.
    """
    told = {
        **_pixel_facts(asset),
        "content_type": asset.content_type,
        "byte_size": asset.byte_size,
        "modality": asset.modality,
        "acquisition": asset.acquisition,
        "needs_text_check": asset.needs_text_check,
    }
    return {**told, "text_checked_at": asset.text_checked_at} if is_curated else told


def describe_case_image(image: CaseImage, *, is_blind: bool) -> dict[str, Any]:
    """An image in its place in a case; its caption may give the answer away, so that a blind reader has none."""
    asset = image.asset
    told = {
        "number": image.number,
        **_pixel_facts(asset),
        "modality": image.modality or asset.modality,
        "sub_modality": image.sub_modality,
        "view": image.view,
        "timepoint": image.timepoint,
        "series": image.series,
    }
    if is_blind:
        return told
    return {
        **told,
        "caption": image.caption,
        "needs_text_check": asset.needs_text_check,
        "text_checked_at": asset.text_checked_at,
    }


def describe_case(case: Case, *, is_blind: bool) -> dict[str, Any]:
    """A case: what a blind reader sees, and for everybody else all of it.

    Reads `case.images` with their assets and, unless blind, `case.golds` with their ROIs and `case.facts`.
    """
    told = {
        "id": str(case.pk),
        "key": case.key,
        "benchmark": case.benchmark.slug,
        "position": case.position,
        "split": case.split,
        "question": case.question,
        "options": case.options,
        "history": case.history,
        "images": [
            describe_case_image(image, is_blind=is_blind)
            for image in sorted(case.images.all(), key=lambda image: image.number)
        ],
    }
    if is_blind:
        return told
    return {
        **told,
        # Grows with every revision of the gold, so that no blind reader has it.
        "version": case.version,
        "answer": case.answer,
        "gold": gold_record(gold_in_force(case.golds.all())),
        "patient": case.patient,
        "source": case.source,
        "licence": case.licence,
        "attribution": case.attribution,
        "extra": case.extra,
        "input_digest": case.input_digest,
        "facts": describe_facts(case),
    }


def describe_facts(case: Case) -> dict[str, Any] | None:
    """What lists sort and filter by; None before the first record of them."""
    facts = getattr(case, "facts", None)
    return {name: getattr(facts, name) for name in FACT_FIELDS} if isinstance(facts, CaseFacts) else None


def reads_blind(user: User, case: Case) -> bool:
    """Whether this app must treat the user as a blind reader of the case: whoever reads in the benchmark at all.

    Whether a reader has submitted is known above this app (`annotations.blinding`), whose endpoints tell more then.
    """
    return Role.READER.value in user.roles_in(case.benchmark_id)
