from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0004_many_experts"),
        ("curation", "0008_reading_order"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="caseagreement",
            name="case_agreement_by_time",
        ),
        migrations.AddField(
            model_name="agreementscore",
            name="cluster",
            field=models.CharField(blank=True, help_text="the case's", max_length=16),
        ),
        migrations.AddField(
            model_name="agreementscore",
            name="modalities",
            field=models.CharField(blank=True, help_text="the case's", max_length=200),
        ),
        migrations.AddField(
            model_name="agreementscore",
            name="said_at",
            field=models.DateTimeField(help_text="when the second of the two spoke", null=True),
        ),
        migrations.AddField(
            model_name="caseagreement",
            name="aided_pattern",
            field=models.JSONField(default=dict, help_text="as `pattern`, of the aided arm"),
        ),
        migrations.AddField(
            model_name="caseagreement",
            name="cluster",
            field=models.CharField(
                blank=True, help_text="what is drawn together: patient, else first image, hashed", max_length=16
            ),
        ),
        migrations.AddField(
            model_name="caseagreement",
            name="said_at",
            field=models.DateTimeField(help_text="when the newest reading was submitted", null=True),
        ),
        migrations.AlterField(
            model_name="caseagreement",
            name="modalities",
            field=models.CharField(blank=True, help_text="sorted, joined by a space", max_length=200),
        ),
        migrations.AddIndex(
            model_name="caseagreement",
            index=models.Index(fields=["benchmark_id", "said_at"], name="case_agreement_by_time"),
        ),
    ]
