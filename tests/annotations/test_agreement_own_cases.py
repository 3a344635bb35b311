"""To staff who read here as well, pages of agreement are the same whatever others say of cases that they still read."""

from __future__ import annotations

import datetime as dt
import re
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from annotations import agreement, agreement_rows
from annotations import agreement_tallies as tallies
from annotations.naming import Mask
from curation.models import Benchmark, Case, Membership, Role, User
from tests.annotations.contents import roi
from tests.annotations.saying import say
from tests.factories import make_case, make_user

pytestmark = pytest.mark.django_db

API = "/api/v1/benchmarks/thorax/agreement/"
FILTERS = ["", "?level=ordinal", "?arm=aided", "?modality=CR", "?label=mass", "?since=2020-01-01", "?reader={reader}"]
ADDRESSES = [
    *(f"{API}{narrowed}" for narrowed in FILTERS),
    *(f"{API}plan/?metric={name}" for name in ("alpha_nominal", "iou")),
    f"{API}pairs/",
    *(f"/benchmarks/thorax/agreement/{narrowed}" for narrowed in FILTERS),
    "/benchmarks/thorax/agreement/pairs/",
]
OWN = 6


def tell(benchmark: Benchmark, number: int, who: list[User], *, days_ago: int = 0) -> None:
    """Everybody draws on a case, and answers another way than the last time."""
    case, _ = Case.objects.get_or_create(benchmark=benchmark, key=f"case{number}")
    when = timezone.now() - dt.timedelta(days=days_ago)
    with mock.patch.object(timezone, "now", return_value=when):
        for place, reader in enumerate(who):
            at = 5 + place + number % 2
            region = roi(label="mass", geometry={"x0": at, "y0": 5, "x1": at + 10, "y1": 15})
            say(case, reader, answer={"choice": "ABC"[(number * place) % 3]}, rois=[region], entities=[], steps=[])
    agreement.record_case(case.pk)


def shown(user: User, reader: User, benchmark: Benchmark) -> list[str]:
    mask = Mask.of(user, benchmark)
    told = str(reader.pk) if mask is None else mask.told_id(reader.pk)
    client = Client()
    client.force_login(user)
    answers = [client.get(address.format(reader=told)) for address in ADDRESSES]
    assert {answer.status_code for answer in answers} == {200}
    return [re.sub(r"csrf[^>]*>", "", answer.content.decode()) for answer in answers]


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CURATOR, Role.ADMIN])
@pytest.mark.parametrize("is_tallied", [False, True])
def test_nothing_of_cases_that_are_still_to_be_read(
    benchmark: Benchmark,
    reader: User,
    other_reader: User,
    monkeypatch: pytest.MonkeyPatch,
    role: Role,
    is_tallied: bool,
) -> None:
    if is_tallied:
        monkeypatch.setattr(agreement_rows, "MOST_CLUSTERS", 0)
        monkeypatch.setattr(tallies, "FOLD_FROM", 1)
    both, staff = make_user("both", role, benchmark), make_user("staff", role, benchmark)
    Membership.objects.create(user=both, benchmark=benchmark, role=Role.READER)
    for number in range(2 * OWN):
        make_case(benchmark, f"case{number}", patient=f"p{number}")
    for number in range(OWN):
        tell(benchmark, number, [both, reader, other_reader])
    own, whole = shown(both, reader, benchmark), shown(staff, reader, benchmark)
    for number in range(OWN, 2 * OWN):
        tell(benchmark, number, [reader, other_reader][: 1 + number % 2], days_ago=40)
    for address, before, after in zip(ADDRESSES, own, shown(both, reader, benchmark), strict=True):
        assert after.splitlines() == before.splitlines(), address
    assert shown(staff, reader, benchmark) != whole
