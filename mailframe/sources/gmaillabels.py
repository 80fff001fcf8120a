"""Gmail's own labels in the languages of its interface: Takeout writes them as the user saw them.

One row a language: unread, starred, draft, sent, chat. The names of German, French, Spanish and
Norwegian are attested by exports that people showed in public reports of other importers; those of
the other languages are the names that Gmail's interface has. Where it changed, both stand here.
What is not in the table is a label that the user made.
"""

from __future__ import annotations

import csv
import unicodedata

UNREAD, STARRED, DRAFT, SENT, CHAT = range(5)

_TABLE = """
Unread | Starred | Draft, Drafts | Sent, Sent Mail | Chat, Chats
Ungelesen | Markiert | Entwurf, Entwürfe | Gesendet | Chat, Chats
Non lu, Non lus | Suivi, Suivis, Messages suivis | Brouillon, Brouillons \
| Envoyé, Envoyés, Messages envoyés | Chat, Chats, Tchat
No leído, No leídos | Destacado, Destacados | Borrador, Borradores | Enviado, Enviados | Chat, Chats
Ulest, Uleste | Stjernemerket, Med stjerne | Utkast | Sendt, Sendte | Nettprat
Da leggere, Non letto, Non letti | Speciale, Speciali | Bozza, Bozze \
| Inviato, Inviati, Posta inviata | Chat
Não lido, Não lidos, Não lida, Não lidas | Com estrela | Rascunho, Rascunhos \
| Enviado, Enviados, E-mails enviados | Chat, Bate-papo, Bate-papos
Ongelezen | Met ster | Concept, Concepten | Verzonden | Chat, Chats
Oläst, Olästa | Stjärnmärkt, Stjärnmärkta | Utkast | Skickat, Skickade | Chatt, Chattar
Ulæst, Ulæste | Stjernemarkeret | Kladde, Kladder | Sendt, Sendte | Chat
Lukematon, Lukemattomat, Lukematta | Tähdellä merkitty, Tähdellä merkityt | Luonnos, Luonnokset \
| Lähetetty, Lähetetyt | Chat, Keskustelut
Nieprzeczytane | Oznaczone gwiazdką | Wersja robocza, Wersje robocze, Robocze | Wysłane \
| Czat, Czaty
Nepřečtené | S hvězdičkou | Koncept, Koncepty | Odeslané, Odeslaná pošta | Chat, Chaty
Непрочитанное, Непрочитанные | Помеченное, Помеченные | Черновик, Черновики \
| Отправленное, Отправленные | Чат, Чаты
Непрочитане, Непрочитані | Із зірочкою | Чернетка, Чернетки | Надіслане, Надіслані | Чат, Чати
Okunmamış, Okunmayan | Yıldızlı | Taslak, Taslaklar \
| Gönderilmiş, Gönderildi, Gönderilmiş Postalar \
| Sohbet, Sohbetler
未読 | スター付き | 下書き | 送信済み, 送信済みメール | チャット
읽지 않음, 읽지않음 | 별표, 별표편지함, 중요편지함 | 임시보관함 | 보낸편지함 | 채팅
未读 | 已加星标 | 草稿 | 已发送, 已发邮件 | 聊天
未讀, 未讀取 | 已加星號 | 草稿 | 寄件備份, 已傳送 | 即時通訊
غير مقروء, غير مقروءة | مميّز بنجمة, مميزة بنجمة | مسودة, مسودات, المسودات \
| مرسل, المرسلة, البريد المرسل | دردشة
לא נקרא, לא נקראו | מסומן בכוכב, מסומנים בכוכב | טיוטה, טיוטות | נשלח, דואר יוצא | צ'אט
अपठित | तारांकित | ड्राफ़्ट | भेजा गया, भेजे गए | चैट
Belum dibaca | Berbintang | Draf | Terkirim, Pesan Terkirim | Chat
Chưa đọc | Có gắn dấu sao, Được gắn dấu sao | Thư nháp | Đã gửi, Thư đã gửi | Trò chuyện
ยังไม่ได้อ่าน | ติดดาว, ที่ติดดาว | ร่างจดหมาย | ส่งแล้ว, จดหมายที่ส่ง | แชท
Olvasatlan | Csillagozott | Piszkozat, Piszkozatok | Elküldött, Elküldött üzenetek | Csevegés
Necitit, Necitite | Cu stea | Mesaj nefinalizat, Mesaje nefinalizate | Trimis, Trimise | Chat
Μη αναγνωσμένα | Με αστέρι | Πρόχειρο, Πρόχειρα | Απεσταλμένα | Συζήτηση, Συζητήσεις
"""  # noqa: RUF001 -- they are Turkish


def _plain(label: str) -> str:
    """Bring a label into the form in which it is looked up; a no-break space is a space."""
    return " ".join(unicodedata.normalize("NFKC", label).casefold().split())


_ROLES: dict[str, int] = {
    _plain(name): role
    for line in _TABLE.strip().splitlines()
    for role, names in enumerate(line.split("|"))
    for name in names.split(",")
}


def split_labels(value: str) -> list[str]:
    """Take a decoded X-Gmail-Labels value apart: commas divide, quotes protect them."""
    try:
        fields = next(csv.reader([value], skipinitialspace=True), [])
    except csv.Error:  # too long, or with line ends
        fields = value.split(",")
    return [label.strip() for label in fields if label.strip()]


def roles(value: str) -> frozenset[int]:
    """Tell which of Gmail's own labels a decoded value holds, in whatever language."""
    found = (_ROLES.get(_plain(label)) for label in split_labels(value))
    return frozenset(role for role in found if role is not None)
