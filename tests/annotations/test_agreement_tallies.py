"""Tallies are what the pairs add up to, after whatever was said in whatever order, and by whoever at the same time."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from annotations import agreement, agreement_kept, agreement_rows
from annotations import agreement_tallies as tallies
from annotations.agreement_document import document
from annotations.agreement_rows import Narrowed
from annotations.models import (
    AgreementDelta,
    AgreementScore,
    AgreementTally,
    Arm,
    CaseAgreement,
    Reading,
    ReadingRevision,
    TalliedBenchmark,
)
from curation.management.command import Failed
from curation.models import Benchmark, Case, Gold, GoldRoi
from inference import agreeing
from inference.models import JobState, ModelVersion, Prediction, Verdict
from tests.annotations.contents import roi, step
from tests.annotations.saying import say
from tests.annotations.together import at_once
from tests.factories import make_benchmark, make_case, make_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from curation.models import User

CASES, CHANGES = 6, 42


@pytest.fixture
def is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every benchmark were large, and few changes were worth folding."""
    monkeypatch.setattr(agreement_rows, "MOST_CLUSTERS", 0)
    monkeypatch.setattr(tallies, "FOLD_FROM", 60)


def shown(benchmark: Benchmark) -> list[dict[str, Any]]:
    """Every number of every page that tallies are read for."""
    reader = Reading.objects.order_by("reader__username")[0].reader_id
    return [
        document(benchmark, narrowed)
        for narrowed in (
            Narrowed(),
            Narrowed(level="ordinal"),
            Narrowed(arm=Arm.AIDED),
            Narrowed(reader=reader),
            Narrowed(label="mass"),
            Narrowed(modality="CR"),
        )
    ]


def from_pairs(benchmark: Benchmark) -> list[dict[str, Any]]:
    """The same from the pairs themselves."""
    begun = TalliedBenchmark.objects.filter(pk=benchmark.pk)
    rows = list(begun)
    begun.delete()
    found = shown(benchmark)
    TalliedBenchmark.objects.bulk_create(rows)
    return found


class Hospital:
    """Readers, models and a curator who do anything to cases, in an order that a seed decides."""

    def __init__(self, benchmark: Benchmark, seed: int) -> None:
        self.random = random.Random(seed)
        self.readers = [make_user(f"reader{number}") for number in range(4)]
        self.models = [
            ModelVersion.objects.create(
                name=name, family="planted", prompt_digest="p", decoding_digest="d", layer_count=4
            )
            for name in ("one", "two")
        ]
        self.cases = [
            make_case(benchmark, f"case{number}", options=dict.fromkeys("ABC", "x"), patient=f"p{number // 2}")
            for number in range(CASES)
        ]
        self.deeds: list[Callable[[Case], object]] = [
            self.read, self.read, self.read, self.read, self.predict, self.curate, self.withdraw, self.take_back,
            self.move, self.replace,
        ]  # fmt: skip

    def act(self) -> None:
        """Somebody does something to some case."""
        self.random.choice(self.deeds)(self.random.choice(self.cases))

    def read(self, case: Case) -> None:
        regions = [self._region() for _ in range(self.random.randrange(3))]
        texts = ("A nodule on the left", "No effusion", "Heart of normal size")
        when = timezone.now() - dt.timedelta(days=self.random.randrange(40))
        with mock.patch.object(timezone, "now", return_value=when):
            say(
                case, self.random.choice(self.readers),
                arm=self.random.choice([Arm.UNAIDED, Arm.UNAIDED, Arm.AIDED]),
                active_s=self.random.choice([None, 0.0, 12.5, 60.0]),
                answer=self.random.choice([None, {"choice": "A"}, {"choice": "B"}, {"choice": "C"}]),
                rois=regions, entities=[],
                steps=[step(text=text, evidence=[]) for text in texts[: self.random.randrange(4)]],
            )  # fmt: skip

    def _region(self) -> dict[str, Any]:
        at = 5.0 + self.random.randrange(4)
        label = self.random.choice([None, "mass", "cyst"])
        return roi(label=label, geometry={"x0": at, "y0": 5, "x1": at + 10, "y1": 15})

    def predict(self, case: Case) -> None:
        prediction = Prediction.objects.create(
            model=self.random.choice(self.models), case=case, input_digest=case.input_digest, rendering="1",
            prompt_digest="p", decoding_digest=uuid.uuid4().hex, state=JobState.DONE,
            choice=self.random.choice("ABC"), finished_at=timezone.now(),
        )  # fmt: skip
        for reading in Reading.objects.filter(case=case)[:1]:
            Verdict.objects.create(
                prediction=prediction, model=prediction.model, case=case, position=1, layer=3,
                value=self.random.choice([0.5, 3.25, 1e9]), benchmark_id=case.benchmark_id, target_kind="reading",
                target_id=reading.pk, cluster="c", case_version=1, readings_revision=1, metric_version="1",
                quadrant="unknown", row_count=1, rows_unavailable=0,
            )  # fmt: skip

    def curate(self, case: Case) -> None:
        gold = Gold.objects.create(case=case, revision=case.golds.count() + 1, answer=self.random.choice("ABC"))
        GoldRoi.objects.create(gold=gold, image=1, shape="box", geometry={"x0": 6, "y0": 5, "x1": 15, "y1": 15})

    def withdraw(self, case: Case) -> None:
        Gold.objects.create(case=case, revision=case.golds.count() + 1, is_withdrawn=True)

    def take_back(self, case: Case) -> None:
        """Readings are no more, as nobody can make them here."""
        ReadingRevision.objects.filter(reading__case=case).delete()
        Reading.objects.filter(case=case).delete()

    def move(self, case: Case) -> None:
        """To another patient and modality."""
        case.images.update(modality=self.random.choice(["CR", "US", ""]))
        case.patient, case.version = f"p{self.random.randrange(4)}", case.version + 1
        case.save()

    def replace(self, case: Case) -> None:
        """By another input: what was said is void."""
        case.input_digest = uuid.uuid4().hex * 2
        case.save()

    def follow(self, share: float) -> None:
        """The tasks of some cases run."""
        for case in self.cases:
            if self.random.random() < share:
                agreement.record_case(case.pk)
            if self.random.random() < share:
                agreeing.record([case.pk])


