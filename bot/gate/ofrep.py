"""`POST /ofrep/v1/evaluate/flags` and `…/flags/{key}`: the gate's rules as feature flags, for applications with OpenFeature.

Speaks the OpenFeature Remote Evaluation Protocol. Decides which flags there are and who a context names. Reading a flag is
no call: it counts towards no limit and is no event. A limit needs somebody who counts, so there is no flag for one.

Where the gate does not know its rules, what it still holds is told and all else is an error: the application then goes by
the default in its own code, which is where OpenFeature lets it choose between open and closed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.gate.book import Held
from bot.gate.caller import EVERYONE, Caller, documents_of, targets_of
from bot.gate.gate import Gate
from bot.gate.verdict import APPROVED
from bot.gate.wire import Answer, Asked, Unacceptable, decode
from bot.incident.words import ActionKind, ScopeKind

PATH = "/ofrep/v1/evaluate/flags"
EXAMPLE = '{"context": {"targetingKey": "mallory", "session": "s-1"}}'
NAMES = (
    ("targetingKey", ScopeKind.USER),
    ("user", ScopeKind.USER),
    ("session", ScopeKind.SESSION),
    ("apiKey", ScopeKind.API_KEY),
    ("ip", ScopeKind.IP),
    ("application", ScopeKind.APPLICATION),
    ("endpoint", ScopeKind.ENDPOINT),
)
"""What of a context is compared with rules. Besides these `document` is, and everything else is the application's own."""


@dataclass(frozen=True)
class Flag:
    kind: ActionKind
    contained: bool
    """The flag's value while the measure is in force."""


FLAGS = {
    "ai-blocked": Flag(ActionKind.BLOCK_USER, True),
    "ai-safe-mode": Flag(ActionKind.ENABLE_SAFE_MODE, True),
    "ai-tools": Flag(ActionKind.DISABLE_TOOLS, False),
    "ai-endpoint": Flag(ActionKind.DISABLE_ENDPOINT, False),
    "ai-retrieval": Flag(ActionKind.RESTRICT_RAG, False),
}
"""`ai-tools`, `ai-endpoint` and `ai-retrieval` say that it may be used, so they are false while it is contained."""


class Evaluation(msgspec.Struct, frozen=True):
    key: str
    value: bool
    reason: str
    """TARGETING_MATCH for a rule on who asks, STATIC for one on everyone, DEFAULT where none holds."""
    variant: str
    metadata: dict[str, str]
    """`incident`; for safe mode also `answer`, the text to give."""


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    errorCode: str
    errorDetails: str
    key: str = ""


class Question(msgspec.Struct, frozen=True):
    context: dict[str, Any] = msgspec.field(default_factory=dict)


class Everything(msgspec.Struct, frozen=True):
    flags: Sequence[Evaluation | Failure]


class _Refused(Exception):
    def __init__(self, failure: Failure, status: int = 400) -> None:
        super().__init__(failure.errorDetails)
        self.failure, self.status = failure, status


class Ofrep:
    """Both addresses of the protocol."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._decoder = msgspec.json.Decoder(Question)

    async def __call__(self, asked: Asked) -> Answer:
        key = asked.path.removeprefix(PATH).removeprefix("/")
        try:
            return self._one(asked, key) if key else self._all(asked)
        except _Refused as refused:
            return Answer(refused.status, msgspec.json.encode(msgspec.structs.replace(refused.failure, key=key)))

    def _one(self, asked: Asked, key: str) -> Answer:
        if key not in FLAGS:
            words = f"There is no such flag. The flags are {', '.join(FLAGS)}."
            raise _Refused(Failure("FLAG_NOT_FOUND", words), 404)
        said = self._evaluate(key, self._rules(asked))
        return Answer(503 if isinstance(said, Failure) else 200, msgspec.json.encode(said))

    def _all(self, asked: Asked) -> Answer:
        rules = self._rules(asked)
        body = msgspec.json.encode(Everything([self._evaluate(key, rules) for key in FLAGS]))
        etag = b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
        known = {tag.strip().removeprefix(b"W/") for name, value in asked.headers if name == b"if-none-match"
                 for tag in value.split(b",")}  # fmt: skip
        unchanged = bool(known & {etag, b"*"})
        return Answer(304 if unchanged else 200, b"" if unchanged else body, ((b"etag", etag),))

    def _rules(self, asked: Asked) -> Sequence[Held]:
        """Every rule on what the context names, and on everyone."""
        try:
            context = decode(self._decoder, asked.body, EXAMPLE).context
        except Unacceptable as error:
            raise _Refused(Failure("PARSE_ERROR", str(error))) from None
        caller = Caller(
            targets_of((kind, _id(context, name)) for name, kind in NAMES),
            documents=documents_of([document] if (document := _id(context, "document")) else None),
            via="ofrep",
        )
        if not caller.nameable:
            raise _Refused(Failure("INVALID_CONTEXT", "An id in the context is longer than any that can be contained."))
        targets = (EVERYONE, *caller.targets, *((ScopeKind.DOCUMENT, name) for name in caller.documents))
        return [rule for target in targets for rule in self._gate.book.on(target)]

    def _evaluate(self, key: str, rules: Sequence[Held]) -> Evaluation | Failure:
        flag = FLAGS[key]
        found = min((rule for rule in rules if rule.kind is flag.kind), key=lambda rule: rule.incident, default=None)
        if found is not None:
            metadata = {"incident": f"INC-{found.incident}"}
            if flag.kind is ActionKind.ENABLE_SAFE_MODE:
                metadata["answer"] = found.text or APPROVED
            reason = "STATIC" if found.target == EVERYONE else "TARGETING_MATCH"
            return Evaluation(key, flag.contained, reason, "contained", metadata)
        if unready := self._gate.not_ready():
            return Failure("GENERAL", f"The gate does not know whether this is contained: {unready[0]}.", key)
        return Evaluation(key, not flag.contained, "DEFAULT", "normal", {})


def _id(context: dict[str, Any], name: str) -> str | None:
    """Applications also send numbers as ids. Anything else could be compared with nothing, so it is refused."""
    value = context.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _Refused(Failure("INVALID_CONTEXT", f"`{name}` must be a text. For example: {EXAMPLE}"))
