"""The page of a benchmark's readers: probes set by form, drift with its tables and CSV, changes in the aided arm."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from annotations.drift import drift_of
from curation.models import Benchmark, Case, Gold, Membership, Role, User
from inference.views_readers import LONGEST_KEYS
from tests.annotations.test_probe_results import many
from tests.factories import make_case

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries


@pytest.fixture
def as_curator(client: Client, curator: User) -> Client:
    client.force_login(curator)
    return client


def page(client: Client, benchmark: Benchmark, query: str = "") -> str:
    return client.get(reverse("readers-page", args=[benchmark.slug]) + query).content.decode()


def send(client: Client, name: str, benchmark: Benchmark, **fields: str) -> str:
    address = reverse(name, args=[benchmark.slug])
    return client.post(address, fields, follow=True).content.decode()


def test_an_empty_page_says_what_to_do(as_curator: Client, benchmark: Benchmark) -> None:
    text = page(as_curator, benchmark)
    assert "No probe was read yet. Make cases with gold probes and set their share." in text
    assert "no reading in both arms whose right answer is known" in text


def test_rate_and_training_are_set_by_form(as_curator: Client, benchmark: Benchmark) -> None:
    said = send(as_curator, "set-probing", benchmark, percent="12.5", is_training="on")
    assert "Probes and training are set." in said
    benchmark.refresh_from_db()
    assert (benchmark.probe_rate, benchmark.is_training) == (0.125, True)
    send(as_curator, "set-probing", benchmark, percent="0")
    benchmark.refresh_from_db()
    assert (benchmark.probe_rate, benchmark.is_training) == (0.0, False)


def test_an_order_that_shows_probes_is_named(as_curator: Client, benchmark: Benchmark) -> None:
    assert "probes-show" not in page(as_curator, benchmark)
    Benchmark.objects.update(probe_rate=0.1)
    assert "can tell a probe by its being out of turn" in page(as_curator, benchmark)
    Benchmark.objects.update(order_policy="random")
    assert "probes-show" not in page(as_curator, benchmark)


@pytest.mark.parametrize("given", ["", "much", "51", "-1", "nan", "inf", "1e400"])
def test_a_share_that_makes_no_sense_is_named(as_curator: Client, benchmark: Benchmark, given: str) -> None:
    said = send(as_curator, "set-probing", benchmark, percent=given)
    assert "Nothing was changed:" in said
    assert f"&#x27;{given}&#x27; is not a share of 0 to 50 %" in said
    assert Benchmark.objects.get().probe_rate == 0


def test_cases_become_probes_and_go_back_by_key(as_curator: Client, benchmark: Benchmark) -> None:
    for key in ("one", "two"):
        Gold.objects.create(case=make_case(benchmark, key), revision=1, answer="A")
    assert "2 cases became a probe." in send(as_curator, "set-probes", benchmark, keys=" one\r\ntwo one ", act="mark")
    assert page(as_curator, benchmark).count('<a class="link" href="/cases/') == 2
    assert "1 case went back to the queue." in send(as_curator, "set-probes", benchmark, keys="one", act="unmark")
    assert list(Case.objects.filter(is_probe=True).values_list("key", flat=True)) == ["two"]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("", "no key was given"),
        ("nowhere", "&#x27;nowhere&#x27; is the key of no case here"),
        ("case1", "no gold is in force for case1"),
        ("x\0y", "&#x27;xy&#x27; is the key of no case here"),
        (" ".join(f"k{number}" for number in range(1001)), "1001 keys were given; at most 1000"),
        ("y" * (LONGEST_KEYS + 9), "is the key of no case here"),
    ],
)
def test_keys_that_cannot_be_probes_are_named(
    as_curator: Client, benchmark: Benchmark, case: Case, keys: str, why: str
) -> None:
    said = send(as_curator, "set-probes", benchmark, keys=keys, act="mark")
    assert "Nothing was changed:" in said
    assert why in said
    assert not Case.objects.filter(is_probe=True).exists()


def test_drift_is_a_table_a_chart_and_a_csv(
    as_curator: Client, benchmark: Benchmark, reader: User, other_reader: User
) -> None:
    many(benchmark, other_reader, [True, True, True, False] * 8)
    many(benchmark, reader, [True] * 8 + [False] * 8)
    text = page(as_curator, benchmark)
    assert text.index("below the limit") < text.index("within the limits")
    assert re.search(r"0\.50 <span class=\"t3\">\[0\.25, 0\.75\] n 16", text), (
        "half of sixteen right, with its interval"
    )
    assert "rosa: share right" in text
    assert 'id="plot-drift-accuracy"' in text
    assert "No limits: no probe that was read has regions in its gold." in text
    assert "omar: share right" in page(as_curator, benchmark, "?reader=omar")
    answer = as_curator.get(
        reverse("readers-page", args=[benchmark.slug]),
        {"reader": "rosa", "format": "csv", "plot": "drift-accuracy"},
    )
    assert answer["Content-Type"].startswith("text/csv")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Probe,Case,Submitted (UTC),Value,Weighted mean,Lower limit,Upper limit,Stands"
    assert len(lines) == 17
    assert lines[-1].endswith("below the limit")


@pytest.mark.parametrize(
    ("right", "expected"), [([True] * 4, None), ([True] * 5, (0.478, 1.0)), ([True, False] * 3, (0.167, 0.833))]
)
def test_a_share_of_probes_has_its_interval_from_five_up(
    benchmark: Benchmark, reader: User, right: list[bool], expected: tuple[float, float] | None
) -> None:
    many(benchmark, reader, right)
    ((accuracy, _),) = [row.charts for row in drift_of(benchmark)]
    assert accuracy.interval == (None if expected is None else pytest.approx(expected, abs=0.001))


@pytest.mark.parametrize("query", ["?reader=nobody", "?format=csv&plot=other"])
def test_what_there_is_not_is_404(as_curator: Client, benchmark: Benchmark, query: str) -> None:
    assert as_curator.get(reverse("readers-page", args=[benchmark.slug]) + query).status_code == 404


def test_a_curator_who_reads_here_is_told_why_not(client: Client, benchmark: Benchmark, curator: User) -> None:
    Membership.objects.create(user=curator, benchmark=benchmark, role=Role.READER)
    client.force_login(curator)
    answer: Any = client.get(reverse("readers-page", args=[benchmark.slug]))
    assert answer.status_code == 403
    assert "Drift" not in answer.content.decode()


def test_queries_do_not_grow_with_readers(
    as_curator: Client,
    benchmark: Benchmark,
    reader: User,
    other_reader: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for one in (reader, other_reader):
        many(benchmark, one, [True, False] * 12)
    page(as_curator, benchmark)
    with django_assert_max_num_queries(24):
        page(as_curator, benchmark)
