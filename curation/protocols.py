"""Protocols: the built-in defaults of each kind, the check of a given one, and writing a new version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Max

from curation import audit, reading_order
from curation.digests import digest
from curation.fields import Fields
from curation.formats.fetal_gauge import TASKS as FETAL_TASKS
from curation.formats.vgmed import TASKS as VGMED_TASKS
from curation.geometry import SHAPES
from curation.models import Benchmark, Protocol, ProtocolKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from curation.fields import FieldError
    from curation.models import User

STEP_KINDS = ("image_finding", "summary", "differential", "topic_finding", "answer", "free")
# What a reading may be required to have; annotations/required.py enforces each at submit, the panels ask for each.
#
#   name            the reading has                                               path of what is lacking
#   answer          an answer (never in VGMED's defaults: its rows have none)     answer
#   confidence      a confidence                                                  confidence
#   rois            at least one ROI                                              rois
#   task_rois       at least one ROI, if the case's `task` is one of ROI_TASKS    rois
#   label           a label on every ROI                                          rois[0].label
#   steps           at least one step                                             steps
#   step_text       text in every step                                            steps[0].text
#   evidence        a cited ROI in every step but the answer                      steps[0].evidence
#   image_findings  an image_finding step, with text, for every image             steps.image_finding.3 (image 3)
#   summary         a summary step with text                                      steps.summary
#   differential    a differential step with text                                 steps.differential
#
# The last three say steps[2].text where the step is there and empty. Of a case the reading page gets, beside question,
# options and history, `task` (a word of TASKS, or "") and `question_box` ([x0, y0, x1, y1] on image 1 which the
# question speaks of, or null): see curation/asking.py. Options are null where a case asks for no answer.
REQUIREMENTS = (
    "answer",
    "confidence",
    "rois",
    "task_rois",
    "label",
    "steps",
    "step_text",
    "evidence",
    "image_findings",
    "summary",
    "differential",
)
TASKS = (*FETAL_TASKS, *VGMED_TASKS)  # PI, VC, FO, CD, VG and attribute, localization
# Naming what a box holds is no proof of finding it: of these tasks the expert's own region is wanted as well.
ROI_TASKS = ("VG", *VGMED_TASKS)
LINE_STYLES = ("solid", "dashed", "dotted")
# Readable on black and on white, told apart by the colour-blind (Okabe and Ito's set without black and grey).
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
MEDTHINKVQA_ERRORS = (
    "Reasoning Err",
    "Image Understanding Err",
    "Clinical Scenario Err",
    "Medical Knowledge Err",
)
MOST_LABELS = 200
MOST_OVERLAP = 50

CONFIG_KEYS = (
    "labels",
    "step_kinds",
    "required",
    "error_types",
    "blinding",
    "overlap",
    "rendering",
    "smart_tool_in_blind",
    "may_leave_site",
)
_LABEL_KEYS = ("id", "name", "colour", "line_style", "shapes", "key")
_ID = re.compile(r"[\w][\w.-]{0,63}", re.ASCII)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


class BadProtocol(ValueError):
    """A protocol that cannot be taken, with every fault and its path."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{error.path}: {error.detail}" if error.path else error.detail for error in errors))
        self.errors = errors


def _labels(*named: tuple[str, str], shapes: tuple[str, ...] = SHAPES) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "name": title,
            "colour": COLOURS[index % len(COLOURS)],
            "line_style": LINE_STYLES[index // len(COLOURS) % len(LINE_STYLES)],
            "shapes": list(shapes),
            "key": str(index + 1) if index < 9 else None,
        }
        for index, (name, title) in enumerate(named)
    ]


def _config(**given: Any) -> dict[str, Any]:
    return {
        "labels": [],
        "step_kinds": list(STEP_KINDS),
        "required": [],
        "error_types": [],
        "blinding": "until_submit",
        "overlap": 1,
        "rendering": {"frames": 1},
        "smart_tool_in_blind": False,
        "may_leave_site": False,
        **given,
    }


