"""Endpoints of this app under /api/v1/."""

from inference.api import models, predictions, runs, scores

urlpatterns = [
    *scores.urlpatterns,
    *predictions.urlpatterns,
    *models.urlpatterns,
    *runs.urlpatterns,
]
