# auth, member, bff: one image, the command says which service runs.
#
# Two stages: wheels are installed where pip is, and only the finished environment and the code reach the image, so it holds
# no compiler, no pip cache and no build tool. The code comes last: after a change in it only that layer is built again.
# Build from the repository root: docker build -f deploy/service.Dockerfile .

ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS environment
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/venv
COPY requirements/service.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --python /opt/venv/bin/python install --quiet --no-deps --require-hashes --only-binary :all: -r /tmp/requirements.txt

FROM ${PYTHON_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gatehouse-service" \
      org.opencontainers.image.description="Gatehouse's services: auth, member and bff" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${REVISION}"
# Python's output is not buffered, byte code is written while building only (the root file system is read-only), and
# the code in /app is found from anywhere.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
RUN groupadd --system --gid 10001 gatehouse \
 && useradd --system --uid 10001 --gid gatehouse --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gatehouse
COPY --from=environment /opt/venv /opt/venv
COPY deploy/healthcheck.py /usr/local/bin/healthcheck.py
WORKDIR /app
COPY common common
COPY services services
# The named volumes over these directories take their owner from the image.
RUN python -m compileall -q common services && install -d -o 10001 -g 10001 -m 0700 /mail

USER 10001:10001
# HEALTH_URL: the service's own readiness, set beside the command that chooses the service.
ENV HOST=0.0.0.0 HEALTH_URL=http://127.0.0.1:4000/health/ready
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=10 \
    CMD ["sh", "-c", "exec python -I -S /usr/local/bin/healthcheck.py \"$HEALTH_URL\""]
CMD ["python", "-m", "services.auth"]
