"""Credentials of clouds. Each says who documents it; the writing is ours."""

from __future__ import annotations

from bot.detection.scan.issuers.issuer import Issuer, plain

CLOUDS: tuple[Issuer, ...] = (
    Issuer(
        "aws_key_id",
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
        ("akia", "asia", "abia", "acca"),
        "AWS, IAM identifiers, unique ID prefixes; gitleaks aws-access-token",
        entropy=3.0,
    ),
    Issuer(
        "aws_secret_key",
        r"(?i:aws|secret)[\w .-]{0,20}(?i:key|secret)[\"'` ]{0,3}(?::|=|=>|:=)[\"'` ]{0,3}(?P<value>[A-Za-z0-9+/]{40})",
        ("secret", "aws"),
        "AWS, Managing access keys for IAM users: 40 characters of base 64",
        entropy=4.2,
        after=r"(?![A-Za-z0-9+/=])",
    ),
    plain(
        "aws_bedrock_key",
        r"ABSK(?P<id>[A-Za-z0-9+/]{109})[A-Za-z0-9+/]{0,160}={0,2}",
        "gitleaks aws-amazon-bedrock-api-key-long-lived",
    ),
    plain("google_api_key", r"AIza[A-Za-z0-9_-]{35}", "Google Cloud, API keys; gitleaks gcp-api-key"),
    plain("google_oauth_secret", r"GOCSPX-[A-Za-z0-9_-]{28}", "Google Identity, OAuth client secrets"),
    plain(
        "google_oauth_token",
        r"ya29\.(?P<id>[A-Za-z0-9_-]{40})[A-Za-z0-9_.-]{0,400}",
        "Google Identity, access tokens",
        3.5,
    ),
    Issuer(
        "azure_client_secret",
        r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}",
        ("q~",),
        "gitleaks azure-ad-client-secret",
        entropy=3.0,
        before=r"(?<![A-Za-z0-9_~.-])",
        after=r"(?![A-Za-z0-9_~.-])",
    ),
    Issuer(
        "azure_storage_key",
        r"(?:AccountKey|accountkey)=(?P<value>[A-Za-z0-9+/]{86}==)",
        ("accountkey=",),
        "Microsoft, Configure Azure Storage connection strings: 512 bits of base 64",
        entropy=4.0,
    ),
    Issuer(
        "azure_shared_access_key",
        r"SharedAccessKey=(?P<value>[A-Za-z0-9+/]{43}=)",
        ("sharedaccesskey=",),
        "Microsoft, Service Bus connection strings: 256 bits of base 64",
        entropy=4.0,
    ),
    plain("digitalocean_token", r"do[opr]_v1_[a-f0-9]{64}", "gitleaks digitalocean-pat, -access-token, -refresh-token"),
    plain("heroku_key", r"HRKU-AA[A-Za-z0-9_-]{58}", "gitleaks heroku-api-key-v2"),
)
