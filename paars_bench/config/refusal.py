"""Replies that decline in words: what a model that refuses says is no behaviour of a shopper.

Only the beginning of a reply is read, and only English is known. A refusal begins, after an apology or without one,
with the first person declining an act (``I can't help with that``, ``I'm not able to choose``), with an apology whose
next clause declines (``I'm sorry, but I don't …``), with ``As an AI …``, with what a model says of itself
(``I don't have personal preferences``), or with a request that is not allowed. The acts are listed one by one, as
shoppers search for song titles and printed shirts: ``can't hurt me book``, ``i can't help falling in love vinyl``.
"""

from __future__ import annotations

import re

_READ = 300  # characters: a refusal comes first
_APOLOGY = (
    r"(?:(?:i(?:['’]m|\s+am)\s+(?:(?:very|so|really|truly|deeply)\s+)?sorry|sorry|(?:i|we)\s+(?:\w+\s+)?apologi[sz]e"
    r"|(?:my\s+)?apologies|unfortunately|regrettably)(?P<stop>\s*[,.;:!–—-])?\s*)"
)
_CANNOT = (
    r"(?:i|we)\s*(?:\s(?:can(?:['’]t|not|\s+not)|could(?:n['’]t|\s+not)|will\s+not|won['’]t)(?:\s+be\s+able\s+to)?"
    r"|(?:['’]m|\s+am|['’]re|\s+are)\s+(?:unable|not\s+able)\s+to)"
)
_ACTS = (
    r"(?:help\s*(?:[.,;!]|\Z|(?:you\s+)?(?:with|to)\b|you\b)|assist|comply|fulfil|participate|role-?play|recommend"
    r"|provide|generate|engage\s+in|proceed|choose|pick|select|determine|respond\s+to|process\s+(?:this|that|your)"
    r"|do\s+(?:this|that)\s*(?:[.,;!]|\Z|for\b|because\b|as\b)"
    r"|(?:answer|complete|continue|create|make|discuss|access|predict|simulate|view|see)\s+"
    r"(?:with\s+)?(?:this|that|your|the|any|such|an?\s+(?:choice|decision|selection)|images?|content|products?)\b)"
)
_DECLINES = (
    r"(?:(?:i|we)\s+(?:must|have\s+to|need\s+to|will\s+have\s+to)\s+(?:respectfully\s+|politely\s+)?(?:decline|refuse)"
    r"|(?:i|we)\s+(?:respectfully\s+|politely\s+)?(?:decline|refuse)\s+to"
    r"|(?:i(?:['’]m|\s+am)\s+not|i\s+(?:don['’]t|do\s+not)\s+feel)\s+comfortable\s+\w+ing)"
)
_MACHINE = (
    r"(?:as\s+an?\s+(?:(?:large\s+|ai\s+)?language\s+model|ai|artificial\s+intelligence)"
    r"(?:\s+(?:language\s+)?(?:model|assistant|system|chatbot))?\s*(?:,|\bi\b)"
    r"|i(?:['’]m|\s+am)\s+(?:just\s+|only\s+)?an?\s+(?:ai\s+(?:language\s+)?(?:model|assistant)|language\s+model|ai\s*[,.;])"
    r"|i\s+(?:don['’]t|do\s+not)\s+have\s+(?:the\s+ability|(?:any\s+)?personal\s+\w+|(?:any\s+)?preferences|access\s+to"
    r"|enough\s+information|opinions|feelings|the\s+capability))"
)
_BARRED = (
    r"(?:(?:this|that|the|your)\s+(?:request|content|prompt|question)\s+"
    r"(?:can(?:not|['’]t|\s+not)\s+be|violates|goes\s+against|is\s+not\s+(?:allowed|permitted|something\s+i)))"
)
_NEXT_CLAUSE = (
    r"(?:but\s+|however,?\s+)?(?:i|we)(?:\s+can(?:['’]t|not|\s+not)\b|\s+won['’]t\b|\s+will\s+not\b|(?:['’]m|\s+am)\s+"
    r"(?:not|unable)\b|\s+(?:don['’]t|do\s+not)\b|\s+must\s+decline\b|\s+need\s+more\b)"
)
_MARKS = re.compile(r"[*`_#>]+")
_REFUSAL = re.compile(
    rf"[\s\"'“‘]*{_APOLOGY}?(?:but\s+|however,?\s+)?(?:{_CANNOT}\s+{_ACTS}|{_DECLINES}|{_MACHINE}|{_BARRED}"
    rf"|(?(stop){_NEXT_CLAUSE}|(?!)))",
    re.IGNORECASE,
)


def is_refusal(reply: str) -> bool:
    """Says whether a reply begins as a refusal in English: the module says which beginnings count."""
    return _REFUSAL.match(_MARKS.sub("", reply[:_READ])) is not None
