"""Tallies held against the pairs they stand for: begun where there are none, proved, and mended.

Both are found by one statement, and are of one moment: whoever changes pairs changes tallies in the same transaction,
so the difference between them is the same at every moment, whatever workers do. To add it is to mend, and to begin.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from annotations import agreement_tallies as tallies
from annotations.agreement_coefficients import met_statement, patterns_statement
from annotations.agreement_pair import NUMBERS
from annotations.agreement_rows import (
    BY_A,
    BY_B,
    BY_DAY,
    BY_LABEL,
    BY_MODALITY,
    BY_PAIR,
    BY_READER,
    BY_WEEK,
    READERS,
    WHOLE,
    BoundQuery,
    Narrowed,
    statement_of,
)
from annotations.agreement_tallies import ANSWERED, LABEL_NUMBERS, PARTS, RULE, Cells, bucket_of, part_of
from annotations.models import (
    AgreementDelta,
    AgreementScore,
    AgreementTally,
    Arm,
    CaseAgreement,
    PartyKind,
    TalliedBenchmark,
)
from curation.models import Benchmark, Case

DIGITS = 2
SPLITS = {split.what: split for split in (WHOLE, BY_READER, BY_A, BY_B, BY_PAIR, BY_MODALITY, BY_WEEK, BY_DAY)}
_BOTH = """
SELECT true, key, cluster, numbers FROM ({true}) AS added (key, cluster, numbers)
UNION ALL SELECT false, key, CASE bucket WHEN -1 THEN '' ELSE lpad(to_hex(bucket::int), 2, '0') END, numbers
FROM (
    SELECT benchmark_id, part, key, bucket, numbers FROM annotations_agreementtally
    UNION ALL SELECT benchmark_id, part, key, bucket, numbers FROM annotations_agreementdelta
) AS kept
WHERE benchmark_id = %s AND part = %s
"""


def record(case_ids: Iterable[uuid.UUID]) -> int:
    """Mend the tallies of the benchmarks of these cases, and begin those of any that has none; returns how many.

    Where nobody reads any more, no change begins them: then `rebuild_facts` does, though no fact differs.
    """
    begun = TalliedBenchmark.objects.filter(rule=RULE).values("pk")
    unbegun = CaseAgreement.objects.exclude(benchmark_id__in=begun).values("benchmark_id")
    asked = Q(cases__in=list(case_ids)) | Q(pk__in=unbegun)
    benchmarks = Benchmark.objects.filter(asked).distinct().order_by("slug")
    for benchmark in benchmarks:
        begin(benchmark)
    return len(benchmarks)


@transaction.atomic
def begin(benchmark: Benchmark, *, waits: bool = True) -> None:
    """Make a benchmark's tallies those of its pairs, whatever they were; from then on pages read them."""
    if not tallies.lock(benchmark.pk, waits=waits):
        return
    known = {part for part, _ in _statements(benchmark)}
    for model in (AgreementTally, AgreementDelta):
        model.objects.filter(benchmark_id=benchmark.pk).exclude(part__in=known).delete()  # of another rule
    for part, kept, true in _compared(benchmark):
        changes = tallies.differences(kept, true)
        is_new = not AgreementTally.objects.filter(benchmark_id=benchmark.pk, part=part).exists()
        _copy(benchmark.pk, changes, AgreementTally if is_new else AgreementDelta)
        if not is_new:
            tallies.fold(benchmark.pk, part)
    TalliedBenchmark.objects.update_or_create(benchmark_id=benchmark.pk, defaults={"rule": RULE})


def _copy(benchmark_id: uuid.UUID, changes: Cells, model: type[AgreementTally | AgreementDelta]) -> None:
    """Write many rows at once."""
    table = model._meta.db_table
    statement = f"COPY {table} (benchmark_id, part, key, bucket, numbers) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for (part, key, bucket), numbers in changes.items():
            copy.write_row((benchmark_id, part, key, bucket, numbers))


