"""The pages of a benchmark as its tabs show them: in groups, each role its own, every address kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from curation.templatetags.sightline import GROUPS

if TYPE_CHECKING:
    from django.test import Client

    from curation.models import Benchmark, User

pytestmark = pytest.mark.django_db


def links(client: Client, user: User, address: str, benchmark: Benchmark) -> tuple[list[str], list[str]]:
    """Words of the tabs, and of the pages of the open one; the open ones in brackets."""
    client.force_login(user)
    page = client.get(reverse(address, args=[benchmark.slug])).content.decode()
    found = []
    for kind in ("tabs sections", "subsections"):
        parts = re.findall(rf'<nav class="{kind}".*?</nav>', page, re.DOTALL)
        assert len(parts) <= 1
        anchors = re.findall(r"<a [^>]*>.*?</a>", parts[0], re.DOTALL) if parts else []
        words = [(" ".join(re.sub(r"<[^>]+>", " ", one).split()), "aria-current" in one) for one in anchors]
        found.append([f"[{word}]" if is_open else word for word, is_open in words])
    return found[0], found[1]


def test_a_curator_sees_six_tabs_and_the_pages_of_the_open_one(
    client: Client, benchmark: Benchmark, curator: User
) -> None:
    tabs, pages = links(client, curator, "progress-page", benchmark)
    assert tabs == ["[Overview]", "Cases", "Reading", "Agreement", "Models", "Snapshots"]
    assert pages == ["Summary", "[Progress]", "Wrong reason"]
    assert links(client, curator, "queue-page", benchmark)[1] == ["[Queue]", "Readers"]
    assert links(client, curator, "agreement-pairs-page", benchmark)[1] == ["Numbers", "[Pairs]", "Review"]
    assert links(client, curator, "benchmark-cases-page", benchmark) == (
        ["Overview", "[Cases]", "Reading", "Agreement", "Models", "Snapshots"],
        [],
    )


def test_each_role_sees_what_it_may_open(
    client: Client, benchmark: Benchmark, reader: User, reviewer: User, engineer: User
) -> None:
    assert links(client, reader, "benchmark-cases-page", benchmark) == ([], [])
    tabs, pages = links(client, reviewer, "review-queue", benchmark)
    assert "Reading" not in tabs
    assert pages == ["Numbers", "Pairs", "[Review]"]
    tabs, pages = links(client, engineer, "runs-page", benchmark)
    assert "[Models]" in tabs
    assert pages == ["Enrolled", "[Runs]", "Schedules"]


def test_every_page_that_one_is_shown_opens(client: Client, benchmark: Benchmark, admin: User) -> None:
    client.force_login(admin)
    names = [section.address for _, _, sections in GROUPS for section in sections]
    assert len(names) == len(set(names)) == 13
    for name in names:
        assert client.get(reverse(name, args=[benchmark.slug])).status_code == 200
