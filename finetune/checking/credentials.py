"""Keys, tokens and passwords that somebody left in a text, by the shapes their vendors gave them."""

from __future__ import annotations

import re

_DISTINCT = 8
"""Fewer different characters than this are a placeholder, such as sk-xxxxxxxxxxxxxxxxxxxx."""

_ALL = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?P<openai>sk-(?:proj-|svcacct-|admin-)?(?=[A-Za-z0-9_-]*[0-9])(?:(?=[A-Za-z0-9_-]*[A-Z])[A-Za-z0-9_-]{20,}|[a-z0-9]{20,}))"
    r"|(?P<anthropic>sk-ant-[A-Za-z0-9_-]{20,})"
    r"|(?P<aws>(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}(?![A-Za-z0-9]))"
    r"|(?P<github>gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})"
    r"|(?P<gitlab>glpat-[A-Za-z0-9_-]{20,})"
    r"|(?P<slack>xox[abeposr]-[A-Za-z0-9-]{20,}|xapp-[0-9]-[A-Za-z0-9-]{20,}"
    r"|hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,})"
    r"|(?P<google>AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{30,})"
    r"|(?P<stripe>[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{24,})"
    r"|(?P<sendgrid>SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})"
    r"|(?P<huggingface>hf_[A-Za-z]{34}(?![A-Za-z0-9])|hf_(?=[A-Za-z]*[0-9])[A-Za-z0-9]{30,})"
    r"|(?P<npm>npm_[A-Za-z0-9]{36})|(?P<pypi>pypi-AgEI[A-Za-z0-9_-]{50,})"
    r"|(?P<digitalocean>do[opr]_v1_[a-f0-9]{64})|(?P<shopify>shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})"
    r"|(?P<twilio>SK[a-f0-9]{32}(?![A-Za-z0-9]))|(?P<telegram>[0-9]{8,10}:AA[A-Za-z0-9_-]{33})"
    r"|(?P<jwt>eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,})"
    r")|(?P<private>-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)"
    r"|(?P<azure>AccountKey=[A-Za-z0-9+/]{86}==)"
    r"|(?P<awssecret>(?i:aws_secret_access_key|secretaccesskey)[\"']?\s{0,3}[=:]\s{0,3}[\"']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))"
)

_NAMES = {
    "openai": "an API key",
    "anthropic": "an Anthropic API key",
    "aws": "an AWS access key",
    "awssecret": "an AWS secret key",
    "azure": "an Azure storage key",
    "digitalocean": "a DigitalOcean token",
    "github": "a GitHub token",
    "gitlab": "a GitLab token",
    "google": "a Google API key",
    "huggingface": "a Hugging Face token",
    "jwt": "a JSON Web Token",
    "npm": "an npm token",
    "private": "a private key",
    "pypi": "a PyPI token",
    "sendgrid": "a SendGrid key",
    "shopify": "a Shopify token",
    "slack": "a Slack token",
    "stripe": "a Stripe key",
    "telegram": "a Telegram bot's token",
    "twilio": "a Twilio key",
}


def secret_in(text: str) -> str | None:
    """Return what secret `text` seems to hold, such as "a GitHub token"; None where it holds none. Never the secret."""
    for match in _ALL.finditer(text):
        kind = match.lastgroup or ""
        if kind == "private" or _is_random(match.group()):
            return _NAMES[kind]
    return None


def _is_random(value: str) -> bool:
    return len(set(value[-24:])) >= _DISTINCT
