"""What probing looks like, kind by kind: what people type who try a system out before they attack it.

Decides the wordings, over texts in their normal form (small letters), and the sign of each: the part of it that ordinary texts
seldom hold, which is looked for first. They follow OWASP's LLM Prompt Injection Prevention Cheat Sheet, the probes of NVIDIA's
garak (promptinject, dan, encoding, latentinjection, goodside) and MITRE ATLAS AML.T0051, AML.T0054, AML.T0056 and AML.T0084;
the patterns are ours, in what `re` and hyperscan both know, each quantifier with an upper bound. Hyperscan sees bytes: a letter
beyond ASCII stands in a group of its own where a quantifier follows it, and in no set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Ask(NamedTuple):
    """A wording. Each part is a pattern by itself, so whatever matches both holds the sign."""

    before: str
    sign: str

    @property
    def pattern(self) -> str:
        return self.before + self.sign


SHOW = "(?:show|print|reveal|repeat|output|display|tell|give|write|dump|leak|list|say|spell|translate|summari[sz]e|recite|return)"
PROMPT = (
    "(?:system|initial|hidden|original|secret|internal|first|developer|base)[ -]"
    "(?:prompt|instruction|message|rule|directive|config)"
)
ASKS: Mapping[str, tuple[Ask, ...]] = {
    "prompt_extraction": (
        Ask(SHOW + r".{0,40}", PROMPT),
        Ask(r"(?:what|which).{0,24}(?:is|are|were|was|does).{0,24}", PROMPT),
        Ask(SHOW + r".{0,30}(?:text|words|everything|all|content|message).{0,10}", "(?:above|before this|preceding)"),
        Ask(
            "",
            "(?:ignore|disregard|forget|override|bypass)"
            r".{0,30}(?:previous|prior|above|earlier|all|"
            r"your).{0,20}(?:instruction|prompt|rule|direction|guideline|message)",
        ),
    ),
    "role_play": (
        Ask(
            "",
            r"(?:you are now|pretend (?:to be|you|that)|act as (?:if|a|an|my)|roleplay as|role-play as|"
            r"imagine (?:you|that you) (?:are|have)|from now on,? you)"
            r".{0,80}(?:no |without |un(?:restricted|filtered|censored)|free of|evil|jailb|any rule|hacker|anything)",
        ),
        Ask(
            "",
            r"(?:do anything now|dan mode|developer mode|god mode|jailbreak|grandma exploit|"
            r"stay in character|opposite mode|evil twin|aim mode)",
        ),
    ),
    "encoding": (
        Ask(
            "",
            r"(?:base ?64|rot[ -]?13|hex(?:adecimal)?|morse|leetspeak|l33t|caesar cipher|binary|pig latin|"
            r"ascii codes?|unicode escapes?|braille)"
            r".{0,50}(?:decode|answer|respond|reply|encod|translat|output|instruction|follow|execute)",
        ),
        Ask(
            r"(?:decode|answer|respond|reply|encod|translat|output|write|print|spell).{0,50}",
            r"(?:base ?64|rot[ -]?13|in hex|hexadecimal|morse|leetspeak|l33t|caesar cipher|in binary|pig latin|"
            r"ascii codes?|unicode escapes?|backwards|in reverse|letter by letter|braille)",
        ),
    ),
    "delimiter_injection": (
        Ask("", r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|begin_of_text)"),
        Ask(
            "",
            r"(?:\[/?inst\]|<</?sys>>|</?(?:system|instructions?|user_input|context|assistant|document)>|"
            r"<start_of_turn>|<end_of_turn>)",
        ),
        Ask(
            "",
            r"(?:#{2,5} ?|-{3,9} ?|={3,9} ?|\[)(?:new |end of |begin |start of )?(?:system|instruction|"
            r"prompt|admin|user input|override)",
        ),
        Ask("", r"""["']role["'] ?: ?["'](?:system|developer|assistant)["']"""),
    ),
    "tool_enumeration": (
        Ask(
            r"(?:what|which|list|show|name|enumerate|describe|print|give).{0,40}",
            "(?:tools|functions|plugins|apis|endpoints|commands|connectors|mcp servers|actions|integrations)"
            r".{0,40}(?:you|available|access|have|can (?:call|use)|schema|definition|parameter)",
        ),
        Ask(
            SHOW + r".{0,30}",
            r"(?:tool|function|plugin|api)[ _-](?:schema|definition|signature|list|description|manifest)",
        ),
        Ask(
            "(?:what|which) ",
            "(?:databases?|tables|collections|indexes|files|documents|data sources?) "
            "(?:can you|do you|are available|have you)",
        ),
    ),
    "policy_boundary": (
        Ask(
            r"(?:what|which).{0,30}(?:are you|aren't you|you're|you are|you).{0,12}",
            r"(?:not allowed|not permitted|forbidden|prohibited|unable|restricted|not supposed|can't (?:say|do|discuss|"
            r"tell)|cannot (?:say|do|discuss|tell)|never (?:say|discuss|tell))",
        ),
        Ask(
            r"your.{0,24}",
            r"(?:restrictions|limitations|guardrails|content polic|safety (?:rule|polic|filter|"
            r"guideline)|filters|forbidden|blocked (?:word|topic)|banned (?:word|topic)|refusal)",
        ),
        Ask(
            r"(?:how (?:can|do|could|would) (?:i|one|someone|we)|ways? to|help me).{0,24}",
            r"(?:bypass|circumvent|get around|evade|trick|disable|avoid)"
            r".{0,30}(?:filter|guardrail|polic|restriction|safety|moderation|rule|detection)",
        ),
    ),
    "id_enumeration": (
        Ask(
            "",
            r"(?:^|[^a-z])(?:user|customer|account|order|invoice|ticket|employee|patient|record|document|member|"
            r"client|id)s?[ _-]?(?:ids?|numbers?|no\.?|#)?[ :=#]{0,3}[0-9]{1,12} ?"
            r"(?:,|;|and|to|-|through|until|\.\.|–|…) ?(?:to )?#?[0-9]{1,12}",
        ),
        Ask(
            "",
            r"(?:next|previous|every|each|all|other|another|random|any other|different).{0,16}(?:user|"
            r"customer|account|order|invoice|ticket|employee|patient|tenant|member|"
            r"client)s?'?s?.{0,12}(?: id|ids|number|record|data|detail|e-?mail|address|balance|order|"
            r"invoice|profile|phone)",
        ),
        Ask(
            "",
            "(?:iterate|loop|increment|enumerate|count up|try all)"
            r".{0,30}(?: id|ids|number|account|user|customer|order)",
        ),
    ),
    "error_probing": (
        Ask(
            "",
            r"(?:stack ?trace|traceback|debug (?:mode|info|output|log)|verbose error|error (?:detail|log|"
            r"message verbatim)|internal error|raw (?:error|exception|response|sql|query)|"
            r"exception (?:detail|message)|enable debug)",
        ),
        Ask(
            "",
            r"(?:' ?or ?'?1'? ?= ?'?1|union select|;? ?drop table|\$\{jndi:|\{\{ ?7 ?\* ?7|<script|"
            r"/etc/passwd|\.\./\.\./|;--|%00)",
        ),
        Ask(
            SHOW + r".{0,30}",
            r"(?:environment variables?|env vars?|\.env|config(?:uration)? files?|process\.env|"
            r"os\.environ|server version|internal (?:ip|url|path|host))",
        ),
    ),
    "multilingual_evasion": (
        Ask("", "(?:ignoriere?|vergiss|missachte).{0,30}(?:anweisung|regel|vorgabe)"),
        Ask("", "(?:ignor|oubli).{0,30}(?:instructions? pr|consignes|règles|directives)"),
        Ask("", "(?:ignor|olvid|descart).{0,30}(?:instrucciones|instruções|reglas|regras|indicaciones)"),
        Ask("", "(?:ignora|dimentica).{0,30}(?:istruzioni|regole)"),
        Ask("", "(?:忽略|无视|無視|忘记|忘掉).{0,12}(?:指令|提示|规则|規則|说明|設定|设定)"),
        Ask("", "(?:系统|系統|システム)(?:提示(?:词|詞)?|プロンプト|消息)"),
        Ask("", "(?:игнорируй|забудь|проигнорируй).{0,30}(?:инструкц|правил|указани)"),
        Ask("", "(?:تجاهل|انس).{0,30}(?:التعليمات|القواعد|تعليمات)"),
        Ask("", "(?:이전|위의|모든).{0,8}(?:지시|명령|규칙).{0,8}(?:무시|잊)"),
        Ask("", "(?:पिछले|सभी|पूर्व).{0,20}(?:निर्देश|नियम).{0,20}(?:अनदेखा|भूल)"),
        Ask(
            r"(?:answer|respond|reply|translate|write).{0,20}",
            "in (?:zulu|hmong|scots gaelic|gaelic|guarani|klingon|latin|esperanto|igbo|navajo|old english)"
            r".{0,60}(?:instruction|prompt|how to|secret|password)",
        ),
    ),
}
