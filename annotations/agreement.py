"""The read model of agreement: what two parties say of a case, held against each other at every submit.

Rows of readers and gold are written here, those of models by `inference.agreeing`, all by `agreement_pair.compare`. A
submit computes the pairs of that reading alone; the rest of the case, and of the benchmark, stays as it is. What pages
add up over cases is kept added up by `agreement_tallies`, in the same transaction.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from annotations import agreement_kept
from annotations import agreement_tallies as tallies
from annotations.agreement_pair import METRIC_VERSION, Compared, compare
from annotations.agreement_sources import CaseSources, sources_of
from annotations.models import AgreementConfusion, AgreementLabel, AgreementScore, Arm, CaseAgreement, PartyKind
from annotations.signals import agreement_changed
from curation import events, queues
from curation.models import Case, Membership, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

AGREE_TASK = "annotations.tasks.agree_case"
AGREEMENT_CHANGED = "agreement.changed"
BATCH = 200
KEY = ("arm", "a_kind", "a_party", "b_kind", "b_party")
_NOT_COMPARED = {"id", "computed_at"}
SCORE_FIELDS = tuple(
    column.attname for column in AgreementScore._meta.concrete_fields if column.name not in _NOT_COMPARED
)
STATE_FIELDS = tuple(
    column.attname for column in CaseAgreement._meta.concrete_fields if column.name not in _NOT_COMPARED
)
LABEL_FIELDS = ("label", "matched", "only_a", "only_b", "iou")
CONFUSION_FIELDS = ("label_a", "label_b", "count")
OF_MODELS = PartyKind.MODEL.value


def request(case_ids: Iterable[uuid.UUID]) -> None:
    """Send the task for each case when the transaction commits; what gets lost the sweep finds by `behind`."""
    for case_id in case_ids:
        queues.send(AGREE_TASK, case_id=str(case_id))


@transaction.atomic
def record_case(case_id: uuid.UUID) -> bool:
    """Bring the rows of a case up to what was said of it; returns whether anything changed.

    Notes
    -----
    Safe to run at any time and by any number of workers: they take turns at the case, each reads what was committed
    when its turn came, and who finds nothing new writes nothing. Nobody who reads or submits waits for it.
    """
    state = _lock(case_id)
    if state is None:  # a message about a case that is no more
        return False
    sources = sources_of([case_id])[case_id]
    if not sources.is_submitted:
        had_any = bool(state.sources_digest)
        _forget(state)
    else:
        had_any = state.sources_digest != sources.digest
        if had_any:
            _write(sources, state)
    if had_any:
        _tell(sources)
    return had_any


@transaction.atomic
def record(case_ids: Iterable[uuid.UUID]) -> int:
    """Compute and store every row of readers and gold of these cases anew; returns how many rows there are."""
    known = sorted(case_ids)
    written = 0
    for start in range(0, len(known), BATCH):
        batch = known[start : start + BATCH]
        for case_id, sources in sorted(sources_of(batch).items()):
            state = _lock(case_id)
            if state is None:
                continue
            if sources.is_submitted:
                written += _write(sources, state, is_anew=True)
            else:
                _forget(state)
    return written


def _lock(case_id: uuid.UUID) -> CaseAgreement | None:
    """The case's row, held to the end of the transaction. Not the case itself: for that a submit would wait."""
    benchmark_id = Case.objects.filter(pk=case_id).values_list("benchmark_id", flat=True).first()
    if benchmark_id is None:
        return None
    fresh = CaseAgreement(
        case_id=case_id, benchmark_id=benchmark_id, sources_digest="", metric_version="", computed_at=timezone.now()
    )
    CaseAgreement.objects.bulk_create([fresh], ignore_conflicts=True)
    return CaseAgreement.objects.select_for_update().get(pk=case_id)


def _own_rows(case_ids: Iterable[uuid.UUID]) -> Any:
    return AgreementScore.objects.filter(case__in=list(case_ids)).exclude(a_kind=OF_MODELS).exclude(b_kind=OF_MODELS)


def _stored(case_id: uuid.UUID) -> list[tallies.StoredPair]:
    return [tallies.StoredPair(row, list(row.labels.all())) for row in _own_rows([case_id]).prefetch_related("labels")]


def _made_of(row: AgreementScore) -> tuple[Any, ...]:
    """What a stored pair was computed from, with its key."""
    names = (*KEY, "a_said", "a_revision", "b_said", "b_revision", "modalities", "cluster", "metric_version")
    return tuple(getattr(row, name) for name in names)


