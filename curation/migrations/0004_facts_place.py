"""Where a case stands, beside how often it was read: one index finds the next case to read."""

from django.db import migrations, models

FILL = """
UPDATE curation_casefacts AS facts SET benchmark_id = c.benchmark_id, position = c.position
FROM curation_case AS c WHERE c.id = facts.case_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0003_export_jobs"),
    ]

    operations = [
        migrations.AddField(
            model_name="casefacts",
            name="benchmark_id",
            field=models.UUIDField(
                null=True, help_text="of the case: with its place here, one index finds the next case to read"
            ),
        ),
        migrations.AddField(
            model_name="casefacts",
            name="position",
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="casefacts",
            name="benchmark_id",
            field=models.UUIDField(help_text="of the case: with its place here, one index finds the next case to read"),
        ),
        migrations.AlterField(
            model_name="casefacts",
            name="position",
            field=models.PositiveBigIntegerField(),
        ),
        migrations.AddIndex(
            model_name="casefacts",
            index=models.Index(fields=["benchmark_id", "position", "readings_submitted"], name="facts_by_place"),
        ),
    ]
