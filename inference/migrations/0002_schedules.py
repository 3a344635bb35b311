import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("curation", "0005_login_failures"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("inference", "0001_first"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="score",
            name="superseded_at",
            field=models.DateTimeField(
                blank=True,
                help_text="when scoring had measured what takes its place, or found nothing to measure",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="scoringrun",
            name="ends_by",
            field=models.DateTimeField(blank=True, help_text="no case is begun after this", null=True),
        ),
        migrations.AddField(
            model_name="scoringrun",
            name="is_cut_short",
            field=models.BooleanField(default=False, help_text="it ended by `ends_by` with cases left"),
        ),
        migrations.AddField(
            model_name="scoringrun",
            name="metrics",
            field=models.JSONField(blank=True, default=list, help_text="empty: what the enrolment asks for"),
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(blank=True, max_length=100)),
                (
                    "metrics",
                    models.JSONField(blank=True, default=list, help_text="empty: what each enrolment asks for"),
                ),
                ("every_s", models.PositiveIntegerField(blank=True, null=True)),
                ("cron", models.CharField(blank=True, default="", max_length=100)),
                ("timezone", models.CharField(default="UTC", max_length=64)),
                ("is_stale_only", models.BooleanField(default=True)),
                (
                    "budget_s",
                    models.PositiveIntegerField(
                        blank=True, help_text="seconds a run may take; empty: no limit", null=True
                    ),
                ),
                ("is_enabled", models.BooleanField(default=True)),
                ("armed_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "benchmark",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="schedules", to="curation.benchmark"
                    ),
                ),
                (
                    "chosen_models",
                    models.ManyToManyField(
                        blank=True,
                        help_text="empty: every enrolled model",
                        related_name="+",
                        to="inference.modelversion",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "periodic_task",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="django_celery_beat.periodictask",
                    ),
                ),
            ],
            options={
                "ordering": ["created_at"],
            },
        ),
        migrations.CreateModel(
            name="ScheduleRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("slot", models.DateTimeField(help_text="when it was due")),
                (
                    "cause",
                    models.CharField(
                        choices=[("due", "It was due"), ("asked", "Somebody asked")], default="due", max_length=8
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("parked", "Parked"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=16,
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("scoring", "Scores what is stored"),
                            ("predicting", "Models read what is new to them"),
                        ],
                        default="scoring",
                        max_length=16,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, help_text="steps that failed")),
                ("error", models.TextField(blank=True)),
                ("ends_by", models.DateTimeField(blank=True, help_text="when its budget is used up", null=True)),
                ("is_cut_short", models.BooleanField(default=False, help_text="the budget ended before the work did")),
                ("models_skipped", models.JSONField(default=list)),
                ("cases_scored", models.PositiveIntegerField(default=0, help_text="a case counts once for each model")),
                ("cases_left", models.PositiveIntegerField(default=0)),
                ("cases_predicted", models.PositiveIntegerField(default=0)),
                ("predictions_failed", models.PositiveIntegerField(default=0)),
                ("predictions_left", models.PositiveIntegerField(default=0)),
                ("scores_written", models.PositiveIntegerField(default=0)),
                ("scores_changed", models.PositiveIntegerField(default=0)),
                ("scores_removed", models.PositiveIntegerField(default=0)),
                ("scores_unavailable", models.PositiveIntegerField(default=0)),
                ("largest", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="inference.schedule"
                    ),
                ),
            ],
            options={
                "ordering": ["-slot"],
            },
        ),
        migrations.CreateModel(
            name="ScheduledPrediction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("is_counted", models.BooleanField(default=False)),
                (
                    "prediction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inference.prediction"
                    ),
                ),
                (
                    "schedule_run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="predictions",
                        to="inference.schedulerun",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="scoringrun",
            name="schedule_run",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="scoring_runs",
                to="inference.schedulerun",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("cron", ""), ("every_s__isnull", False)),
                    models.Q(("every_s__isnull", True), models.Q(("cron", ""), _negated=True)),
                    _connector="OR",
                ),
                name="schedule_every_or_cron",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("every_s__isnull", True), ("every_s__gte", 60), _connector="OR"),
                name="schedule_every_60_s",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("cron", ""), ("cron__regex", "^\\S+( \\S+){4}$"), _connector="OR"),
                name="schedule_cron_of_five_fields",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("budget_s__isnull", True), ("budget_s__gte", 1), _connector="OR"),
                name="schedule_budget_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("timezone", ""), _negated=True), name="schedule_has_time_zone"
            ),
        ),
        migrations.AddConstraint(
            model_name="schedulerun",
            constraint=models.UniqueConstraint(fields=("schedule", "slot"), name="schedule_run_once_a_slot"),
        ),
        migrations.AddConstraint(
            model_name="schedulerun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("queued", "running"))),
                fields=("schedule",),
                name="schedule_run_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="schedulerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["queued", "running", "done", "parked", "cancelled"])),
                name="schedule_run_known_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="scheduledprediction",
            constraint=models.UniqueConstraint(fields=("schedule_run", "prediction"), name="scheduled_prediction_once"),
        ),
    ]
