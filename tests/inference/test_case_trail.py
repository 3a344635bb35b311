"""The history of a case: what it tells, how it is replayed, who may see it, what it costs."""

from __future__ import annotations

import ast
import csv
import datetime as dt
import io
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from annotations.models import Assignment, Draw, Reading, ReadingRevision, ReadingState
from annotations.models.assignments import Origin
from curation import audit, case_trail
from curation.case_trail import Moment, history_of, voices_at, whole_history
from curation.looking import see_image
from curation.models import AuditEvent, Benchmark, Case, Gold, GoldRoi, Role, User
from curation.saying import Content, differences, outline, roi_words
from curation.sealing import seal_waiting
from curation.trail import WORDS
from inference.models import ModelVersion
from inference.scoring import request_scoring, run_scoring
from tests.factories import make_user
from tests.inference.conftest import box, predict

pytestmark = pytest.mark.django_db

INSIDE, CORNER = box(17, 13, 31, 23), box(1, 1, 15, 11)


def say(case: Case, reader: User, *rois: dict[str, Any], choice: str) -> ReadingRevision:
    """A submission with its event, as the product leaves them."""
    drawn = [{"id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))), **roi} for number, roi in enumerate(rois)]
    reading, _ = Reading.objects.get_or_create(case=case, reader=reader)
    reading.revision, reading.state = reading.revision + 1, ReadingState.SUBMITTED
    reading.save()
    revision = ReadingRevision.objects.create(
        reading=reading, revision=reading.revision, digest=uuid.uuid4().hex * 2, submitted_at=timezone.now(),
        case_version=case.version, input_digest=case.input_digest, protocol_digest="0" * 64,
        content={"answer": {"choice": choice}, "rois": drawn, "steps": [{"id": "s", "text": f"so {choice}"}]},
    )  # fmt: skip
    after = {"case": str(case.pk), "revision": revision.revision, "digest": revision.digest}
    audit.record(
        "reading.submitted", actor=reader, benchmark_id=case.benchmark_id, object_type="reading",
        object_id=str(reading.pk), after=after,
    )  # fmt: skip
    return revision


def gold(case: Case, revision: int, choice: str, *rois: dict[str, Any], **fields: Any) -> Gold:
    made = Gold.objects.create(case=case, revision=revision, answer={"choice": choice}, **fields)
    for number, roi in enumerate(rois, start=1):
        GoldRoi.objects.create(gold=made, client_id=uuid.UUID(int=number), number=number, **roi)
    return made


@pytest.fixture
def lived(case: Case, reader: User, other_reader: User, curator: User, planted: ModelVersion) -> Case:
    """A case that much has happened to, in this order."""
    predict(planted, case)
    until = timezone.now() + dt.timedelta(hours=1)
    Assignment.objects.create(case=case, reader=reader, lease_expires_at=until)
    Draw.objects.create(
        case=case, benchmark=case.benchmark, number=3, pool=9, probability=0.25, is_random=False, random_share=0.2,
        value=0.7,
    )  # fmt: skip
    say(case, reader, INSIDE, choice="A")
    gold(case, 1, "A", INSIDE)
    say(case, reader, INSIDE, CORNER, choice="B")
    Assignment.objects.create(case=case, reader=other_reader, lease_expires_at=until, origin=Origin.PROBE)
    gold(case, 2, "B", CORNER)
    audit.look(user=curator, case=case)
    run_scoring(request_scoring(case_id=case.pk).pk)
    return case


def words(moments: list[Moment]) -> list[str]:
    """Oldest first."""
    return [f"{one.who} {one.did}".strip() for one in reversed(moments)]


def page(user: User, address: str, status: int = 200) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_everything_is_told_in_the_order_it_happened(lived: Case) -> None:
    told = words(history_of(lived).moments)
    assert told == [
        "came into the benchmark",
        "planted read the case",
        "rosa was handed the case by the queue",
        "the queue was drawn for its disagreement",
        "rosa submitted a reading",
        "gold 1 was written",
        "rosa submitted a reading",
        "omar was handed the case as a probe",
        "gold 2 was written",
        "carl looked at a case",
        "the system held models against what was said",
    ]


def test_changes_and_looks_can_be_told_apart(lived: Case) -> None:
    assert words(history_of(lived, shown="looks").moments) == ["carl looked at a case"]
    assert "carl looked at a case" not in words(history_of(lived, shown="changes").moments)
    assert len(history_of(lived, shown="changes").moments) == 10


def test_who_saw_the_images_is_told_with_the_looks(lived: Case, reader: User, other_reader: User) -> None:
    sha256 = lived.images.get().asset_id
    see_image(user=reader, sha256=sha256)
    see_image(user=other_reader, sha256=sha256, is_thumbnail=True)
    assert words(history_of(lived, shown="looks").moments)[1:] == [
        "rosa saw the images",
        "omar saw small pictures of the images",
    ]
    assert len(history_of(lived, shown="changes").moments) == 10
    assert {one.kind for one in history_of(lived, shown="looks").moments} == {"look"}


def test_a_revision_says_what_it_changed(lived: Case) -> None:
    second, first = [one for one in history_of(lived).moments if one.did == "submitted a reading"]
    assert ("answer", "A") in first.after
    assert ("region 1", "box on image 1 from 17, 13 to 31, 23") in first.after
    assert not first.before
    assert [*second.before] == [("answer", "A"), ("step 1", "so A")]
    changed = [pair for pair in second.after if pair[0] != "revision"]
    assert changed == [("answer", "B"), ("region 2", "box on image 1 from 1, 1 to 15, 11"), ("step 1", "so B")]


def test_gold_says_what_it_changed(lived: Case) -> None:
    second = next(one for one in history_of(lived).moments if one.did == "gold 2 was written")
    assert [*second.before] == [("answer", "A"), ("region 1", "box on image 1 from 17, 13 to 31, 23")]
    assert [*second.after] == [("answer", "B"), ("region 1", "box on image 1 from 1, 1 to 15, 11")]


def test_a_draw_is_told_with_its_probability(lived: Case) -> None:
    drawn = next(one for one in history_of(lived).moments if one.did.startswith("was drawn"))
    assert dict(drawn.after) == {
        "draw": "3", "probability": "0.25", "pool": "9 cases", "random share": "0.2", "disagreement": "0.70",
    }  # fmt: skip


def test_the_case_can_be_seen_as_it_stood(lived: Case) -> None:
    history = list(reversed(history_of(lived).moments))

    def standing(at: dt.datetime) -> list[tuple[str, str, str]]:
        return [(one.kind, one.version, str(one.content.answer)) for one in voices_at(lived, at)]

    a, b = "{'choice': 'A'}", "{'choice': 'B'}"
    assert standing(history[0].at - dt.timedelta(seconds=1)) == []
    assert standing(history[1].at) == [("model", "", "A")]
    assert standing(history[5].at) == [("gold", "revision 1", a), ("reading", "revision 1", a), ("model", "", "A")]
    assert standing(history[-1].at) == [("gold", "revision 2", b), ("reading", "revision 2", b), ("model", "", "A")]


def test_withdrawn_gold_stands_no_more(lived: Case) -> None:
    gold(lived, 3, "B", is_withdrawn=True)
    last = history_of(lived).moments[0]
    assert (last.did, [*last.after]) == ("gold 3 was withdrawn", [])
    assert ("answer", "B") in last.before
    assert [one.kind for one in voices_at(lived, last.at)] == ["reading", "model"]


def test_pages_follow_one_another(lived: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = words(history_of(lived).moments)
    found: list[Moment] = []
    before = ""
    while True:
        part = history_of(lived, before=before, limit=2)
        found += part.moments
        before = part.next_before
        if not before:
            break
    assert words(found) == whole
    monkeypatch.setattr(case_trail, "PAGE", 1)
    assert words(list(whole_history(lived))) == whole


def test_moments_of_one_time_are_told_once_each(lived: Case) -> None:
    at = timezone.now()
    for _ in range(5):
        audit.record("case.looked", actor=None, object_type="case", object_id=str(lived.pk))
    Gold.objects.update(created_at=at)
    first = history_of(lived, limit=3)
    keys = [one.key for one in [*first.moments, *history_of(lived, before=first.next_before).moments]]
    assert len(keys) == len(set(keys)) == 16


@pytest.mark.parametrize("before", ["", "x", "20260101T000000.000000", "20260101T000000.000000_%00", "_" * 500, "٣_1"])
def test_a_place_that_no_page_gave_out_does_no_harm(lived: Case, curator: User, before: str) -> None:
    page(curator, f"/cases/{lived.pk}/trail/?before={before}&at={before}")


def test_the_page_steps_through_it(lived: Case, curator: User) -> None:
    seal_waiting()
    address = f"/cases/{lived.pk}/trail/"
    html = page(curator, address)
    assert "11 of 11" in html or "12 of 12" in html
    assert 'rel="next"' not in html
    seen = 1
    while found := re.search(r'href="(\?[^"]+)" rel="prev"', html):
        html = page(curator, address + found[1].replace("&amp;", "&"))
        seen += 1
    assert seen == html.count("data-moment=")
    assert "Nobody had said anything of the case yet" in html
    assert re.search(r'href="\?[^"]+" rel="next"', html)


def test_the_page_draws_what_stood_there(lived: Case, curator: User) -> None:
    html = page(curator, f"/cases/{lived.pk}/trail/")
    assert '<rect class="said s0" x="1" y="1" width="14" height="10">' in html
    assert html.count('<rect class="said s1"') == 2
    assert re.findall(r'data-voice="(\w+)"', html) == ["gold", "reading", "model"]
    assert "control, not trained" in html


def test_a_look_at_the_history_is_a_look(lived: Case, admin: User) -> None:
    page(admin, f"/cases/{lived.pk}/trail/")
    assert AuditEvent.objects.filter(action="case.looked", actor=admin, object_id=str(lived.pk)).count() == 1


def test_the_whole_of_it_as_csv(lived: Case, curator: User) -> None:
    client = Client()
    client.force_login(curator)
    answer = client.get(f"/cases/{lived.pk}/trail.csv")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode().lstrip("\ufeff"))))
    assert [f"{row['who']} {row['what']}".strip() for row in rows] == [
        *(f"{one.who} {one.did}".strip() for one in history_of(lived).moments if "download" not in one.did)
    ]
    changed = next(row for row in rows if row["what"] == "gold 2 was written")
    assert "answer: A" in changed["before"]
    assert "answer: B" in changed["after"]
    event = AuditEvent.objects.get(action="case.trail_downloaded")
    assert (event.actor, event.object_id, event.after) == (curator, str(lived.pk), {"shown": "all"})
    assert client.get(f"/cases/{lived.pk}/trail.csv?show=odd").status_code == 404


