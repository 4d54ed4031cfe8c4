# The operator's image; the same image runs the test Jobs (`modelyard check`).
#
# Any pair of bases with the same Python >= 3.11 works: BUILD_BASE needs pip, BASE only `python3`.
# COMPILED=true compiles the gateway's hot path, which halves what a small request costs it. BUILD_BASE then needs a C
# compiler and the headers of its Python, as docker.io/library/python:3.11-bookworm has them; BASE is the same.
ARG BUILD_BASE=docker.io/library/python:3.11-slim-bookworm
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BUILD_BASE} AS build
ARG COMPILED=false
WORKDIR /build
COPY requirements/operator.lock requirements/compiled.lock ./
# Both secrets are optional: the builder's own pip configuration and CA bundle, for machines behind a
# proxy or a package mirror. Neither ends up in a layer.
RUN --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    python3 -m pip install --target=/opt/modelyard --require-hashes --only-binary=:all: \
        --no-cache-dir --no-compile --root-user-action=ignore --requirement=operator.lock
COPY operator/modelyard /opt/modelyard/modelyard
COPY LICENSE /opt/modelyard/
COPY scripts/compile.py ./
RUN --mount=type=secret,id=pip-conf,target=/etc/pip.conf \
    --mount=type=secret,id=ca-bundle,target=/etc/ssl/certs/ca-certificates.crt \
    case "$COMPILED" in \
        false) ;; \
        true) python3 -m pip install --target=/build/tools --require-hashes --only-binary=:all: \
                --no-cache-dir --root-user-action=ignore --requirement=compiled.lock \
            && PYTHONPATH=/build/tools python3 compile.py /opt/modelyard ;; \
        *) echo "COMPILED is '$COMPILED'; it must be true or false" >&2; exit 1 ;; \
    esac
# Test suites and type stubs of dependencies are dead weight. Byte code is compiled here, since the root
# file system is read-only at run time, and unchecked, since file times mean nothing in a layer.
RUN find /opt/modelyard \( -type d \( -name tests -o -name testing -o -name __pycache__ \) -o -name '*.pyi' \) \
        -prune -exec rm -rf {} + \
    && rm -rf /opt/modelyard/bin \
    && python3 -m compileall -q --invalidation-mode=unchecked-hash /opt/modelyard \
    && mkdir /opt/modelyard/bin \
    && printf '#!/usr/bin/env python3\nimport sys\n\nfrom modelyard.cli.main import main\n\nsys.exit(main())\n' \
        > /opt/modelyard/bin/modelyard \
    && chmod 0755 /opt/modelyard/bin/modelyard

FROM ${BASE}
COPY --from=build /opt/modelyard /opt/modelyard
ENV PATH=/opt/modelyard/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/modelyard \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
WORKDIR /
ENTRYPOINT ["modelyard"]
CMD ["operator"]
