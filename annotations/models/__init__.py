"""Tables of what experts say."""

from annotations.models.assignments import Assignment, AssignmentState
from annotations.models.readings import (
    Arm,
    Reading,
    ReadingRevision,
    ReadingState,
    SubmitReceipt,
)
from annotations.models.regions import Entity, Evidence, RationaleStep, Roi

__all__ = [
    "Arm",
    "Assignment",
    "AssignmentState",
    "Entity",
    "Evidence",
    "RationaleStep",
    "Reading",
    "ReadingRevision",
    "ReadingState",
    "Roi",
    "SubmitReceipt",
]