_REGIONS = ("vertebrae", "ribs", "diaphragm", "mediastinum", "abdomen", "heart", "lungs")
_DEFAULTS: dict[str, dict[str, Any]] = {
    ProtocolKind.FREE: _config(),
    ProtocolKind.MEDTHINKVQA: _config(
        step_kinds=["image_finding", "summary", "differential", "answer"],
        required=["answer", "image_findings", "summary", "differential", "step_text"],
        error_types=list(MEDTHINKVQA_ERRORS),
    ),
    ProtocolKind.VGMED: _config(
        labels=_labels(("target", "Target of the question"), shapes=("box", "polygon", "freehand", "ellipse", "mask")),
        step_kinds=["free"],
        required=["rois"],
    ),
    ProtocolKind.FETAL_GAUGE: _config(
        labels=_labels(("structure", "Structure asked for"), shapes=("box", "ellipse")),
        step_kinds=["image_finding", "answer", "free"],
        required=["answer", "task_rois"],
    ),
    ProtocolKind.CARE: _config(
        labels=_labels(("anatomy", "Anatomy"), ("finding", "Finding"), ("device", "Device")),
        required=["answer", "rois", "label", "evidence"],
    ),
    ProtocolKind.TOPIC_FINDINGS: _config(
        labels=_labels(*((name, name.capitalize()) for name in _REGIONS)),
        step_kinds=["topic_finding"],
        required=["steps", "step_text"],
    ),
}


def defaults(kind: str) -> dict[str, Any]:
    """The built-in config of a kind, a fresh copy; KeyError for an unknown kind."""
    return checked_config({}, kind=kind)


def _label(fields: Fields, value: object, path: str, seen: dict[str, set[str]], index: int) -> dict[str, Any]:
    given = fields.mapping(value, path, _LABEL_KEYS, ("id",))
    name, key = given.get("id"), given.get("key")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        fields.fault(f"{path}.id", "is not 1 to 64 letters, digits, dots, dashes and underscores")
        name = ""
    if key is not None and (not isinstance(key, str) or len(key) != 1 or not key.isalnum()):
        fields.fault(f"{path}.key", "is not one letter or digit")
        key = None
    for what, used in (("id", name), ("key", key)):
        if used and used in seen[what]:
            fields.fault(f"{path}.{what}", f"{used!r} is used by another label")
        seen[what].add(used or "")
    colour = fields.text(given.get("colour", COLOURS[index % len(COLOURS)]), f"{path}.colour", most=7)
    if not _COLOUR.fullmatch(colour):
        fields.fault(f"{path}.colour", f"{colour!r} is not #rrggbb")
    shapes = given.get("shapes", list(SHAPES))
    return {
        "id": name,
        "name": fields.text(given.get("name", name), f"{path}.name", most=100),
        "colour": colour,
        "line_style": fields.one_of(given.get("line_style", "solid"), f"{path}.line_style", LINE_STYLES),
        "shapes": _words(fields, shapes, f"{path}.shapes", SHAPES),
        "key": key,
    }


def _words(fields: Fields, value: object, path: str, allowed: tuple[str, ...]) -> list[str]:
    return list(
        dict.fromkeys(fields.one_of(item, at, allowed) for at, item in fields.items(value, path, most=len(allowed)))
    )


def _rendering(fields: Fields, value: object) -> dict[str, int]:
    given = fields.mapping(value, "rendering", ("frames",))
    # A model is shown the middle frame of a cine; the number is stated so that a record says what was done.
    return {"frames": fields.whole(given.get("frames", 1), "rendering.frames", least=1, most=1)}


