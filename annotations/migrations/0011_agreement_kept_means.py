import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0010_queue_marks"),
        ("curation", "0009_reading_places"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="agreementscore",
            name="agreement_by_benchmark",
        ),
        migrations.AddField(
            model_name="caseagreement",
            name="means",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.FloatField(null=True),
                default=list,
                help_text="of each number of `agreement_pair.MEANS` over those pairs",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="caseagreement",
            name="pairs",
            field=models.PositiveIntegerField(default=0, help_text="of unaided readers"),
        ),
        migrations.AddIndex(
            model_name="agreementscore",
            index=models.Index(
                fields=["benchmark_id", "arm", "a_kind", "b_kind"],
                include=("a_party", "b_party", "a_answer", "b_answer"),
                name="agreement_by_answers",
            ),
        ),
    ]