@pytest.mark.usefixtures("is_large")
@pytest.mark.parametrize("seed", range(2))
def test_tallies_are_the_sums_of_the_pairs_whatever_happened(db: None, seed: int) -> None:
    benchmark = make_benchmark(overlap=4)
    hospital = Hospital(benchmark, seed)
    ids = [case.pk for case in hospital.cases]
    for number in range(CHANGES):
        hospital.act()
        if number % 7 == 6:
            hospital.follow(0.6)
            assert agreement_kept.differing(ids) == []
    for reader in hospital.readers[:2]:
        say(hospital.cases[0], reader, answer={"choice": "A"}, rois=[hospital._region()], entities=[], steps=[])
    hospital.follow(1.0)
    assert agreement_kept.differing(ids) == agreement.differing(ids) == agreeing.differing(ids) == []
    assert AgreementTally.objects.exists() or AgreementDelta.objects.exists()
    told = shown(benchmark)
    assert told == from_pairs(benchmark)
    assert told[0]["overview"]["pairs"] > 0
    tallies.fold(benchmark.pk)
    assert not AgreementDelta.objects.exists()
    assert shown(benchmark) == told


@pytest.mark.usefixtures("is_large")
def test_nothing_is_left_of_what_was_taken_back(db: None) -> None:
    benchmark = make_benchmark(overlap=4)
    hospital = Hospital(benchmark, 9)
    for _ in range(30):
        hospital.act()
    hospital.follow(1.0)
    assert AgreementScore.objects.exists()
    for case in hospital.cases:
        hospital.take_back(case)
    Prediction.objects.all().delete()
    hospital.follow(1.0)
    assert not AgreementScore.objects.exists()
    tallies.fold(benchmark.pk)
    assert {number for row in AgreementTally.objects.all() for number in row.numbers} == {0}
    found = document(benchmark)
    assert found["readers"] == found["matrix"] == found["weeks"] == found["labels"] == []
    assert found["overview"]["cases"] == 0


@pytest.mark.usefixtures("is_large")
def test_tallies_are_proved_and_mended(db: None) -> None:
    benchmark = make_benchmark(overlap=2)
    case = make_case(benchmark)
    for name in ("one", "two"):
        say(case, make_user(name))
    agreement.record_case(case.pk)
    call_command("rebuild_facts")
    call_command("rebuild_facts", "--check")
    true = shown_overview(benchmark)
    tallies.fold(benchmark.pk)
    row = AgreementTally.objects.get(part=tallies.part_of("whole", Arm.UNAIDED, tallies.READERS))
    row.numbers[1] += 1
    row.save()
    assert shown_overview(benchmark) != true
    [(of, name, stored, computed)] = agreement_kept.differing([case.pk])
    assert (of, stored[1], computed[1]) == (str(case.pk), 2, 1)
    assert name.startswith("tally of thorax: 1 whole unaided reader reader all ")
    with pytest.raises(Failed):
        call_command("rebuild_facts", "--check")
    call_command("rebuild_facts")
    assert agreement_kept.differing([case.pk]) == []
    assert shown_overview(benchmark) == true


def shown_overview(benchmark: Benchmark) -> Any:
    return document(benchmark, parts=["overview"])["overview"]


@pytest.mark.usefixtures("is_large")
def test_what_was_there_before_tallies_is_counted_at_the_next_change(db: None) -> None:
    benchmark = make_benchmark(overlap=2)
    hospital = Hospital(benchmark, 5)
    for _ in range(40):
        hospital.act()
    hospital.follow(1.0)
    for model in (AgreementDelta, AgreementTally, TalliedBenchmark):
        model.objects.all().delete()
    AgreementTally.objects.create(benchmark_id=benchmark.pk, part="0 whole", key="", bucket=0, numbers=[1])
    before = shown_overview(benchmark)  # from the pairs
    agreeing.record([case.pk for case in hospital.cases])
    assert not TalliedBenchmark.objects.exists()
    say(hospital.cases[0], hospital.readers[0], answer={"choice": "A"}, rois=[], entities=[], steps=[])
    agreement.record_case(hospital.cases[0].pk)
    assert TalliedBenchmark.objects.get().rule == tallies.RULE
    assert agreement_kept.differing([case.pk for case in hospital.cases]) == []
    assert shown(benchmark) == from_pairs(benchmark)
    assert shown_overview(benchmark)["cases"] >= before["cases"]
    assert not AgreementTally.objects.filter(part="0 whole").exists()


