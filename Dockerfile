# One image for bot, worker, follower and trainer: `docker build -t tuneroom .`; docs/operate.md says how to run it.
# LOCK=requirements-s3.lock adds the library of an s3:// blob store.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ARG LOCK=requirements.lock
COPY ${LOCK} /tmp/requirements.lock
RUN python -m venv /opt/tuneroom \
    && /opt/tuneroom/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/requirements.lock

FROM python:${PYTHON}-slim
# the pictures of a run: matplotlib's own font has no Hangul, kana or Han
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home tuneroom \
    && install -d -o tuneroom -g tuneroom -m 0700 /var/lib/tuneroom /var/lib/tuneroom/blobs /var/lib/tuneroom/trainer
COPY --from=build /opt/tuneroom /opt/tuneroom
COPY finetune /app/finetune
COPY jobstore /app/jobstore
COPY bot /app/bot
COPY workers /app/workers
COPY trainer /app/trainer
COPY tuneroom /app/tuneroom
RUN /opt/tuneroom/bin/python -m compileall -q /app
ENV PATH=/opt/tuneroom/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1 \
    MPLCONFIGDIR=/tmp/matplotlib \
    TUNEROOM_HEALTH_PORT=9464 \
    TUNEROOM_HEALTH_HOST=0.0.0.0
WORKDIR /var/lib/tuneroom
USER tuneroom
ENTRYPOINT ["python", "-P", "-m", "tuneroom"]
CMD ["--help"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=8s --start-period=40s --retries=2 CMD ["python", "-P", "-m", "tuneroom", "healthy"]
