"""Endpoints of this app under /api/v1/."""

from inference.api import models, predictions, runs, schedules, scores

urlpatterns = [
    *scores.urlpatterns,
    *predictions.urlpatterns,
    *models.urlpatterns,
    *runs.urlpatterns,
    *schedules.urlpatterns,
]