@pytest.mark.usefixtures("is_large")
def test_the_only_case_from_before_tallies_is_counted(db: None) -> None:
    benchmark = make_benchmark(overlap=3)
    case = make_case(benchmark)
    for name in ("one", "two", "three"):
        if name == "three":  # the upgrade is between
            for model in (AgreementDelta, AgreementTally, TalliedBenchmark):
                model.objects.all().delete()
        say(case, make_user(name))
        agreement.record_case(case.pk)
    assert TalliedBenchmark.objects.exists()
    assert agreement_kept.differing([case.pk]) == []
    assert shown_overview(benchmark)["pairs"] == 3


@pytest.mark.usefixtures("is_large")
def test_what_nobody_reads_any_more_is_begun_by_the_command(db: None) -> None:
    benchmark = make_benchmark(overlap=2)
    case = make_case(benchmark)
    for name in ("one", "two"):
        say(case, make_user(name))
    agreement.record_case(case.pk)
    call_command("rebuild_facts")
    for model in (AgreementDelta, AgreementTally, TalliedBenchmark):
        model.objects.all().delete()
    call_command("rebuild_facts", "--check")
    assert not TalliedBenchmark.objects.exists()
    call_command("rebuild_facts")
    assert TalliedBenchmark.objects.get().pk == benchmark.pk
    assert agreement_kept.differing([case.pk]) == []
    assert shown_overview(benchmark)["pairs"] == 1


@pytest.mark.django_db(transaction=True)
def test_the_first_case_waits_for_nobody() -> None:
    """Who begins tallies may take long: the next case does without, the one after that begins them."""
    benchmark = make_benchmark(overlap=1)
    first, second = (make_case(benchmark, key) for key in ("one", "two"))
    for case in (first, second):
        say(case, make_user(f"reader of {case.key}"))
    with transaction.atomic():
        assert tallies.lock(benchmark.pk, waits=False)
        at_once([partial(agreement.record_case, first.pk)])
        assert not TalliedBenchmark.objects.exists()
    agreement.record_case(second.pk)
    assert TalliedBenchmark.objects.get().pk == benchmark.pk
    assert agreement_kept.differing([first.pk]) == []


@pytest.mark.django_db(transaction=True)
def test_workers_of_many_cases_never_wait_nor_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six workers at once, each over the same cases in an order of its own, folding all the time."""
    monkeypatch.setattr(agreement_rows, "MOST_CLUSTERS", 0)
    monkeypatch.setattr(tallies, "FOLD_FROM", 20)
    benchmark = make_benchmark(overlap=3)
    readers = [make_user(name) for name in ("one", "two", "three")]
    cases = [make_case(benchmark, f"case{number}", patient=f"p{number}") for number in range(8)]

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for case in rng.sample(cases, len(cases)):
            agreement.record_case(case.pk)

    for letter in "ABA":
        for case in cases:
            for reader in readers:
                say(case, reader, answer={"choice": letter}, rois=[], entities=[], steps=[])
        at_once([partial(work, seed) for seed in range(6)])
        assert AgreementScore.objects.count() == CaseAgreement.objects.count() * 3 == 24
        assert agreement_kept.differing([case.pk for case in cases]) == []
    assert AgreementTally.objects.exists()


def test_a_page_asks_no_more_of_many_cases_than_of_few(
    db: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    benchmark = make_benchmark(overlap=2)
    readers: list[User] = [make_user(name) for name in ("one", "two")]
    for number in range(3):
        case = make_case(benchmark, f"case{number}")
        for reader in readers:
            say(case, reader)
        agreement.record_case(case.pk)
    plain = shown_overview(benchmark)
    monkeypatch.setattr(agreement_rows, "MOST_CLUSTERS", 0)
    AgreementScore.objects.all().delete()  # not looked at
    with django_assert_num_queries(6):
        found = shown_overview(benchmark)
    assert found["cases"] == plain["cases"] == 3
    assert found["regions"]["iou"]["value"] == plain["regions"]["iou"]["value"]


def test_a_pattern_of_many_long_answers_is_one_key(db: None) -> None:
    benchmark = make_benchmark()
    key = tallies.pattern_key({f"{number} {'abcdefg' * 8}": 1 for number in range(80)})
    place = (tallies.part_of("pattern", Arm.UNAIDED), key, 7)
    for _ in range(2):
        tallies.write(benchmark.pk, {place: [1]})
        tallies.fold(benchmark.pk)
    assert len(key) > 4000  # longer than an index holds
    assert tallies.read(benchmark.pk, place[0]) == tallies.read(benchmark.pk, place[0], key) == [(key, 7, [2])]
