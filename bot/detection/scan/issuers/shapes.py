"""Credentials that no issuer but a standard or a habit gives their shape; the last ones are signals only.

Each says who documents it; the writing is ours.
"""

from __future__ import annotations

from bot.detection.scan.checks import jwt_header
from bot.detection.scan.issuers.issuer import Issuer

HOST = r"[A-Za-z0-9.\[-]"
PASSWORD = r"[!#-&(-.0-;=?A-~]"  # noqa: S105 — a class of characters
"""What may stand in a URL's password: ASCII (RFC 3986) without quotes, slash, angle brackets, space and @."""
SCHEMES = (
    "postgres|postgresql|mysql|mariadb|mongodb|mongodb\\+srv|redis|rediss|valkey|valkeys|amqp|amqps|mssql|sqlserver|oracle|"
    "clickhouse|cockroachdb|neo4j|neo4j\\+s|bolt|nats|mqtt|mqtts|kafka|ldap|ldaps|snowflake|redshift|couchbase"
)

SHAPES: tuple[Issuer, ...] = (
    Issuer(
        "private_key",
        r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?P<value>[A-Za-z0-9+/=\s\\:,. -]{48,160})",
        ("private key",),
        "RFC 7468 §10 and §11, OpenSSH PROTOCOL.key; gitleaks private-key",
        entropy=3.0,
        before="",
        after="",
    ),
    Issuer(
        "age_secret_key",
        r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        ("age-secret-key-1",),
        "C2SP age.md; gitleaks age-secret-key",
        entropy=3.0,
    ),
    Issuer(
        "jwt",
        r"(?P<id>eyJ[A-Za-z0-9_-]{14,2000}\.eyJ[A-Za-z0-9_-]{14,4000}\.[A-Za-z0-9_-]{20})[A-Za-z0-9_-]{0,1000}",
        ("eyj",),
        "RFC 7519 §3; gitleaks jwt",
        check=jwt_header,
        entropy=3.5,
        before=r"(?<![A-Za-z0-9_-])",
        after=r"(?![A-Za-z0-9_-])",
    ),
    Issuer(
        "database_url",
        rf"(?i:{SCHEMES})(?:\+[a-z0-9]{{1,20}})?://[!$-.0-9;=A-Z_a-z~]{{0,100}}:(?P<value>{PASSWORD}{{1,200}})@{HOST}",
        ("://",),
        "RFC 3986 §3.2.1 and the databases' own URL forms",
        after="",
    ),
    Issuer(
        "sk_key",
        r"sk-[A-Za-z0-9_-]{20,100}",
        ("sk-",),
        "the form that model gateways share (OpenAI of old, DeepSeek, LiteLLM)",
        weak=True,
        entropy=3.0,
        after=r"(?![A-Za-z0-9_-])",
    ),
    Issuer(
        "url_password",
        rf"(?i:https?|ftp|ssh)://[!$-.0-9;=A-Z_a-z~]{{1,100}}:(?P<value>{PASSWORD}{{3,200}})@{HOST}",
        ("://",),
        "RFC 3986 §3.2.1",
        weak=True,
        after="",
    ),
    Issuer(
        "bearer_token",
        r"(?i:bearer)[ \t]{1,4}(?P<value>[A-Za-z0-9._~+/-]{20,500}={0,2})",
        ("bearer",),
        "RFC 6750 §2.1",
        weak=True,
        entropy=3.0,
        after="",
    ),
    Issuer(
        "generic_secret",
        r"(?i:pass(?:word|wd|phrase)|pwd|secret|token|credential|(?:api|access|private|account|auth)[_ -]?key)"
        r"[\"'`]{0,2}[ \t]{0,4}(?::=|=>|:|=)[ \t]{0,4}[\"'`]{0,2}(?P<value>[!#-&*+./0-9:=?@A-Z\\^_a-z|~-]{8,200})",
        ("pass", "pwd", "secret", "token", "credential", "key"),
        "gitleaks generic-api-key",
        weak=True,
        entropy=2.8,
        before=r"",
        after="",
    ),
)
