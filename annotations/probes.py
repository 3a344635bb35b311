"""Probes: cases whose gold is known, handed out among the others at a secret rate, so that drift of readers shows.

A reader is never told. A probe takes nobody's place, comes once to each reader, and looks like any other case: the
queue asks `due_probe` before it looks for a case, and the answer is drawn from a keyed digest, not from a random
number, so that asking again, releasing or another tab draw nothing anew: whoever is told that nothing is left and asks
again would otherwise know a case that comes then for a probe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.utils.crypto import salted_hmac

from annotations.models import Assignment, AssignmentState, Origin, ProbeTurn
from curation import audit, facts
from curation.models import Benchmark, Case, Gold

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection

    from curation.models import User

LARGEST_RATE = 0.5
MOST_AT_ONCE = 1000
_SALT = "annotations.probes"
_END = """
    INSERT INTO annotations_probeturn AS turn (reader_id, benchmark_id, ended) VALUES (%s, %s, 1)
    ON CONFLICT (reader_id, benchmark_id) DO UPDATE SET ended = turn.ended + 1"""


class NoGold(ValueError):
    """A probe needs gold: without, nobody could say how it was read."""

    def __init__(self, keys: list[str]) -> None:
        named = ", ".join(keys[:5]) + (f" and {len(keys) - 5} more" if len(keys) > 5 else "")
        super().__init__(f"no gold is in force for {named}")
        self.keys = keys


class UnknownCases(ValueError):
    """Ids of no case of the benchmark."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(f"{ids[0]} is no case of this benchmark")
        self.ids = ids


def due_probe(*, reader: User, benchmark: Benchmark) -> uuid.UUID | None:
    """The probe that the reader's next case is to be, or None: it comes from the queue.

    Parameters
    ----------
    reader
        Whose row the caller has locked, so that of two tabs the second sees what the first was given.
    benchmark
        Its `probe_rate` is the share of hand-outs that are probes, as long as there are probes left for the reader.

    Returns
    -------
    Id of a case that the reader has not been given yet, or of the probe that they released or let run out: it comes
    back, as any other case would.

    Notes
    -----
    The draw is an HMAC, under the installation's secret key, of reader, benchmark and the number of cases that the
    reader submitted or skipped there (`end_turn` counts them): unpredictable without the key, the same however often
    it is asked. Where cases only come by assignment there are no probes: one that nobody assigned would stand out.
    """
    if not benchmark.probe_rate or benchmark.is_push_only:
        return None
    given = Assignment.objects.filter(reader=reader, case__benchmark=benchmark)
    unended = given.filter(state__in=[AssignmentState.LEASED, AssignmentState.RELEASED], origin=Origin.PROBE)
    back = unended.filter(case__is_probe=True).order_by("created_at").values_list("case_id", flat=True).first()
    turns = ProbeTurn.objects.filter(reader=reader, benchmark=benchmark).values_list("ended", flat=True)
    turn = f"{reader.pk}:{benchmark.pk}:{turns.first() or 0}"
    if back is not None:
        return back
    if _drawn("whether", turn) >= benchmark.probe_rate:
        return None
    left = list(
        Case.objects.filter(
            ~Exists(Assignment.objects.filter(case=OuterRef("pk"), reader=reader)),
            Exists(Gold.objects.in_force().filter(case=OuterRef("pk"))),
            benchmark=benchmark,
            is_probe=True,
        )
        .order_by("position")
        .values_list("pk", flat=True)
    )
    return left[int(_drawn("which", turn) * len(left))] if left else None


def end_turn(*, reader_id: uuid.UUID, benchmark: Benchmark) -> None:
    """Count that the reader submitted or skipped a case, whichever it was; the next one is drawn anew.

    In the caller's transaction, after its other locks. Where no probes are handed out nothing is drawn, nor counted.
    """
    if benchmark.probe_rate:
        with connection.cursor() as cursor:
            cursor.execute(_END, [reader_id, benchmark.pk])


@transaction.atomic
def mark_probes(*, benchmark: Benchmark, case_ids: Collection[uuid.UUID], is_probe: bool, actor: User) -> int:
    """Make cases probes, or cases of the queue again.

    A case that was read or drawn already may become a probe: its readings stay what they are, and whoever was given it
    is not given it again. Of a probe that becomes a case of the queue the probe readings hold no place.

    Returns
    -------
    How many changed.

    Raises
    ------
    UnknownCases
        If one is not of this benchmark; nothing is changed then.
    NoGold
        If one that is to become a probe has no gold in force; nothing is changed then.
    """
    # The benchmark before its cases, as whoever changes order or overlap does (annotations/ordering.py).
    Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark.pk)
    rows = Case.objects.select_for_update(no_key=True).filter(benchmark=benchmark, pk__in=case_ids).order_by("pk")
    cases = list(rows.only("pk", "key", "is_probe"))
    unknown = set(case_ids) - {case.pk for case in cases}
    if unknown:
        raise UnknownCases(sorted(map(str, unknown)))
    if is_probe:
        golden = set(Gold.objects.in_force().filter(case__in=cases).values_list("case_id", flat=True))
        without = sorted(case.key for case in cases if case.pk not in golden)
        if without:
            raise NoGold(without)
    changing = [case.pk for case in cases if case.is_probe != is_probe]
    if changing:
        # `update`, so that neither the case's version nor its time of change tells that something happened to it.
        Case.objects.filter(pk__in=changing).update(is_probe=is_probe)
        facts.record(changing)
        Benchmark.objects.filter(pk=benchmark.pk).update(queue_epoch=F("queue_epoch") + 1)
        audit.record(
            "probes.marked" if is_probe else "probes.unmarked",
            actor=actor,
            benchmark_id=benchmark.pk,
            object_type="benchmark",
            object_id=benchmark.slug,
            after={"cases": sorted(map(str, changing))},
        )
    return len(changing)


@transaction.atomic
def change_probing(
    *, benchmark: Benchmark, actor: User, probe_rate: float | None = None, is_training: bool | None = None
) -> Benchmark:
    """Set the share of hand-outs that are probes, and whether readers are told the gold after each submit.

    Raises
    ------
    ValueError
        If the rate is outside of [0, 0.5].
    """
    if probe_rate is not None and not 0 <= probe_rate <= LARGEST_RATE:
        raise ValueError(f"{probe_rate:g} is outside of 0 to {LARGEST_RATE:g}")
    locked = Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark.pk)
    wanted = {"probe_rate": probe_rate, "is_training": is_training}
    changes = {name: value for name, value in wanted.items() if value is not None and value != getattr(locked, name)}
    if changes:
        before = {name: getattr(locked, name) for name in changes}
        for name, value in changes.items():
            setattr(locked, name, value)
        locked.save(update_fields=list(changes))
        audit.record(
            "benchmark.probing_changed",
            actor=actor,
            benchmark_id=benchmark.pk,
            object_type="benchmark",
            object_id=benchmark.slug,
            before=before,
            after=changes,
        )
    return locked


def _drawn(what: str, turn: str) -> float:
    """A number in [0, 1) that only the holder of the secret key could tell beforehand."""
    digest = salted_hmac(_SALT, f"{what}:{turn}", algorithm="sha256").digest()
    return int.from_bytes(digest[:6], "big") / 2**48
