"""What is not worth a line in a log."""

import logging


class WithoutHeartbeat(logging.Filter):
    """Leaves out what Celery says of sealing: three lines each second, day and night, as long as all is well."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is kept; warnings and errors always are."""
        is_news = record.levelno > logging.INFO or not record.name.startswith("celery.")
        return is_news or "seal_audit" not in record.getMessage()