def checked_config(given: object, *, kind: str) -> dict[str, Any]:
    """A protocol's config, complete: what is given, and the kind's defaults for the rest.

    Parameters
    ----------
    given
        Anything that JSON can hold; INTERFACE.md section 4's object or a part of it.
    kind
        One of `ProtocolKind`.

    Raises
    ------
    BadProtocol
        With every fault at its path, such as ``labels[1].colour``.
    """
    fields = Fields()
    config = {**_DEFAULTS[kind], **fields.mapping(given, "", CONFIG_KEYS)}
    seen: dict[str, set[str]] = {"id": set(), "key": set()}
    labels = [
        _label(fields, item, path, seen, index)
        for index, (path, item) in enumerate(fields.items(config["labels"], "labels", most=MOST_LABELS))
    ]
    errors = [
        fields.text(item, path, most=100) for path, item in fields.items(config["error_types"], "error_types", most=50)
    ]
    checked: dict[str, Any] = {
        "labels": labels,
        "step_kinds": _words(fields, config["step_kinds"], "step_kinds", STEP_KINDS),
        "required": _words(fields, config["required"], "required", REQUIREMENTS),
        "error_types": errors,
        "blinding": fields.one_of(config["blinding"], "blinding", ("until_submit",)),
        "overlap": fields.whole(config["overlap"], "overlap", least=1, most=MOST_OVERLAP),
        "rendering": _rendering(fields, config["rendering"]),
        "smart_tool_in_blind": fields.flag(config["smart_tool_in_blind"], "smart_tool_in_blind"),
        "may_leave_site": fields.flag(config["may_leave_site"], "may_leave_site"),
    }
    if "label" in checked["required"] and not labels:
        fields.fault("required", "a label is required of every ROI, but there are no labels")
    if fields.errors:
        raise BadProtocol(tuple(fields.errors))
    return checked


@transaction.atomic
def write_protocol(*, benchmark: Benchmark, kind: str, given: object, actor: User | None = None) -> Protocol:
    """Put a protocol in force: a new version if it differs from the one in force, else that one.

    The benchmark's `overlap` follows the protocol's. A version in use is never edited.

    Raises
    ------
    BadProtocol
        As `checked_config`.
    """
    config = checked_config(given, kind=kind)
    named = digest({"kind": kind, **config})
    # Two writers at once would both count to the same next version.
    locked = Benchmark.objects.select_for_update(no_key=True).get(pk=benchmark.pk)
    current = locked.protocols.order_by("-version").first()
    if current is not None and current.digest == named:
        return current
    version = (locked.protocols.aggregate(highest=Max("version"))["highest"] or 0) + 1
    protocol = Protocol.objects.create(benchmark=locked, version=version, kind=kind, config=config, digest=named)
    _set_overlap(locked, config["overlap"])
    benchmark.overlap = locked.overlap
    audit.record(
        "protocol.written",
        actor=actor,
        benchmark_id=locked.pk,
        object_type="protocol",
        object_id=str(protocol.pk),
        before={"version": current.version, "digest": current.digest} if current else None,
        after={"version": version, "digest": named},
    )
    return protocol


def _set_overlap(locked: Benchmark, overlap: int) -> None:
    """Other places at every case: which are open follows, and readers look at the queue from its start again."""
    if locked.overlap == overlap:
        return
    locked.overlap = overlap
    locked.queue_epoch += 1
    locked.save(update_fields=["overlap", "queue_epoch"])
    reading_order.rewrite_benchmark(locked.pk)


def protocol_record(protocol: Protocol) -> dict[str, Any]:
    """Section 4's object with the kind, version and digest of the protocol that holds it."""
    return {"kind": protocol.kind, "version": protocol.version, "digest": protocol.digest, **protocol.config}


def config_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as `protocol_record` writes it, without what names the version: so that a GET can be PUT back."""
    return {key: value for key, value in body.items() if key not in {"kind", "version", "digest"}}


@transaction.atomic
def create_benchmark(
    *,
    slug: str,
    kind: str,
    title: str = "",
    description: str = "",
    config: object = None,
    overlap: int | None = None,
    is_demo: bool = False,
    actor: User | None = None,
) -> Benchmark:
    """A new benchmark with the first version of its protocol.

    Parameters
    ----------
    config
        Section 4's object or a part of it; the kind's defaults fill the rest.
    overlap
        Readings wanted for each case; wins over the config's.

    Raises
    ------
    BadProtocol
        As `checked_config`.
    django.core.exceptions.ValidationError
        A slug that is none, or is taken.
    """
    given: Any = {} if config is None else config
    if overlap is not None and isinstance(given, dict):
        given = {**given, "overlap": overlap}
    benchmark = Benchmark(slug=slug, title=title or slug, description=description, is_demo=is_demo)
    benchmark.full_clean()
    benchmark.save()
    write_protocol(benchmark=benchmark, kind=kind, given=given, actor=actor)
    audit.record("benchmark.created", actor=actor, benchmark_id=benchmark.pk, object_type="benchmark", object_id=slug)
    return benchmark
