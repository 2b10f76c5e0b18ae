"""The HTTP room: alerts in, Slack over HTTP, health, metrics. FastAPI lives here and nowhere else."""

from bot.ingress.app import ingress_app
from bot.ingress.metrics import Metrics
from bot.serving import Serving

__all__ = ["Metrics", "Serving", "ingress_app"]
