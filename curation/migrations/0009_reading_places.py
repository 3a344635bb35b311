"""Where each case stands in the queue, for the cases that are there already."""

from __future__ import annotations

from django.db import migrations, models

PLACES = """
    UPDATE curation_casefacts f SET
        is_open = NOT c.is_probe AND f.readings_submitted < coalesce(c.overlap, b.overlap),
        draw_key = ('x' || left(encode(sha256((b.order_seed || ':' || c.id)::bytea), 'hex'), 13))::bit(52)::bigint
            / 4503599627370496::float8,
        order_key = f.position
    FROM curation_case c, curation_benchmark b
    WHERE c.id = f.case_id AND b.id = c.benchmark_id
"""


class Migration(migrations.Migration):
    """Counts readings begun, and writes the given order, which every benchmark has so far."""

    dependencies = [("curation", "0008_reading_order")]

    operations = [
        migrations.AddField(
            model_name="casefacts",
            name="readings_begun",
            field=models.PositiveIntegerField(default=0, help_text="in any state: never becomes less"),
        ),
        migrations.AlterField(
            model_name="casefacts",
            name="is_drawn",
            field=models.BooleanField(
                default=False,
                help_text="was handed out once, by a draw or otherwise: no draw can be its first hand-out",
            ),
        ),
        migrations.RunSQL(PLACES, migrations.RunSQL.noop),
    ]
