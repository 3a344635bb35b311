"""What readers and gold say of cases, as agreement is computed from it."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from annotations.agreement_pair import METRIC_VERSION, Said, Stage, answer_boxes, answer_key, steps_of
from annotations.agreement_regions import Plane, drawn_of
from annotations.models import Arm, PartyKind, Reading, ReadingRevision
from curation.digests import gold_record
from curation.models import Case, CaseImage, Gold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass
class CaseSources:
    """One case: what all its pairs share, its readings of the present input, and its gold."""

    stage: Stage
    input_digest: str
    version: int
    """Of the case: what its pairs share beside the input (patient, modalities) changes with it."""
    options: frozenset[str]
    readings: list[Said] = field(default_factory=list)
    gold: Said | None = None
    revisions: dict[uuid.UUID, int] = field(default_factory=dict)
    """Of every submitted reading, also of another input."""
    gold_revision: int = 0

    @property
    def is_submitted(self) -> bool:
        """Whether anybody has submitted a reading, of this input or another."""
        return bool(self.revisions)

    @property
    def digest(self) -> str:
        """Changes with whatever the rows follow from; `agreement.behind` takes the same in SQL."""
        readings = ",".join(f"{key}:{revision}" for key, revision in sorted(self.revisions.items(), key=_by_text))
        text = f"{METRIC_VERSION}|{self.input_digest}|{self.version}|{self.gold_revision}|{readings}"
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def pairs(self) -> Iterator[tuple[Said, Said]]:
        """Every two readers of an arm, and each reader with the gold, in the order in which pairs are stored."""
        for arm in Arm:
            of_arm = sorted((said for said in self.readings if said.arm == arm), key=lambda said: said.place)
            yield from combinations(of_arm, 2)
            if self.gold is not None:
                yield from ((said, self.gold) for said in of_arm)


def _by_text(pair: tuple[uuid.UUID, int]) -> str:
    return str(pair[0])


def sources_of(case_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, CaseSources]:
    """What is said of each case; six queries however many cases.

    Of a reading the newest revision counts that its reader wrote blind; of an aided one the newest.
    """
    rows = Case.objects.filter(pk__in=list(case_ids)).defer("extra", "history", "question", "attribution")
    cases = {case.pk: case for case in rows}
    images = _images(cases)
    found = {
        pk: CaseSources(
            _stage(case, images.get(pk, [])), case.input_digest, case.version, frozenset(case.options or {})
        )
        for pk, case in cases.items()
    }
    of_readings = Reading.objects.filter(case__in=cases, revision__gt=0).values_list("case_id", "pk", "revision")
    for case_id, reading_id, revision in of_readings:
        found[case_id].revisions[reading_id] = revision
    for row in _newest(cases):
        sources = found[row.reading.case_id]
        if row.input_digest == sources.input_digest:
            sources.readings.append(_reader_said(row, sources))
    golds = Gold.objects.filter(case__in=cases).order_by("case_id", "-revision").distinct("case_id")
    for gold in golds.prefetch_related("rois"):
        sources = found[gold.case_id]
        sources.gold_revision = gold.revision
        if not gold.is_withdrawn:
            sources.gold = _gold_said(gold, sources)
    return found


def _newest(cases: Mapping[uuid.UUID, Case]) -> Iterable[ReadingRevision]:
    counted = Q(reading__arm=Arm.AIDED) | Q(is_after_looking=False)
    return (
        ReadingRevision.objects.filter(counted, reading__case__in=list(cases))
        .order_by("reading_id", "-revision")
        .distinct("reading_id")
        .select_related("reading")
        .defer("reading__draft")
    )


def _images(cases: Mapping[uuid.UUID, Case]) -> dict[uuid.UUID, list[CaseImage]]:
    found: dict[uuid.UUID, list[CaseImage]] = defaultdict(list)
    for image in CaseImage.objects.filter(case__in=list(cases)).select_related("asset").order_by("number"):
        found[image.case_id].append(image)
    return found


def _stage(case: Case, images: list[CaseImage]) -> Stage:
    names = {image.modality or image.asset.modality for image in images}
    first = images[0].asset_id if images else case.pk
    together = f"patient {case.patient}" if case.patient else f"image {first}"
    return Stage(
        case_id=case.pk,
        benchmark_id=case.benchmark_id,
        modalities=" ".join(sorted(name for name in names if name))[:200],
        cluster=hashlib.blake2b(together.encode(), digest_size=8).hexdigest(),
        planes={image.number: Plane(image.asset.height, image.asset.width, image.asset.spacing_mm) for image in images},
    )


def _reader_said(row: ReadingRevision, sources: CaseSources) -> Said:
    content: dict[str, Any] = row.content
    answer = content.get("answer")
    drawn = drawn_of([*content.get("rois", []), *answer_boxes(answer)], sources.stage.planes)
    return Said(
        kind=PartyKind.READER,
        party=row.reading.reader_id,
        id=row.reading_id,
        revision=row.revision,
        arm=Arm(row.reading.arm),
        answer=answer_key(answer, sources.options),
        drawn=drawn,
        steps=steps_of(content.get("steps", []), drawn),
        active_s=row.active_s,
        said_at=row.submitted_at,
    )


def _gold_said(gold: Gold, sources: CaseSources) -> Said:
    record = gold_record(gold) or {}
    drawn = drawn_of([*record["rois"], *answer_boxes(gold.answer)], sources.stage.planes)
    return Said(
        kind=PartyKind.GOLD,
        party=gold.case_id,
        id=gold.pk,
        revision=gold.revision,
        answer=answer_key(gold.answer, sources.options),
        drawn=drawn or None,
        steps=steps_of(gold.steps, drawn),
        said_at=gold.created_at,
    )
