"""Log-ins that failed, so that every web process counts the same."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0004_facts_place"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoginFailure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_digest", models.CharField(max_length=64)),
                ("address", models.CharField(blank=True, max_length=64)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["name_digest", "at"], name="login_failure_by_name"),
                    models.Index(fields=["address", "at"], name="login_failure_by_address"),
                    models.Index(fields=["at"], name="login_failure_by_time"),
                ],
            },
        ),
    ]
