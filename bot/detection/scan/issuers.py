"""The credentials that are known by their shape: which issuer, which form, which check, and who says so.

Decides what a credential looks like. The forms are our own writing after the issuer's document or the rule of gitleaks
(config/gitleaks.toml, MIT) that is named beside each. Leaves matching to `credentials`.

A pattern is written in what `re` and hyperscan both know: no look-around, no possessive quantifier; every quantifier has an
upper bound, so that no text makes it slow. Its first characters are literal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bot.detection.scan.checks import crc_base62, crc_grafana, jwt_header

HOST = r"[A-Za-z0-9.\[-]"
PASSWORD = r"[!#-&(-.0-;=?A-~]"
"""What may stand in a URL's password: ASCII (RFC 3986) without quotes, slash, angle brackets, space and @."""
SCHEMES = (
    "postgres|postgresql|mysql|mariadb|mongodb|mongodb\\+srv|redis|rediss|valkey|valkeys|amqp|amqps|mssql|sqlserver|oracle|"
    "clickhouse|cockroachdb|neo4j|neo4j\\+s|bolt|nats|mqtt|mqtts|kafka|ldap|ldaps|snowflake|redshift|couchbase"
)


class Issuer(NamedTuple):
    name: str
    pattern: str
    """The group `id`, if there is one, is hashed: the part that is complete before a stream has shown the rest. The group
    `value`, if there is one, is the secret itself; otherwise all of it is."""
    keywords: tuple[str, ...]
    """One of these stands in every match, in lower case."""
    source: str
    weak: bool = False
    """A signal only: marked `generic_pattern`."""
    entropy: float = 0.0
    """Bits a character that the secret must have at least."""
    check: Callable[[str], bool] | None = None
    """What fails it is not what it looks like, and is marked `generic_pattern`."""
    before: str = r"(?<![A-Za-z0-9])"
    after: str = r"(?![A-Za-z0-9])"


def _plain(name: str, pattern: str, source: str, entropy: float = 3.0) -> Issuer:
    """One whose pattern begins with its keyword, up to the first special character."""
    end = next((at for at, char in enumerate(pattern) if char in "[(\\?"), len(pattern))
    return Issuer(name, pattern, (pattern[:end].lower(),), source, entropy=entropy, after=r"(?![A-Za-z0-9_-])")


