"""Kinds of probing in inputs: what people type who try a system out before they attack it.

Decides which texts are which kind. Nine kinds have patterns; the tenth, `rate_probing`, comes from a source's own signal only,
as any of the others may. The wordings follow OWASP's LLM Prompt Injection Prevention Cheat Sheet, the probes of NVIDIA's garak
(promptinject, dan, encoding, latentinjection, goodside) and MITRE ATLAS AML.T0051, AML.T0054, AML.T0056, AML.T0084; the
patterns are ours. One of them alone is no attack: the trigger wants more than three different kinds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.detection.event import MarkKind
from bot.detection.scan.found import Found
from bot.detection.scan.matchers import Ends, Needle
from bot.detection.scan.normal import LOOK_ALIKES, original

KINDS = (
    "prompt_extraction", "role_play", "encoding", "delimiter_injection", "tool_enumeration", "policy_boundary",
    "id_enumeration", "error_probing", "rate_probing", "multilingual_evasion",
)  # fmt: skip
SHOW = "(?:show|print|reveal|repeat|output|display|tell|give|write|dump|leak|list|say|spell|translate|summari[sz]e|recite|return)"
PROMPT = "(?:system|initial|hidden|original|secret|internal|first|developer|base)[ -](?:prompt|instruction|message|rule|directive|config)"
ASKS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("prompt_extraction", SHOW + r".{0,40}" + PROMPT, ("prompt", "instruction", "message", "rule", "directive", "config")),
    ("prompt_extraction", r"(?:what|which).{0,24}(?:is|are|were|was|does).{0,24}" + PROMPT, ("prompt", "instruction", "message", "rule", "directive", "config")),
    ("prompt_extraction", SHOW + r".{0,30}(?:text|words|everything|all|content|message).{0,10}(?:above|before this|preceding)", ("above", "before this", "preceding")),
    ("prompt_extraction", r"(?:ignore|disregard|forget|override|bypass).{0,30}(?:previous|prior|above|earlier|all|your).{0,20}(?:instruction|prompt|rule|direction|guideline|message)", ("ignore", "disregard", "forget", "override", "bypass")),
    ("role_play", r"(?:you are now|pretend (?:to be|you|that)|act as (?:if|a|an|my)|roleplay as|role-play as|imagine (?:you|that you) (?:are|have)|from now on,? you).{0,80}(?:no |without |un(?:restricted|filtered|censored)|free of|evil|jailb|any rule|hacker|anything)", ("you are now", "pretend", "act as", "roleplay as", "role-play as", "imagine", "from now on")),
    ("role_play", r"(?:do anything now|dan mode|developer mode|god mode|jailbreak|grandma exploit|stay in character|opposite mode|evil twin|aim mode)", ("anything now", "mode", "jailbreak", "grandma exploit", "in character", "evil twin")),
    ("encoding", r"(?:base ?64|rot[ -]?13|hex(?:adecimal)?|morse|leetspeak|l33t|caesar cipher|binary|pig latin|ascii codes?|unicode escapes?|braille).{0,50}(?:decode|answer|respond|reply|encod|translat|output|instruction|follow|execute)", ("64", "rot", "hex", "morse", "leetspeak", "l33t", "cipher", "binary", "latin", "ascii", "unicode", "braille")),
    ("encoding", r"(?:decode|answer|respond|reply|encod|translat|output|write|print|spell).{0,50}(?:base ?64|rot[ -]?13|in hex|hexadecimal|morse|leetspeak|l33t|caesar cipher|in binary|pig latin|ascii codes?|unicode escapes?|backwards|in reverse|letter by letter|braille)", ("decode", "answer", "respond", "reply", "encod", "translat", "output", "write", "print", "spell")),
    ("delimiter_injection", r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|begin_of_text)", ("<|",)),
    ("delimiter_injection", r"(?:\[/?inst\]|<</?sys>>|</?(?:system|instructions?|user_input|context|assistant|document)>|<start_of_turn>|<end_of_turn>)", ("[", "<")),
    ("delimiter_injection", r"(?:#{2,5} ?|-{3,9} ?|={3,9} ?|\[)(?:new |end of |begin |start of )?(?:system|instruction|prompt|admin|user input|override)", ("##", "---", "===", "[")),
    ("delimiter_injection", r"[\"']role[\"'] ?: ?[\"'](?:system|developer|assistant)[\"']", ("role",)),
    ("tool_enumeration", r"(?:what|which|list|show|name|enumerate|describe|print|give).{0,40}(?:tools|functions|plugins|apis|endpoints|commands|connectors|mcp servers|actions|integrations).{0,40}(?:you|available|access|have|can (?:call|use)|schema|definition|parameter)", ("tools", "functions", "plugins", "apis", "endpoints", "commands", "connectors", "mcp servers", "actions", "integrations")),
    ("tool_enumeration", SHOW + r".{0,30}(?:tool|function|plugin|api)[ _-](?:schema|definition|signature|list|description|manifest)", ("schema", "definition", "signature", "list", "description", "manifest")),
    ("tool_enumeration", r"(?:what|which) (?:databases?|tables|collections|indexes|files|documents|data sources?) (?:can you|do you|are available|have you)", ("database", "tables", "collections", "indexes", "files", "documents", "data source")),
    ("policy_boundary", r"(?:what|which).{0,30}(?:are you|aren't you|you're|you are|you).{0,12}(?:not allowed|not permitted|forbidden|prohibited|unable|restricted|not supposed|can't (?:say|do|discuss|tell)|cannot (?:say|do|discuss|tell)|never (?:say|discuss|tell))", ("allowed", "permitted", "forbidden", "prohibited", "unable", "restricted", "supposed", "can't", "cannot", "never")),
    ("policy_boundary", r"your.{0,24}(?:restrictions|limitations|guardrails|content polic|safety (?:rule|polic|filter|guideline)|filters|forbidden|blocked (?:word|topic)|banned (?:word|topic)|refusal)", ("restrictions", "limitations", "guardrails", "content polic", "safety", "filters", "forbidden", "blocked", "banned", "refusal")),
    ("policy_boundary", r"(?:how (?:can|do|could|would) (?:i|one|someone|we)|ways? to|help me).{0,24}(?:bypass|circumvent|get around|evade|trick|disable|avoid).{0,30}(?:filter|guardrail|polic|restriction|safety|moderation|rule|detection)", ("bypass", "circumvent", "get around", "evade", "trick", "disable", "avoid")),
    ("id_enumeration", r"(?:user|customer|account|order|invoice|ticket|employee|patient|record|document|member|client|id)s?[ _-]?(?:ids?|numbers?|no\.?|#)?[ :=#]{0,3}\d{1,12} ?(?:,|;|and|to|-|through|until|\.\.|–|…) ?(?:to )?#?\d{1,12}", ("user", "customer", "account", "order", "invoice", "ticket", "employee", "patient", "record", "document", "member", "client", "id")),
    ("id_enumeration", r"(?:next|previous|every|each|all|other|another|random|any other|different).{0,16}(?:user|customer|account|order|invoice|ticket|employee|patient|tenant|member|client)s?'?s?.{0,12}(?: id|ids|number|record|data|detail|e-?mail|address|balance|order|invoice|profile|phone)", ("user", "customer", "account", "order", "invoice", "ticket", "employee", "patient", "tenant", "member", "client")),
    ("id_enumeration", r"(?:iterate|loop|increment|enumerate|count up|try all).{0,30}(?: id|ids|number|account|user|customer|order)", ("iterate", "loop", "increment", "enumerate", "count up", "try all")),
    ("error_probing", r"(?:stack ?trace|traceback|debug (?:mode|info|output|log)|verbose error|error (?:detail|log|message verbatim)|internal error|raw (?:error|exception|response|sql|query)|exception (?:detail|message)|enable debug)", ("trace", "debug", "error", "exception", "raw")),
    ("error_probing", r"(?:' ?or ?'?1'? ?= ?'?1|union select|;? ?drop table|\$\{jndi:|\{\{ ?7 ?\* ?7|<script|/etc/passwd|\.\./\.\./|;--|%00)", ("=", "union select", "drop table", "jndi", "{{", "<script", "/etc/passwd", "../", ";--", "%00")),
    ("error_probing", SHOW + r".{0,30}(?:environment variables?|env vars?|\.env|config(?:uration)? files?|process\.env|os\.environ|server version|internal (?:ip|url|path|host))", ("environ", "env", "config", "version", "internal")),
    ("multilingual_evasion", r"(?:ignoriere?|vergiss|missachte).{0,30}(?:anweisung|regel|vorgabe)", ("ignorier", "vergiss", "missachte")),
    ("multilingual_evasion", r"(?:ignor|oubli).{0,30}(?:instructions? pr|consignes|règles|directives)", ("ignor", "oubli")),
    ("multilingual_evasion", r"(?:ignor|olvid|descart).{0,30}(?:instrucciones|instruções|reglas|regras|indicaciones)", ("ignor", "olvid", "descart")),
    ("multilingual_evasion", r"(?:ignora|dimentica).{0,30}(?:istruzioni|regole)", ("ignora", "dimentica")),
    ("multilingual_evasion", r"(?:忽略|无视|無視|忘记|忘掉).{0,12}(?:指令|提示|规则|規則|说明|設定|设定)", ("忽略", "无视", "無視", "忘记", "忘掉")),
    ("multilingual_evasion", r"(?:系统|系統|システム)(?:提示词?|提示詞|プロンプト|消息)", ("系统", "系統", "システム")),
    ("multilingual_evasion", r"(?:игнорируй|забудь|проигнорируй).{0,30}(?:инструкц|правил|указани)", ("игнорируй", "забудь")),
    ("multilingual_evasion", r"(?:تجاهل|انس).{0,30}(?:التعليمات|القواعد|تعليمات)", ("تجاهل", "انس")),
    ("multilingual_evasion", r"(?:이전|위의|모든).{0,8}(?:지시|명령|규칙).{0,8}(?:무시|잊)", ("무시", "잊")),
    ("multilingual_evasion", r"(?:पिछले|सभी|पूर्व).{0,20}(?:निर्देश|नियम).{0,20}(?:अनदेखा|भूल)", ("अनदेखा", "भूल")),
    ("multilingual_evasion", r"(?:answer|respond|reply|translate|write).{0,20}in (?:zulu|hmong|scots gaelic|gaelic|guarani|klingon|latin|esperanto|igbo|navajo|old english).{0,60}(?:instruction|prompt|how to|secret|password)", ("zulu", "hmong", "gaelic", "guarani", "klingon", "latin", "esperanto", "igbo", "navajo", "old english")),
)  # fmt: skip
"""Kind, pattern and keywords, over the text in its normal form."""


def _normal(text: str) -> str:
    """As `normal` does to the text: a Cyrillic letter that looks like a Latin one becomes it."""
    return text.translate(LOOK_ALIKES)


NEEDLES = tuple(Needle(_normal(pattern), tuple(map(_normal, keywords))) for _, pattern, keywords in ASKS)


class Probes:
    def __init__(self) -> None:
        self._patterns = [re.compile(needle.pattern) for needle in NEEDLES]

    def find(self, text: str, normal: str, hits: Ends) -> Iterator[Found]:
        """The first of each kind. `normal`: the text's normal form. `hits`: of `NEEDLES` in it, by number."""
        told: set[str] = set()
        for number in sorted(hits):
            kind = ASKS[number][0]
            match = self._patterns[number].search(normal) if kind not in told else None
            if match is not None:
                told.add(kind)
                yield probe(kind, original(text, match.start()), original(text, match.end()))


def probe(kind: str, start: int = 0, end: int = 0) -> Found:
    return Found(MarkKind.PROBE, kind, start, end, identity=kind)
