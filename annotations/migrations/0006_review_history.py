"""What a review remembers of its saving, escalating and reverting."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0005_agreement_places"),
        ("curation", "0008_reading_order"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="review",
            name="review_known_state",
        ),
        migrations.AddField(
            model_name="review",
            name="escalated_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="review",
            name="has_read_case",
            field=models.BooleanField(
                default=False,
                help_text="whoever closed it has read the case too: allowed beside others' readings, and shown",
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="revert_revision",
            field=models.PositiveIntegerField(blank=True, help_text="of the gold that reverting wrote", null=True),
        ),
        migrations.AddField(
            model_name="review",
            name="saved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="review",
            name="state",
            field=models.CharField(
                choices=[
                    ("open", "Open"),
                    ("escalated", "Escalated"),
                    ("closed", "Closed"),
                    ("reverted", "Reverted"),
                    ("discarded", "Set aside"),
                ],
                default="open",
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "escalated", "closed", "reverted", "discarded"])),
                name="review_known_state",
            ),
        ),
    ]
