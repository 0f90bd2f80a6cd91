"""Words that a full stop shortens and does not end, beyond those that sentencex knows: by what may follow them.

A word alone decides too little: `ch. 4` and `Ft. Worth` go on, while a cut after `ch.` or `Ft.` may be right elsewhere.
Words that are also whole words (art, pop, pub) are left out where a sentence could end in them.
"""

from __future__ import annotations

import re

_REFERENCES = """
    abb abs abt anl anm app appx approx art arts bd bde bk bks ca cap caps ch chap chaps chs circa cit col cols
    ed edn ep eq eqn eqs ex exx fasc ff fig figs fn fol fols gl hft jg kap lib ll max min ms mss nn no nos nr nrs
    dkt dkts decl exh exhs op pag par para pars pl pls pp pt pts ref refs rn rys sec sect secs ser ss str
    tab tabs taf tav thm tit tom ver vers vol vols vv ziff pág págs núm č čl str obr odst př rozdz ust poz nbr
    rte hwy
    рис стр гл табл илл ст пп разд прим вып кн mon tue tues wed thu thur thurs fri
"""
_NAMED = """
    Abp Adm Amb Archbp Atty Bp Bros Brig Capt Card Cdr Cmdr Cmdt Cpl Cpt Dept Dir Dn Dr Drs Ens Fr Frl
    Dipl.-Ing Dña Ft Gov Hon Hr Insp Ing Ks Lic Lt M Maj Mgr Mlle Mlles Mme Mmes MM Mons Mr Mrs Ms Mt Mts Mx Pfc Pres
    Prof Pvt Rep Reps Revd Rt Sens Sgt Sig Sigg Sra Sras Srta Sres Ste Suppl Supt Visc
    al dhr doc dott hab mevr św ul nám tř inż tow
    TP Tp ThS PGS GS TS BS
    им ул пр просп пер г-н г-жа д-р проф акад св тов гр оз пос
    डॉ डा श्री प्रो पं ডা ডঃ মো د أ ا م
    డా డాక్టర్ శ్రీ ಡಾ ಶ್ರೀ ശ്രീ ડૉ ડો શ્રી ਡਾ ਸ੍ਰੀ திருமதி ดร ผศ รศ นพ พญ
"""
_JOURNALS = """
    Acad Agric Am Angew Appl Astron Astrophys Biochem Biol Biophys Chem Civ Commun Const Crim Ecol Environ Evid Exp
    Genet Geol Geophys Immunol Inf Instrum Int Lett Mater Mech Meth Microbiol Mol Natl Neurosci Nucl Pharmacol Phys Proc
    Psychol Quant Sci Soc Stat Supp Surg Technol Theor Trans
"""
_CITED = """
    Acc Appl Appln Bull Cas Cat Circ Dkt Doc Jap L Lic Mem Op Ord Pat Pats Proc Pub Publ Pubs Reg Rep Rept Res Ser Spec
    Tech
"""
_SMALL = """
    abbr acc adj admin adv agric aka alt anon appl arr assn assoc attr aux avg bdg bibl biol bln bot calc cert cf
    chem constr cont contd corp cv dept deriv diam distr doz econ eds elec encl esp est etc excl facs fm freq geol geom
    gram ibid illus incl indiv introd inv irreg jun math mech misc perf pers phil phys pref prep pres prob prof
    pkg pron prov pseud psych publ recd reg rel resp sched sci seq sp spec spl spp ssp subj subsp suppl syn theol transl
    temp trig univ usu var viz vgl vs
"""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _words(listed: str) -> frozenset[str]:
    """The words as they are listed, and with a capital letter."""
    return frozenset(form for word in listed.split() for form in (word, word[0].upper() + word[1:]))


