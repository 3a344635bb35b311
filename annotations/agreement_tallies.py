"""Running tallies of agreement: what a page would add up from every stored pair, added up as pairs come and go.

A case adds to each part of a page (all readers, one reader, two parties, a label, a week …) the mean of its pairs
there, in the bucket of its cluster; a bucket is what a bootstrap draws (`agreement_rows.MOST_CLUSTERS`). So the numbers
of any number of cases are 256 rows for each line of a page, and a page costs the same at ten thousand cases and at a
million.

Why not less: at 100,000 cases and 900,000 pairs one GROUP BY over the pairs took .5 s (all readers), 2.4 s (each
reader) and 3.6 s (each two parties) of CPU, nearly all of it in the database's adding up, and no narrower copy of the
pairs helps where every one of them must be looked at. Why not more: one array of all buckets for each line would be
less to read, but a row that every submit rewrites.

Exact: each number of a pair is rounded to a whole multiple of 1 / FIXED, a case's mean likewise, and tallies add whole
numbers. What is taken away leaves no trace, the order of changes does not matter, and `agreement_rows` gets the very
same sums from the pairs themselves, which is how `agreement_kept` proves tallies and begins them.

Concurrent: whoever changes the pairs of a case adds its change as new rows (`AgreementDelta`) in the same transaction,
and reading adds those to what was folded (`AgreementTally`). No row is ever updated but by the one who folds, under an
advisory lock that others do not wait for: so nobody waits, and no order of locks can be wrong.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

from annotations.agreement_pair import Compared, numbers_of
from annotations.agreement_regions import LabelOverlap
from annotations.models import AgreementDelta, AgreementLabel, AgreementScore, Arm, CaseAgreement, PartyKind

if TYPE_CHECKING:
    import uuid

RULE = 1
"""Raised with any change of what a tally holds; those of another rule are begun anew."""
FIXED = 2**30
"""One in tallies: numbers are whole multiples of 1e-9."""
MOST = 2.0**16
"""What is larger (a distance in pixels, a ratio) counts as this, so that sums stay exact."""
FOLD_FROM = 2000
"""So many rows of changes are worth folding: some eighty submits."""
NO_BUCKET = -1
LABEL_NUMBERS = ("detection_f1", "iou")

Kinds = tuple[PartyKind, PartyKind]
Place = tuple[str, str, int]
"""Part, key and bucket."""
Row = tuple[str, Any, Sequence[int]]
"""A key, a cluster or bucket, and numbers."""
Cells = dict[Place, list[int]]
"""What is added where: numbers of pairs and cases, then how many cases have each number, then the sums of their means;
of patterns and of met answers cases alone."""
READERS: Kinds = (PartyKind.READER, PartyKind.READER)
PARTS: dict[Kinds, tuple[str, ...]] = {
    READERS: ("whole", "reader", "pair", "modality", "week", "day"),
    (PartyKind.READER, PartyKind.GOLD): ("whole", "a"),
    (PartyKind.READER, PartyKind.MODEL): ("pair", "b"),
    (PartyKind.MODEL, PartyKind.MODEL): ("whole",),
}
"""By what pairs of these kinds are split; those of readers by label as well."""
ANSWERED = frozenset({READERS, (PartyKind.READER, PartyKind.MODEL)})
"""Whose met answers are counted, for Cohen's kappas."""
WHOLE_KEY = "all"


OfLabel = AgreementLabel | LabelOverlap
"""What two parties drew of one label, stored or just computed."""


@dataclass(frozen=True)
class StoredPair:
    """A pair's row with those of its labels."""

    score: AgreementScore
    labels: Sequence[AgreementLabel] = ()


def part_of(what: str, arm: str, kinds: Kinds | None = None) -> str:
    """The name of a part as it is stored."""
    return " ".join([str(RULE), what, str(arm), *map(str, kinds or ())])


def fixed(value: float | None) -> int | None:
    """A number in multiples of 1 / FIXED, as `agreement_rows` has it in SQL.

    Examples
    --------
    >>> fixed(0.5) == FIXED // 2, fixed(None), fixed(1e300) == fixed(float("inf")) == 2**46
    (True, None, True)
    """
    if value is None:
        return None
    return round((value if value <= MOST else MOST) * FIXED)


