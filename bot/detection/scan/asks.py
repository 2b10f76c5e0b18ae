"""What probing looks like, kind by kind: what people type who try a system out before they attack it.

Decides the wordings, over texts in their normal form (small letters). They follow OWASP's LLM Prompt Injection Prevention Cheat
Sheet, the probes of NVIDIA's garak (promptinject, dan, encoding, latentinjection, goodside) and MITRE ATLAS AML.T0051, AML.T0054,
AML.T0056 and AML.T0084; the patterns are ours, in what `re` and hyperscan both know, each quantifier with an upper bound.
"""

from __future__ import annotations

from collections.abc import Mapping

SHOW = "(?:show|print|reveal|repeat|output|display|tell|give|write|dump|leak|list|say|spell|translate|summari[sz]e|recite|return)"
PROMPT = (
    "(?:system|initial|hidden|original|secret|internal|first|developer|base)[ -]"
    "(?:prompt|instruction|message|rule|directive|config)"
)
ASKS: Mapping[str, tuple[str, ...]] = {
    "prompt_extraction": (
        SHOW + r".{0,40}" + PROMPT,
        r"(?:what|which).{0,24}(?:is|are|were|was|does).{0,24}" + PROMPT,
        SHOW + r".{0,30}(?:text|words|everything|all|content|message).{0,10}(?:above|before this|preceding)",
        r"(?:ignore|disregard|forget|override|bypass).{0,30}(?:previous|prior|above|earlier|all|"
        r"your).{0,20}(?:instruction|prompt|rule|direction|guideline|message)",
    ),
    "role_play": (
        r"(?:you are now|pretend (?:to be|you|that)|act as (?:if|a|an|my)|roleplay as|role-play as|"
        r"imagine (?:you|that you) (?:are|have)|from now on,? you).{0,80}(?:no |without |"
        r"un(?:restricted|filtered|censored)|free of|evil|jailb|any rule|hacker|anything)",
        r"(?:do anything now|dan mode|developer mode|god mode|jailbreak|grandma exploit|"
        r"stay in character|opposite mode|evil twin|aim mode)",
    ),
    "encoding": (
        r"(?:base ?64|rot[ -]?13|hex(?:adecimal)?|morse|leetspeak|l33t|caesar cipher|binary|pig latin|"
        r"ascii codes?|unicode escapes?|braille).{0,50}(?:decode|answer|respond|reply|encod|translat|"
        r"output|instruction|follow|execute)",
        r"(?:decode|answer|respond|reply|encod|translat|output|write|print|spell).{0,50}(?:base ?64|"
        r"rot[ -]?13|in hex|hexadecimal|morse|leetspeak|l33t|caesar cipher|in binary|pig latin|"
        r"ascii codes?|unicode escapes?|backwards|in reverse|letter by letter|braille)",
    ),
    "delimiter_injection": (
        r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|begin_of_text)",
        r"(?:\[/?inst\]|<</?sys>>|</?(?:system|instructions?|user_input|context|assistant|document)>|"
        r"<start_of_turn>|<end_of_turn>)",
        r"(?:#{2,5} ?|-{3,9} ?|={3,9} ?|\[)(?:new |end of |begin |start of )?(?:system|instruction|"
        r"prompt|admin|user input|override)",
        r"""["']role["'] ?: ?["'](?:system|developer|assistant)["']""",
    ),
    "tool_enumeration": (
        r"(?:what|which|list|show|name|enumerate|describe|print|give).{0,40}(?:tools|functions|"
        r"plugins|apis|endpoints|commands|connectors|mcp servers|actions|integrations).{0,40}(?:you|"
        r"available|access|have|can (?:call|use)|schema|definition|parameter)",
        SHOW
        + (
            r".{0,30}(?:tool|function|plugin|api)[ _-](?:schema|definition|signature|list|description|"
            r"manifest)"
        ),
        r"(?:what|which) (?:databases?|tables|collections|indexes|files|documents|"
        r"data sources?) (?:can you|do you|are available|have you)",
    ),
    "policy_boundary": (
        r"(?:what|which).{0,30}(?:are you|aren't you|you're|you are|you).{0,12}(?:not allowed|"
        r"not permitted|forbidden|prohibited|unable|restricted|not supposed|can't (?:say|do|discuss|"
        r"tell)|cannot (?:say|do|discuss|tell)|never (?:say|discuss|tell))",
        r"your.{0,24}(?:restrictions|limitations|guardrails|content polic|safety (?:rule|polic|filter|"
        r"guideline)|filters|forbidden|blocked (?:word|topic)|banned (?:word|topic)|refusal)",
        r"(?:how (?:can|do|could|would) (?:i|one|someone|we)|ways? to|help me).{0,24}(?:bypass|"
        r"circumvent|get around|evade|trick|disable|avoid).{0,30}(?:filter|guardrail|polic|"
        r"restriction|safety|moderation|rule|detection)",
    ),
    "id_enumeration": (
        r"(?:^|[^a-z])(?:user|customer|account|order|invoice|ticket|employee|patient|record|document|member|"
        r"client|id)s?[ _-]?(?:ids?|numbers?|no\.?|#)?[ :=#]{0,3}\d{1,12} ?(?:,|;|and|to|-|through|"
        r"until|\.\.|–|…) ?(?:to )?#?\d{1,12}",
        r"(?:next|previous|every|each|all|other|another|random|any other|different).{0,16}(?:user|"
        r"customer|account|order|invoice|ticket|employee|patient|tenant|member|"
        r"client)s?'?s?.{0,12}(?: id|ids|number|record|data|detail|e-?mail|address|balance|order|"
        r"invoice|profile|phone)",
        r"(?:iterate|loop|increment|enumerate|count up|try all).{0,30}(?: id|ids|number|account|user|"
        r"customer|order)",
    ),
    "error_probing": (
        r"(?:stack ?trace|traceback|debug (?:mode|info|output|log)|verbose error|error (?:detail|log|"
        r"message verbatim)|internal error|raw (?:error|exception|response|sql|query)|"
        r"exception (?:detail|message)|enable debug)",
        r"(?:' ?or ?'?1'? ?= ?'?1|union select|;? ?drop table|\$\{jndi:|\{\{ ?7 ?\* ?7|<script|"
        r"/etc/passwd|\.\./\.\./|;--|%00)",
        SHOW
        + (
            r".{0,30}(?:environment variables?|env vars?|\.env|config(?:uration)? files?|process\.env|"
            r"os\.environ|server version|internal (?:ip|url|path|host))"
        ),
    ),
    "multilingual_evasion": (
        r"(?:ignoriere?|vergiss|missachte).{0,30}(?:anweisung|regel|vorgabe)",
        r"(?:ignor|oubli).{0,30}(?:instructions? pr|consignes|règles|directives)",
        r"(?:ignor|olvid|descart).{0,30}(?:instrucciones|instruções|reglas|regras|indicaciones)",
        r"(?:ignora|dimentica).{0,30}(?:istruzioni|regole)",
        r"(?:忽略|无视|無視|忘记|忘掉).{0,12}(?:指令|提示|规则|規則|说明|設定|设定)",
        r"(?:系统|系統|システム)(?:提示词?|提示詞|プロンプト|消息)",
        r"(?:игнорируй|забудь|проигнорируй).{0,30}(?:инструкц|правил|указани)",
        r"(?:تجاهل|انس).{0,30}(?:التعليمات|القواعد|تعليمات)",
        r"(?:이전|위의|모든).{0,8}(?:지시|명령|규칙).{0,8}(?:무시|잊)",
        r"(?:पिछले|सभी|पूर्व).{0,20}(?:निर्देश|नियम).{0,20}(?:अनदेखा|भूल)",
        r"(?:answer|respond|reply|translate|write).{0,20}in (?:zulu|hmong|scots gaelic|gaelic|guarani|"
        r"klingon|latin|esperanto|igbo|navajo|old english).{0,60}(?:instruction|prompt|how to|secret|"
        r"password)",
    ),
}
