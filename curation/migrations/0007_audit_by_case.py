"""The events of a case are found by the case that they name."""

import django.db.models.fields.json
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0006_audit_seals"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(django.db.models.fields.json.KeyTextTransform("case", "after"), name="audit_by_case"),
        ),
    ]
