"""Credentials of what sends messages and takes money. Each says who documents it; the writing is ours."""

from __future__ import annotations

from bot.detection.scan.issuers.issuer import Issuer, plain

TALK: tuple[Issuer, ...] = (
    Issuer(
        "slack_token",
        r"xox(?:b|p|e|o|s|a|r)-(?P<id>[0-9]{8,14}-[0-9A-Za-z-]{14})[A-Za-z0-9-]{0,90}",
        ("xoxb-", "xoxp-", "xoxe-", "xoxo-", "xoxs-", "xoxa-", "xoxr-"),
        "Slack, Token types; gitleaks slack-bot-token, slack-user-token",
        entropy=2.5,
        after=r"(?![A-Za-z0-9-])",
    ),
    plain(
        "slack_app_token",
        r"xapp-[0-9]-[A-Z0-9]{8,14}-[0-9]{10,14}-(?P<id>[a-f0-9]{40})[a-f0-9]{0,60}",
        "gitleaks slack-app-token",
    ),
    Issuer(
        "slack_webhook",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(?P<value>[A-Z0-9]{9,12}/[A-Z0-9]{9,12}/[A-Za-z0-9]{20,60})",
        ("hooks.slack.com/",),
        "Slack, Incoming webhooks; gitleaks slack-webhook-url",
        entropy=3.0,
        before="",
    ),
    plain("telegram_token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", "gitleaks telegram-bot-api-token")._replace(
        keywords=(":aa",)
    ),
    plain(
        "sendgrid_key", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", "gitleaks sendgrid-api-token, SendGrid API keys"
    )._replace(keywords=("sg.",)),
    plain("mailgun_key", r"key-[a-f0-9]{32}", "gitleaks mailgun-private-api-token"),
    Issuer("mailchimp_key", r"[a-f0-9]{32}-us[0-9]{1,2}", ("-us",), "gitleaks mailchimp-api-key", entropy=3.0),
    plain("twilio_key", r"SK[a-f0-9]{32}", "gitleaks twilio-api-key"),
    Issuer(
        "stripe_key",
        r"(?:sk|rk)_live_(?P<id>[A-Za-z0-9]{20})[A-Za-z0-9]{0,90}",
        ("sk_live_", "rk_live_"),
        "Stripe, API keys; gitleaks stripe-access-token",
        entropy=3.0,
    ),
    Issuer(
        "stripe_test_key",
        r"(?:sk|rk)_test_(?P<id>[A-Za-z0-9]{20})[A-Za-z0-9]{0,90}",
        ("sk_test_", "rk_test_"),
        "Stripe, API keys: moves no money",
        weak=True,
        entropy=3.0,
    ),
    plain("stripe_webhook_secret", r"whsec_[A-Za-z0-9+/]{32,64}={0,2}", "Stripe, Webhooks, signatures"),
    plain("shopify_token", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", "gitleaks shopify-access-token and its kin"),
    plain("square_token", r"(?:EAAA|sq0atp-|sq0csp-)[A-Za-z0-9_-]{22,60}", "gitleaks square-access-token")._replace(
        keywords=("eaaa", "sq0atp-", "sq0csp-"), entropy=3.5
    ),
)
