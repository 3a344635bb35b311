"""What a reader's own page lists as submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from annotations.own_readings import MOST_RECENT, submitted_last
from curation.models import Benchmark, Case, Role, User
from tests.factories import make_case, make_user
from tests.releases import submit

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_corrected_reading_stands_once_with_its_latest_revision(
    client: Client, benchmark: Benchmark, case: Case, reader: User
) -> None:
    first = submit(case, reader)
    submit(make_case(benchmark, "second", images=6), reader)
    corrected = submit(case, reader)
    assert corrected.reading_id == first.reading_id
    latest, earlier = submitted_last(reader)
    assert (latest.reading_id, latest.revision, latest.arm) == (first.reading_id, 2, "unaided")
    assert latest.submitted_at == corrected.submitted_at
    assert (latest.case.key, earlier.case.key) == (case.key, "second")
    assert earlier.pictures == [image.asset_id for image in earlier.case.images.order_by("number")[:4]]
    client.force_login(reader)
    page = client.get(reverse("home")).content.decode()
    assert page.count(reverse("case-page", args=[case.pk])) == 1
    assert page.count(reverse("read-again", args=[benchmark.slug, first.reading_id])) == 1


def test_only_what_the_reader_submitted(benchmark: Benchmark, case: Case, reader: User) -> None:
    other = make_user("other", Role.READER, benchmark)
    submit(case, other)
    reader.readings.create(case=case, draft={})
    assert submitted_last(reader) == []
    assert [one.case for one in submitted_last(other)] == [case]


def test_the_newest_in_as_many_queries_as_one(
    benchmark: Benchmark, reader: User, django_assert_num_queries: Any
) -> None:
    keys = [f"case {number}" for number in range(MOST_RECENT + 2)]
    submit(make_case(benchmark, keys[0]), reader)
    with django_assert_num_queries(3):
        submitted_last(reader)
    for key in keys[1:]:
        submit(make_case(benchmark, key), reader)
    with django_assert_num_queries(3):
        assert [one.case.key for one in submitted_last(reader)] == keys[:1:-1]
