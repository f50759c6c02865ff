# samgis-process: build with `docker build -t samgis-process .`, run with
#   docker run -p 127.0.0.1:5000:5000 -v samgis-cache:/cache samgis-process
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /venv
COPY requirements.lock ./
RUN /venv/bin/pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE NOTICE pygeoapi-config.yml openapi.yml ./
COPY samgis_process ./samgis_process
RUN /venv/bin/pip install --no-build-isolation --no-deps . \
    && SAMGIS_CACHE_DIR=/cache /venv/bin/samgis-process models install \
    && rm -rf models/downloads

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 samgis && install -d -o samgis /cache
COPY --from=build /venv /venv
COPY --from=build /app/models /app/models
COPY pygeoapi-config.yml openapi.yml LICENSE NOTICE /app/
WORKDIR /app
USER samgis
ENV HOST=0.0.0.0 PORT=5000 SAMGIS_CACHE_DIR=/cache PYTHONDONTWRITEBYTECODE=1
VOLUME /cache
EXPOSE 5000
HEALTHCHECK --start-period=30s --interval=30s --timeout=5s \
    CMD ["/venv/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:5000/health')"]
CMD ["/venv/bin/samgis-process", "serve"]