def bucket_of(cluster: str) -> int:
    """Where the cases of a cluster are drawn."""
    return int(cluster[:2], 16) if cluster else NO_BUCKET


def cells_of_pairs(pairs: Iterable[StoredPair | Compared], *, said_at: dt.datetime | None) -> Cells:
    """What the pairs of one case add to its benchmark's tallies.

    Parameters
    ----------
    said_at
        When the case was read last: the week and day that it stands in.
    """
    groups: dict[tuple[str, str], list[tuple[int, list[int | None]]]] = defaultdict(list)
    cells: Cells = {}
    for pair in pairs:
        row = pair.score
        kinds = (PartyKind(row.a_kind), PartyKind(row.b_kind))
        bucket, numbers = bucket_of(row.cluster), [fixed(value) for value in numbers_of(row)]
        for what in PARTS.get(kinds, ()):
            for key in _keys(what, row, said_at):
                groups[part_of(what, row.arm, kinds), key].append((bucket, numbers))
        if kinds == READERS:
            for label in pair.labels:
                groups[part_of("label", row.arm, kinds), label.label].append((bucket, _of_label(label)))
        if kinds in ANSWERED and row.a_answer and row.b_answer:
            key = met_key(str(row.a_party), str(row.b_party), row.a_answer, row.b_answer)
            cells[part_of("answers", row.arm, kinds), key, NO_BUCKET] = [1]
    for (part, key), members in groups.items():
        cells[part, key, min(bucket for bucket, _ in members)] = _one_case([numbers for _, numbers in members])
    return cells


def cells_of_state(state: CaseAgreement) -> Cells:
    """What the answers of one case's readers add to its benchmark's tallies."""
    patterns = ((Arm.UNAIDED, state.pattern), (Arm.AIDED, state.aided_pattern))
    return {
        (part_of("pattern", arm), pattern_key(pattern), bucket_of(state.cluster)): [1]
        for arm, pattern in patterns
        if pattern
    }


def pattern_key(pattern: Mapping[str, int]) -> str:
    """A pattern as one text.

    Examples
    --------
    >>> pattern_key({"B": 1, "A": 2})
    '{"A": 2, "B": 1}'
    """
    return json.dumps(dict(sorted(pattern.items())), ensure_ascii=False)


def met_key(a: str, b: str, a_answer: str, b_answer: str) -> str:
    """Two parties and what each answered, as one text; `agreement_coefficients` has the same in SQL."""
    return f"{a} {b} {len(a_answer)} {a_answer}{b_answer}"


def met_of(key: str) -> tuple[str, str, str, str]:
    """What `met_key` was made of.

    Examples
    --------
    >>> met_of(met_key("one", "two", "a b", " c"))
    ('one', 'two', 'a b', ' c')
    """
    a, b, length, answers = key.split(" ", 3)
    return a, b, answers[: int(length)], answers[int(length) :]


def _keys(what: str, row: AgreementScore, said_at: dt.datetime | None) -> list[str]:
    """The lines of a part that a pair stands in."""
    a, b = str(row.a_party), str(row.b_party)
    if what == "modality":
        return row.modalities.split(" ") if row.modalities else []
    if what in ("week", "day"):
        if said_at is None:
            return []
        day = said_at.astimezone(dt.UTC).date()
        return [str(day - dt.timedelta(days=day.weekday()) if what == "week" else day)]
    return {"whole": [WHOLE_KEY], "reader": [a, b], "pair": [f"{a} {b}"], "a": [a], "b": [b]}[what]


def _of_label(label: OfLabel) -> list[int | None]:
    """LABEL_NUMBERS of it."""
    either = 2 * label.matched + label.only_a + label.only_b
    return [fixed(2.0 * label.matched / either if either else None), fixed(label.iou)]


def _one_case(members: list[list[int | None]]) -> list[int]:
    """One case with the mean of its pairs."""
    counts, means = [], []
    for column in zip(*members, strict=True):
        told = [value for value in column if value is not None]
        counts.append(1 if told else 0)
        means.append(round(sum(told) / len(told)) if told else 0)
    return [len(members), 1, *counts, *means]