def _forget(state: CaseAgreement) -> None:
    """Remove what is stored of a case of which nothing is said any more."""
    before = _cells(_stored(state.case_id), state)
    _own_rows([state.case_id]).delete()
    state.delete()
    tallies.write(state.benchmark_id, tallies.differences(before, {}))


def _write(sources: CaseSources, state: CaseAgreement, *, is_anew: bool = False) -> int:
    """Compute the pairs that are not stored yet, or all anew, and replace what differs; tallies follow."""
    stage = sources.stage
    stored = _stored(stage.case_id)
    have = {} if is_anew else {_made_of(pair.score): pair for pair in stored}
    kept: list[tallies.StoredPair] = []
    missing: list[Compared] = []
    for one, other in sources.pairs():
        key = (one.arm.value, one.kind.value, one.party, other.kind.value, other.party)
        made_of = (*key, one.id, one.revision, other.id, other.revision, stage.modalities, stage.cluster)
        has = have.get((*made_of, METRIC_VERSION))
        if has is not None:
            kept.append(has)
        else:
            missing.append(compare(one, other, stage))
    gone = {pair.score.pk for pair in stored} - {pair.score.pk for pair in kept}
    if gone:
        AgreementScore.objects.filter(pk__in=gone).delete()
    save(missing)
    now = _store_state(sources)
    changes = tallies.differences(_cells(stored, state), _cells([*kept, *missing], now))
    tallies.write(stage.benchmark_id, changes)
    agreement_kept.begin_unless_begun(now, is_new=not state.sources_digest)
    return len(kept) + len(missing)


def _cells(pairs: Sequence[tallies.StoredPair | Compared], state: CaseAgreement) -> tallies.Cells:
    """What a case adds to the tallies of its benchmark."""
    return {**tallies.cells_of_pairs(pairs, said_at=state.said_at), **tallies.cells_of_state(state)}


def save(pairs: Sequence[Compared]) -> None:
    """Store pairs that have no rows yet, with their labels."""
    now = timezone.now()
    for one in pairs:
        one.score.computed_at = now
    AgreementScore.objects.bulk_create([one.score for one in pairs])
    AgreementLabel.objects.bulk_create([row for one in pairs for row in one.label_rows()])
    AgreementConfusion.objects.bulk_create([row for one in pairs for row in one.confusion_rows()])


def _store_state(sources: CaseSources) -> CaseAgreement:
    row = state_of(sources)
    row.computed_at = timezone.now()
    CaseAgreement.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["case"], update_fields=[*STATE_FIELDS[1:], "computed_at"]
    )
    return row


def state_of(sources: CaseSources) -> CaseAgreement:
    """The row of a case, unsaved, from its readings."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for said in sources.readings:
        if said.answer:
            counts[said.arm.value][said.answer] += 1
    stage = sources.stage
    return CaseAgreement(
        case_id=stage.case_id,
        benchmark_id=stage.benchmark_id,
        sources_digest=sources.digest,
        metric_version=METRIC_VERSION,
        readers=sum(said.arm == Arm.UNAIDED for said in sources.readings),
        pattern=dict(sorted(counts[Arm.UNAIDED.value].items())),
        aided_pattern=dict(sorted(counts[Arm.AIDED.value].items())),
        modalities=stage.modalities,
        cluster=stage.cluster,
        said_at=max((said.said_at for said in sources.readings if said.said_at), default=None),
    )


def _tell(sources: CaseSources) -> None:
    """Who may see all agreement of the case, and after the commit whoever computes from it."""
    announce(sources)
    case_id = sources.stage.case_id
    # A lambda: `robust` asks a failing callback for its name.
    transaction.on_commit(lambda: agreement_changed.send_robust(sender=CaseAgreement, case_id=case_id))


def announce(sources: CaseSources) -> None:
    """Publish that rows of a case changed.

    Staff who do not read here hear of every case; staff who read here as well, of those that they have submitted.
    Readers hear nothing: when and how often others read a case is not theirs to know.
    """
    stage = sources.stage
    tell = partial(
        events.publish,
        AGREEMENT_CHANGED,
        benchmark_id=stage.benchmark_id,
        least_role=Role.REVIEWER,
        case=str(stage.case_id),
    )
    tell(is_blinded=True)
    of_readers = Membership.objects.filter(user__in={said.party for said in sources.readings})
    also_staff = of_readers.exclude(role=Role.READER).order_by("user_id").values_list("user_id", "benchmark_id")
    for reader_id in sorted({user_id for user_id, where in also_staff if where in (None, stage.benchmark_id)}):
        tell(reader_id=reader_id)


# The digest as `CaseSources.digest` takes it, in one statement for every case: the task and the sweep must agree.
_BEHIND = """
WITH said AS (
    SELECT case_id, string_agg(id::text || ':' || revision, ',' ORDER BY id::text COLLATE "C") AS readings
    FROM annotations_reading WHERE revision > 0 GROUP BY case_id
), gold AS (
    SELECT case_id, max(revision) AS revision FROM curation_gold GROUP BY case_id
)
SELECT cased.id FROM curation_case cased
LEFT JOIN said ON said.case_id = cased.id
LEFT JOIN gold ON gold.case_id = cased.id
LEFT JOIN annotations_caseagreement state ON state.case_id = cased.id
WHERE (said.case_id IS NOT NULL OR state.case_id IS NOT NULL)
  AND state.sources_digest IS DISTINCT FROM md5(
    %s || '|' || cased.input_digest || '|' || cased.version || '|' || coalesce(gold.revision, 0)
      || '|' || coalesce(said.readings, ''))
