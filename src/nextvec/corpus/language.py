"""Languages of texts: which codes are known, and what language a text is in."""

from __future__ import annotations

from functools import lru_cache

from nextvec.errors import UsageError, did_you_mean

AUTO = "auto"
"""In place of a code: the language is told for each document by its text."""
_DETECTED_CHARACTERS = 4000

_TWO_LETTERS = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg
    ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mo mr ms mt my na nb nd ne ng nl
    nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv
    sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
_THREE_LETTERS = """
    aae abs ace acm ady aeb aln als alt ami anp apc arc arn arq ary arz ast atj avk awa azb ban bar bat bbc bcl bcc bci
    bdr bew bgn bho bjn blk bpy bqi btm bug bxr cbk cdo ceb chr chy ckb cpx crh csb dag din diq dsb dtp dty dua egl eml
    ext fat fil fit fiu fon frc frp frr fur gag gan gcf gcr gld glk gom gor got gpe gsw guc gur guw hak haw hif hke hrx
    hsb hsn hyw iba igl ilo inh jam jbo jut kaa kab kbd kbp kcg kea kge khw kiu kjh kjp knc koi krc krl ksh ksw kum lad
    lbe lez lfn lij liv ljp lki lld lmo lrc ltg lua luz lzh lzz mad mag mai map mdf mhr min mnc mni mnw mos mrj mui mwl
    myv mzn nah nan nap nds new nia nov nqo nrm nso nup nyn nyo olo pag pam pap pcd pcm pdc pdt pfl pih pms pnb pnt pwn
    qug rgn rmy roa rsk rue rup ruq rut sah sat scn sco sdc sdh ses sgs shi shn shy simple sjd skr sli sma smn srn sro
    stq sty szl szy tay tcy tdd tet tig tly tok tpi trv ttj tum tyv udm vec vep vls vmf vmw vot vro war wls wuu xal xmf
    yue zea zgh
"""
CODES = frozenset((_TWO_LETTERS + _THREE_LETTERS).split())
"""ISO 639-1, and those of three letters that have a Wikipedia or a chain of nearest languages in sentencex."""

_OF_THREE_LETTERS = """
    acq:ar afr:af ajp:ar aka:ak amh:am arb:ar ars:ar asm:as ayr:ay azj:az bak:ba bam:bm bel:be ben:bn bod:bo bos:bs
    bul:bg cat:ca ces:cs cym:cy dan:da deu:de dzo:dz ell:el eng:en epo:eo est:et eus:eu ewe:ee fao:fo fij:fj fin:fi
    fra:fr fuv:ff gaz:om gla:gd gle:ga glg:gl grn:gn guj:gu hat:ht hau:ha heb:he hin:hi hrv:hr hun:hu hye:hy ibo:ig
    ind:id isl:is ita:it jav:jv jpn:ja kan:kn kas:ks kat:ka kaz:kk khk:mn khm:km kik:ki kin:rw kir:ky kmr:ku kon:kg
    kor:ko lao:lo lim:li lin:ln lit:lt ltz:lb lug:lg lvs:lv mal:ml mar:mr mkd:mk mlt:mt mri:mi mya:my nld:nl nno:nn
    nob:nb npi:ne nya:ny oci:oc ory:or pan:pa pbt:ps pes:fa plt:mg pol:pl por:pt prs:fa quy:qu ron:ro run:rn rus:ru
    sag:sg san:sa sin:si slk:sk slv:sl smo:sm sna:sn snd:sd som:so sot:st spa:es srd:sc srp:sr ssw:ss sun:su swe:sv
    swh:sw tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tir:ti tsn:tn tso:ts tuk:tk tur:tr twi:tw uig:ug ukr:uk urd:ur
    uzn:uz vie:vi wol:wo xho:xh ydd:yi yor:yo zho:zh zsm:ms zul:zu
"""
"""ISO 639-3, as NLLB and SONAR name languages with their script (`fra_Latn`), to ISO 639-1."""
_TWO_OF_THREE = dict(pair.split(":") for pair in _OF_THREE_LETTERS.split())

_NAMES = {
    "amharic": "am", "arabic": "ar", "armenian": "hy", "bengali": "bn", "bulgarian": "bg", "burmese": "my",
    "catalan": "ca", "chinese": "zh", "czech": "cs", "danish": "da", "deutsch": "de", "dutch": "nl", "english": "en",
    "estonian": "et", "farsi": "fa", "finnish": "fi", "french": "fr", "georgian": "ka", "german": "de", "greek": "el",
    "gujarati": "gu", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id", "italian": "it",
    "japanese": "ja", "jp": "ja", "kazakh": "kk", "khmer": "km", "korean": "ko", "kr": "ko", "lao": "lo",
    "malayalam": "ml", "marathi": "mr", "norwegian": "no", "persian": "fa", "polish": "pl", "portuguese": "pt",
    "punjabi": "pa", "romanian": "ro", "russian": "ru", "serbian": "sr", "slovak": "sk", "spanish": "es",
    "swedish": "sv", "tamil": "ta", "telugu": "te", "thai": "th", "tibetan": "bo", "turkish": "tr", "ukrainian": "uk",
    "urdu": "ur", "vietnamese": "vi", "ara": "ar", "chi": "zh", "deu": "de", "eng": "en", "fra": "fr", "fre": "fr",
    "ger": "de", "hin": "hi", "ita": "it", "jpn": "ja", "kor": "ko", "nld": "nl", "por": "pt", "rus": "ru", "spa": "es",
    "zho": "zh",
}  # fmt: skip
"""Names that people give in place of the code."""


def check_language(code: str) -> str:
    """`code` as it is given, when it is `auto` or an ISO 639 code, with or without a region (`pt-BR`, `de_AT`), or as
    NLLB names it (`fra_Latn`).

    Raises UsageError, with the nearest known code, for anything else.
    """
    if code == AUTO or primary(code) in CODES:
        return code
    meant = f"Did you mean '{_NAMES[code.lower()]}'? " if code.lower() in _NAMES else did_you_mean(code, CODES)
    raise UsageError(
        f"unknown language '{code}'. {meant}Expected an ISO 639 code such as en, de, zh or pt-BR, "
        f"or 'auto' to tell it for each document"
    )


@lru_cache
def primary(code: str) -> str:
    """The language of a code without region or script, in lower case: `zh-Hant` is `zh`, `fra_Latn` is `fr`."""
    language, _, script = code.lower().replace("_", "-").partition("-")
    return _TWO_OF_THREE.get(language, language) if script else language


def detect_language(text: str) -> str:
    """The ISO 639 code of the language that `text` begins in, the same whenever it is asked (py3langid, 97 languages).

    A text without letters is English.
    """
    from py3langid import classify  # its model takes seconds to load, and few need it

    beginning = text[:_DETECTED_CHARACTERS]
    return classify(beginning)[0] if any(map(str.isalpha, beginning)) else "en"
