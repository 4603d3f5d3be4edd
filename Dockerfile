# docker build -t hunkwise .
# docker run --rm -v "$PWD:/src:ro" -v hunkwise:/data hunkwise review --commit HEAD
# The server: docker build --target serve -t hunkwise-serve . (docs/deploying.md)
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
ARG RUN_IMAGE=${PYTHON_IMAGE}

# ---- build: a wheel of hunkwise, and a virtual environment with it and llama.cpp
# For CUDA, both images need Python 3.11 or later, and the first one nvcc:
#   --build-arg PYTHON_IMAGE=… --build-arg RUN_IMAGE=… --build-arg CMAKE_ARGS=-DGGML_CUDA=on
FROM ${PYTHON_IMAGE} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV PYTHONSAFEPATH=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Debian's own patch releases may be newer at each build, and should be
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential git \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN python3 -m venv /build-tools \
    && /build-tools/bin/pip install "build>=1.2,<2" \
    && /build-tools/bin/python -m build --wheel --outdir /wheels .
# GGML_NATIVE=OFF: the image runs on other machines than the one that built it
ARG CMAKE_ARGS="-DGGML_NATIVE=OFF"
ARG EXTRAS=all
RUN python3 -m venv /opt/hunkwise \
    && wheel=$(echo /wheels/hunkwise-*.whl) \
    && CMAKE_ARGS="${CMAKE_ARGS}" /opt/hunkwise/bin/pip install "${wheel}[${EXTRAS}]" \
    && /opt/hunkwise/bin/hunkwise --version
# A model by name puts it into the image; by default it is fetched at the first review, into the volume.
ARG MODEL=""
RUN mkdir -p /opt/models \
    && if [ -n "${MODEL}" ]; then HUNKWISE_MODELS=/opt/models /opt/hunkwise/bin/hunkwise model pull -- "${MODEL}"; fi

# ---- run
FROM ${RUN_IMAGE} AS base
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin hunkwise \
    && install --directory --owner=hunkwise --group=hunkwise /data /src \
    && git config --file /etc/hunkwise.gitconfig safe.directory '*'
COPY --from=build /opt/hunkwise /opt/hunkwise
COPY --from=build --chown=hunkwise:hunkwise /opt/models /data/models
# The checkout belongs to somebody else, and git is to read it all the same: it is what this container is for.
ENV PATH=/opt/hunkwise/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    HUNKWISE_MODELS=/data/models \
    HUNKWISE_CACHE=/data/cache \
    GIT_CONFIG_GLOBAL=/etc/hunkwise.gitconfig
USER 10001
VOLUME /data
WORKDIR /src
ENTRYPOINT ["hunkwise"]

# ---- the server: it reaches no checkout, and answers only those who have a token
FROM base AS serve
EXPOSE 11435
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:11435/healthz', timeout=3)"]
CMD ["serve", "--host", "0.0.0.0"]

# ---- the tool, which is built where no target is named
FROM base AS tool
CMD ["--help"]