ORDER BY cased.id LIMIT %s
"""


def behind(limit: int) -> list[uuid.UUID]:
    """Cases whose rows are not of what was said last; one query over all cases."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, [METRIC_VERSION, limit])
        return [row[0] for row in cursor.fetchall()]


def differing(case_ids: Iterable[uuid.UUID]) -> list[tuple[str, str, Any, Any]]:
    """Where stored rows differ from their sources: (case id, field, stored, computed).

    A case whose row says by its digest that it is behind is left out: its task is under way, or the sweep sends it.
    """
    wanted = sorted(case_ids)
    found: list[tuple[str, str, Any, Any]] = []
    for start in range(0, len(wanted), BATCH):
        batch = wanted[start : start + BATCH]
        states = CaseAgreement.objects.in_bulk(batch)
        sources = {
            case_id: one
            for case_id, one in sources_of(batch).items()
            if case_id in states and states[case_id].sources_digest == one.digest
        }
        stored = stored_rows(_own_rows(sources))
        for case_id, one in sorted(sources.items()):
            name = str(case_id)
            computed = [compare(first, second, one.stage) for first, second in one.pairs()]
            true = state_of(one)
            found += [
                (name, f"agreement {column}", getattr(states[case_id], column), getattr(true, column))
                for column in STATE_FIELDS
                if getattr(states[case_id], column) != getattr(true, column)
            ]
            found += differences(name, stored.get(case_id, {}), computed)
    return found


Parts = tuple[frozenset[tuple[Any, ...]], frozenset[tuple[Any, ...]]]
Stored = dict[tuple[Any, ...], tuple[AgreementScore, Parts]]
"""Rows of a case with those of its labels and of their confusion, by the pair's key."""


def stored_rows(rows: Any) -> dict[uuid.UUID, Stored]:
    """Stored rows with what belongs to them, by case; three queries."""
    found: dict[uuid.UUID, Stored] = defaultdict(dict)
    for row in rows.prefetch_related("labels", "confusions"):
        parts = _parts(row.labels.all(), row.confusions.all())
        found[row.case_id][tuple(getattr(row, name) for name in KEY)] = (row, parts)
    return found


def _parts(labels: Iterable[AgreementLabel], confusions: Iterable[AgreementConfusion]) -> Parts:
    return (
        frozenset(tuple(getattr(row, name) for name in LABEL_FIELDS) for row in labels),
        frozenset(tuple(getattr(row, name) for name in CONFUSION_FIELDS) for row in confusions),
    )


def differences(case: str, stored: Stored, computed: Sequence[Compared]) -> Iterator[tuple[str, str, Any, Any]]:
    """Where the stored pairs of a case are not the computed ones."""
    true = {tuple(getattr(one.score, name) for name in KEY): one for one in computed}
    for key in sorted({*stored, *true}, key=str):
        name = f"agreement of {key[1]} {key[2]} and {key[3]} {key[4]} ({key[0]})"
        has, one = stored.get(key), true.get(key)
        if has is None or one is None:
            yield (case, name, has and "stored", one and "computed")
            continue
        for column in SCORE_FIELDS:
            if getattr(has[0], column) != getattr(one.score, column):
                yield (case, f"{name} {column}", getattr(has[0], column), getattr(one.score, column))
        parts = _parts(one.label_rows(), one.confusion_rows())
        for word, kept, wanted in zip(("labels", "confusion"), has[1], parts, strict=True):
            if kept != wanted:
                yield (case, f"{name} {word}", sorted(kept, key=str), sorted(wanted, key=str))
