# Two stages: wheels are built where a compiler is, the image that runs has none.
FROM python:3.11-slim-bookworm AS build
# No versions: Debian takes old ones off its mirrors, and nothing of this stage but the built wheels gets into the image.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
COPY requirements.lock /tmp/requirements.lock
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock

FROM python:3.11-slim-bookworm
# Never root. Another user (compose: PUID, PGID) needs no entry here, only the right to its two folders.
RUN groupadd --gid 10001 porter && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin porter \
    && install --directory --owner porter --group porter --mode 0700 /data && install -d -o porter -g porter /downloads
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
# The four folders of Porter alone: an image never falls back to the sandbox.
COPY storage storage
COPY services services
COPY handlers handlers
COPY bot bot
# Readable for whatever user runs it, whatever umask the checkout was made under; compiled once, not at every start.
RUN chmod -R a+rX . && /opt/venv/bin/python -m compileall -q .
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ENV_FILE= DATA_DIR=/data DOWNLOAD_DIR=/downloads \
    HEALTH_PORT=8090 MALLOC_ARENA_MAX=2
USER 10001:10001
VOLUME ["/data", "/downloads"]
STOPSIGNAL SIGTERM
# A start that upgrades a large database takes its time, and says "starting" meanwhile.
HEALTHCHECK --interval=30s --timeout=15s --start-period=120s --retries=3 CMD ["python", "-m", "bot", "health"]
ENTRYPOINT ["python", "-m", "bot"]
