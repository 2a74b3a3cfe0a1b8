# One image for `bug-fix serve`, `bug-fix work` and `bug-fix migrate`: docker build -t bug-fix .
# It runs as an ordinary user and writes to /tmp only, so its file system can be read-only (compose.yaml does that).
# Tags move: pin both base images by digest (…@sha256:…) before you rely on a build.

FROM python:3.11-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml requirements.lock README.md LICENSE .gitlab-ci.yml ./
COPY migrations migrations
COPY templates templates
COPY sandbox sandbox
COPY pipelines pipelines
COPY receiver receiver
# Everything is checked against the hashes of requirements.lock: uv itself, the build backend, the dependencies.
RUN sed -n '/^uv==/,/[^\\]$/p' requirements.lock > uv.txt \
 && pip install --no-cache-dir --require-hashes -r uv.txt \
 && uv build --wheel --build-constraints requirements.lock --require-hashes \
 && uv venv --python /usr/local/bin/python /opt/bug-fix \
 && uv pip install --python /opt/bug-fix/bin/python --compile-bytecode --constraint requirements.lock dist/*.whl

FROM python:3.11-slim-bookworm
# For this release only: git applies what job clients of the previous release hand in (docs/install.md).
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin bug-fix
COPY --from=build /opt/bug-fix /opt/bug-fix
ENV PATH=/opt/bug-fix/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8080 \
    BUG_FIX_CATALOGUE=/etc/bug-fix/bug-fix.yml
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
# Of `serve`. A worker listens on nothing: switch this off for it, as compose.yaml does.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/ready', timeout=4)"]
ENTRYPOINT ["bug-fix"]
CMD ["--help"]
