"""Cases by disagreement, those of one disagreement in their order."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """The review queue goes along this index, page by page."""

    dependencies = [("curation", "0009_reading_places")]

    operations = [
        migrations.RemoveIndex(model_name="casefacts", name="facts_by_disagreement"),
        migrations.AddIndex(
            model_name="casefacts",
            index=models.Index(fields=["benchmark_id", "-disagreement", "position"], name="facts_by_disagreement"),
        ),
    ]