def test_whoever_reads_there_is_blind_to_it(lived: Case) -> None:
    both = make_user("bea", Role.READER, lived.benchmark)
    both.memberships.create(benchmark=lived.benchmark, role=Role.CURATOR)
    for address in ("trail/", "trail.csv"):
        assert "submitted a reading" not in page(both, f"/cases/{lived.pk}/{address}", status=403)
    assert "trail/" not in page(both, f"/cases/{lived.pk}/")
    assert not AuditEvent.objects.filter(actor=both, action="case.looked").exists()


def test_the_case_page_leads_there(lived: Case, curator: User, reviewer: User) -> None:
    assert f'href="/cases/{lived.pk}/trail/"' in page(curator, f"/cases/{lived.pk}/")
    assert f'href="/cases/{lived.pk}/trail/"' not in page(reviewer, f"/cases/{lived.pk}/")


def test_as_many_queries_for_a_long_history(
    lived: Case, curator: User, benchmark: Benchmark, django_assert_num_queries: Any
) -> None:
    client = Client()
    client.force_login(curator)
    address = f"/cases/{lived.pk}/trail/"
    client.get(address)
    with django_assert_num_queries(20):
        client.get(address)
    for number in range(3, 12):
        say(lived, make_user(f"reader-{number}", Role.READER, benchmark), INSIDE, choice="A")
        gold(lived, number, "A", INSIDE)
    with django_assert_num_queries(20):
        client.get(address)


