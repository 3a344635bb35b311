"""The append-only trail, and the seals that show that nobody changed it."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.fields.json import KT


def _append_only() -> list[pgtrigger.Trigger]:
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            operation=pgtrigger.Truncate,
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            func="RAISE EXCEPTION 'the audit trail is append-only';",
        ),
    ]


class AuditEvent(models.Model):
    """Who did what to what, and when; the database refuses to change or delete a row."""

    id = models.BigAutoField(primary_key=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="+",
    )
    actor_name = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=64)
    benchmark_id = models.UUIDField(null=True, blank=True, db_index=True)
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=128, blank=True)
    before: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    after: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    uid = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    # What may be told once only, such as the looks of one person at one case within one hour.
    once = models.CharField(max_length=128, null=True, editable=False, unique=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["object_id"], name="audit_by_object_id"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(KT("after__case"), name="audit_by_case"),
        ]
        triggers: ClassVar = [
            *_append_only(),
            # Sealing needs the rows that committed since, in whatever order: a list of them, as no watermark of ids
            # is safe while an older transaction is still open. Writers share no lock over it.
            pgtrigger.Trigger(
                name="wait_for_seal",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                func="INSERT INTO curation_auditwaiting (event_id) VALUES (NEW.id); RETURN NULL;",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class AuditWaiting(models.Model):
    """An event that is not sealed yet; a trigger writes it and sealing removes it."""

    event_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"event {self.event_id} waits for its seal"


class AuditSeal(models.Model):
    """One event's place in the chain: its digest covers the event, this row and the seal before it.

    A table of its own, so that sealing never changes an event.
    """

    number = models.BigIntegerField(primary_key=True)
    event_id = models.BigIntegerField(unique=True)
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        triggers: ClassVar = _append_only()

    def __str__(self) -> str:
        return f"seal {self.number} of event {self.event_id}"
