"""Going on in a page's list after the last row shown, whatever the address says of it."""

from __future__ import annotations

import pytest

from curation.models import Benchmark, Snapshot
from curation.paging import rows_after
from curation.snapshots import freeze
from tests.factories import make_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def snapshots(benchmark: Benchmark) -> list[Snapshot]:
    """Three, the newest first."""
    made = []
    for number in range(3):
        make_case(benchmark, f"case{number}")
        made.append(freeze(benchmark=benchmark, name=f"name{number}", actor=None).snapshot)
    return made[::-1]


def test_rows_after_one_by_key_and_by_another_unique_column(snapshots: list[Snapshot]) -> None:
    rows = Snapshot.objects.order_by("-created_at", "-pk")
    first = snapshots[0]
    assert list(rows_after(rows, str(first.pk), "created_at", newest_first=True)) == snapshots[1:]
    assert list(rows_after(rows, first.digest, "created_at", newest_first=True, name="digest")) == snapshots[1:]
    oldest_first = Snapshot.objects.order_by("created_at", "pk")
    assert list(rows_after(oldest_first, str(snapshots[1].pk), "created_at", newest_first=False)) == [first]


def test_rows_of_one_moment_are_told_apart_by_key(snapshots: list[Snapshot]) -> None:
    Snapshot.objects.update(created_at=snapshots[0].created_at)
    rows = list(Snapshot.objects.order_by("-created_at", "-pk"))
    rest = rows_after(Snapshot.objects.order_by("-created_at", "-pk"), str(rows[0].pk), "created_at", newest_first=True)
    assert list(rest) == rows[1:]


@pytest.mark.parametrize("named", ["", "nonsense", "\0", "0" * 64, "00000000-0000-0000-0000-000000000000"])
def test_a_row_that_there_is_not_begins_anew(snapshots: list[Snapshot], named: str) -> None:
    rows = Snapshot.objects.order_by("-created_at", "-pk")
    assert list(rows_after(rows, named, "created_at", newest_first=True)) == snapshots
    assert list(rows_after(rows, named, "created_at", newest_first=True, name="digest")) == snapshots
