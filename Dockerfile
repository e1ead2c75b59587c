FROM python:3.13-slim

RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements-core.txt requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt

COPY main.py ./
COPY api ./api
COPY services ./services
COPY agents ./agents
COPY web ./web

RUN useradd --create-home agent && mkdir data && chown agent data
USER agent
ENV HOST=0.0.0.0 PORT=8000 PYTHONUNBUFFERED=1
VOLUME /app/data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=2)"]
CMD ["python", "main.py"]