JOURNALS = _listed(_JOURNALS)
"""Of names of journals and codes, which are made of several: `Phys. Rev. Lett. 100`, `Fed. R. Civ. P. 12`."""
_THEOREMS = _listed("Alg Conj Cor Def Defn Lem Obs Prob Prop Rem Rmk")
_IN_CAPITALS = _listed("ARTS CHAP CHAPS EQ EQS FIG FIGS NOS PARA PARAS PP PT PTS REFS SECS SECT SECTS VOLS")
NUMBERED = (
    _words(_REFERENCES) | _IN_CAPITALS | JOURNALS | _THEOREMS | _listed("p n s f v t c с т п ч n° N° nº Nº")
) - {"No"}
"""What a number follows: `tab. 2`, `Vol. 3`, `рис. 4`."""
CITED = _listed(_CITED)
"""What a `No. 12` stands behind: `U.S. Pat. No. 5,123,456`, `Ser. No. 10/123`."""
MONTHS = _listed("Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec")
"""English ones; `Jan` is a name elsewhere."""
TITLES = _words(_NAMED) | JOURNALS
"""What a name follows: `Ft. Worth`, `डॉ. शर्मा`."""
PERSONS = _listed("Capt Dr Messrs Mr Mrs Ms Mx Prof Sgt")
"""Titles that name somebody whatever the word after them: `Dr. Who`, `Mr. So`."""
BEFORE_TITLES = _listed("a an the my your his her our their is was")
"""Behind them a title may be the last word of a sentence: `I asked my Dr. He said no.`"""
SHORTENED = _words(_SMALL) | TITLES | NUMBERED - _words("art cap ex max ms no par ref sec") | _listed("Cos Wash")
"""What a word in small letters may follow: `approx. five`, `Econ. and`."""

_SYLLABLE = (
    r"[^\W\d_](?:[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca]\u200d?[^\W\d_]"
    r"|(?![\w\u0964\u0965])[\u0900-\u0dff])*"
)
"""Of an Indic script, a letter elsewhere: vowel signs are no letters to Python, and a virama joins two consonants."""
_PART = (
    r"(?:[\u0904-\u0914\u0985-\u0994\u0a05-\u0a14\u0a85-\u0a94\u0b05-\u0b14\u0b85-\u0b94\u0c05-\u0c14"
    rf"\u0c85-\u0c94\u0d05-\u0d14\u0d85-\u0d96]?{_SYLLABLE})"
)
"""A syllable, or a Latin letter's name, which may begin with a vowel: `बी`, `एम`."""
CHAIN = re.compile(rf"(?:{_PART}\.){{2,}}|(?:(?<=\d\s)|(?<=\d))(?:{_PART}\.)+{_PART}(?=[\s,;।)])")
"""`कि.मी.`, `एम.ए.`, and after a number `50 कि.मी` too."""
DOTTED = re.compile(
    r"[^\W\d_]|(?:[^\W\d_]{1,2}\.-?)+[^\W\d_]{1,2}|(?:Ph|Litt|Phil|Sc|[A-Z])\.[^\W\d_]{1,4}"
    rf"|(?:{_PART}\.)+{_PART}"
)
"""Initials, and what has a full stop a letter or syllable: b, a.m, U.S, Ph.D, कि.मी (the last full stop is not part of
it)."""
UNITS = re.compile(
    r"\d\s?(?:bln|cm|cts|cu|dl|ft|gal|h|hr|hrs|in|kg|km|lb|lbs|mi|mil|min|mins|ml|mln|mm|oz|pt|qt|sec|secs|sq|tbsp|tsp|wks|yd|yds|yrs"
    r"|млн|млрд|тыс|руб)\.\s*$"
)
"""`20 lb. or so`"""
MEASURES = _listed("s.d s.e s.e.m b.p.m r.p.m c.p.m d.p.m p.p.m p.p.b m.p.h k.p.h h.p.i d.p.i a.u n.s")
"""Units and names of errors, with a full stop a letter: `± s.d. Error bars`; no name stands behind them."""
LIST_ENDS = _listed("e.v etc usw ecc osv atd itd itp stb enz m.m m.fl т.д т.п Q.E.D q.e.d")
"""Ends of enumerations and proofs: a capital letter after one begins a sentence."""

WITH_LETTERS = _listed(
    """
    appendix blood category class column deg degree degrees exhibit figure grade group hepatitis item letter level
    option part phase plan point schedule section series side size stage step table team type variant version vitamin
    buchstabe buchstaben klasse gruppe typ teil punkt anhang stufe variante
    größe größen lettre vitamine taille classe groupe partie annexe letra vitamina talla clase grupo tipo parte punto
    anexo lettera taglia gruppo piano
    буква буквой букву буквы витамин витамина план плана класс класса группа группы тип типа
    """
)
"""Nouns that are named by a letter: after `plan B.` a sentence may end, after `James B.` it does not."""

