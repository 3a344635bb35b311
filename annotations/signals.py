"""What higher apps hear from this one; each is sent from on_commit."""

from django.dispatch import Signal

# Arguments: reading_id, case_id and benchmark_id, UUIDs of a reading whose newest revision was just submitted, of its
# case and of the benchmark; is_probing, whether probes were handed out there when it was.
reading_submitted = Signal()

# Arguments: case_id, the UUID of a case whose rows of agreement were written anew or went.
agreement_changed = Signal()

# Arguments: case_id, the UUID of a case whose gold a review wrote, or whose review was reverted.
review_closed = Signal()
