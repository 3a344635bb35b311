"""Tables of what models say."""

from inference.models.enrolments import Enrolment, ModelVersion
from inference.models.jobs import JobState
from inference.models.predictions import AttentionMap, Prediction, PredictionStep
from inference.models.runs import RunKind, ScoringRun
from inference.models.scores import MapKind, RoiRule, Score, TargetKind

__all__ = [
    "AttentionMap",
    "Enrolment",
    "JobState",
    "MapKind",
    "ModelVersion",
    "Prediction",
    "PredictionStep",
    "RoiRule",
    "RunKind",
    "Score",
    "ScoringRun",
    "TargetKind",
]
