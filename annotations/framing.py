"""What a stored reading's content is checked against: its case's images and question, and the protocol in force."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from annotations.content import Frame, ImageExtent
from annotations.models import Arm, Reading
from curation.models import Protocol
from curation.statements import Statement

if TYPE_CHECKING:
    import uuid

_FRAMED = Statement("""
    SELECT r.case_id, r.reader_id, r.arm, c.options, c.extra, p.config, p.digest, i.listed
    FROM annotations_reading r JOIN curation_case c ON c.id = r.case_id
    LEFT JOIN LATERAL (
        SELECT config, digest FROM curation_protocol WHERE benchmark_id = c.benchmark_id ORDER BY version DESC LIMIT 1
    ) p ON true
    CROSS JOIN LATERAL (
        SELECT json_agg(json_build_array(i.number, a.width, a.height, a.frames))::text AS listed
        FROM curation_caseimage i JOIN curation_imageasset a ON a.sha256 = i.asset_id
        WHERE i.case_id = c.id
    ) i
    WHERE r.id = %(reading)s""")


@dataclass(frozen=True)
class Framed:
    """Whose reading of what, the frame of its content, and the digest of the protocol that the frame is of."""

    case_id: uuid.UUID
    reader_id: uuid.UUID
    arm: str
    frame: Frame
    protocol_digest: str

    @property
    def is_aided(self) -> bool:
        """Whether models are in view; such a reading needs no place at its case."""
        return self.arm == Arm.AIDED


def framed(reading_id: uuid.UUID) -> Framed:
    """The frame of a reading as it is now, in one statement.

    Raises
    ------
    Reading.DoesNotExist, Protocol.DoesNotExist
        If there is no such reading, or no protocol was written for its benchmark.
    """
    found = _FRAMED.row(reading=reading_id)
    if found is None:
        raise Reading.DoesNotExist(f"there is no reading {reading_id}")
    case_id, reader_id, arm, options, extra, config, digest, listed = found
    if config is None:
        raise Protocol.DoesNotExist(f"no protocol was written for the benchmark of reading {reading_id}")
    images = {number: ImageExtent(*size) for number, *size in json.loads(listed or "[]")}
    frame = Frame.made(
        images, options=json.loads(options or "null") or (), extra=json.loads(extra), config=json.loads(config)
    )
    return Framed(case_id, reader_id, arm, frame, digest)
