"""Agreement: what a submit costs until its rows stand, and what a benchmark's numbers cost from stored rows.

    python perf/agreement.py [--cases 10000 100000] [--submits 30]

First readings of 20 regions on 6 images and four steps, three readers and two models a case: milliseconds of CPU of the
task that a submit sends (two new pairs), and of the part of scoring that holds the models against the readings. Then
benchmarks of three readings a case by twelve readers and two models, whose rows are made in the database: each part of
`agreement SLUG`, a page of pairs, and the sweep's look at every case. CPU is this process and PostgreSQL together;
warm, the second of two runs.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
import time
import uuid
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from perf._site import own_cpu, prepare_database

# isort: split

import numpy as np
from django.db import connection
from django.utils import timezone

from annotations import agreement, agreement_kept
from annotations.agreement_document import PARTS, document
from annotations.agreement_pairs import pairs
from annotations.agreement_read import EVERYTHING
from annotations.models import AgreementScore, CaseAgreement, Reading, ReadingRevision, ReadingState
from curation.importing import import_records
from curation.models import Case, User
from curation.protocols import create_benchmark
from inference import agreeing
from inference.models import JobState, ModelVersion, Prediction, PredictionStep
from perf._cases import content, records, stored_images, temporary_media

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from curation.models import Benchmark

SIDE = 512
READERS, MODELS, SLOTS = 12, 2, 3
LETTERS = "ABCD"
COLUMNS = (
    "detection_f1", "matched_iou", "iou", "dice", "surface_dice", "hausdorff", "step_f1", "step_order", "critical_f1"
)  # fmt: skip


def measured(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """CPU and wall milliseconds, and what came of it."""
    before, began = own_cpu(), time.perf_counter()
    found = work()
    return own_cpu().since(before).both * 1000, (time.perf_counter() - began) * 1000, found


def say(case: Case, reader: User, rng: np.random.Generator) -> None:
    """A submitted reading as its revision holds it."""
    reading = Reading.objects.create(case=case, reader=reader, revision=1, state=ReadingState.SUBMITTED)
    ReadingRevision.objects.create(
        reading=reading,
        revision=1,
        content=content(rng, SIDE),
        digest="d" * 64,
        case_version=1,
        input_digest=case.input_digest,
        protocol_digest="p" * 64,
        active_s=60.0,
        submitted_at=timezone.now(),
    )


def make_models() -> list[ModelVersion]:
    made = [
        ModelVersion(name=f"model{place}", family="planted", prompt_digest="p", decoding_digest="d", layer_count=4)
        for place in range(MODELS)
    ]
    return ModelVersion.objects.bulk_create(made)


def predict(case: Case, model: ModelVersion, words: str) -> None:
    prediction = Prediction.objects.create(
        model=model,
        case=case,
        input_digest=case.input_digest,
        rendering="1",
        prompt_digest="p",
        decoding_digest="d",
        state=JobState.DONE,
        choice="A",
        finished_at=timezone.now(),
    )
    PredictionStep.objects.bulk_create(
        PredictionStep(prediction=prediction, number=number, text=words) for number in range(1, 5)
    )


def submits(count: int, readers: list[User], models: list[ModelVersion]) -> None:
    """The third reading of each of some cases."""
    benchmark = create_benchmark(slug="submits", kind="free")
    import_records(benchmark=benchmark, records=records(count, stored_images(60, SIDE)))
    rng = np.random.default_rng(0)
    tasks, scorings = [], []
    for case in Case.objects.filter(benchmark=benchmark).order_by("position"):
        for reader in readers[:2]:
            say(case, reader, rng)
        for model in models:
            predict(case, model, "a finding in words that a model wrote " * 3)
        agreement.record_case(case.pk)
        agreeing.record([case.pk])
        say(case, readers[2], rng)
        tasks.append(measured(partial(agreement.record_case, case.pk))[:2])
        scorings.append(measured(partial(agreeing.record, [case.pk]))[:2])
    for name, rows in (
        ("task of a submit: 2 new pairs of readers", tasks),
        ("in scoring: 2 new pairs with models", scorings),
    ):
        cpu, wall = zip(*rows, strict=True)
        print(f"{name}: milliseconds a case, n {len(rows)}")
        middle = f"CPU median {statistics.median(cpu):.1f}, worst {max(cpu):.1f}"
        print(f"  {middle}; wall median {statistics.median(wall):.1f}")


_PAIRS = f"""
INSERT INTO annotations_agreementscore (
    case_id, benchmark_id, arm, a_kind, a_party, a_said, a_revision, b_kind, b_party, b_said, b_revision,
    a_answer, b_answer, is_same_answer, rois_a, rois_b, rois_matched, hausdorff_unit, steps_a, steps_b,
    modalities, cluster, said_at, why, metric_version, computed_at, a_active_s, b_active_s, {", ".join(COLUMNS)})
