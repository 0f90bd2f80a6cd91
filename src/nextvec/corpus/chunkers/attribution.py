"""Who says what stands between quotation marks: `“Why?” Alice asked.` is one sentence, as `“Why?” she asked.` is."""

from __future__ import annotations

import re

_VERBS = """
    said asked cried exclaimed replied answered shouted called whispered murmured muttered returned repeated demanded
    inquired enquired remarked added continued interrupted screamed yelled roared growled gasped groaned sobbed wailed
    retorted rejoined responded ejaculated echoed snapped thought wondered mused breathed pleaded begged interposed
    protested insisted declared persisted queried
"""
_NO_NAMES = "He|She|They|We|It|You|This|That|Then|Some|One|Nobody"
_SPEAKERS = {
    "en": re.compile(
        rf"(?:I|(?!(?:{_NO_NAMES})\b)(?:[A-Z][\w’'-]*\.?\s){{0,2}}[A-Z][\w’'-]*)\s(?:{'|'.join(_VERBS.split())})\b"
        r"(?![^.!?“”\"]{0,60}[,:]\s[“\"][A-Z])"
    ),
    "zh": re.compile(r"(?:(?![没不])[\u4e00-\u9fff]){1,5}?(?:说|說|问|問|道|喊|叫|答|嚷)[着著了]?[，。！]"),
    "ja": re.compile(
        r"[\u4e00-\u9fff\u30a0-\u30ff]{1,6}(?:さん|君|くん|ちゃん)?[はがも][^。「」『』]{0,12}?"
        r"(?:聞いた|訊いた|尋ねた|言った|答えた|叫んだ|呟いた|つぶやいた)。"
    ),
    "ko": re.compile(r"\S+(?:\s\S+)?\s(?:물었다|말했다|외쳤다|대답했다|소리쳤다|되물었다)"),
    "he": re.compile(r"(?:שאל|אמר|ענ|השיב|צעק|לחש|קרא)(?:ה|ו|תי)?\b"),
    "ar": re.compile(r"(?:قال|سأل|أجاب|صرخ|همس|ردّ?)(?:ت|وا)?\b"),
    "hi": re.compile(r"\S+(?:\s\S+){0,2}\s(?:पूछा|कहा|बोला|बोली|चिल्लाया|चिल्लाई)"),
}
"""Not where the speaker begins another speech: `“Why?” Alice said: “Go!”`."""
_LONGEST_SPEECH = 200
"""Characters."""
_QUOTED = (
    "?”",
    "!”",
    "?’”",
    "!’”",
    '?"',
    '!"',
    "—”",
    "…”",
    "?’",
    "!’",
    "？”",
    "！”",
    "؟”",
    "؟»",
    "!»",
    '؟"',
    "？」",
    "！」",
)


def names_speaker(text: str, cut: int, language: str) -> bool:
    """Whether a question or exclamation in quotation marks that ends before `cut`, and the space after it, is followed
    by who says it, in a language where no small letter tells; in Chinese a statement, too, that begins a sentence."""
    if language not in _SPEAKERS:
        return False
    end = text[max(0, cut - 4) : cut].rstrip()
    is_statement = language == "zh" and end.endswith(("。”", "。」")) and _begins_with_speech(text, cut)
    if not (is_statement or end.endswith(_QUOTED)):
        return False
    return _SPEAKERS[language].match(text, cut) is not None


def _begins_with_speech(text: str, cut: int) -> bool:
    """Whether the sentence begins with the quotation that ends before `cut`: not `他说：“我来了。”`."""
    start = max(0, cut - _LONGEST_SPEECH)
    opening = max(text.rfind("“", start, cut), text.rfind("「", start, cut))
    return opening == 0 or (opening > 0 and text[opening - 1] in "。！？”」 ")
