"""Credentials of code hosts, package registries and what builds and deploys. Each says who documents it; the writing is ours."""

from __future__ import annotations

from bot.detection.scan.checks import crc_base62
from bot.detection.scan.issuers.issuer import Issuer, plain

CODE: tuple[Issuer, ...] = (
    Issuer(
        "github_token",
        r"gh[pousr]_[A-Za-z0-9]{36}",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        "GitHub, About authentication, token formats",
        check=crc_base62,
        entropy=3.0,
    ),
    Issuer(
        "github_refresh_token",
        r"ghr_[A-Za-z0-9]{76}",
        ("ghr_",),
        "GitHub, About authentication, token formats",
        entropy=3.0,
    ),
    plain(
        "github_fine_grained_token", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", "gitleaks github-fine-grained-pat"
    ),
    Issuer(
        "gitlab_token",
        r"gl(?:pat|dt|ptt|rt|cbt|ft|soat|imt|agent|oas|ffct)-(?P<id>[A-Za-z0-9_-]{20})[A-Za-z0-9_-]{0,280}"
        r"(?:\.[a-z0-9]{2}\.?[a-z0-9]{7})?",
        ("glpat-", "gldt-", "glptt-", "glrt-", "glcbt-", "glft-", "glsoat-", "glimt-", "glagent-", "gloas-", "glffct-"),
        "GitLab, Token overview, token prefixes; gitleaks gitlab-pat, -routable",
        entropy=3.0,
        after=r"(?![A-Za-z0-9_-])",
    ),
    Issuer(
        "npm_token",
        r"npm_[A-Za-z0-9]{36}",
        ("npm_",),
        "npm, access token format of 2021-09-23",
        check=crc_base62,
        entropy=2.0,
    ),
    plain(
        "pypi_token", r"pypi-AgEIcHlwaS5vcmc(?P<id>[A-Za-z0-9_-]{50})[A-Za-z0-9_-]{0,950}", "gitleaks pypi-upload-token"
    ),
    plain("rubygems_token", r"rubygems_[a-f0-9]{48}", "gitleaks rubygems-api-token"),
    plain("docker_token", r"dckr_pat_[A-Za-z0-9_-]{27}", "Docker, personal access tokens"),
    plain(
        "terraform_token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}", "gitleaks hashicorp-tf-api-token"
    )._replace(keywords=(".atlasv1.",)),
    plain(
        "vault_token",
        r"hv[sb]\.(?P<id>[A-Za-z0-9_-]{60})[A-Za-z0-9_-]{0,240}",
        "gitleaks vault-service-token, vault-batch-token",
    )._replace(keywords=("hvs.", "hvb.")),
)