SELECT a.case_id, %s, 'unaided', a.kind, a.party, a.party, 1, b.kind, b.party, b.party, 1,
    a.answer, b.answer, a.answer = b.answer, 2, 2, 1, 'mm', 4, 4,
    'CR', a.cluster, now() - random() * interval '90 days', '{{}}', '1', now(), 60 * random(), 60 * random(),
    {", ".join("random()" for _ in COLUMNS)}
FROM voice a JOIN voice b ON b.case_id = a.case_id AND a.kind <> 'model'
    AND ((b.kind = 'reader' AND a.party::text < b.party::text) OR b.kind = 'model')
"""
_LABELS = """
INSERT INTO annotations_agreementlabel (score_id, benchmark_id, label, matched, only_a, only_b, iou)
SELECT id, benchmark_id, (ARRAY['mass', 'cyst'])[1 + id %% 2], 1, 1, 0, iou
FROM annotations_agreementscore WHERE benchmark_id = %s AND b_kind = 'reader'
"""


def fill(benchmark: Benchmark, count: int, readers: list[User], models: list[ModelVersion]) -> None:
    """Cases, their patterns and their pairs, as so many submits would have left them."""
    cases = [
        Case(benchmark=benchmark, key=f"{number:07}", position=number, content_digest="c" * 64, input_digest="i" * 64)
        for number in range(count)
    ]
    Case.objects.bulk_create(cases, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE voice (case_id uuid, cluster text, kind text, party uuid, answer text)")
        with cursor.copy("COPY voice FROM STDIN") as copy:
            states = list(voices(cases, readers, models, copy.write_row))
        CaseAgreement.objects.bulk_create(states, batch_size=5000)
        cursor.execute(_PAIRS, [benchmark.pk])
        cursor.execute(_LABELS, [benchmark.pk])
        cursor.execute("DROP TABLE voice")
        print(f"{count} cases: tallies begun in {measured(partial(agreement_kept.begin, benchmark))[0]:.0f} ms of CPU")
        cursor.execute("VACUUM ANALYZE")  # what autovacuum would have done by then


def voices(
    cases: list[Case], readers: list[User], models: list[ModelVersion], write: Callable[[Any], None]
) -> Iterator[CaseAgreement]:
    """Write who said what of each case, of readers who are right in four of five, and give its state."""
    rng = np.random.default_rng(len(cases))
    truth = rng.integers(0, len(LETTERS), len(cases))
    said = np.where(rng.random((SLOTS, len(cases))) < 0.8, truth, rng.integers(0, 4, (SLOTS, len(cases))))
    chosen = np.where(rng.random((MODELS, len(cases))) < 0.6, truth, rng.integers(0, 4, (MODELS, len(cases))))
    now, days = timezone.now(), 90 * rng.random(len(cases))
    for place, case in enumerate(cases):
        cluster = f"{(place // 2) * 2654435761 % 2**64:016x}"[::-1]
        letters = [LETTERS[letter] for letter in said[:, place]]
        steps = (0, 1 + place // 12 % 5, 6 + place // 60 % 5)
        for step, letter in zip(steps, letters, strict=True):
            write((case.pk, cluster, "reader", readers[(place + step) % READERS].pk, letter))
        for model, letter in zip(models, chosen[:, place], strict=True):
            write((case.pk, cluster, "model", model.pk, LETTERS[letter]))
        yield CaseAgreement(
            case_id=case.pk,
            benchmark_id=case.benchmark_id,
            sources_digest="s",
            metric_version="1",
            readers=SLOTS,
            pattern=dict(sorted(Counter(letters).items())),
            modalities="CR",
            cluster=cluster,
            said_at=now - dt.timedelta(days=float(days[place])),
            computed_at=now,
        )


def numbers(count: int, readers: list[User], models: list[ModelVersion]) -> None:
    """Every part of the document over one benchmark."""
    benchmark = create_benchmark(slug=f"cases-{count}", kind="free")
    fill(benchmark, count, readers, models)
    rows = AgreementScore.objects.filter(benchmark_id=benchmark.pk).count()
    print(f"{count} cases, {rows} pairs; milliseconds")
    works: dict[str, Callable[[], Any]] = {
        **{part: partial(make, benchmark, EVERYTHING) for part, make in PARTS.items()},
        "all parts": lambda: document(benchmark),
        "a page of pairs": lambda: pairs(benchmark, "iou", EVERYTHING),
        "sweep: cases behind": lambda: agreement.behind(1),
    }
    for name, work in works.items():
        work()
        cpu, wall, _ = measured(work)
        print(f"  {name:24} CPU {cpu:8.0f}   wall {wall:8.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--submits", type=int, default=30)
    given = parser.parse_args()
    prepare_database()
    tag = uuid.uuid4().hex[:6]
    readers = [User.objects.create_user(username=f"perf-{tag}-{place}") for place in range(READERS)]
    models = make_models()
    with temporary_media():
        submits(given.submits, readers, models)
    for count in given.cases:
        numbers(count, readers, models)


if __name__ == "__main__":
    main()
