"""What a folder is for, by its name: where sent, unwanted and thrown away mail lies.

RFC 6154 has attributes for it, but a frame knows names only. The last part of a name counts, in
lower case; of a Takeout, where all mail lies in one file, Gmail's labels do as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.stats import columns

if TYPE_CHECKING:
    import pandas as pd

    from mailframe.stats.columns import Bools

LABELS = "x_gmail_labels"
LAST_PART = r"^.*[/.\\]"

# What servers and clients call them, in the languages that they speak most.
# fmt: off
SENT = frozenset((
    "sent", "sent items", "sent mail", "sent messages", "sent-mail", "sentmail", "outbox",
    "gesendet", "gesendete elemente", "gesendete objekte", "envoyés", "éléments envoyés",
    "messages envoyés", "enviados", "elementos enviados", "inviati", "posta inviata",
    "inviata", "verzonden", "verzonden items", "skickat", "sendt", "sendte elementer",
    "wysłane", "отправленные", "送信済み", "送信済みメール", "已发送",
))
JUNK = frozenset((
    "junk", "junk e-mail", "junk email", "junk mail", "spam", "bulk mail", "quarantine",
    "spam-verdacht", "junk-e-mail", "unerwünscht", "werbung", "courrier indésirable",
    "indésirables", "pourriel", "correo no deseado", "no deseado", "posta indesiderata",
    "indesiderata", "ongewenste e-mail", "skräppost", "søppelpost", "uønsket e-mail",
    "lixo eletrônico", "wiadomości-śmieci", "спам", "нежелательная почта", "迷惑メール",
    "垃圾邮件",
))
TRASH = frozenset((
    "trash", "deleted", "deleted items", "deleted messages", "bin", "papierkorb",
    "gelöscht", "gelöschte elemente", "gelöschte objekte", "corbeille",
    "éléments supprimés", "papelera", "elementos eliminados", "eliminados", "cestino",
    "posta eliminata", "prullenbak", "verwijderde items", "papperskorgen", "borttaget",
    "papirkurv", "slettede elementer", "lixeira", "itens excluídos", "kosz", "корзина",
    "удаленные", "ゴミ箱", "已删除",
))
# fmt: on


def filed(df: pd.DataFrame, names: frozenset[str]) -> tuple[Bools, list[str]]:
    """Mark what lies in a folder of such a name, or bears such a label, and name these.

    Of a mail whose copies were joined (``folders``) every folder must be one.
    """
    marked, found = np.zeros(len(df), dtype=bool), []
    for column in {"folder", LABELS} & set(df.columns):
        joined = column == "folder" and "folders" in df.columns
        place = columns.coded(df, "folders" if joined else column)
        last = pc.replace_substring_regex(pc.utf8_lower(place.labels), LAST_PART, "")
        known = columns.numpy(pc.is_in(last, pa.array(sorted(names), pa.large_string())))
        inside = place.where(known[place.codes])
        here = np.zeros(len(df), dtype=bool)
        here[inside.rows] = True
        if joined:
            here[place.where(~known[place.codes]).rows] = False
        marked |= here
        found += place.labels.take(columns.unique(inside.codes)).to_pylist()
    return marked, sorted(set(found))
