# samgis-process: build with `docker build -t samgis-process .`, run with `docker compose up`, or
#   docker run --read-only --tmpfs /tmp -p 127.0.0.1:5000:5000 -v samgis-cache:/cache \
#     -v samgis-data:/data samgis-process
# By digest, so that a build is the same tomorrow; a newer one is taken on purpose.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
ENV SAMGIS_MODELS_DIR=/app/models
RUN python3 -m venv /venv
COPY requirements.lock ./
RUN /venv/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE pygeoapi-config.yml openapi.yml ./
COPY samgis_process ./samgis_process
# The root may be read-only later, so what Python would compile at start is compiled here.
RUN /venv/bin/pip install --no-build-isolation --no-deps . \
    && SAMGIS_CACHE_DIR=/tmp/cache /venv/bin/samgis-process models install \
    && rm -rf models/downloads /tmp/cache \
    && /venv/bin/python -m compileall -q /venv/lib

FROM ${PYTHON_IMAGE}
RUN useradd --no-log-init --uid 10001 --no-create-home --home-dir /tmp samgis \
    && install -d -o samgis /cache /data
COPY --from=build /venv /venv
COPY --from=build /app/models /app/models
COPY pygeoapi-config.yml openapi.yml LICENSE NOTICE /app/
WORKDIR /app
USER 10001
ENV HOST=0.0.0.0 PORT=5000 SAMGIS_CACHE_DIR=/cache SAMGIS_DATA_DIR=/data \
    SAMGIS_MODELS_DIR=/app/models MALLOC_ARENA_MAX=2 \
    PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
VOLUME /cache /data
EXPOSE 5000
HEALTHCHECK --start-period=30s --interval=30s --timeout=5s \
    CMD ["/venv/bin/python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
CMD ["/venv/bin/samgis-process", "serve"]
