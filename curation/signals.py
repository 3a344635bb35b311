"""What higher apps hear from this one; each is sent from on_commit."""

from django.dispatch import Signal

# Arguments: case_ids, a list of UUIDs of cases that came in or whose content or gold changed.
cases_changed = Signal()

# Arguments: user_id, and benchmark_id or None for every one: somebody may read there no more.
reader_left = Signal()

# Arguments: benchmark_id, and order_key and position: an open case moved up to there, or was opened again there.
queue_moved = Signal()