LABELLED = _listed(
    """
    box case chart corollary definition diagram exercise example figure lemma panel plate problem proposition question
    remark scheme step study table task theorem trial type
    abb abbildung aufgabe beispiel bild definition satz schritt tab tabelle exemple étape figure question tableau
    théorème ejemplo figura paso problema tabla esempio passo tabella exemplo tabela definicja krok przykład rysunek
    twierdzenie пример рисунок таблица теорема шаг рис παράδειγμα πίνακας σχήμα afbeelding voorbeeld tabel figur tabell
    exempel eksempel kuva taulukko esimerkki şekil örnek hình bảng gambar contoh
    图 表 例 図 그림 표 예 شكل جدول مثال
    """
)
"""What a number stands behind that names what follows it: `Figure 4.16. First boot`."""

COOKS = _listed(
    """
    Add Arrange Bake Beat Blend Boil Bring Broil Brush Chill Chop Combine Cook Cool Cover Cream Cut Dissolve Drain Drop
    Dust Fill Fold Fry Garnish Grate Grease Heat Knead Let Mash Melt Mix Place Pour Preheat Press Put Reduce Refrigerate
    Remove Roast Roll Rub Season Serve Shape Sift Simmer Slice Soak Spoon Spread Sprinkle Stir Strain Take Toast Toss
    Use Wash Whip Whisk
    """
)
"""They begin a step of a recipe: `Use 3 oz. Add salt.`, where `3 oz. Parmesan` is what it takes."""

STARTERS = _listed(
    """
    A After All An And As At Before But By For From Had Has He Her His How However I If In Is It Its Many My No Not Of
    On One Or Our She Since So Some Such That The Their Then There These They This Those Thus To Was We What When Where
    While Who Will With You
    """
)
"""English words that have a capital letter only where a sentence begins."""

NO_STARTERS = _listed("A As At Had Has Her I If My Many No One Our So Will")
"""Of these, names, letters and numerals too: `Dr. No`, `fig. A`, `J. Will`."""

JOINTS = _listed("and or of in by at de von van to for on with per")
"""They begin no sentence in small letters where others begin with capital ones; of other languages in words.toml."""

VOWELLESS = re.compile(
    r"(?:[^\W\d_]{1,2}\.)*[A-ZÀ-ÞА-ЯΆ-Ω]?(?!(?:tv|pc|dvd|cd|pdf|gps|sms|mp)\Z)"
    r"(?:[bcdfghj-np-tv-xzçčćďđłńňřšśťžźżßģķļņ]{1,5}|[бвгджзйклмнпрстфхцчшщђјљњћџґѓќ]{1,5}|[βγδζθκλμνξπρσςτφχψ]{1,5})"
)
"""What cannot be a whole word, with letters before it or without: `др`, `mln`, `χλμ`, `o.s.frv`."""
SYLLABIC_LANGUAGES = _listed("bs cs en hr mk sh sk sl sr")
"""Their words need no vowel: prst, врт; hmm, brb."""

NEVER_LAST = _listed("e.g i.e a.k.a c.f N.B P.S P.-S U.A Z.B")
"""Of what has a full stop a letter, what no sentence ends with."""

WHOLE = _listed("no me may miss ill art fed ma ok")
"""Words that sentencex takes for abbreviations (of number, Maine, May, ...) and that end sentences in small letters."""

NAME_PARTICLES = _listed("Da Dal De Del Della Den Der Des Di Do Dos Du El La Las Le Les Lo Los Op Te Van Von Zu")
"""They begin sentences, and names after initials: `J.P. La Fontaine`."""

BEFORE_ORDINALS = _listed("am ab beim bis das dem den der des die im seit vom zum zur")
"""German words between which and a noun in capitals a number is an ordinal: `im 19. Jahrhundert`."""
ORDINAL_LANGUAGES = _listed("cs da de et eu fi fo hr hu is lb lv nb nn no pl sh sk sl sr tr")
"""They write ordinals with a full stop: `am 3. mai`, `19. yüzyıl`."""
