# ruff: noqa: RUF001 (typographic signs are part of what is matched)
"""What pages say of themselves in paragraphs of their own, told by its words: who holds the rights, what made the page,
when it was changed, whom a picture is by. English, with the commonest words of other languages."""

from __future__ import annotations

import re

_LONGEST = 240
"""Characters; what is longer is a text about such things."""

_NAME = r"(?:[A-Z][\w.'’-]*|de|la|del|der|di|van|von|and|und|et|y|&)[¹²³⁴⁵⁶⁷⁸⁹⁰*†‡,]*"
"""A word of a list of authors, with the marks of their addresses."""
_ACCOUNT = r"""(?:(?:please\s)?(?:(?:sign|log)[\s-]?(?:in|up|out|on)|register)|my\saccount|your\saccount
    |(?:create|open)\s(?:an?\s|your\s)?account|forgot(?:\syour)?\spassword\??|(?:my\s|view\s)?(?:cart|basket|wishlist)
    |checkout|anmelden|einloggen|registrieren|abmelden|(?:se\s)?connecter|connexion|s['’]inscrire
    |iniciar\ssesión|registrarse|accedi|registrati|inloggen|logga\sin|zaloguj(?:\ssię)?)"""
_PATTERNS = (
    (
        "footer",
        r"""(?:[\w.,&'’-]+\s){0,4}(?:©|\(c\)\s|copyright\b)\W{0,3}(?:(?:©|\(c\)|by|copyright)\W{0,3})*\d{4}\b.*
        | (?:.{0,80}\b)?all\srights\sreserved\b.{0,80} | .{0,80}\balle\srechte\svorbehalten\b.{0,80}
        | (?:.{0,80}\b)?tous\sdroits\sréservés\b.{0,80} | .{0,80}\btodos\slos\sderechos\sreservados\b.{0,80}
        | (?:this\s(?:page|site|article|document)\s(?:was|has\sbeen)\s)?last\s
          (?:updated|modified|edited|changed|reviewed|revised)\b(?:\son|\sat|\sby|:)?\s[^.!?]*\d.{0,80}
        | (?:zuletzt\s(?:geändert|aktualisiert)|letzte\s(?:änderung|aktualisierung)|stand:|dernière\smise\sà\sjour
          |última\s(?:actualización|modificación|atualização)|ultim[oa]\s(?:aggiornamento|modifica))(?!\w).{0,60}\d.{0,20}
        | (?:(?:proudly\s)?powered\sby|(?:built|made|created|generated)\s(?:with|using|by)|best\sviewed\s(?:with|in)
          |desenvolvido\s(?:por|pel[oa])|desarrollado\spor|propulsé\spar|erstellt\smit)\s(?:[^\s.!?,]+\s?){1,6}\.?""",
    ),
    (
        "note on versions",
        r"(?:new|added|changed|deprecated|removed)\s(?:in|since)\s(?:version\s)?v?\d[\w.]*[.:]?",
    ),
    (
        "navigation",
        r"""(?:skip|jump|back|return|go)\s(?:to\s)?(?:the\s)?
          (?:main\s|top|content|navigation|recipe|home|comments)\b[^.!?]{0,20}
        | (?:(?:tags|categories|category|schlagwörter|étiquettes|etiquetas)\s?:|(?:filed\sunder|posted\sin):?)
          \s[^.!?]{1,120}
        | (?:share|follow)\s(?:this|us|on)\b[^.!?]{0,40}:? | (?:read|learn)\smore\.{0,3}"""
        rf"| {_ACCOUNT}(?:\s?(?:[|/·•,&-]|\bor\b|\boder\b|\bou\b|\bo\b)?\s?{_ACCOUNT})*",
    ),
    (
        "comments",
        r"""(?:(?:(?:leave|post|add|write)\s(?:a|your)\s(?:reply|comment)|cancel\sreply|(?:your\s)?e-?mail\saddress\s
          (?:will\snot|won['’]t)\sbe\spublished|(?:all\s)?required\sfields\sare\smarked|comments\sare\s(?:now\s)?closed
        | you\smust\sbe\slogged\sin\sto\s(?:post\sa\s)?comment|log\sin\sto\s(?:post|leave|add)\s(?:a\s)?comments?
        | save\smy\sname,\se-?mail,?\sand\swebsite\sin\sthis\sbrowser\b[^.]*
        | notify\sme\s(?:of|when|by)\b[^.]*(?:comments?|posts?)\b[^.]*
        | (?:schreibe|hinterlasse)\seinen\skommentar|(?:kommentar|antwort)\sabbrechen|deine\se-mail-adresse\swird\snicht
          \sveröffentlicht|erforderliche\sfelder\ssind\smit\s\*\smarkiert|laisser\sun\scommentaire|annuler\sla\sréponse
        | votre\sadresse\s(?:e-mail|de\smessagerie)\sne\ssera\spas\spubliée|les\schamps\sobligatoires\ssont\sindiqués
          \savec|deja\s(?:una\srespuesta|un\scomentario)|(?:tu|su)\sdirección\sde\scorreo\selectrónico\sno\sserá
          \spublicada|los\scampos\sobligatorios\sestán\smarcados\scon|deixe\s(?:um\scomentário|uma\sresposta)
        | o\sseu\sendereço\sde\s(?:e-mail|email)\snão\sserá\spublicado|lascia\sun\scommento
        | il\stuo\sindirizzo\semail\snon\ssarà\spubblicato)
          [\s.*:]*){1,4}""",
    ),
    (
        "byline",
        rf"""(?i:posted|published|updated|written|by|von|par|por)\b(?:[^.!?]|(?<=\d)\.|(?<=\b[A-Z])\.){{2,80}}\b(?:19|20)\d\d\b[^.!?]{{0,40}}
        | {_NAME}(?:\s{_NAME})*(?<=[¹²³⁴⁵⁶⁷⁸⁹⁰*†‡])
        | \d{{1,2}}\smin(?:ute)?s?\sread""",
    ),
    (
        "caption",
        r"\(?(?:(?:photo|image|picture|foto|bild|illustration)(?:\s(?:by|credit:)|:)|credit:)\s(?:[^.!?]|(?<=\b[A-Z])\.){2,100}",
    ),
    (
        "advertisement",
        r"""advertisements?|sponsored(?:\scontent)?|anzeige|publicité|publicidad
        | (?:subscribe|sign\sup)\s(?:to|for)\s(?:our|the|my)\b.{0,60}\bnewsletter\b.{0,120}""",
    ),
    (
        "notice",
        r"(?:we|this\s(?:site|website|page))\suses?\scookies\b.*\b(?:experience|accept|agree|analy\w+|ads|privacy|traffic)\b.*",
    ),
)
_KINDS = tuple(
    (reason, re.compile(pattern, re.VERBOSE if reason == "byline" else re.VERBOSE | re.IGNORECASE))
    for reason, pattern in _PATTERNS
)

