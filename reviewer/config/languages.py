"""The languages that remarks can be asked for: a closed list, so that no configuration can speak to the model.

A language is written by its English name, by its own name, or by a tag of BCP 47, of which the subtags that say
nothing here are passed over: `de-AT` is German.
"""

from __future__ import annotations

import re

# ISO 639-1 and a few longer tags
_ENGLISH = """
aa Afar; ab Abkhazian; ae Avestan; af Afrikaans; ak Akan; am Amharic; an Aragonese; ar Arabic; as Assamese;
av Avaric; ay Aymara; az Azerbaijani; ba Bashkir; be Belarusian; bg Bulgarian; bi Bislama; bm Bambara;
bn Bengali; bo Tibetan; br Breton; bs Bosnian; ca Catalan; ce Chechen; ch Chamorro; co Corsican; cr Cree;
cs Czech; cu Church Slavonic; cv Chuvash; cy Welsh; da Danish; de German; dv Divehi; dz Dzongkha; ee Ewe;
el Greek; en English; eo Esperanto; es Spanish; et Estonian; eu Basque; fa Persian; ff Fulah; fi Finnish;
fj Fijian; fo Faroese; fr French; fy Western Frisian; ga Irish; gd Scottish Gaelic; gl Galician; gn Guarani;
gu Gujarati; gv Manx; ha Hausa; he Hebrew; hi Hindi; ho Hiri Motu; hr Croatian; ht Haitian Creole;
hu Hungarian; hy Armenian; hz Herero; ia Interlingua; id Indonesian; ie Interlingue; ig Igbo; ii Sichuan Yi;
ik Inupiaq; io Ido; is Icelandic; it Italian; iu Inuktitut; ja Japanese; jv Javanese; ka Georgian; kg Kongo;
ki Kikuyu; kj Kuanyama; kk Kazakh; kl Greenlandic; km Khmer; kn Kannada; ko Korean; kr Kanuri; ks Kashmiri;
ku Kurdish; kv Komi; kw Cornish; ky Kyrgyz; la Latin; lb Luxembourgish; lg Ganda; li Limburgish; ln Lingala;
lo Lao; lt Lithuanian; lu Luba-Katanga; lv Latvian; mg Malagasy; mh Marshallese; mi Maori; mk Macedonian;
ml Malayalam; mn Mongolian; mr Marathi; ms Malay; mt Maltese; my Burmese; na Nauru; nb Norwegian Bokmål;
nd North Ndebele; ne Nepali; ng Ndonga; nl Dutch; nn Norwegian Nynorsk; no Norwegian; nr South Ndebele;
nv Navajo; ny Chichewa; oc Occitan; oj Ojibwa; om Oromo; or Odia; os Ossetian; pa Punjabi; pi Pali;
pl Polish; ps Pashto; pt Portuguese; qu Quechua; rm Romansh; rn Rundi; ro Romanian; ru Russian;
rw Kinyarwanda; sa Sanskrit; sc Sardinian; sd Sindhi; se Northern Sami; sg Sango; si Sinhala; sk Slovak;
sl Slovenian; sm Samoan; sn Shona; so Somali; sq Albanian; sr Serbian; ss Swati; st Southern Sotho;
su Sundanese; sv Swedish; sw Swahili; ta Tamil; te Telugu; tg Tajik; th Thai; ti Tigrinya; tk Turkmen;
tl Tagalog; tn Tswana; to Tongan; tr Turkish; ts Tsonga; tt Tatar; tw Twi; ty Tahitian; ug Uyghur;
uk Ukrainian; ur Urdu; uz Uzbek; ve Venda; vi Vietnamese; vo Volapük; wa Walloon; wo Wolof; xh Xhosa;
yi Yiddish; yo Yoruba; za Zhuang; zh Chinese; zu Zulu; ast Asturian; ceb Cebuano; ckb Sorani Kurdish;
fil Filipino; gsw Swiss German; haw Hawaiian; yue Cantonese
"""
# Tags that mean another way of writing than the language alone
_KINDS = """
en-GB British English; en-US American English; fr-CA Canadian French; pt-BR Brazilian Portuguese; pt-
PT European Portuguese; zh-CN Simplified Chinese; zh-SG Simplified Chinese; zh-Hans Simplified Chinese; zh-
TW Traditional Chinese; zh-HK Traditional Chinese; zh-MO Traditional Chinese; zh-Hant Traditional Chinese
"""
_OWN = """
ar العربية; bg Български; bn বাংলা; ca Català; cs Čeština; da Dansk; de Deutsch; el Ελληνικά; es Español;
et Eesti; fa فارسی; fi Suomi; fr Français; he עברית; hi हिन्दी; hr Hrvatski; hu Magyar; id Bahasa Indonesia;
it Italiano; ja 日本語; ko 한국어; lt Lietuvių; lv Latviešu; nl Nederlands; no Norsk; pl Polski; pt Português;
ro Română; ru Русский; sk Slovenčina; sl Slovenščina; sr Српски; sv Svenska; th ไทย; tr Türkçe;
uk Українська; vi Tiếng Việt; zh 中文
"""
_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*")
LONGEST = 60  # characters; a tag with all its subtags is shorter


def _table(text: str) -> dict[str, str]:
    entries = (entry.split(maxsplit=1) for entry in text.split(";"))
    return {tag.lower(): " ".join(name.split()) for tag, name in entries}


_TAGS = {**_table(_ENGLISH), **_table(_KINDS)}
NAMES = tuple(sorted(set(_TAGS.values())))
_BY_NAME = {
    **{name.casefold(): _TAGS[tag] for tag, name in _table(_OWN).items()},
    **{name.casefold(): name for name in NAMES},
}


def named(text: str) -> str | None:
    """Give the English name of the language that a name or tag means; None if it means none."""
    if len(text) > LONGEST:
        return None
    if name := _BY_NAME.get(text.casefold()):
        return name
    tag = text.lower().replace("_", "-")  # as in the name of a locale
    if not _TAG.fullmatch(tag):
        return None
    while tag:  # the lookup of RFC 4647: of `zh-hant-tw` the longest beginning that is known
        if tag in _TAGS:
            return _TAGS[tag]
        tag = tag.rpartition("-")[0]
    return None
