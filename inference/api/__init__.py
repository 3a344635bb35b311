"""Endpoints of this app under /api/v1/."""

from inference.api import aid, disagreement, models, predictions, runs, schedules, scores

urlpatterns = [
    *aid.urlpatterns,
    *scores.urlpatterns,
    *disagreement.urlpatterns,
    *predictions.urlpatterns,
    *models.urlpatterns,
    *runs.urlpatterns,
    *schedules.urlpatterns,
]
