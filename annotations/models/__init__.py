"""Tables of what experts say."""

from annotations.models.agreement import AgreementConfusion, AgreementLabel, AgreementScore, CaseAgreement, PartyKind
from annotations.models.assignments import Assignment, AssignmentState, Origin
from annotations.models.comments import Anchor, Comment, Mention
from annotations.models.priorities import CasePriority, ProbeResult
from annotations.models.queue import Draw, ProbeTurn, QueueMark, ReaderPair
from annotations.models.readings import (
    Arm,
    Reading,
    ReadingRevision,
    ReadingState,
    SubmitReceipt,
)
from annotations.models.regions import Entity, Evidence, RationaleStep, Roi
from annotations.models.reviews import Review, ReviewAction, ReviewState
from annotations.models.tallies import AgreementDelta, AgreementTally, TalliedBenchmark

__all__ = [
    "AgreementConfusion",
    "AgreementDelta",
    "AgreementLabel",
    "AgreementScore",
    "AgreementTally",
    "Anchor",
    "Arm",
    "Assignment",
    "AssignmentState",
    "CaseAgreement",
    "CasePriority",
    "Comment",
    "Draw",
    "Entity",
    "Evidence",
    "Mention",
    "Origin",
    "PartyKind",
    "ProbeResult",
    "ProbeTurn",
    "QueueMark",
    "RationaleStep",
    "ReaderPair",
    "Reading",
    "ReadingRevision",
    "ReadingState",
    "Review",
    "ReviewAction",
    "ReviewState",
    "Roi",
    "SubmitReceipt",
    "TalliedBenchmark",
]
