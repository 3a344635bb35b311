"""Tables of what is benchmarked and what is released."""

from curation.models.audit import AuditEvent, AuditSeal, AuditWaiting
from curation.models.benchmarks import Benchmark, OrderPolicy, Protocol, ProtocolKind
from curation.models.cases import Case, CaseImage
from curation.models.events import Event
from curation.models.facts import CaseFacts
from curation.models.gold import Gold, GoldRoi, gold_in_force
from curation.models.images import ImageAsset, ImageUpload
from curation.models.log_ins import LoginFailure
from curation.models.snapshots import (
    Export,
    ExportState,
    Snapshot,
    SnapshotCase,
    SnapshotName,
)
from curation.models.users import Membership, Role, User

__all__ = [
    "AuditEvent",
    "AuditSeal",
    "AuditWaiting",
    "Benchmark",
    "Case",
    "CaseFacts",
    "CaseImage",
    "Event",
    "Export",
    "ExportState",
    "Gold",
    "GoldRoi",
    "ImageAsset",
    "ImageUpload",
    "LoginFailure",
    "Membership",
    "OrderPolicy",
    "Protocol",
    "ProtocolKind",
    "Role",
    "Snapshot",
    "SnapshotCase",
    "SnapshotName",
    "User",
    "gold_in_force",
]