def begin_unless_begun(state: CaseAgreement, *, is_new: bool) -> None:
    """At the first change of a benchmark's pairs, or the first one after an upgrade; nobody waits for another.

    Parameters
    ----------
    is_new
        Whether nothing was stored of the case before this change.
    """
    if TalliedBenchmark.objects.filter(pk=state.benchmark_id, rule=RULE).exists():
        return
    others = CaseAgreement.objects.filter(benchmark_id=state.benchmark_id).exclude(pk=state.pk)
    of_models = AgreementScore.objects.filter(benchmark_id=state.benchmark_id, b_kind=PartyKind.MODEL)
    if not is_new or others.exists() or of_models.exists():
        begin(Benchmark.objects.get(pk=state.benchmark_id), waits=False)
    elif tallies.lock(state.benchmark_id, waits=False):  # nobody has added anything before
        TalliedBenchmark.objects.update_or_create(benchmark_id=state.benchmark_id, defaults={"rule": RULE})


def differing(case_ids: Iterable[uuid.UUID]) -> list[tuple[str, str, Any, Any]]:
    """Where tallies of the benchmarks of these cases are not of their pairs: (case id, field, stored, computed).

    The case is any of the benchmark. One without tallies differs in nothing: its pages read the pairs.
    """
    found = []
    for benchmark in _benchmarks(case_ids):
        if not TalliedBenchmark.objects.filter(pk=benchmark.pk, rule=RULE).exists():
            continue
        case_id = str(Case.objects.filter(benchmark=benchmark).values_list("pk", flat=True).first())
        for _, kept, true in _compared(benchmark):
            for place in sorted(tallies.differences(kept, true)):
                name = f"tally of {benchmark.slug}: {' '.join(map(str, place))}"
                found.append((case_id, name, kept.get(place), true.get(place)))
    return found


def _benchmarks(case_ids: Iterable[uuid.UUID]) -> list[Benchmark]:
    return list(Benchmark.objects.filter(cases__in=list(case_ids)).distinct().order_by("slug"))


def _compared(benchmark: Benchmark) -> Iterator[tuple[str, Cells, Cells]]:
    """Each part with what its tally says, and what the pairs say; one query each."""
    for part, (statement, given) in _statements(benchmark):
        kept: Cells = {}
        true: Cells = {}
        with connection.cursor() as cursor:
            cursor.execute(_BOTH.format(true=statement), [*given, benchmark.pk, part])
            for is_true, key, cluster, numbers in cursor.fetchall():
                cells, place = true if is_true else kept, (part, _plain(part, key), bucket_of(cluster))
                had = cells.get(place)
                cells[place] = (
                    numbers if had is None else [one + other for one, other in zip(had, numbers, strict=True)]
                )
        yield part, {place: numbers for place, numbers in kept.items() if any(numbers)}, true


def _plain(part: str, key: str) -> str:
    """A key as tallies have it; the database writes patterns in an order of its own."""
    return tallies.pattern_key(json.loads(key)) if part.split()[1] == "pattern" else key


def _statements(benchmark: Benchmark) -> Iterator[tuple[str, BoundQuery]]:
    """What finds in the pairs each part that tallies hold."""
    for arm in Arm:
        narrowed = Narrowed(arm=arm)
        yield part_of("pattern", arm), patterns_statement(benchmark, narrowed, digits=DIGITS)
        of_labels = statement_of(benchmark, narrowed, BY_LABEL, kinds=READERS, names=LABEL_NUMBERS, digits=DIGITS)
        yield part_of("label", arm, READERS), of_labels
        for kinds, whats in PARTS.items():
            for what in whats:
                split, names = SPLITS[what], NUMBERS
                asked = statement_of(benchmark, narrowed, split, kinds=kinds, names=names, digits=DIGITS)
                yield part_of(what, arm, kinds), asked
            if kinds in ANSWERED:
                yield part_of("answers", arm, kinds), met_statement(benchmark, narrowed, kinds)
