"""The page in the aided arm, what is said before it opens, and the page of feedback in training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from annotations.assigning import HandedOut, next_case
from annotations.drafting import save_draft
from annotations.feedback_pictures import outline_of, pictures_of
from annotations.models import Arm, Reading
from annotations.submission import submit
from annotations.views_again import answer_words
from curation.models import Benchmark, Case, Gold, GoldRoi, User
from tests.annotations.contents import content, roi

if TYPE_CHECKING:
    from django.test import Client


@pytest.fixture
def as_reader(client: Client, reader: User) -> Client:
    client.force_login(reader)
    return client


@pytest.fixture
def reading(reader: User, benchmark: Benchmark, case: Case) -> Reading:
    handed = next_case(reader=reader, benchmark=benchmark)
    assert isinstance(handed, HandedOut)
    save_draft(reading_id=handed.reading.pk, version=0, content=content())
    return Reading.objects.get(pk=handed.reading.pk)


def address(reading: Reading, name: str = "read-again") -> str:
    return reverse(name, args=[reading.case.benchmark.slug, reading.pk])


def workspace(answer: Any) -> dict[str, Any]:
    text = answer.content.decode().split('id="workspace-data" type="application/json">')[1]
    found: dict[str, Any] = json.loads(text.split("</script>")[0])
    return found


def test_before_the_submit_there_is_only_the_reading_page(as_reader: Client, reading: Reading) -> None:
    assert as_reader.get(address(reading)).headers["Location"] == "/read/thorax/"
    refused = as_reader.post(address(reading), follow=True)
    assert "Not opened: the unaided reading is not submitted yet." in refused.content.decode()
    assert not Reading.objects.filter(arm=Arm.AIDED).exists()


def test_looking_opens_nothing_and_says_what_opening_means(as_reader: Client, reading: Reading) -> None:
    submit(reading_id=reading.pk, version=1, key="k")
    text = as_reader.get(address(reading)).content.decode()
    assert "Your unaided reading becomes final." in text
    assert "Read again, aided" in text
    assert not Reading.objects.filter(arm=Arm.AIDED).exists()


def test_opening_leads_to_the_workspace_of_the_aided_reading(as_reader: Client, reading: Reading) -> None:
    submit(reading_id=reading.pk, version=1, key="k")
    opened = as_reader.post(address(reading), follow=True)
    aided = Reading.objects.get(arm=Arm.AIDED)
    assert opened.redirect_chain == [(address(aided), 302)]
    data = workspace(opened)["next"]
    assert (data["assignment"], data["lease_expires_at"]) == (None, None)
    assert (data["reading"]["id"], data["reading"]["arm"]) == (str(aided.pk), "aided")
    assert data["reading"]["content"]["answer"] == {"choice": "B"}
    assert as_reader.get(address(reading)).headers["Location"] == address(aided)


def test_a_submitted_aided_reading_may_be_changed(as_reader: Client, reading: Reading) -> None:
    submit(reading_id=reading.pk, version=1, key="k")
    as_reader.post(address(reading))
    aided = Reading.objects.get(arm=Arm.AIDED)
    submit(reading_id=aided.pk, version=1, key="k")
    assert "Change the aided reading" in as_reader.get(address(aided)).content.decode()
    assert workspace(as_reader.post(address(aided), follow=True))["next"]["reading"]["revision"] == 1


def test_links_lead_there_from_my_cases_and_the_case(as_reader: Client, reading: Reading) -> None:
    submit(reading_id=reading.pk, version=1, key="k")
    for page in (reverse("home"), reverse("case-page", args=[reading.case_id])):
        assert f'href="{address(reading)}"' in as_reader.get(page).content.decode()


def test_the_reading_of_somebody_else_does_not_exist(
    client: Client, reading: Reading, other_reader: User, curator: User
) -> None:
    for user, expected in ((other_reader, 404), (curator, 403)):
        client.force_login(user)
        for name in ("read-again", "feedback-page"):
            assert client.get(address(reading, name)).status_code == expected


def test_feedback_shows_both_answers_both_regions_and_why(as_reader: Client, reading: Reading, case: Case) -> None:
    gold = Gold.objects.create(case=case, revision=1, answer="A", steps=[{"text": "<b>bright</b> at the left"}])
    GoldRoi.objects.create(gold=gold, image=1, shape="box", geometry={"x0": 1, "y0": 1, "x1": 5, "y1": 5})
    submit(reading_id=reading.pk, version=1, key="k")
    assert as_reader.get(address(reading, "feedback-page")).status_code == 403
    Benchmark.objects.update(is_training=True)
    text = as_reader.get(address(reading, "feedback-page")).content.decode()
    assert "B, no" in text
    assert "A, yes" in text
    assert "wrong</span>" in text
    assert "&lt;b&gt;bright&lt;/b&gt; at the left" in text
    assert text.count('class="edge own"') == 2  # one in the key
    assert text.count('class="edge gold"') == 2
    assert 'aria-label="Image 1, frame 1: 1 of your regions, 1 of the gold"' in text


def test_feedback_without_gold_says_so(as_reader: Client, reading: Reading) -> None:
    Benchmark.objects.update(is_training=True)
    submit(reading_id=reading.pk, version=1, key="k")
    text = as_reader.get(address(reading, "feedback-page")).content.decode()
    assert "This case has no gold yet" in text


@pytest.mark.parametrize(
    ("shape", "geometry", "element", "attribute"),
    [
        ("box", {"x0": 1, "y0": 2, "x1": 4, "y1": 6}, "rect", ("width", "3")),
        ("ellipse", {"cx": 5, "cy": 6, "rx": 2, "ry": 1, "angle": 0}, "ellipse", ("transform", "rotate(0 5 6)")),
        ("polygon", {"points": [[1, 2], [3.5, 4], [5, 6]]}, "polygon", ("points", "1,2 3.5,4 5,6")),
        ("line", {"points": [[1, 2], [3, 4]]}, "polyline", ("points", "1,2 3,4")),
        ("point", {"x": 1, "y": 2}, "path", ("d", "M1 2h0")),
        ("mask", {"size": [4, 4], "counts": [5, 2, 9]}, "rect", ("x", "1")),
    ],
)
def test_every_shape_is_drawn(shape: str, geometry: dict[str, Any], element: str, attribute: tuple[str, str]) -> None:
    found = outline_of("own", shape, geometry)
    assert found.element == element
    assert found.attributes[attribute[0]] == attribute[1]


def test_a_picture_for_each_frame_on_which_either_drew(case: Case) -> None:
    (empty,) = pictures_of(case, own=[], gold=[])
    assert (empty.number, empty.own, empty.gold) == (1, 0, 0)
    (one,) = pictures_of(case, own=[roi()], gold=[roi(), roi(image=7)])
    assert (one.own, one.gold) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"choice": "A"}, "A, yes"), ("B", "B, no"), ({"text": "a cat"}, "a cat"), (None, ""), ({"boxes": []}, "")],
)
def test_answers_in_words(answer: Any, said: str) -> None:
    assert answer_words(answer, {"A": "yes", "B": "no"}) == said
