"""Against whose word predictions are held: the newest revision of each submitted reading, and the gold in force."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import F, Prefetch

from annotations.models import Arm, ReadingRevision, Roi
from curation.models import CaseImage, Gold, GoldRoi
from inference.models import TargetKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from curation.models import Case

MOST_OTHER_FINDINGS = 8
Place = tuple[int, int]
"""(image number, frame)."""


@dataclass(frozen=True)
class Region:
    """One ROI of a target, in pixels of the upright stored image."""

    image: int
    frame: int
    label: str
    shape: str
    geometry: dict[str, Any]


@dataclass(frozen=True)
class Target:
    """One revision of a reading or of the gold. `input_digest` is of the case as it was read."""

    kind: TargetKind
    id: uuid.UUID
    revision: int
    input_digest: str
    choice: str | None
    regions: tuple[Region, ...]

    @property
    def key(self) -> tuple[str, uuid.UUID, int]:
        """What a score names it by."""
        return (self.kind.value, self.id, self.revision)

    def by_place(self) -> dict[Place, list[Region]]:
        """Its regions on each (image, frame), in order."""
        places: dict[Place, list[Region]] = {}
        for region in self.regions:
            places.setdefault((region.image, region.frame), []).append(region)
        return dict(sorted(places.items()))


def option_chosen(answer: Any) -> str | None:
    """The option letter of an answer as readings and gold hold it: `{"choice": "B"}` or "B"; else None."""
    choice = answer.get("choice") if isinstance(answer, dict) else answer
    return choice if isinstance(choice, str) and choice else None


def _regions(rows: Iterable[Roi] | Iterable[GoldRoi]) -> tuple[Region, ...]:
    return tuple(Region(row.image, row.frame, row.label or "", row.shape, row.geometry) for row in rows)


def newest_revisions(case_ids: Iterable[uuid.UUID]) -> Any:
    """The newest submitted revision of every unaided reading of some cases, as a queryset.

    An aided reading has seen what models said: to hold a model against it would be to hold it against itself.
    """
    newest = ReadingRevision.objects.filter(reading__arm=Arm.UNAIDED, revision=F("reading__revision"))
    return newest.filter(reading__case__in=list(case_ids)).order_by("reading_id")


def targets_of(case: Case) -> list[Target]:
    """Every target of a case, in an order that never changes; three queries or four."""
    revisions = newest_revisions([case.pk]).prefetch_related(Prefetch("rois", Roi.objects.order_by("number")))
    found = [
        Target(
            kind=TargetKind.READING,
            id=revision.reading_id,
            revision=revision.revision,
            input_digest=revision.input_digest,
            choice=option_chosen(revision.content.get("answer")),
            regions=_regions(revision.rois.all()),
        )
        for revision in revisions
    ]
    gold = Gold.objects.in_force().filter(case=case).prefetch_related("rois").first()
    if gold is not None:
        found.append(
            Target(
                kind=TargetKind.GOLD,
                id=case.pk,
                revision=gold.revision,
                input_digest=case.input_digest,
                choice=option_chosen(gold.answer),
                regions=_regions(gold.rois.all()),
            )
        )
    return found


def other_findings(case: Case) -> dict[Place, list[list[Region]]]:
    """What else is known to be on the images of a case: the null of a model that marks whatever is abnormal.

    Another finding is the gold of another case of the same benchmark that shows the same image: there the same pixels
    were asked about something else. One list of regions for each such case, by the place in *this* case; at most
    MOST_OTHER_FINDINGS a place, in the order of the cases. `finding_null` of the metrics leaves out those that come
    down to the same cells as the target.
    """
    numbers: dict[str, list[int]] = {}
    for number, sha256 in case.images.order_by("number").values_list("number", "asset_id"):
        numbers.setdefault(sha256, []).append(number)
    golds = (
        Gold.objects.in_force()
        .filter(case__benchmark=case.benchmark_id, case__images__asset__in=list(numbers))
        .exclude(case=case)
        .order_by("case__position")
        .distinct()
        .prefetch_related("rois", "case__images")
    )
    found: dict[Place, list[list[Region]]] = {}
    for gold in golds:
        assets = {image.number: image.asset_id for image in gold.case.images.all()}
        here: dict[Place, list[Region]] = {}
        for region in _regions(gold.rois.all()):
            for number in numbers.get(assets.get(region.image, ""), []):
                here.setdefault((number, region.frame), []).append(region)
        for place, regions in here.items():
            if len(found.setdefault(place, [])) < MOST_OTHER_FINDINGS:
                found[place].append(regions)
    return found


def cases_beside(case_ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Cases to which the gold of one of these, not their own, is another finding: `other_findings` the other way.

    Gold that was withdrawn counts: until then it was another finding.
    """
    golden = set(Gold.objects.filter(case__in=list(case_ids)).order_by().values_list("case_id", flat=True))
    shown = CaseImage.objects.filter(case__in=golden).values("asset")
    over: dict[tuple[uuid.UUID, str], set[uuid.UUID]] = {}
    rows = CaseImage.objects.filter(asset__in=shown).order_by().values_list("case__benchmark", "asset_id", "case_id")
    for benchmark_id, asset_id, case_id in rows:
        over.setdefault((benchmark_id, asset_id), set()).add(case_id)
    found: set[uuid.UUID] = set()
    for cases in over.values():
        telling = cases & golden
        if telling:  # of two that tell, each is beside the other
            found |= cases if len(telling) > 1 else cases - telling
    return found