ISSUERS: tuple[Issuer, ...] = (
    # Clouds
    Issuer(
        "aws_key_id", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}", ("akia", "asia", "abia", "acca"),
        "AWS, IAM identifiers, unique ID prefixes; gitleaks aws-access-token", entropy=3.0,
    ),
    Issuer(
        "aws_secret_key",
        r"(?i:aws|secret)[\w .-]{0,20}(?i:key|secret)[\"'` ]{0,3}(?::|=|=>|:=)[\"'` ]{0,3}(?P<value>[A-Za-z0-9+/]{40})",
        ("secret", "aws"), "AWS, Managing access keys for IAM users: 40 characters of base 64", entropy=4.2,
        after=r"(?![A-Za-z0-9+/=])",
    ),
    _plain("aws_bedrock_key", r"ABSK(?P<id>[A-Za-z0-9+/]{109})[A-Za-z0-9+/]{0,160}={0,2}", "gitleaks aws-amazon-bedrock-api-key-long-lived"),
    _plain("google_api_key", r"AIza[A-Za-z0-9_-]{35}", "Google Cloud, API keys; gitleaks gcp-api-key"),
    _plain("google_oauth_secret", r"GOCSPX-[A-Za-z0-9_-]{28}", "Google Identity, OAuth client secrets"),
    _plain("google_oauth_token", r"ya29\.(?P<id>[A-Za-z0-9_-]{40})[A-Za-z0-9_.-]{0,400}", "Google Identity, access tokens", 3.5),
    Issuer(
        "azure_client_secret", r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}", ("q~",),
        "gitleaks azure-ad-client-secret", entropy=3.0, before=r"(?<![A-Za-z0-9_~.-])", after=r"(?![A-Za-z0-9_~.-])",
    ),
    Issuer(
        "azure_storage_key", r"(?:AccountKey|accountkey)=(?P<value>[A-Za-z0-9+/]{86}==)", ("accountkey=",),
        "Microsoft, Configure Azure Storage connection strings: 512 bits of base 64", entropy=4.0,
    ),
    Issuer(
        "azure_shared_access_key", r"SharedAccessKey=(?P<value>[A-Za-z0-9+/]{43}=)", ("sharedaccesskey=",),
        "Microsoft, Service Bus connection strings: 256 bits of base 64", entropy=4.0,
    ),
    _plain("digitalocean_token", r"do[opr]_v1_[a-f0-9]{64}", "gitleaks digitalocean-pat, -access-token, -refresh-token"),
    _plain("heroku_key", r"HRKU-AA[A-Za-z0-9_-]{58}", "gitleaks heroku-api-key-v2"),
    # Models
    Issuer(
        "openai_key",
        r"sk-(?:(?:proj|svcacct|admin|service)-)?(?P<id>[A-Za-z0-9_-]{20,74}T3BlbkFJ[A-Za-z0-9_-]{20})[A-Za-z0-9_-]{0,60}",
        ("t3blbkfj",), "gitleaks openai-api-key: the middle is “OpenAI” in base 64", entropy=3.0, after=r"(?![A-Za-z0-9_-])",
    ),
    Issuer(
        "openai_project_key", r"sk-(?:proj|svcacct|admin)-(?P<id>[A-Za-z0-9_-]{40})[A-Za-z0-9_-]{0,160}",
        ("sk-proj-", "sk-svcacct-", "sk-admin-"), "OpenAI, API reference, authentication", entropy=3.5,
        after=r"(?![A-Za-z0-9_-])",
    ),
    _plain("anthropic_key", r"sk-ant-(?:api|admin|oat|ort|sid)[0-9]{2}-(?P<id>[A-Za-z0-9_-]{80})[A-Za-z0-9_-]{0,40}", "gitleaks anthropic-api-key, anthropic-admin-api-key"),
    _plain("openrouter_key", r"sk-or-v1-[a-f0-9]{64}", "OpenRouter, API keys"),
    _plain("huggingface_token", r"hf_[A-Za-z]{34}", "gitleaks huggingface-access-token"),
    _plain("groq_key", r"gsk_[A-Za-z0-9]{52}", "Groq, API keys"),
    _plain("xai_key", r"xai-[A-Za-z0-9]{80}", "xAI, API keys"),
    _plain("perplexity_key", r"pplx-[A-Za-z0-9]{48}", "gitleaks perplexity-api-key"),
    _plain("replicate_token", r"r8_[A-Za-z0-9]{37}", "Replicate, API tokens"),
    _plain("langsmith_key", r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}", "LangSmith, API keys"),
    # Code and packages
    Issuer(
        "github_token", r"gh[pousr]_[A-Za-z0-9]{36}", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        "GitHub, About authentication, token formats", check=crc_base62, entropy=3.0,
    ),
    Issuer(
        "github_refresh_token", r"ghr_[A-Za-z0-9]{76}", ("ghr_",),
        "GitHub, About authentication, token formats", entropy=3.0,
    ),
    _plain("github_fine_grained_token", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", "gitleaks github-fine-grained-pat"),
    Issuer(
        "gitlab_token",
        r"gl(?:pat|dt|ptt|rt|cbt|ft|soat|imt|agent|oas|ffct)-(?P<id>[A-Za-z0-9_-]{20})[A-Za-z0-9_-]{0,280}"
        r"(?:\.[a-z0-9]{2}\.?[a-z0-9]{7})?",
        ("glpat-", "gldt-", "glptt-", "glrt-", "glcbt-", "glft-", "glsoat-", "glimt-", "glagent-", "gloas-", "glffct-"),
        "GitLab, Token overview, token prefixes; gitleaks gitlab-pat, -routable", entropy=3.0, after=r"(?![A-Za-z0-9_-])",
    ),
    Issuer("npm_token", r"npm_[A-Za-z0-9]{36}", ("npm_",), "npm, access token format of 2021-09-23", check=crc_base62, entropy=2.0),
    _plain("pypi_token", r"pypi-AgEIcHlwaS5vcmc(?P<id>[A-Za-z0-9_-]{50})[A-Za-z0-9_-]{0,950}", "gitleaks pypi-upload-token"),
    _plain("rubygems_token", r"rubygems_[a-f0-9]{48}", "gitleaks rubygems-api-token"),
    _plain("docker_token", r"dckr_pat_[A-Za-z0-9_-]{27}", "Docker, personal access tokens"),
    _plain("terraform_token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}", "gitleaks hashicorp-tf-api-token")._replace(keywords=(".atlasv1.",)),
    _plain("vault_token", r"hv[sb]\.(?P<id>[A-Za-z0-9_-]{60})[A-Za-z0-9_-]{0,240}", "gitleaks vault-service-token, vault-batch-token")._replace(keywords=("hvs.", "hvb.")),
    # Talk, mail, money
    Issuer(
        "slack_token", r"xox(?:b|p|e|o|s|a|r)-(?P<id>[0-9]{8,14}-[0-9A-Za-z-]{14})[A-Za-z0-9-]{0,90}", ("xoxb-", "xoxp-", "xoxe-", "xoxo-", "xoxs-", "xoxa-", "xoxr-"),
        "Slack, Token types; gitleaks slack-bot-token, slack-user-token", entropy=2.5, after=r"(?![A-Za-z0-9-])",
    ),
    _plain("slack_app_token", r"xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{10,14}-(?P<id>[a-f0-9]{40})[a-f0-9]{0,60}", "gitleaks slack-app-token"),
    Issuer(
        "slack_webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<value>[A-Z0-9]{9,12}/[A-Z0-9]{9,12}/[A-Za-z0-9]{20,60})",
        ("hooks.slack.com/",), "Slack, Incoming webhooks; gitleaks slack-webhook-url", entropy=3.0, before="",
    ),
    _plain("telegram_token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", "gitleaks telegram-bot-api-token")._replace(keywords=(":aa",)),
    _plain("sendgrid_key", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", "gitleaks sendgrid-api-token, SendGrid API keys")._replace(keywords=("sg.",)),
    _plain("mailgun_key", r"key-[a-f0-9]{32}", "gitleaks mailgun-private-api-token"),
    Issuer("mailchimp_key", r"[a-f0-9]{32}-us[0-9]{1,2}", ("-us",), "gitleaks mailchimp-api-key", entropy=3.0),
    _plain("twilio_key", r"SK[a-f0-9]{32}", "gitleaks twilio-api-key"),
    Issuer(
        "stripe_key", r"(?:sk|rk)_live_(?P<id>[A-Za-z0-9]{20})[A-Za-z0-9]{0,90}", ("sk_live_", "rk_live_"),
        "Stripe, API keys; gitleaks stripe-access-token", entropy=3.0,
    ),
    Issuer(
        "stripe_test_key", r"(?:sk|rk)_test_(?P<id>[A-Za-z0-9]{20})[A-Za-z0-9]{0,90}", ("sk_test_", "rk_test_"),
        "Stripe, API keys: moves no money", weak=True, entropy=3.0,
    ),
    _plain("stripe_webhook_secret", r"whsec_[A-Za-z0-9+/]{32,64}={0,2}", "Stripe, Webhooks, signatures"),
    _plain("shopify_token", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", "gitleaks shopify-access-token and its kin"),
    _plain("square_token", r"(?:EAAA|sq0atp-|sq0csp-)[A-Za-z0-9_-]{22,60}", "gitleaks square-access-token")._replace(keywords=("eaaa", "sq0atp-", "sq0csp-"), entropy=3.5),
    # Work and watching
    Issuer(
        "grafana_token", r"glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}", ("glsa_",),
        "Grafana, Service accounts; gitleaks grafana-service-account-token", check=crc_grafana, entropy=3.0,
    ),
    _plain("grafana_cloud_token", r"glc_(?P<id>[A-Za-z0-9+/]{32})[A-Za-z0-9+/]{0,400}={0,3}", "gitleaks grafana-cloud-api-token"),
    _plain("databricks_token", r"dapi[a-f0-9]{32}(?:-[0-9])?", "gitleaks databricks-api-token"),
    _plain("doppler_token", r"dp\.pt\.[A-Za-z0-9]{43}", "gitleaks doppler-api-token")._replace(keywords=("dp.pt.",)),
    _plain("linear_key", r"lin_api_[A-Za-z0-9]{40}", "gitleaks linear-api-key"),
    _plain("newrelic_key", r"NRAK-[A-Z0-9]{27}", "gitleaks new-relic-user-api-key"),
    _plain("notion_token", r"ntn_[0-9]{11}[A-Za-z0-9]{35}", "gitleaks notion-api-token"),
    _plain("sentry_token", r"sntry[su]_(?P<id>[A-Za-z0-9_=+/]{64})[A-Za-z0-9_=+/-]{0,300}", "gitleaks sentry-org-token, sentry-user-token"),
    _plain("supabase_token", r"sbp_[a-f0-9]{40}", "Supabase, Management API, access tokens"),
    _plain("tailscale_key", r"tskey-[a-z]{3,10}-[A-Za-z0-9]{6,20}-[A-Za-z0-9]{20,40}", "Tailscale, Key prefixes"),
    _plain("postman_key", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}", "gitleaks postman-api-token"),
    _plain("planetscale_token", r"pscale_(?:tkn|oauth|pw)_(?P<id>[A-Za-z0-9_=.-]{32})[A-Za-z0-9_=.-]{0,32}", "gitleaks planetscale-api-token and its kin"),
    # Of no issuer
    Issuer(
        "private_key",
        r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?P<value>[A-Za-z0-9+/=\s\\:,. -]{48,160})",
        ("private key",), "RFC 7468 §10 and §11, OpenSSH PROTOCOL.key; gitleaks private-key", entropy=3.0, before="", after="",
    ),
    Issuer(
        "age_secret_key", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", ("age-secret-key-1",),
        "C2SP age.md; gitleaks age-secret-key", entropy=3.0,
    ),
    Issuer(
        "jwt", r"(?P<id>eyJ[A-Za-z0-9_-]{14,2000}\.eyJ[A-Za-z0-9_-]{14,4000}\.[A-Za-z0-9_-]{20})[A-Za-z0-9_-]{0,1000}", ("eyj",),
        "RFC 7519 §3; gitleaks jwt", check=jwt_header, entropy=3.5, before=r"(?<![A-Za-z0-9_-])", after=r"(?![A-Za-z0-9_-])",
    ),
    Issuer(
        "database_url", rf"(?i:{SCHEMES})(?:\+[a-z0-9]{{1,20}})?://[!$-.0-9;=A-Z_a-z~]{{0,100}}:(?P<value>{PASSWORD}{{1,200}})@{HOST}",
        ("://",), "RFC 3986 §3.2.1 and the databases' own URL forms", after="",
    ),
    # Signals only
    Issuer(
        "sk_key", r"sk-[A-Za-z0-9_-]{20,100}", ("sk-",), "the form that model gateways share (OpenAI of old, DeepSeek, LiteLLM)",
        weak=True, entropy=3.0, after=r"(?![A-Za-z0-9_-])",
    ),
    Issuer(
        "url_password", rf"(?i:https?|ftp|ssh)://[!$-.0-9;=A-Z_a-z~]{{1,100}}:(?P<value>{PASSWORD}{{3,200}})@{HOST}", ("://",),
        "RFC 3986 §3.2.1", weak=True, after="",
    ),
    Issuer(
        "bearer_token", r"(?i:bearer)[ \t]{1,4}(?P<value>[A-Za-z0-9._~+/-]{20,500}={0,2})", ("bearer",),
        "RFC 6750 §2.1", weak=True, entropy=3.0, after="",
    ),
    Issuer(
        "generic_secret",
        r"(?i:pass(?:word|wd|phrase)|pwd|secret|token|credential|(?:api|access|private|account|auth)[_ -]?key)"
        r"[\"'`]{0,2}[ \t]{0,4}(?::=|=>|:|=)[ \t]{0,4}[\"'`]{0,2}(?P<value>[!#-&*+./0-9:=?@A-Z\\^_a-z|~-]{8,200})",
        ("pass", "pwd", "secret", "token", "credential", "key"), "gitleaks generic-api-key", weak=True, entropy=2.8,
        before=r"", after="",
    ),
)  # fmt: skip
