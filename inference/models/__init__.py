"""Tables of what models say."""

from inference.models.aid import AidShown
from inference.models.enrolments import Enrolment, ModelVersion
from inference.models.jobs import JobState
from inference.models.predictions import AttentionMap, Prediction, PredictionStep
from inference.models.runs import RunKind, ScoringRun
from inference.models.schedules import (
    UNFINISHED,
    RunCause,
    RunStage,
    Schedule,
    ScheduledPrediction,
    ScheduleRun,
)
from inference.models.scores import MapKind, RoiRule, Score, TargetKind
from inference.models.verdicts import Verdict, VerdictTarget

__all__ = [
    "UNFINISHED",
    "AidShown",
    "AttentionMap",
    "Enrolment",
    "JobState",
    "MapKind",
    "ModelVersion",
    "Prediction",
    "PredictionStep",
    "RoiRule",
    "RunCause",
    "RunKind",
    "RunStage",
    "Schedule",
    "ScheduleRun",
    "ScheduledPrediction",
    "Score",
    "ScoringRun",
    "TargetKind",
    "Verdict",
    "VerdictTarget",
]
