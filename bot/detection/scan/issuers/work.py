"""Credentials of the tools that a company works with. Each says who documents it; the writing is ours."""

from __future__ import annotations

from bot.detection.scan.checks import crc_grafana
from bot.detection.scan.issuers.issuer import Issuer, plain

WORK: tuple[Issuer, ...] = (
    Issuer(
        "grafana_token",
        r"glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}",
        ("glsa_",),
        "Grafana, Service accounts; gitleaks grafana-service-account-token",
        check=crc_grafana,
        entropy=3.0,
    ),
    plain(
        "grafana_cloud_token",
        r"glc_(?P<id>[A-Za-z0-9+/]{32})[A-Za-z0-9+/]{0,400}={0,3}",
        "gitleaks grafana-cloud-api-token",
    ),
    plain("databricks_token", r"dapi[a-f0-9]{32}(?:-[0-9])?", "gitleaks databricks-api-token"),
    plain("doppler_token", r"dp\.pt\.[A-Za-z0-9]{43}", "gitleaks doppler-api-token")._replace(keywords=("dp.pt.",)),
    plain("linear_key", r"lin_api_[A-Za-z0-9]{40}", "gitleaks linear-api-key"),
    plain("newrelic_key", r"NRAK-[A-Z0-9]{27}", "gitleaks new-relic-user-api-key"),
    plain("notion_token", r"ntn_[0-9]{11}[A-Za-z0-9]{35}", "gitleaks notion-api-token"),
    plain(
        "sentry_token",
        r"sntry[su]_(?P<id>[A-Za-z0-9_=+/]{64})[A-Za-z0-9_=+/-]{0,300}",
        "gitleaks sentry-org-token, sentry-user-token",
    ),
    plain("supabase_token", r"sbp_[a-f0-9]{40}", "Supabase, Management API, access tokens"),
    plain("tailscale_key", r"tskey-[a-z]{3,10}-[A-Za-z0-9]{6,20}-[A-Za-z0-9]{20,40}", "Tailscale, Key prefixes"),
    plain("postman_key", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}", "gitleaks postman-api-token"),
    plain(
        "planetscale_token",
        r"pscale_(?:tkn|oauth|pw)_(?P<id>[A-Za-z0-9_=.-]{32})[A-Za-z0-9_=.-]{0,32}",
        "gitleaks planetscale-api-token and its kin",
    ),
)
