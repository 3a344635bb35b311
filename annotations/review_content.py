"""What a review puts together: checked as a reading is, and joined from parts of several readings."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from annotations.content import BadContent, parse_content
from curation.fields import FieldError, Fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from annotations.content import Frame

PARTS = ("answer", "rois", "steps")
NOTHING: dict[str, Any] = {"answer": None, "rois": [], "steps": []}
MOST_SOURCES = 200
MOST_PARTS = 2_000
_GOLD_ROI = ("id", "image", "frame", "label", "shape", "geometry")
# Of parts whose id is taken already: the same merge gets the same ids everywhere.
_NAMESPACE = uuid.UUID("0f5c1d2e-93f4-4a57-8d0b-2f1de9a4c6b1")


@dataclass(frozen=True)
class Source:
    """A submitted revision of a reading and what of it was taken; None takes every ROI or step."""

    reading: str
    revision: int
    content: Mapping[str, Any] = field(repr=False)
    has_answer: bool = True
    rois: tuple[str, ...] | None = None
    steps: tuple[str, ...] | None = None

    def record(self) -> dict[str, Any]:
        """What is stored of it: the content stays where it is, in a revision that never changes."""
        return {
            "reading": self.reading,
            "revision": self.revision,
            "answer": self.has_answer,
            "rois": [roi["id"] for roi in self.taken("rois")],
            "steps": [step["id"] for step in self.taken("steps")],
        }

    def taken(self, part: str) -> list[dict[str, Any]]:
        """The ROIs or steps taken, in the reader's order; a step brings the ROIs that it rests on."""
        wanted = self.rois if part == "rois" else self.steps
        rows: list[dict[str, Any]] = list(self.content[part])
        if wanted is None:
            return rows
        cited = {name for step in self.taken("steps") for name in step["evidence"]} if part == "rois" else set()
        return [row for row in rows if row["id"] in wanted or row["id"] in cited]


def records(sources: Sequence[Source]) -> list[dict[str, Any]]:
    """What is stored of sources; of several that would give the answer, the one that does is named."""
    giver = next((source for source in sources if source.has_answer and source.content["answer"] is not None), None)
    return [{**source.record(), "answer": source is giver} for source in sources]


def merged(sources: Sequence[Source]) -> dict[str, Any]:
    """Join what is taken from each source, in their order; the answer is the first one's that gives one.

    Every step rests on ROIs that are there: those it cites come with it. An id that two sources share is replaced in
    the later one, with everything that cites it.
    """
    taken: set[str] = set()
    content: dict[str, Any] = {"answer": None, "rois": [], "steps": []}
    for source in sources:
        names: dict[str, str] = {}
        for part in ("rois", "steps"):
            for row in source.taken(part):
                names[row["id"]] = _free(row["id"], source, taken)
        content["rois"] += [{**roi, "id": names[roi["id"]]} for roi in source.taken("rois")]
        content["steps"] += [
            {**step, "id": names[step["id"]], "evidence": [names[name] for name in step["evidence"]]}
            for step in source.taken("steps")
        ]
        if content["answer"] is None and source.has_answer:
            content["answer"] = source.content["answer"]
    return content


def _free(name: str, source: Source, taken: set[str]) -> str:
    while name in taken:
        name = str(uuid.uuid5(_NAMESPACE, f"{source.reading}:{source.revision}:{name}"))
    taken.add(name)
    return name


def parse_gold_content(body: object, frame: Frame, *, path: str = "content") -> dict[str, Any]:
    """Check a gold in the making: answer, ROIs and steps as of a reading, with no confidence and no entities.

    Raises
    ------
    BadContent
        With paths below `path`.
    """
    fields = Fields()
    given = fields.mapping(body, path, PARTS)
    if fields.errors:
        raise BadContent(tuple(fields.errors))
    try:
        parsed = parse_content({name: given[name] for name in PARTS if name in given}, frame)
    except BadContent as error:
        raise BadContent(tuple(FieldError(f"{path}.{one.path}", one.detail) for one in error.errors)) from error
    return {name: parsed[name] for name in PARTS}


def as_gold(content: Mapping[str, Any]) -> dict[str, Any]:
    """Section 6's `gold` of checked content."""
    return {
        "answer": content["answer"],
        "rois": [{name: roi[name] for name in _GOLD_ROI} for roi in content["rois"]],
        "steps": content["steps"],
    }


def from_gold(gold: Mapping[str, Any] | None, frame: Frame) -> dict[str, Any]:
    """Where a review of a case that has gold starts: that gold, or nothing if it is of a form that no reading has."""
    if gold is None:
        return dict(NOTHING)
    answer = gold["answer"]
    if isinstance(answer, str):  # as sources give it: a letter or a word
        answer = {"choice": answer} if answer in frame.options else {"text": answer}
    steps = [{"id": str(uuid.uuid5(_NAMESPACE, f"step {n}")), **step} for n, step in enumerate(gold["steps"])]
    try:
        return parse_gold_content({"answer": answer, "rois": gold["rois"], "steps": steps}, frame)
    except BadContent:
        return dict(NOTHING)


def parse_sources(given: object, contents: Mapping[tuple[str, int], Mapping[str, Any]]) -> list[Source]:
    """Check what a body names as sources against the submitted revisions of the case.

    Parameters
    ----------
    given
        A list of `{reading, revision?, answer?, rois?, steps?}`; without a revision the newest, without `answer` the
        answer too, without `rois` or `steps` all of them.
    contents
        Content by (reading, revision).

    Raises
    ------
    BadContent
        With paths such as ``sources[0].rois[2]``.
    """
    fields = Fields()
    found = [_source(fields, item, path, contents) for path, item in fields.items(given, "sources", most=MOST_SOURCES)]
    if fields.errors:
        raise BadContent(tuple(fields.errors))
    return [source for source in found if source is not None]


def _source(
    fields: Fields, value: object, path: str, contents: Mapping[tuple[str, int], Mapping[str, Any]]
) -> Source | None:
    known = ("reading", "revision", "answer", "rois", "steps")
    given = fields.mapping(value, path, known, ("reading",))
    reading = given.get("reading")
    revisions = [revision for name, revision in contents if name == reading]
    if not revisions:
        fields.fault(f"{path}.reading", f"{str(reading)[:80]!r} is no submitted reading of this case")
        return None
    revision = given.get("revision", max(revisions))
    if type(revision) is not int or revision not in revisions:
        fields.fault(f"{path}.revision", f"{str(revision)[:80]} is none of {', '.join(map(str, sorted(revisions)))}")
        return None
    content = contents[str(reading), revision]
    return Source(
        reading=str(reading),
        revision=revision,
        content=content,
        has_answer=fields.flag(given.get("answer", True), f"{path}.answer"),
        rois=_ids(fields, given, path, "rois", content["rois"]),
        steps=_ids(fields, given, path, "steps", content["steps"]),
    )


def _ids(
    fields: Fields, given: Mapping[str, Any], path: str, part: str, rows: Iterable[Mapping[str, Any]]
) -> tuple[str, ...] | None:
    if given.get(part) is None:
        return None
    known = {str(row["id"]): "" for row in rows}
    what = "ROI" if part == "rois" else "step"
    return tuple(fields.references(given[part], f"{path}.{part}", known, what=what, most=MOST_PARTS))
