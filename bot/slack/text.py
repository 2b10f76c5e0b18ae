"""Text for Slack: the only place where a value becomes mrkdwn (design law 6, style 21).

Decides how hostile text is shown and never obeyed: clipped, invisible characters named, formatting characters replaced by
their full-width twins, `& < >` escaped. What a message says is the card's; that URLs stay dead is `kit`'s (`verbatim`).

One rule for formatting: inside a word (`user_42`) a character stays as it is, since Slack does not format there; anywhere
else `*`, `_`, `~` and every backtick become `＊ ＿ ～ ˋ`. What must stay exact (an id to copy) is shown with `code`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Literal, LiteralString

from bot.incident.redact import clip, redact
from bot.incident.visible import visible
from bot.incident.words import Severity

VALUE_CHARS = 300
"""What one value in a template may take, unless its card clips it otherwise."""
QUOTE_CHARS = 600
NAME_CHARS = 80
TWINS = str.maketrans("*_~`", "＊＿～ˋ")
FORMATTING = re.compile(r"`|(?<![^\W_])[*_~]+|[*_~]+(?![^\W_])")
EMOJI_NAME = re.compile(r":(?!\d+:)(?=[\w+'-]{1,60}:)")
LEADING_QUOTE = re.compile(r"^(\s*)>+", re.MULTILINE)
PERSON, USERGROUP, CHANNEL = (
    re.compile(r"[UW][A-Z0-9]{2,20}"),
    re.compile(r"S[A-Z0-9]{2,20}"),
    re.compile(r"[CG][A-Z0-9]{2,20}"),
)
FORMS = {"time": "{time}", "day": "{date_short_pretty}", "both": "{date_short_pretty} {time}", "ago": "{ago}"}


class Md(str):
    """mrkdwn that is safe to send: made here, from literals and values that were made inert."""

    __slots__ = ()


Value = str | int | float


def md(template: LiteralString, *values: Value) -> Md:
    """`md("*{}* by {}", title, mention(user))`: every value that is not Md already is made inert."""
    return Md(template.format(*(value if isinstance(value, Md) else safe(str(value)) for value in values)))


def join(separator: LiteralString, parts: list[Md] | tuple[Md, ...]) -> Md:
    return Md(separator.join(parts))


def safe(text: str, limit: int = VALUE_CHARS, *, lines: bool = False) -> Md:
    """Text from anywhere as inert mrkdwn, on one line unless `lines`. At most `limit` characters are shown."""
    shown = clip(visible(clip(text, limit), lines=lines), limit)
    shown = FORMATTING.sub(lambda found: found.group().translate(TWINS), shown)
    shown = EMOJI_NAME.sub("：", LEADING_QUOTE.sub(lambda found: found.group().replace(">", "＞"), shown))
    return escape(shown)


def code(text: str, limit: int = VALUE_CHARS) -> Md:
    """An identifier, exact and fit for copying, as inline code. Slack formats nothing in it; only a backtick could end it.

    What sends it may name a user by their key or token: a secret is not shown, wherever it stands.
    """
    shown = clip(visible(clip(redact(text), limit)), limit).replace("`", "ˋ").strip()
    return Md(f"`{escape(shown)}`") if shown else Md("—")


def quoted(text: str, limit: int = QUOTE_CHARS) -> Md:
    """Somebody else's words, visibly so: every line stands behind a quotation bar."""
    kept = [line for line in safe(text, limit, lines=True).split("\n") if line.strip()]
    return Md("\n".join(f"> {line}" for line in kept[:12]))


def plain(text: str, limit: int) -> str:
    """Text for a plain_text object, where only invisible characters, line breaks and emoji names could mislead."""
    return clip(EMOJI_NAME.sub("：", visible(clip(text, limit))), limit)


def escape(text: str) -> Md:
    return Md(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def clip_md(text: Md, limit: int) -> Md:
    """mrkdwn cut at a place that breaks no entity, no mention and no code span."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 2]
    cut = cut[: cut.rfind("<")] if cut.rfind("<") > cut.rfind(">") else cut
    cut = cut[: cut.rfind("&")] if cut.rfind("&") > cut.rfind(";") else cut
    return Md(cut + "…" + ("`" if cut.count("`") % 2 else ""))


def mention(user_id: str) -> Md:
    """Raises ValueError where it is not a user id: a name from an alert never becomes a mention."""
    return Md(f"<@{_checked(PERSON, user_id)}>")


def usergroup(group_id: str) -> Md:
    return Md(f"<!subteam^{_checked(USERGROUP, group_id)}>")


def channel(channel_id: str) -> Md:
    return Md(f"<#{_checked(CHANNEL, channel_id)}>")


def who(actor: str) -> Md:
    """A person of this workspace as a mention; anybody else (a source, `firsthour`) by name."""
    return mention(actor) if PERSON.fullmatch(actor) else safe(actor, NAME_CHARS)


def _checked(pattern: re.Pattern[str], given: str) -> str:
    if not pattern.fullmatch(given):
        raise ValueError("this is not an id of Slack's")
    return given


def when(at: datetime, form: Literal["time", "day", "both", "ago"] = "time") -> Md:
    """A moment in the reader's own time zone; in UTC where Slack cannot translate it."""
    utc = at.astimezone(UTC)
    fallback = f"{utc:%H:%M} UTC" if form == "time" else f"{utc:%Y-%m-%d %H:%M} UTC"
    return Md(f"<!date^{int(utc.timestamp())}^{FORMS[form]}|{fallback}>")


def slug(text: str) -> str:
    """Lower-case ASCII for a channel name; empty where nothing of the text can be written so."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")


def room_name(number: int, severity: Severity, *titles: str | None, attempt: int = 1) -> str:
    """`inc-0012-sev1-credential-leak`, at most 80 characters. The first title that can be written in ASCII names it."""
    head, tail = f"inc-{number:04d}-sev{severity.value}-", f"-{attempt}" if attempt > 1 else ""
    named = next((slug(title) for title in titles if title and len(slug(title)) > 2), "incident")
    return head + named[: 80 - len(head) - len(tail)].strip("-") + tail
