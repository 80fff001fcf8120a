"""What a folder is for: where drafts, sent, unwanted and thrown away mail lies.

What the server said counts (RFC 6154; as far as ``df.attrs`` still knows), else the last part of
the name, in lower case; where all mail of Gmail lies in one folder, its labels do as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import vectors

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from mailframe.stats.vectors import Bools, Coded

LABELS = frozenset({"x_gmail_labels", "x_gm_labels"})  # of a Takeout; by X-GM-LABELS
LAST_PART = r"^.*[/.\\]"


class Place(NamedTuple):
    """What a folder may be for: the attribute that says so, and what such folders are called."""

    use: str
    names: frozenset[str]


# What servers and clients call them, in the languages that they speak most.
# fmt: off
DRAFTS = Place(r"\Drafts", frozenset((
    "draft", "drafts", "entwurf", "entwürfe", "brouillon", "brouillons", "borrador", "borradores",
    "bozza", "bozze", "concepten", "utkast", "kladder", "kladde", "luonnokset", "rascunho",
    "rascunhos", "wersje robocze", "szkice", "koncepty", "taslaklar", "черновики", "чернетки",
    "下書き", "草稿", "草稿箱", "임시보관함",
)))
SENT = Place(r"\Sent", frozenset((
    "sent", "sent items", "sent mail", "sent messages", "sent-mail", "sentmail", "outbox",
    "gesendet", "gesendete elemente", "gesendete objekte", "envoyés", "éléments envoyés",
    "messages envoyés", "enviados", "elementos enviados", "inviati", "posta inviata",
    "inviata", "verzonden", "verzonden items", "skickat", "sendt", "sendte elementer",
    "wysłane", "отправленные", "送信済み", "送信済みメール", "已发送",
)))
JUNK = Place(r"\Junk", frozenset((
    "junk", "junk e-mail", "junk email", "junk mail", "spam", "bulk mail", "quarantine",
    "spam-verdacht", "junk-e-mail", "unerwünscht", "werbung", "courrier indésirable",
    "indésirables", "pourriel", "correo no deseado", "no deseado", "posta indesiderata",
    "indesiderata", "ongewenste e-mail", "skräppost", "søppelpost", "uønsket e-mail",
    "lixo eletrônico", "wiadomości-śmieci", "спам", "нежелательная почта", "迷惑メール",
    "垃圾邮件",
)))
TRASH = Place(r"\Trash", frozenset((
    "trash", "deleted", "deleted items", "deleted messages", "bin", "papierkorb",
    "gelöscht", "gelöschte elemente", "gelöschte objekte", "corbeille",
    "éléments supprimés", "papelera", "elementos eliminados", "eliminados", "cestino",
    "posta eliminata", "prullenbak", "verwijderde items", "papperskorgen", "borttaget",
    "papirkurv", "slettede elementer", "lixeira", "itens excluídos", "kosz", "корзина",
    "удаленные", "ゴミ箱", "已删除",
)))
# fmt: on


def filed(df: pd.DataFrame, kind: Place) -> tuple[Bools, list[str]]:
    """Mark what lies in a folder of a kind, or bears such a label, and name these.

    Of a mail whose copies were joined (``folders``) every folder must be one.
    """
    marked, found = np.zeros(len(df), dtype=bool), []
    for column in {"folder", *LABELS} & set(df.columns):
        joined = column == "folder" and "folders" in df.columns
        place = vectors.coded(df, "folders" if joined else column)
        last = pc.replace_substring_regex(pc.utf8_lower(place.labels), LAST_PART, "")
        named = vectors.numpy(pc.is_in(last, pa.array(sorted(kind.names), pa.large_string())))
        is_kind = named[place.codes]
        if column == "folder":
            for uses, entries in _told(df, place):
                told = [uses.get(name) for name in place.labels.to_pylist()]
                same = np.array([use == kind.use for use in told], dtype=bool)
                known = np.array([use is not None for use in told], dtype=bool)
                is_kind[entries] = np.where(known, same, named)[place.codes[entries]]
        inside = place.where(is_kind)
        here = np.zeros(len(df), dtype=bool)
        here[inside.rows] = True
        if joined:
            here[place.where(~is_kind).rows] = False
        marked |= here
        found += place.labels.take(vectors.unique(inside.codes)).to_pylist()
    return marked, sorted(set(found))


def uses(df: pd.DataFrame) -> Mapping[str, Mapping[str, str]]:
    """Give what servers said of folders, by account; nothing where nobody knows any more."""
    report = df.attrs.get("mailframe")
    told = report.get("special_use") if isinstance(report, dict) else None
    return told if isinstance(told, dict) else {}


def _told(df: pd.DataFrame, place: Coded) -> list[tuple[Mapping[str, str], Bools]]:
    """Give what was said of folders, and which entries of a column it was said of."""
    told = uses(df)
    if not told:
        return []
    if "account" not in df.columns:  # whose folders these are cannot be told but of one
        return [(each, np.ones(len(place.rows), dtype=bool)) for each in told.values()][:1]
    account = vectors.coded(df, "account")
    codes, names = account.dense(len(df))[place.rows], account.labels.to_pylist()
    return [(each, codes == names.index(name)) for name, each in told.items() if name in names]
