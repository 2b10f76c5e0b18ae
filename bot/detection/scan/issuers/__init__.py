"""The credentials that are known by their shape: which issuer, which form, which check, and who says so.

Decides what a credential looks like and which is tried first: the surer one. The forms are our own writing after the issuer's
document or the rule of gitleaks (config/gitleaks.toml, MIT) that is named beside each. Leaves matching to `credentials`.
"""

from bot.detection.scan.issuers.clouds import CLOUDS
from bot.detection.scan.issuers.code import CODE
from bot.detection.scan.issuers.issuer import Issuer
from bot.detection.scan.issuers.models import MODELS
from bot.detection.scan.issuers.shapes import SHAPES
from bot.detection.scan.issuers.talk import TALK
from bot.detection.scan.issuers.work import WORK

ISSUERS: tuple[Issuer, ...] = (*CLOUDS, *MODELS, *CODE, *TALK, *WORK, *SHAPES)

__all__ = ["ISSUERS", "Issuer"]
