"""What the API says of images and cases; of a case, no more than its reader may know before reading it.

Cases are read as narrow rows, one statement a table however many they are: lists and the queue ask for many images, and
to build a model's object of each costs more than all the rest.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from curation.digests import roi_record
from curation.models import Role
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping, Sequence

    from curation.models import Case, ImageAsset, User

PIXEL_FACTS = (
    *("sha256", "kind", "width", "height", "frames", "channels", "dtype", "photometric", "slope", "intercept"),
    *("windows", "voi_luts", "spacing_mm", "spacing_source", "frame_time_ms"),
)
FACT_FIELDS = (
    "readings_submitted",
    "readings_open",
    "predictions_done",
    "answer_disagreement",
    "region_disagreement",
    "disagreement",
)

# What is told, in the order in which it is told, and where it stands. Nothing is told because a column was added.
_SPACING = """CASE WHEN a.spacing_row_mm IS NOT NULL AND a.spacing_column_mm IS NOT NULL
    THEN ARRAY[a.spacing_row_mm, a.spacing_column_mm] END"""
_BLIND_IMAGE = {
    "number": "i.number",
    **{name: _SPACING if name == "spacing_mm" else f"a.{name}" for name in PIXEL_FACTS},
    "modality": "coalesce(nullif(i.modality, ''), a.modality)",
    **{name: f"i.{name}" for name in ("sub_modality", "view", "timepoint", "series")},
}
_IMAGE = {
    **_BLIND_IMAGE,
    "caption": "i.caption",
    **{name: f"a.{name}" for name in ("needs_text_check", "text_checked_at")},
}
_BLIND_CASE = {
    "id": "c.id::text",
    "key": "c.key",
    "benchmark": "b.slug",
    **{name: f"c.{name}" for name in ("position", "split", "question", "options", "history")},
    "images": "NULL",
}
_CASE = {
    **_BLIND_CASE,
    # Grows with every revision of the gold, so that no blind reader has it.
    "version": "c.version",
    "answer": "c.answer",
    "gold": "NULL",
    **{name: f"c.{name}" for name in ("patient", "source", "licence", "attribution", "extra", "input_digest")},
    "facts": "f.case_id IS NOT NULL",
    **{name: f"f.{name}" for name in FACT_FIELDS},
}


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(columns.values())


def _images(columns: Mapping[str, str]) -> Statement:
    return Statement(f"""
    SELECT i.case_id::text, {_listed(columns)}
    FROM curation_caseimage i JOIN curation_imageasset a ON a.sha256 = i.asset_id
    WHERE i.case_id = ANY(%(cases)s) ORDER BY i.case_id, i.number""")  # noqa: S608 of this module's own constants


_BLIND_IMAGES_OF, _IMAGES_OF = _images(_BLIND_IMAGE), _images(_IMAGE)
_BLIND_CASES_OF = Statement(f"""
    SELECT {_listed(_BLIND_CASE)} FROM curation_case c JOIN curation_benchmark b ON b.id = c.benchmark_id
    WHERE c.id = ANY(%(cases)s)""")  # noqa: S608 of this module's own constants
_CASES_OF = Statement(f"""
    SELECT {_listed(_CASE)} FROM curation_case c JOIN curation_benchmark b ON b.id = c.benchmark_id
    LEFT JOIN curation_casefacts f ON f.case_id = c.id WHERE c.id = ANY(%(cases)s)""")  # noqa: S608 as above
# The steps of a gold go with its first region alone; a gold without regions is one row.
_GOLDS_OF = Statement("""
    SELECT g.case_id::text, g.answer, CASE WHEN row_number() OVER ordered = 1 THEN g.steps END,
        r.client_id::text, r.image, r.frame, r.label, r.shape, r.geometry
    FROM (
        SELECT DISTINCT ON (case_id) id, case_id, answer, steps, is_withdrawn FROM curation_gold
        WHERE case_id = ANY(%(cases)s) ORDER BY case_id, revision DESC
    ) g LEFT JOIN curation_goldroi r ON r.gold_id = g.id
    WHERE NOT g.is_withdrawn WINDOW ordered AS (PARTITION BY g.id ORDER BY r.number, r.id)
    ORDER BY g.case_id, r.number, r.id""")


def _json(stored: str | None) -> Any:
    # Most images have neither windows nor tables, and a parser's start costs more than so short a text.
    if stored == "[]":
        return []
    return None if stored is None else json.loads(stored)


def _images_of(case_ids: Sequence[uuid.UUID], *, is_blind: bool) -> dict[str, list[dict[str, Any]]]:
    """By case its images in their places; one statement. A caption may give the answer away: the blind have none."""
    columns, statement = (_BLIND_IMAGE, _BLIND_IMAGES_OF) if is_blind else (_IMAGE, _IMAGES_OF)
    images: dict[str, list[dict[str, Any]]] = {}
    for case_id, *values in statement.rows(cases=list(case_ids)):
        told = dict(zip(columns, values, strict=True))
        told["windows"], told["voi_luts"] = _json(told["windows"]), _json(told["voi_luts"])
        images.setdefault(case_id, []).append(told)
    return images


def _golds_of(case_ids: Sequence[uuid.UUID]) -> dict[str, dict[str, Any]]:
    """By case the gold in force, as `digests.gold_record` says it; one statement."""
    golds: dict[str, dict[str, Any]] = {}
    for case_id, answer, steps, client_id, image, frame, label, shape, geometry in _GOLDS_OF.rows(cases=list(case_ids)):
        if case_id not in golds:
            golds[case_id] = {"answer": _json(answer), "rois": [], "steps": _json(steps)}
        if client_id is not None:
            golds[case_id]["rois"].append(roi_record(client_id, image, frame, label, shape, _json(geometry)))
    return golds


def describe_images(case_id: uuid.UUID) -> list[dict[str, Any]]:
    """The images of a case in their places, as a blind reader may see them; one statement."""
    return _images_of([case_id], is_blind=True).get(str(case_id), [])


def describe_cases(case_ids: Sequence[uuid.UUID], *, is_blind: bool) -> list[dict[str, Any]]:
    """Cases in the order asked for: what a blind reader sees, and for everybody else all of it.

    Two statements for the blind, else three, however many cases. One that is gone by now is left out.
    """
    columns, statement = (_BLIND_CASE, _BLIND_CASES_OF) if is_blind else (_CASE, _CASES_OF)
    found = statement.rows(cases=list(case_ids))
    images = _images_of(case_ids, is_blind=is_blind)
    golds = {} if is_blind else _golds_of(case_ids)
    cases = {}
    for row in found:
        told = dict(zip(columns, row, strict=True))
        told["options"], told["images"] = _json(told["options"]), images.get(told["id"], [])
        if not is_blind:
            told["answer"], told["extra"] = _json(told["answer"]), _json(told["extra"])
            told["gold"] = golds.get(told["id"])
            facts = {name: told.pop(name) for name in FACT_FIELDS}
            told["facts"] = facts if told["facts"] else None  # None before the first record of them
        cases[told["id"]] = told
    return [cases[case] for case in map(str, case_ids) if case in cases]


def describe_image(asset: ImageAsset, *, is_curated: bool) -> dict[str, Any]:
    """All that is known of a stored image: geometry, samples and windows, never an identity.

    An image may lie in several benchmarks: that somebody has checked it is told to those alone who curate one of them
    (`is_curated`), since it says that another holds it too.
    """
    told = {
        **{name: getattr(asset, name) for name in PIXEL_FACTS},
        "content_type": asset.content_type,
        "byte_size": asset.byte_size,
        "modality": asset.modality,
        "acquisition": asset.acquisition,
        "needs_text_check": asset.needs_text_check,
    }
    return {**told, "text_checked_at": asset.text_checked_at} if is_curated else told


def reads_blind(user: User, case: Case) -> bool:
    """Whether this app must treat the user as a blind reader of the case: whoever reads in the benchmark at all.

    Whether a reader has submitted is known above this app (`annotations.blinding`), whose endpoints tell more then.
    """
    return Role.READER.value in user.roles_in(case.benchmark_id)
