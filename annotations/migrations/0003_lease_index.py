"""Open leases are few among all assignments: who asks for them reads no others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0002_evidence"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(
                condition=models.Q(("state", "leased")), fields=["lease_expires_at"], name="assignment_leases"
            ),
        ),
    ]
