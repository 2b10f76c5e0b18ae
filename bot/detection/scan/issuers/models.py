"""Credentials of model providers and of what is built around models. Each says who documents it; the writing is ours."""

from __future__ import annotations

from bot.detection.scan.issuers.issuer import Issuer, plain

MODELS: tuple[Issuer, ...] = (
    Issuer(
        "openai_key",
        r"sk-(?:(?:proj|svcacct|admin|service)-)?(?P<id>[A-Za-z0-9_-]{20,74}T3BlbkFJ[A-Za-z0-9_-]{20})[A-Za-z0-9_-]{0,60}",
        ("t3blbkfj",),
        "gitleaks openai-api-key: the middle is “OpenAI” in base 64",
        entropy=3.0,
        after=r"(?![A-Za-z0-9_-])",
    ),
    Issuer(
        "openai_project_key",
        r"sk-(?:proj|svcacct|admin)-(?P<id>[A-Za-z0-9_-]{40})[A-Za-z0-9_-]{0,160}",
        ("sk-proj-", "sk-svcacct-", "sk-admin-"),
        "OpenAI, API reference, authentication",
        entropy=3.5,
        after=r"(?![A-Za-z0-9_-])",
    ),
    plain(
        "anthropic_key",
        r"sk-ant-(?:api|admin|oat|ort|sid)[0-9]{2}-(?P<id>[A-Za-z0-9_-]{80})[A-Za-z0-9_-]{0,40}",
        "gitleaks anthropic-api-key, anthropic-admin-api-key",
    ),
    plain("openrouter_key", r"sk-or-v1-[a-f0-9]{64}", "OpenRouter, API keys"),
    plain("huggingface_token", r"hf_[A-Za-z]{34}", "gitleaks huggingface-access-token"),
    plain("groq_key", r"gsk_[A-Za-z0-9]{52}", "Groq, API keys"),
    plain("xai_key", r"xai-[A-Za-z0-9]{80}", "xAI, API keys"),
    plain("perplexity_key", r"pplx-[A-Za-z0-9]{48}", "gitleaks perplexity-api-key"),
    plain("replicate_token", r"r8_[A-Za-z0-9]{37}", "Replicate, API tokens"),
    plain("langsmith_key", r"lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}", "LangSmith, API keys"),
)
