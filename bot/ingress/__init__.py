"""The HTTP room: alerts in, Slack over HTTP, health, metrics. FastAPI and uvicorn live here and nowhere else."""

from bot.ingress.app import ingress_app
from bot.ingress.metrics import Metrics
from bot.ingress.server import Serving

__all__ = ["Metrics", "Serving", "ingress_app"]
