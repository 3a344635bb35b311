"""What is told of cases: the same bytes as from the models' own objects, in statements that do not grow."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from annotations.payloads import blind_case
from curation.describing import FACT_FIELDS, describe_cases
from curation.digests import gold_record
from curation.gold_revisions import write_gold
from curation.models import Benchmark, Case, CaseFacts, CaseImage, ImageAsset, User, gold_in_force
from curation.problem_json import ProblemRenderer
from tests.factories import make_case

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.test import APIClient

    Client = Callable[[User | None], APIClient]

BASE = "/api/v1/benchmarks/"
ROI_IDS = sorted(str(uuid.UUID(int=number << 64, version=4)) for number in range(1, 4))


def image_of(image: CaseImage, *, is_blind: bool) -> dict[str, Any]:
    """An image in its place, field by field from its rows' objects."""
    asset = image.asset
    told: dict[str, Any] = {"number": image.number}
    for name in ("sha256", "kind", "width", "height", "frames", "channels", "dtype", "photometric", "slope"):
        told[name] = getattr(asset, name)
    for name in ("intercept", "windows", "voi_luts", "spacing_mm", "spacing_source", "frame_time_ms"):
        told[name] = getattr(asset, name)
    told["modality"] = image.modality or asset.modality
    for name in ("sub_modality", "view", "timepoint", "series"):
        told[name] = getattr(image, name)
    if not is_blind:
        told["caption"] = image.caption
        told["needs_text_check"], told["text_checked_at"] = asset.needs_text_check, asset.text_checked_at
    return told


def case_of(case: Case, *, is_blind: bool) -> dict[str, Any]:
    """A case, field by field from its rows' objects."""
    told: dict[str, Any] = {"id": str(case.pk), "key": case.key, "benchmark": case.benchmark.slug}
    for name in ("position", "split", "question", "options", "history"):
        told[name] = getattr(case, name)
    told["images"] = [image_of(image, is_blind=is_blind) for image in case.images.order_by("number")]
    if is_blind:
        return told
    told["version"], told["answer"] = case.version, case.answer
    told["gold"] = gold_record(gold_in_force(case.golds.all()))
    for name in ("patient", "source", "licence", "attribution", "extra", "input_digest"):
        told[name] = getattr(case, name)
    facts = CaseFacts.objects.filter(case=case).first()
    told["facts"] = facts and {name: getattr(facts, name) for name in FACT_FIELDS}
    return told


def rendered(value: Any) -> bytes:
    return bytes(ProblemRenderer().render(value))


def roi(number: int, **fields: Any) -> dict[str, Any]:
    box = {"x0": 1.5, "y0": 1e-7, "x1": 9, "y1": 30.25}
    return {"id": ROI_IDS[number], "image": 1, "frame": 0, "label": None, "shape": "box", "geometry": box, **fields}


@pytest.fixture
def full(benchmark: Benchmark) -> Case:
    """A case with something in every field, the later one of two revisions of its gold in force."""
    made = make_case(
        benchmark,
        "full",
        images=3,
        answer=["A", None, {"n": 1.0}],
        extra={"é": "\u2028 \U0001f600", "big": 10**22, "small": 5e-324, "deep": [[], {}]},
        patient="p",
        source="s",
        licence="CC0",
        attribution="who",
        history="long\nstory",
        split="test",
        version=7,
    )
    first, second, _ = made.images.order_by("number")
    ImageAsset.objects.filter(pk=first.asset_id).update(
        windows=[{"centre": 40.0, "width": 1e5, "name": ""}],
        voi_luts=[{"first": -3, "values": [0, 1, 65535]}],
        spacing_row_mm=0.1,
        spacing_column_mm=1 / 3,
        spacing_source="ImagerPixelSpacing",
        slope=1e-9,
        intercept=-1024.0,
        frame_time_ms=33.3,
        modality="CT",
    )
    ImageAsset.objects.filter(pk=second.asset_id).update(
        spacing_row_mm=0.5, needs_text_check=True, text_checked_at=timezone.now(), modality="MR"
    )
    CaseImage.objects.filter(pk=second.pk).update(
        modality="US", sub_modality="x", view="AP", timepoint="t0", series="s1", caption="a caption"
    )
    CaseFacts.objects.filter(case=made).update(readings_submitted=2, disagreement=1 / 3, region_disagreement=1e-12)
    write_gold(case_id=made.pk, gold={"answer": "B", "rois": [roi(0)], "steps": []})
    steps = [{"kind": "summary", "text": "why", "evidence": [ROI_IDS[2]]}]
    # Their order is the list's, not that of their ids.
    write_gold(case_id=made.pk, gold={"answer": None, "rois": [roi(2), roi(1, label="nodule")], "steps": steps})
    return made


