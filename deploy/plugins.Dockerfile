# token-validator, idempotency: one image, the environment says which plugin it serves.
#
# Two stages: wheels are installed where pip is, and only the finished environment and the code reach the image, so it holds
# no compiler, no pip cache and no build tool. The code comes last: after a change in it only that layer is built again.
# Build from the repository root: docker build -f deploy/plugins.Dockerfile .

ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS environment
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/venv
COPY requirements/plugins.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --python /opt/venv/bin/python install --quiet --no-deps --require-hashes --only-binary :all: -r /tmp/requirements.txt

FROM ${PYTHON_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gatehouse-plugins" \
      org.opencontainers.image.description="Gatehouse's Kong plugin servers" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${REVISION}"
# Python's output is not buffered, byte code is written while building only (the root file system is read-only), and
# the code in /app is found from anywhere.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
RUN groupadd --system --gid 10001 gatehouse \
 && useradd --system --uid 10001 --gid gatehouse --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gatehouse
COPY --from=environment /opt/venv /opt/venv
COPY deploy/healthcheck.py /usr/local/bin/healthcheck.py
COPY deploy/plugin-server.sh /usr/local/bin/plugin-server
WORKDIR /app
COPY common common
COPY kong kong
# The named volume over the socket directory takes its owner from the image.
RUN python -m compileall -q common kong && install -d -o 10001 -g 10001 -m 0755 /run/kong-plugins

USER 10001:10001
ENV KONG_PLUGINS_DIR=/run/kong-plugins METRICS_PORT=9601
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=10 \
    CMD ["sh", "-c", "exec python -I -S /usr/local/bin/healthcheck.py \"http://127.0.0.1:$METRICS_PORT/health\""]
CMD ["plugin-server", "token-validator"]
