# Predictions over HTTP, of the model that comes with pulmo or of bundles that are mounted.
# docs/how-to/deploy.md says how it is run.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
COPY requirements/serve.txt /build/serve.txt
RUN python3 -m venv /opt/pulmo \
    && /opt/pulmo/bin/python -m pip install --no-cache-dir --requirement /build/serve.txt
COPY pyproject.toml README.md LICENSE /build/
COPY src /build/src
# What is not written while it runs is compiled here: the file system may be read-only then.
RUN /opt/pulmo/bin/python -m pip install --no-cache-dir --no-deps /build \
    && /opt/pulmo/bin/python -m compileall -q /opt/pulmo/lib

FROM ${PYTHON}
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin pulmo \
    && install --directory --owner=pulmo --mode=0700 /var/lib/pulmo
COPY --from=build /opt/pulmo /opt/pulmo
COPY deploy/healthcheck.py /opt/pulmo/healthcheck.py
# pulmo keeps results, log and tokens below XDG_DATA_HOME; matplotlib keeps its list of fonts.
ENV PATH=/opt/pulmo/bin:$PATH \
    XDG_DATA_HOME=/var/lib \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME /var/lib/pulmo
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "/opt/pulmo/healthcheck.py"]
ENTRYPOINT ["pulmo"]
# Refused, with status 5, until there is a token and TLS or a proxy is stated.
CMD ["serve", "--host", "0.0.0.0"]
