"""The reading page, by each of the cast."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from curation.models import Benchmark, Case


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("reader", 200),
        ("other_reader", 200),
        ("reviewer", 403),
        ("curator", 403),
        ("engineer", 403),
        ("admin", 403),
        ("outsider", 404),
    ],
)
def test_who_opens_the_page(
    name: str, status: int, request: pytest.FixtureRequest, client: Any, benchmark: Benchmark
) -> None:
    client.force_login(request.getfixturevalue(name))
    assert client.get(reverse("read", args=[benchmark.slug])).status_code == status


def test_nobody_is_sent_to_the_log_in(client: Any, benchmark: Benchmark) -> None:
    answer = client.get(reverse("read", args=[benchmark.slug]))
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, reverse("login"))


def test_the_page_only_looks(client: Any, reader: Any, benchmark: Benchmark) -> None:
    client.force_login(reader)
    assert client.post(reverse("read", args=[benchmark.slug])).status_code == 405


def test_text_in_the_data_stays_text(client: Any, reader: Any, benchmark: Benchmark, case: Case) -> None:
    benchmark.title = "</script><script>alert(1)</script>"
    benchmark.is_demo = True
    benchmark.save()
    client.force_login(reader)
    page = client.get(reverse("read", args=[benchmark.slug])).content.decode()
    assert "<script>alert" not in page
    data = json.loads(page.split('id="workspace-data" type="application/json">')[1].split("</script>")[0])
    assert set(data) == {"benchmark", "protocol", "user", "progress", "now", "next", "urls"}
    assert data["benchmark"]["title"] == benchmark.title
    assert "not clinically validated" in data["benchmark"]["demo_note"]
    assert data["urls"]["next"] == reverse("next-case", args=[benchmark.slug])
    assert data["protocol"]["step_kinds"] == ["image_finding", "summary", "free"]
    assert '<div id="workspace"></div>' in page
    assert "src/main.ts" in page


def test_the_page_gives_what_a_reading_needs_from_pull_to_submit(reader: Any, benchmark: Benchmark, case: Case) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(reader)
    browser.get(reverse("read", args=[benchmark.slug]))
    token = {"X-CSRFToken": browser.cookies["csrftoken"].value}
    pull = reverse("next-case", args=[benchmark.slug])
    assert browser.post(pull, content_type="application/json").status_code == 403
    reading = browser.post(pull, content_type="application/json", headers=token).json()["reading"]["id"]
    draft = {"version": 0, "answer": {"choice": "A"}}
    address = reverse("reading-draft", args=[reading])
    assert browser.put(address, draft, content_type="application/json").status_code == 403
    assert browser.put(address, draft, content_type="application/json", headers=token).json()["version"] == 1
    address = reverse("reading-submit", args=[reading])
    key = {**token, "Idempotency-Key": "k"}
    done = browser.post(address, {"version": 1}, content_type="application/json", headers=key)
    assert (done.status_code, done.json()["revision"]) == (200, 1)
