# syntax=docker/dockerfile:1
FROM python:3.12-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements.txt .
RUN python -m venv /app/.venv && /app/.venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY commands commands
COPY playbooks playbooks
COPY migrations migrations
# As a package, so that the kinds of connectors are found (entry points). What scans texts is compiled (docs/adr/0024).
RUN HATCH_BUILD_HOOKS_ENABLE=1 /app/.venv/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /data firsthour
WORKDIR /app
# Without the sources beside it: they would be imported in place of what is compiled.
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 \
    DATABASE_URL=sqlite:////data/firsthour.db FIRSTHOUR_HTTP=0.0.0.0:8080 FIRSTHOUR_GATE=0.0.0.0:8081 FIRSTHOUR_LOG=json
USER firsthour
VOLUME /data
EXPOSE 8080 8081
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "bot"]
CMD ["run"]
