"""Numbers from arrays: grounding, answers and disagreement. Pure: no Django, no Celery, no torch."""