def differences(before: Cells, after: Cells) -> Cells:
    """What to add to `before` to get `after`, where it is anything.

    Examples
    --------
    >>> differences({("a", "", 0): [1, 2], ("b", "", 0): [1]}, {("a", "", 0): [1, 3], ("b", "", 0): [1]})
    {('a', '', 0): [0, 1]}
    """
    found: Cells = {}
    for place in {**before, **after}:
        old, new = before.get(place), after.get(place)
        width = len(old or new or ())
        change = [one - other for one, other in zip(new or [0] * width, old or [0] * width, strict=True)]
        if any(change):
            found[place] = change
    return found


def write(benchmark_id: uuid.UUID, changes: Cells) -> None:
    """Add changes to a benchmark's tallies, in the transaction that changes the pairs; fold where it is worth it."""
    if not changes:
        return
    rows = (
        AgreementDelta(benchmark_id=benchmark_id, part=part, key=key, bucket=bucket, numbers=numbers)
        for (part, key, bucket), numbers in changes.items()
    )
    AgreementDelta.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [benchmark_id, FOLD_FROM])
        is_worth_it = cursor.fetchone()[0] >= FOLD_FROM
    if is_worth_it:
        fold(benchmark_id)


def fold(benchmark_id: uuid.UUID, part: str | None = None) -> None:
    """Add the changes of a benchmark, or of one part, to its tallies, unless somebody is at it; no sum changes."""
    if lock(benchmark_id, waits=False):
        with connection.cursor() as cursor:
            cursor.execute(_FOLD, [benchmark_id, part, part])


def lock(benchmark_id: uuid.UUID, *, waits: bool) -> bool:
    """Be the only one who folds or begins a benchmark's tallies, to the end of the transaction; whether that is so."""
    name = "pg_advisory_xact_lock" if waits else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name}(%s, hashtext(%s))", [LOCK, str(benchmark_id)])
        return waits or bool(cursor.fetchone()[0])


def read(benchmark_id: uuid.UUID, part: str, key: str | None = None) -> list[Row]:
    """(key, bucket, numbers) of a part, or of one of its keys; several rows of the same key and bucket add up."""
    given: list[Any] = [benchmark_id, part, *([] if key is None else [key])]
    with connection.cursor() as cursor:
        cursor.execute(_READ if key is None else _READ_KEY, given * 2)
        return list(cursor.fetchall())


LOCK = 0x61677265
"""Of folding and beginning, with the benchmark; the caller's transaction holds it."""
_READ = """
SELECT key, bucket, numbers FROM annotations_agreementtally WHERE benchmark_id = %s AND part = %s
UNION ALL SELECT key, bucket, numbers FROM annotations_agreementdelta WHERE benchmark_id = %s AND part = %s
"""
_READ_KEY = """
SELECT key, bucket, numbers FROM annotations_agreementtally WHERE benchmark_id = %s AND part = %s AND md5(key) = md5(%s)
UNION ALL
SELECT key, bucket, numbers FROM annotations_agreementdelta WHERE benchmark_id = %s AND part = %s AND md5(key) = md5(%s)
"""
_WAITING = """
SELECT count(*) FROM (SELECT FROM annotations_agreementdelta WHERE benchmark_id = %s LIMIT %s) AS waiting
"""
_FOLD = """
WITH gone AS (
    DELETE FROM annotations_agreementdelta WHERE benchmark_id = %s AND (part = %s OR %s::text IS NULL)
    RETURNING benchmark_id, part, key, bucket, numbers
), summed AS (
    SELECT benchmark_id, part, key, bucket, place, sum(number)::bigint AS number
    FROM gone CROSS JOIN LATERAL unnest(numbers) WITH ORDINALITY AS each (number, place)
    GROUP BY benchmark_id, part, key, bucket, place
)
INSERT INTO annotations_agreementtally AS tally (benchmark_id, part, key, bucket, numbers)
SELECT benchmark_id, part, key, bucket, array_agg(number ORDER BY place) FROM summed
GROUP BY benchmark_id, part, key, bucket
ON CONFLICT (benchmark_id, part, md5(key), bucket) DO UPDATE SET numbers = ARRAY(
    SELECT one + other FROM unnest(tally.numbers, excluded.numbers) WITH ORDINALITY AS paired (one, other, place)
    ORDER BY place
)
"""
