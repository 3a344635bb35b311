"""Seals over the trail, what waits for one, and events that are told once; all that is there already is waiting."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0005_login_failures"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("event_id", models.BigIntegerField(unique=True)),
                ("digest", models.CharField(max_length=64)),
                ("sealed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="AuditWaiting",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.AddField(
            model_name="auditevent",
            name="once",
            field=models.CharField(editable=False, max_length=128, null=True, unique=True),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["object_id"], name="audit_by_object_id"),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["action", "-id"], name="audit_by_action"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditevent",
            trigger=pgtrigger.compiler.Trigger(
                name="wait_for_seal",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="INSERT INTO curation_auditwaiting (event_id) VALUES (NEW.id); RETURN NULL;",
                    hash="dce5d6aa205fb586257d4261767a6136240f0967",
                    operation="INSERT",
                    pgid="pgtrigger_wait_for_seal_d8416",
                    table="curation_auditevent",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditseal",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="2c3a6a50cab358e6f532cbfdce65d66a6e6beeb3",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_31b05",
                    table="curation_auditseal",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditseal",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'the audit trail is append-only';",
                    hash="92182ee345f1d9d997edf4d7e364e03cf3e3f5d6",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_04115",
                    table="curation_auditseal",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(
            "INSERT INTO curation_auditwaiting (event_id) SELECT id FROM curation_auditevent ON CONFLICT DO NOTHING",
            migrations.RunSQL.noop,
        ),
    ]