_OF_SITE = re.compile(
    r"""\b(?:web\s?(?:site|page|seite)s?|(?:this|our|the)\s(?:site|page)|(?:diese|unsere|der)\sseite|browsers?|privacy|ads
    |partners|preferences|settings|accept|agree|experience|analytics|third[\s-]part(?:y|ies)|personali[sz]\w+|opt\sout
    |datenschutz\w*|einstellungen|akzeptier\w+|einverstanden|zustimm\w+|site|navigateur|confidentialité|accepte[rz]?
    |sitio|navegador|privacidad\w*|aceptar?|aceita\w*|sito|accett\w+|akkoord|strona|stron[ęy]|przeglądar\w+|zgadzasz|zgod\w+
    |сайт\w*|браузер\w*|согла\w+|webbplats\w*|nettsted\w*|hjemmeside\w*|sivusto\w*|stránk\w+|souhlas\w*)\b
    |サイト|ブラウザ|网站|網站|浏览器|瀏覽器|사이트|브라우저|موقع""",
    re.VERBOSE | re.IGNORECASE,
)
"""What notices on cookies and consent speak of, a word in most of their sentences."""
_STOP = re.compile(r"[.!?…](?=\s|\Z)|[。！？।]")
NOTICE_SHARE = 0.5
"""Such words a sentence, from which a text is a notice."""


def count_stops(text: str) -> int:
    """About as many sentences as a text has."""
    return len(_STOP.findall(text))


def speaks_of_site(text: str) -> bool:
    """Whether a text is a notice to the visitors of a site, of whatever length."""
    return len(_OF_SITE.findall(text)) >= NOTICE_SHARE * count_stops(text)


def boilerplate(text: str) -> str:
    """Why a paragraph is no part of the text of a page, "" where nothing says so."""
    if len(text) > _LONGEST:
        return ""
    return next((reason for reason, pattern in _KINDS if pattern.fullmatch(text)), "")
