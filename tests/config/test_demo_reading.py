"""What the demo's made-up readers say: what the protocol asks for, from a seed, and not all the same."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from annotations.content import Frame, parse_content
from annotations.required import missing
from config.demo import fetal, grounding, thinking
from config.demo.benchmarks import PHANTOMS, add_phantoms
from config.demo.reading import HANDS, MOST_ERRORS, Hand, content_of, said_by
from curation.models import Benchmark, Case

pytestmark = pytest.mark.django_db


@pytest.fixture
def phantoms() -> dict[str, Benchmark]:
    return {one.slug: add_phantoms(one) for one in PHANTOMS}


def share_wrong(hand: Hand, cases: list[Case], *, weeks: float) -> float:
    said = [said_by(hand, case, weeks=weeks)["answer"]["choice"] for case in cases]
    wrong = [choice for choice, case in zip(said, cases, strict=True) if choice != case.answer]
    return len(wrong) / len(cases)


@pytest.mark.parametrize("slug", [thinking.SLUG, grounding.SLUG, fetal.SLUG])
def test_what_they_say_is_what_the_protocol_asks_for(phantoms: dict[str, Benchmark], slug: str) -> None:
    for case in phantoms[slug].cases.all():
        frame = Frame.of(case, case.benchmark.protocol.config)
        for hand in HANDS:
            content = parse_content(content_of(case, hand, random.Random(case.key)), frame)
            assert missing(content, frame) == ()


def test_they_are_made_up_from_a_seed_and_disagree(phantoms: dict[str, Benchmark]) -> None:
    cases = list(phantoms[thinking.SLUG].cases.all())
    assert said_by(HANDS[0], cases[3], weeks=2) == said_by(HANDS[0], cases[3], weeks=2)
    said = [[said_by(hand, case) for hand in HANDS] for case in cases]
    assert Counter(len({one["answer"]["choice"] for one in of_case}) for of_case in said).keys() >= {1, 2, 3}
    labels = {roi["label"] for of_case in said for one in of_case for roi in one["rois"]}
    assert labels == {"cyst", "mass", "calcification", "vessel"}


def test_one_tires_and_one_learns(phantoms: dict[str, Benchmark]) -> None:
    cases = list(phantoms[fetal.SLUG].cases.all())
    tires = next(hand for hand in HANDS if hand.tires > 0)
    learns = next(hand for hand in HANDS if hand.tires < 0)
    assert share_wrong(tires, cases, weeks=5) > share_wrong(tires, cases, weeks=0) + 0.2
    assert share_wrong(learns, cases, weeks=5) < share_wrong(learns, cases, weeks=0)
    assert tires.after(100).errs == MOST_ERRORS
    assert learns.after(100).errs == pytest.approx(0.01)
    assert HANDS[0].after(5) == HANDS[0]
