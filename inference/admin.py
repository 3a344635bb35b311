"""Looking at models and their work in Django's administration; changes go through the product."""

from __future__ import annotations

from django.contrib import admin

from curation.look_only import LookOnly, NotForReaders
from inference.models import Enrolment, ModelVersion, Prediction, Schedule, ScheduleRun, Score, ScoringRun


@admin.register(ModelVersion)
class ModelVersionAdmin(LookOnly):
    list_display = ("name", "family", "revision", "is_trained", "layer_count", "created_at")
    list_filter = ("family", "is_trained")
    search_fields = ("name",)


@admin.register(Enrolment)
class EnrolmentAdmin(LookOnly):
    list_display = ("benchmark", "model", "is_live", "created_at")
    list_filter = ("is_live", "benchmark")
    list_select_related = ("benchmark", "model")


@admin.register(Prediction)
class PredictionAdmin(NotForReaders):
    case_path = "case_id"
    benchmark_path = "case__benchmark"
    list_display = ("case", "model", "state", "attempts", "error", "latency_ms", "finished_at")
    list_filter = ("state", "model", "case__benchmark")
    list_select_related = ("case", "model")


@admin.register(ScoringRun)
class ScoringRunAdmin(NotForReaders):
    case_path = "case_id"
    list_display = ("id", "kind", "benchmark", "state", "attempts", "error", "cases_done", "cases_total", "created_at")
    list_filter = ("state", "kind", "benchmark")
    list_select_related = ("benchmark",)


@admin.register(Schedule)
class ScheduleAdmin(LookOnly):
    list_display = ("__str__", "benchmark", "every_s", "cron", "timezone", "is_enabled", "armed_at")
    list_filter = ("is_enabled", "benchmark")
    list_select_related = ("benchmark",)


@admin.register(ScheduleRun)
class ScheduleRunAdmin(NotForReaders):
    benchmark_path = "schedule__benchmark"
    list_display = ("schedule", "slot", "cause", "state", "is_cut_short", "scores_written", "scores_changed", "error")
    list_filter = ("state", "cause", "schedule__benchmark")
    list_select_related = ("schedule",)


@admin.register(Score)
class ScoreAdmin(NotForReaders):
    case_path = "prediction__case_id"
    benchmark_path = "prediction__case__benchmark"
    list_display = ("metric", "prediction", "target_kind", "image", "frame", "map", "roi_rule", "unavailable")
    list_filter = ("metric", "target_kind", "map", "roi_rule")
    list_select_related = ("prediction__case", "prediction__model")
    show_full_result_count = False
