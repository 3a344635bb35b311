"""The pages of agreement: what they say, that every number leads to its pairs, who sees which, and what they cost."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotations import agreement
from annotations.agreement_asked import Asked, NoSuchAgreement, asked_of
from annotations.agreement_pair import WHY
from annotations.agreement_words import divergence
from curation.accounts import give_role
from curation.models import Benchmark, Case, Role, User
from tests.annotations.contents import roi, step
from tests.annotations.saying import say
from tests.factories import make_case, make_user

pytestmark = pytest.mark.django_db

PAGE = "/benchmarks/thorax/agreement/"
PAIRS = f"{PAGE}pairs/"


def page(user: User, address: str, status: int = 200) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.fixture
def readers(benchmark: Benchmark) -> list[User]:
    return [make_user(name, Role.READER, benchmark) for name in ("anna", "bert")]


def fill(benchmark: Benchmark, readers: list[User], count: int, *, start: int = 0) -> list[Case]:
    """Cases that all read; on every third the second reader says otherwise and draws elsewhere."""
    cases = []
    for at in range(start, start + count):
        case = make_case(benchmark, f"case-{at}")
        for place, reader in enumerate(readers):
            is_other = place == 1 and at % 3 == 0
            x0 = 40 if is_other else 10 + place
            drawn = roi(geometry={"x0": x0, "y0": 10, "x1": x0 + 12, "y1": 22}, label="nodule")
            say(
                case,
                reader,
                answer={"choice": "A" if is_other else "B"},
                rois=[drawn],
                steps=[step(text="a bright nodule", evidence=[drawn["id"]])],
                entities=[],
            )
        agreement.record_case(case.pk)
        cases.append(case)
    return cases


def links(html: str) -> list[str]:
    """Addresses of lists of pairs."""
    return [unescape(one) for one in re.findall(rf'href="({PAIRS}[^"]*)"', html)]


def test_numbers_stand_beside_interval_and_count(benchmark: Benchmark, readers: list[User], curator: User) -> None:
    fill(benchmark, readers, 9)
    html = page(curator, PAGE)
    same = html[html.index('data-number="percent_agreement"') :]
    assert re.search(r">0\.67</a> <small>\[0\.\d+, [01]\.\d+\]</small></div><p class=\"sm t3\">9 cases", same)
    assert "Krippendorff’s α" in html
    assert 'data-live="agreement.changed"' in html


def test_every_number_leads_to_pairs_that_are_there(benchmark: Benchmark, readers: list[User], curator: User) -> None:
    fill(benchmark, readers, 6)
    found = links(page(curator, PAGE))
    assert len(found) > 20
    for address in sorted(set(found)):
        assert "No pair here has a value" not in page(curator, address) or "kind=gold" in address


def test_pairs_come_least_alike_first_and_open_their_case(
    benchmark: Benchmark, readers: list[User], curator: User
) -> None:
    cases = fill(benchmark, readers, 4)
    html = page(curator, PAIRS)
    keys = re.findall(r'<a class="med num" href="/cases/([^/]+)/">([^<]+)</a>', html)
    assert [key for _, key in keys] == ["case-0", "case-3", "case-1", "case-2"]
    assert keys[0][0] == str(cases[0].pk)
    assert re.search(r"(A and B|B and A)</span>", html)
    assert "both B" in html


def test_pairs_are_paged(benchmark: Benchmark, readers: list[User], curator: User) -> None:
    fill(benchmark, readers, 52)
    first = page(curator, PAIRS)
    following = re.search(r'<a class="btn sm" href="\?([^"]+)">Next', first)
    assert following is not None
    second = page(curator, f"{PAIRS}?{unescape(following[1])}")
    shown = [re.findall(r'num" href="/cases/[^"]+">([^<]+)</a>', html) for html in (first, second)]
    assert (len(shown[0]), len(shown[1])) == (50, 2)
    assert not set(shown[0]) & set(shown[1])


def test_undefined_is_said_with_its_cause(benchmark: Benchmark, readers: list[User], curator: User) -> None:
    case = make_case(benchmark)
    for reader in readers:
        say(case, reader, answer=None, rois=[], steps=[], entities=[])
    agreement.record_case(case.pk)
    html = page(curator, PAGE)
    assert '<span class="undef" title=' in html
    assert ">0.00<" not in html
    told = page(curator, f"{PAIRS}?undefined=yes")
    assert f'title="{WHY["no_answer"]}"' in told
    assert f'title="{WHY["no_region"]}"' in told


def test_a_benchmark_without_readings_says_what_would_fill_it(benchmark: Benchmark, curator: User) -> None:
    html = page(curator, PAGE)
    assert "No two readers have submitted the same case yet." in html


def test_it_narrows_by_the_form(benchmark: Benchmark, readers: list[User], curator: User) -> None:
    fill(benchmark, readers, 6)
    third = make_user("cleo", Role.READER, benchmark)
    fill(benchmark, [readers[0], third], 2, start=10)
    html = page(curator, f"{PAGE}?reader={third.pk}")
    assert re.search(rf'<option value="{third.pk}" selected>cleo</option>', html)
    assert ">2</td>" in html[html.index('id="agreement-regions"') :]
    assert "nodule" in page(curator, f"{PAGE}?label=nodule")
    assert "case-10" not in page(curator, f"{PAIRS}?until=2001-01-01")


@pytest.mark.parametrize(
    "query",
    [
        "arm=both",
        "reader=anna",
        "label=%00",
        f"label={'x' * 300}",
        "since=tomorrow",
        "level=high",
        "metric=value%3B",
        "kind=all",
        "format=csv&plot=none",
        "after=1",
    ],
)
def test_what_is_not_there_is_not_found(benchmark: Benchmark, curator: User, query: str) -> None:
    page(curator, f"{PAIRS if query == 'after=1' or 'kind' in query else PAGE}?{query}", 404)


@pytest.mark.parametrize(
    ("target", "said"),
    [("x", "is no number such as 0.05"), ("0", "is outside of 0.001 to 100"), ("nan", "outside"), ("1e999", "outside")],
)
def test_a_plan_that_cannot_be_is_told_at_its_field(
    benchmark: Benchmark, curator: User, target: str, said: str
) -> None:
    assert said in page(curator, f"{PAGE}?target={target}")


def test_a_plan_says_how_many_more(benchmark: Benchmark, readers: list[User], curator: User) -> None:
    fill(benchmark, readers, 24)
    html = page(curator, f"{PAGE}?target=0.05")
    assert re.search(r'About <b class="num">[\d,]+</b> more readings until ±0\.05', html)
    assert "reached" in page(curator, f"{PAGE}?target=2")


def test_a_csv_has_what_the_plot_has(benchmark: Benchmark, curator: User) -> None:
    named = [make_user(name, Role.READER, benchmark) for name in ("anna", "-cmd")]
    fill(benchmark, named, 6)
    rows = list(csv.DictReader(io.StringIO(page(curator, f"{PAGE}?format=csv&plot=by-reader").removeprefix("\ufeff"))))
    assert {row["Reader"] for row in rows} == {"anna", "'-cmd"}
    assert {row["Cases"] for row in rows} == {"6"}
    assert list(csv.reader(io.StringIO(page(curator, f"{PAGE}?format=csv&plot=matrix"))))[1][:2] != []


def test_who_reads_here_too_counts_only_what_they_submitted(benchmark: Benchmark, readers: list[User]) -> None:
    both = make_user("both", Role.READER, benchmark)
    give_role(name="both", role=Role.REVIEWER, benchmark=benchmark)
    cases = fill(benchmark, readers, 6)
    html = page(both, PAGE)
    assert "You read here: only cases that you have submitted" in html
    assert "anna" not in html
    assert "case-" not in page(both, PAIRS)
    say(cases[1], both)
    agreement.record_case(cases[1].pk)
    listed = page(both, PAIRS)
    assert set(re.findall(r'num" href="/cases/[^"]+">([^<]+)</a>', listed)) == {"case-1"}


def test_the_cost_does_not_grow(benchmark: Benchmark, readers: list[User], curator: User) -> None:
    client = Client()
    client.force_login(curator)

    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    fill(benchmark, readers, 6)
    addresses = (PAGE, f"{PAGE}?shown=cohen_kappa&target=0.1", PAIRS, f"{PAIRS}?metric=dice")
    before = [(cost(one), cost(one))[1] for one in addresses]
    fill(benchmark, [*readers, *(make_user(f"more{at}", Role.READER, benchmark) for at in range(3))], 8, start=20)
    assert [cost(one) for one in addresses] == before
    assert before[0] <= 60


def test_an_address_says_only_what_is_not_the_default() -> None:
    assert Asked().query() == {}
    asked = asked_of({"label": "-", "metric": "dice", "arm": "aided", "until": "2026-11-22"})
    # Of one label's regions less is known.
    assert (asked.metric, asked.label_id) == ("iou", "")
    assert asked.query(label=None) == {"arm": "aided", "until": "2026-11-22", "metric": "iou"}
    until = asked.narrowed.until
    assert until is not None
    assert until.isoformat() == "2026-11-23T00:00:00+00:00"
    with pytest.raises(NoSuchAgreement, match="arm: 'x' is none of unaided, aided"):
        asked_of({"arm": "x"})
    assert asked_of({"until": "9999-12-31"}).narrowed.until is None


def test_kappa_and_ac1_that_part_are_told_apart(benchmark: Benchmark, curator: User) -> None:
    named = [make_user(name, Role.READER, benchmark) for name in ("anna", "bert")]
    for at in range(12):
        case = make_case(benchmark, f"skew-{at}")
        for place, reader in enumerate(named):
            say(case, reader, answer={"choice": "A" if at == 11 and place else "B"}, rois=[], steps=[], entities=[])
        agreement.record_case(case.pk)
    assert "κ and AC1 part by" in page(curator, PAGE)
    assert divergence(0.5, 0.5) == ""


def test_stored_text_is_never_markup(benchmark: Benchmark, curator: User) -> None:
    sly: list[Any] = [make_user(name, Role.READER, benchmark) for name in ("<b>anna</b>", "bert")]
    fill(benchmark, sly, 5)
    for address in (PAGE, PAIRS):
        assert "<b>anna" not in page(curator, address)


def test_a_case_shows_its_own_agreement_to_staff(
    benchmark: Benchmark, readers: list[User], reviewer: User, curator: User
) -> None:
    case = fill(benchmark, readers, 1)[0]
    html = page(reviewer, f"/cases/{case.pk}/")
    assert "1 said A, 1 said B" in html or "1 said B, 1 said A" in html
    card = html[html.index('id="case-agreement"') :]
    assert "R1" in card
    assert "R2" in card
    assert "anna" not in card
    assert "anna" in page(curator, f"/cases/{case.pk}/")
    assert f'data-live-where="case={case.pk}"' in card


def test_a_reader_sees_nothing_of_others_on_the_case(benchmark: Benchmark, readers: list[User]) -> None:
    case = fill(benchmark, readers, 1)[0]
    third = make_user("cleo", Role.READER, benchmark)
    assert "case-agreement" not in page(third, f"/cases/{case.pk}/")
    own = page(readers[0], f"/cases/{case.pk}/")
    assert "bert" not in own
    assert "Nothing to compare yet" in own