def test_stored_text_is_never_markup(lived: Case, curator: User) -> None:
    revision = say(lived, make_user("x", Role.READER, lived.benchmark), choice="<script>alert(1)</script>")
    assert revision.content["answer"]["choice"].startswith("<script>")
    html = page(curator, f"/cases/{lived.pk}/trail/")
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_what_moved_is_told_and_what_stayed_is_not() -> None:
    old = Content("A", [{"id": "1", **INSIDE}, {"id": "2", **CORNER}], [{"id": "s", "text": "dark"}])
    new = Content("A", [{"id": "2", **CORNER}], [{"id": "s", "text": "dark"}, {"id": "t", "text": "round"}])
    was, now = differences(old, new)
    assert was == [("region 1", roi_words(INSIDE))]
    assert now == [("step 2", "round")]
    assert differences(new, new) == ([], [])


@pytest.mark.parametrize(
    ("shape", "geometry", "tag"),
    [
        ("ellipse", {"cx": 5, "cy": 6, "rx": 2, "ry": 3, "angle": 0.5}, "ellipse"),
        ("polygon", {"points": [[0, 0], [4, 0], [4, 4]]}, "polygon"),
        ("line", {"points": [[0, 0], [4, 0]]}, "polyline"),
        ("point", {"x": 3, "y": 4}, "ellipse"),
        ("box", {"x0": "one"}, None),
        ("spiral", {}, None),
    ],
)
def test_every_shape_is_drawn_and_told(shape: str, geometry: dict[str, Any], tag: str | None) -> None:
    roi = {"image": 1, "frame": 2, "label": "Cyst", "shape": shape, "geometry": geometry}
    drawn = outline(roi)
    assert (drawn and drawn.tag) == tag
    assert roi_words(roi).startswith(f"Cyst, {shape}")
    assert "frame 3" in roi_words(roi)


def test_every_action_that_is_recorded_has_words() -> None:
    """What is written into the trail by a literal name is told in words on its page."""
    missing = []
    for app in ("curation", "annotations", "inference", "config"):
        for file in sorted((Path(settings.BASE_DIR) / app).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                    continue
                called = ast.unparse(node.func)
                if called in ("audit.record", "audit.record_cases", "_record") and node.args[0].value not in WORDS:
                    missing.append(f"{file.name}:{node.lineno} {node.args[0].value!r}")
    assert missing == []


def test_whoever_was_assigned_the_case_is_named(lived: Case, curator: User, other_reader: User) -> None:
    until = timezone.now() + dt.timedelta(hours=1)
    Assignment.objects.filter(reader=other_reader).update(origin=Origin.PUSHED, lease_expires_at=until)
    audit.record(
        "assignment.assigned", actor=curator, benchmark_id=lived.benchmark_id, object_type="assignment",
        after={"case": str(lived.pk), "reader": str(other_reader.pk), "due_at": None},
    )  # fmt: skip
    moments = history_of(lived).moments
    assert [one.who for one in moments if "handed" in one.did] == ["rosa"]
    assert [*moments[0].after] == [("reader", "omar")]
