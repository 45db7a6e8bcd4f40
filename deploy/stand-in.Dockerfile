# The gateway's development stand-in, for machines that cannot get Kong's image (deploy/compose.stand-in.yaml). Never for production:
# it plays the part of Kong that this project uses, without Kong's performance or its years of attack.
#
# Two stages, as in the other images; kong/plugins is in it for the wire format that both sides share.
# Build from the repository root: docker build -f deploy/stand-in.Dockerfile .

ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS environment
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv --without-pip /opt/venv
COPY requirements/stand-in.txt /tmp/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --python /opt/venv/bin/python install --quiet --no-deps --require-hashes --only-binary :all: -r /tmp/requirements.txt

FROM ${PYTHON_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gatehouse-stand-in" \
      org.opencontainers.image.description="A development stand-in for Kong" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
RUN groupadd --system --gid 10001 gatehouse \
 && useradd --system --uid 10001 --gid gatehouse --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gatehouse
COPY --from=environment /opt/venv /opt/venv
COPY deploy/healthcheck.py /usr/local/bin/healthcheck.py
WORKDIR /app
COPY common common
COPY kong/__init__.py kong/__init__.py
COPY kong/plugins kong/plugins
COPY devstack/__init__.py devstack/__init__.py
COPY devstack/kongside devstack/kongside
COPY devstack/gateway devstack/gateway
RUN python -m compileall -q common kong devstack

USER 10001:10001
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=10 \
    CMD ["python", "-I", "-S", "/usr/local/bin/healthcheck.py", "http://127.0.0.1:8001/status"]
# In Kong's place behind kong/entrypoint.sh, which compose mounts with the template.
CMD ["python", "-m", "devstack.gateway"]
