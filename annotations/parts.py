"""The rows beside a submitted revision: its regions, steps with what they cite, and named things, from its content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from annotations.models import Entity
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid

    from annotations.models import ReadingRevision

# From the stored content in one statement: a fifth of what the same costs as objects. `place` counts from 1.
_PARTS = Statement("""
    WITH given AS (
        SELECT id, content FROM annotations_readingrevision WHERE id = %(revision)s
    ), roi AS (
        INSERT INTO annotations_roi (id, revision_id, client_id, number, image, frame, label, shape, geometry, origin)
        SELECT gen_random_uuid(), given.id, (e->>'id')::uuid, place, (e->>'image')::int, (e->>'frame')::int,
            coalesce(e->>'label', ''), e->>'shape', e->'geometry', e->>'origin'
        FROM given, jsonb_array_elements(content->'rois') WITH ORDINALITY AS listed(e, place)
        RETURNING id, client_id
    ), step AS (
        INSERT INTO annotations_rationalestep
            (id, revision_id, client_id, number, kind, image, text, regions, is_critical, confidence, topic, state)
        SELECT gen_random_uuid(), given.id, (e->>'id')::uuid, place, e->>'kind', (e->>'image')::int, e->>'text',
            e->'regions', (e->>'is_critical')::boolean, (e->>'confidence')::float8, coalesce(e->>'topic', ''),
            coalesce(e->>'state', '')
        FROM given, jsonb_array_elements(content->'steps') WITH ORDINALITY AS listed(e, place)
        RETURNING id, client_id
    ), cited AS (
        INSERT INTO annotations_evidence (step_id, roi_id)
        SELECT step.id, roi.id
        FROM given, step, roi, jsonb_array_elements(content->'steps') AS listed(e),
            jsonb_array_elements_text(e->'evidence') AS evidence(cited)
        WHERE step.client_id = (e->>'id')::uuid AND roi.client_id = cited::uuid
    )
    SELECT client_id, id FROM roi""")


def write_parts(revision: ReadingRevision, content: dict[str, Any]) -> None:
    """Write the parts of a revision that was just stored, in their order."""
    rois = {str(client_id): pk for client_id, pk in _PARTS.rows(revision=revision.pk)}
    if content["entities"]:
        _write_entities(revision, content, rois)


def _write_entities(revision: ReadingRevision, content: dict[str, Any], rois: dict[str, uuid.UUID]) -> None:
    rows = Entity.objects.bulk_create(
        Entity(
            revision=revision,
            client_id=entity["id"],
            name=entity["name"],
            role=entity["role"],
            is_present=entity["present"],
            view=entity["view"] or "",
        )
        for entity in content["entities"]
    )
    link = Entity.rois.through
    link._default_manager.bulk_create(
        link(entity_id=row.pk, roi_id=rois[cited])
        for row, entity in zip(rows, content["entities"], strict=True)
        for cited in entity["rois"]
    )
