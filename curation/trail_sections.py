"""This app's part of the history of a case: the audit trail about it, its coming in, and the revisions of its gold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Prefetch, Q
from django.db.models.fields.json import KT

from curation.case_trail import CHANGES, LOOKS, Moment, TrailSection, Voice, Wanted
from curation.models import AuditEvent, Gold, GoldRoi, User
from curation.saying import Content, differences
from curation.trail import LOOKS as LOOKS_AT
from curation.trail import WORDS, id_or_nothing, in_words

if TYPE_CHECKING:
    import datetime as dt

    from curation.models import Case

# Ids that an event about this case need not repeat.
_NAMED = {"case", "hour", "digest"}
_KINDS = {"assignment": "queue", "queue": "queue", "reading": "reading", "review": "gold", "comment": "comment"}


def _moments(case: Case, wanted: Wanted) -> list[Moment]:
    found = _events(case, wanted)
    if wanted.shown == LOOKS:
        return found
    return [*found, *_golds(case), Moment(case.created_at, "case", "case", "came into the benchmark")]


def _events(case: Case, wanted: Wanted) -> list[Moment]:
    rows = AuditEvent.objects.alias(about=KT("after__case"))
    rows = rows.filter(Q(object_id=str(case.pk)) | Q(about=str(case.pk)))
    if wanted.shown == CHANGES:
        rows = rows.exclude(action__in=LOOKS_AT)
    elif wanted.shown == LOOKS:
        rows = rows.filter(action__in=LOOKS_AT)
    found = wanted.of(rows, "created_at")
    readers = {str(event.after.get("reader")) for event in found if isinstance(event.after, dict)}
    ids = [id_ for one in readers if (id_ := id_or_nothing(one))]
    names = {str(pk): name for pk, name in User.objects.filter(pk__in=ids).values_list("pk", "username")} if ids else {}
    return [_moment(event, names) for event in found]


def _moment(event: AuditEvent, names: dict[str, str]) -> Moment:
    kind = "look" if event.action in LOOKS_AT else _KINDS.get(event.action.partition(".")[0], "case")
    after = event.after
    if isinstance(after, dict):
        told = {name: value for name, value in after.items() if name not in _NAMED and value not in ("", None)}
        after = {name: names.get(value, value) if name == "reader" else value for name, value in told.items()}
    return Moment(
        at=event.created_at,
        key=f"e{event.pk:019d}",
        kind=kind,
        who=event.actor_name or "the system",
        did=WORDS.get(event.action, event.action),
        before=in_words(event.before),
        after=in_words(after),
        event=event,
    )


def _revisions(case: Case) -> list[Gold]:
    """Every revision of the case's gold, in order; there are few."""
    regions = Prefetch("rois", GoldRoi.objects.order_by("number", "pk"))
    return list(Gold.objects.filter(case=case).order_by("revision").prefetch_related(regions))


def _content(gold: Gold) -> Content:
    if gold.is_withdrawn:
        return Content()
    rois = [
        {
            "id": str(roi.client_id),
            "image": roi.image,
            "frame": roi.frame,
            "label": roi.label,
            "shape": roi.shape,
            "geometry": roi.geometry,
        }
        for roi in gold.rois.all()
    ]
    return Content(gold.answer, rois, gold.steps)


def _golds(case: Case) -> list[Moment]:
    found: list[Moment] = []
    earlier: Content | None = None
    for gold in _revisions(case):
        content = _content(gold)
        before, after = differences(earlier, content)
        did = f"gold {gold.revision} was " + ("withdrawn" if gold.is_withdrawn else "written")
        found.append(Moment(gold.created_at, f"g{gold.revision:09d}", "gold", did, before=before, after=after))
        earlier = content
    return found


def _voices(case: Case, at: dt.datetime) -> list[Voice]:
    standing = [gold for gold in _revisions(case) if gold.created_at <= at]
    if not standing or standing[-1].is_withdrawn:
        return []
    gold = standing[-1]
    return [Voice("gold", "Gold", gold.created_at, f"revision {gold.revision}", _content(gold))]


section = TrailSection(moments=_moments, voices=_voices)
