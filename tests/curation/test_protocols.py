from __future__ import annotations

from typing import Any

import pytest

from annotations import required
from curation import protocols
from curation.models import AuditEvent, Benchmark, ProtocolKind
from curation.protocols import BadProtocol, checked_config, defaults, write_protocol


@pytest.mark.parametrize("kind", ProtocolKind.values)
def test_defaults_hold_and_are_complete(kind: str) -> None:
    config = defaults(kind)
    assert set(config) == {
        "labels", "step_kinds", "required", "error_types", "blinding", "overlap", "rendering", "smart_tool_in_blind",
        "may_leave_site",
    }  # fmt: skip
    assert checked_config(config, kind=kind) == config
    assert config["may_leave_site"] is config["smart_tool_in_blind"] is False
    assert defaults(kind) is not config


def test_free_asks_for_nothing_and_allows_everything() -> None:
    config = defaults("free")
    assert (config["labels"], config["required"]) == ([], [])
    assert config["step_kinds"] == list(protocols.STEP_KINDS)


def test_medthinkvqa_names_its_four_errors() -> None:
    assert defaults("medthinkvqa")["error_types"] == [
        "Reasoning Err",
        "Image Understanding Err",
        "Clinical Scenario Err",
        "Medical Knowledge Err",
    ]


def test_what_may_be_required_is_what_is_enforced_at_submit() -> None:
    assert set(protocols.REQUIREMENTS) == set(required.REQUIREMENTS)


def test_a_label_is_completed() -> None:
    (label,) = checked_config({"labels": [{"id": "pleural-effusion.1"}]}, kind="free")["labels"]
    assert (label["name"], label["line_style"], label["key"]) == ("pleural-effusion.1", "solid", None)
    assert "box" in label["shapes"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ([], ""),
        ({"colour": 1}, "colour"),
        ({"labels": {}}, "labels"),
        ({"labels": [1]}, "labels[0]"),
        ({"labels": [{"name": "x"}]}, "labels[0].id"),
        ({"labels": [{"id": "<b>"}]}, "labels[0].id"),
        ({"labels": [{"id": "a", "colour": "url(x)"}]}, "labels[0].colour"),
        ({"labels": [{"id": "a", "shapes": ["star"]}]}, "labels[0].shapes[0]"),
        ({"labels": [{"id": "a", "key": "ab"}]}, "labels[0].key"),
        ({"labels": [{"id": "a", "key": "k"}, {"id": "b", "key": "k"}]}, "labels[1].key"),
        ({"labels": [{"id": "a", "onclick": "x"}]}, "labels[0].onclick"),
        ({"step_kinds": ["guess"]}, "step_kinds[0]"),
        ({"required": ["luck"]}, "required[0]"),
        ({"required": ["label"]}, "required"),
        ({"overlap": 0}, "overlap"),
        ({"overlap": 1.5}, "overlap"),
        ({"overlap": True}, "overlap"),
        ({"may_leave_site": "yes"}, "may_leave_site"),
        ({"rendering": {"frames": 9}}, "rendering.frames"),
    ],
)
def test_faults_have_their_path(given: Any, path: str) -> None:
    with pytest.raises(BadProtocol) as raised:
        checked_config(given, kind="free")
    assert path in [error.path for error in raised.value.errors]


def test_the_same_again_is_no_new_version(benchmark: Benchmark) -> None:
    first = write_protocol(benchmark=benchmark, kind="free", given={"overlap": 2})
    again = write_protocol(benchmark=benchmark, kind="free", given={"overlap": 2})
    other = write_protocol(benchmark=benchmark, kind="care", given={"overlap": 2})
    assert (first.version, again.pk, other.version) == (2, first.pk, 3)
    assert (first.digest, benchmark.overlap) != (other.digest, 1)
    assert AuditEvent.objects.filter(action="protocol.written").count() == 2