@pytest.fixture
def varied(benchmark: Benchmark, full: Case) -> list[Case]:
    """Cases of every kind: full; gold without regions; gold withdrawn; no options, facts or images."""
    bare, withdrawn = make_case(benchmark, "bare gold", images=2), make_case(benchmark, "withdrawn")
    write_gold(case_id=bare.pk, gold={"answer": {"choice": "A"}, "rois": [], "steps": [{"kind": "free", "text": "x"}]})
    write_gold(case_id=withdrawn.pk, gold={"answer": "A", "rois": [roi(0)], "steps": []})
    write_gold(case_id=withdrawn.pk, gold=None)
    empty = make_case(benchmark, "empty", images=0, options=None, answer=None)
    CaseFacts.objects.filter(case=empty).delete()
    return list(Case.objects.filter(pk__in=[full.pk, bare.pk, withdrawn.pk, empty.pk]).order_by("position"))


@pytest.mark.parametrize("is_blind", [True, False])
def test_every_case_is_told_as_its_objects_say(varied: list[Case], is_blind: bool) -> None:
    told = describe_cases([case.pk for case in varied], is_blind=is_blind)
    for one, case in zip(told, varied, strict=True):
        assert rendered(one) == rendered(case_of(case, is_blind=is_blind))
    if not is_blind:
        golds = [one["gold"] for one in told]
        assert [gold and [row["id"] for row in gold["rois"]] for gold in golds] == [ROI_IDS[:0:-1], [], None, None]
        assert told[3]["facts"] is None


def test_the_order_is_the_callers_and_what_is_gone_is_left_out(varied: list[Case]) -> None:
    asked = [varied[2].pk, uuid.uuid4(), varied[0].pk]
    assert [row["id"] for row in describe_cases(asked, is_blind=True)] == [str(asked[0]), str(asked[2])]
    assert describe_cases([], is_blind=False) == []


def test_the_list_and_the_case_say_the_same(api: Client, varied: list[Case], engineer: User, reader: User) -> None:
    for user, is_blind in ((engineer, False), (reader, True)):
        wanted = [case_of(case, is_blind=is_blind) for case in varied]
        listed = api(user).get(f"{BASE}thorax/cases/")
        assert listed.content == rendered({"results": wanted, "next": None})
        for case, one in zip(varied, wanted, strict=True):
            assert api(user).get(f"/api/v1/cases/{case.pk}/").content == rendered(one)


def test_a_case_handed_out_has_the_same_images(varied: list[Case]) -> None:
    for case in varied:
        wanted = [image_of(image, is_blind=True) for image in case.images.order_by("number")]
        assert rendered(blind_case(case)["images"]) == rendered(wanted)


@pytest.mark.parametrize(("is_blind", "statements"), [(True, 2), (False, 3)])
def test_statements_do_not_grow(
    benchmark: Benchmark, varied: list[Case], is_blind: bool, statements: int, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(statements):
        describe_cases([varied[3].pk], is_blind=is_blind)
    more = [make_case(benchmark, f"more {number}", images=2).pk for number in range(5)]
    with django_assert_num_queries(statements):
        assert len(describe_cases([*more, *(case.pk for case in varied)], is_blind=is_blind)) == 9
