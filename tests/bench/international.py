# ruff: noqa: RUF001 -- letters of many scripts
"""Mail in fourteen languages, under the charsets and in the forms that mail programs give it.

No two subjects are alike, so nothing is decoded twice; people write to one to eight others. Words
are in B and Q, in one piece or folded by blanks and TABs; names stand bare, quoted, or in a
comment; dates carry a comment behind the zone. One message in seven is in English and plain.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from random import Random


class Language(NamedTuple):
    """Words for subjects, names of people, and how mail in it is labelled."""

    words: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    charsets: tuple[str, ...]
    zone: str
    domain: str
    blank: str = " "


def _language(text: str, zone: str, domain: str, charsets: str, blank: str = " ") -> Language:
    words, given, family = (tuple(line.split()) for line in text.strip().splitlines())
    return Language(words, given, family, tuple(charsets.split()), zone, domain, blank)


LANGUAGES = (
    _language(
        """
        会議 日程 報告 資料 確認 お願い 変更 予算 について 第三回 送付 東京 灯台 設計 見積もり 回答
        太郎 花子 健一 美咲 翔太 陽子 直樹 さくら
        佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村
        """,
        "+0900 (JST)",
        "example.jp",
        "iso-2022-jp iso-2022-jp utf-8 shift_jis",
        "",
    ),
    _language(
        """
        会议 通知 报告 关于 项目 预算 合同 发票 修改 请查收 下周 计划 灯塔 设计 审核 答复 附件 安排
        伟 芳 秀英 敏 静 丽 强 磊
        王 李 张 刘 陈 杨 赵 黄
        """,
        "+0800 (CST)",
        "example.cn",
        "gb2312 gb18030 utf-8 gbk",
        "",
    ),
    _language(
        """
        會議 通知 報告 關於 專案 預算 合約 發票 修改 請查收 下週 計畫 燈塔 設計 審核 回覆
        志明 淑芬 俊傑 美玲 建宏 雅婷
        林 黃 吳 蔡 許 鄭
        """,
        "+0800",
        "example.tw",
        "big5 utf-8",
        "",
    ),
    _language(
        """
        회의 일정 보고서 자료 확인 요청 변경 예산 등대 설계 견적 회신 안내 첨부 다음주 계획
        민수 지영 서준 하은 도윤 수빈
        김 이 박 최 정 강
        """,
        "+0900 (KST)",
        "example.kr",
        "euc-kr ks_c_5601-1987 utf-8",
    ),
    _language(
        """
        чертежи маяка отчёт встреча бюджет договор счёт вопрос ответ план проект срочно правки
        Анна Иван Ольга Сергей Мария Дмитрий Елена
        Иванов Смирнов Кузнецов Попов Соколов Лебедев
        """,
        "+0300 (MSK)",
        "example.ru",
        "koi8-r windows-1251 utf-8",
    ),
    _language(
        """
        зустріч звіт бюджет договір рахунок питання відповідь план проєкт маяк терміново лист ґанок
        Оксана Тарас Іван Ганна Юрій Леся
        Шевченко Коваленко Бондаренко Ткаченко
        """,
        "+0200 (EET)",
        "example.ua",
        "koi8-u windows-1251 utf-8",
    ),
    _language(
        """
        Prüfung der Pläne Übersicht für Änderung Größe Rückfrage nächste Besprechung schön Straße
        Jürgen Käthe Björn Müşerref Günther Zoë
        Müller Schröder Weiß Jäger Köhler Vogel
        """,
        "+0100 (CET)",
        "example.de",
        "iso-8859-1 iso-8859-15 windows-1252 utf-8",
    ),
    _language(
        """
        réunion déplacée à demain été prévu reçu français garçon où côté hâte créée dépôt équipe
        Hélène François Zoé Noël Aurélie Benoît
        Lefèvre Dubois Gérard Bélanger Mercier
        """,
        "+0200 (CEST)",
        "example.fr",
        "iso-8859-1 windows-1252 utf-8 iso-8859-15",
    ),
    _language(
        """
        zażółć gęślą jaźń spotkanie faktura późno źródło łódź pieniądze święta zmiana części wniosek
        Łukasz Małgorzata Żaneta Paweł Agnieszka
        Wiśniewski Dąbrowski Wójcik Kamiński
        """,
        "+0100",
        "example.pl",
        "iso-8859-2 windows-1250 utf-8",
    ),
    _language(
        """
        συνάντηση αναφορά σχέδιο φάρος προϋπολογισμός τιμολόγιο ερώτηση απάντηση αλλαγή επείγον
        Γιώργος Μαρία Νίκος Ελένη
        Παπαδόπουλος Οικονόμου Νικολάου
        """,
        "+0300 (EEST)",
        "example.gr",
        "iso-8859-7 windows-1253 utf-8",
    ),
    _language(
        """
        toplantı değişiklik bütçe sözleşme fatura soru yanıt şimdi önümüzdeki güncel öğle ışık çağrı
        Ayşe Çağlar Gülşen İbrahim Ömer
        Yılmaz Şahin Öztürk Çelik
        """,
        "+0300",
        "example.tr",
        "iso-8859-9 windows-1254 utf-8",
    ),
    _language(
        """
        פגישה דוח תקציב חוזה שאלה תשובה שינוי דחוף מגדלור תוכנית
        שרה דוד רחל יוסף
        כהן לוי מזרחי פרץ
        """,
        "+0200 (IST)",
        "example.il",
        "windows-1255 iso-8859-8-i utf-8",
    ),
    _language(
        """
        اجتماع تقرير ميزانية عقد سؤال جواب تغيير عاجل منارة خطة
        فاطمة أحمد ليلى عمر
        حداد خوري منصور سالم
        """,
        "+0300",
        "example.eg",
        "windows-1256 utf-8",
    ),
    _language(
        """
        cuộc họp báo cáo ngân sách hợp đồng hóa đơn câu hỏi trả lời thay đổi khẩn cấp kế hoạch
        Hương Tuấn Lan Dũng
        Nguyễn Trần Lê Phạm
        """,
        "+0700",
        "example.vn",
        "utf-8",
    ),
)  # fmt: skip
ENGLISH = _language(
    """
    report meeting harbour budget ticket release build notes summer plan draft review tide garden
    Ann Bob Carol Dave Erin Frank
    Lee Miller O'Neil Smith Jones-Hall
    """,
    "+0000",
    "example.org",
    "us-ascii",
)
_CODECS = {"iso-8859-8-i": "iso8859-8", "ks_c_5601-1987": "euc-kr"}
_FOLDS = ("\r\n ", "\r\n\t", "\r\n  ", "\r\n    ")
_ROOM = 30  # octets of text in one encoded-word


def lines(
    random: Random, people: list[str], chain: list[str], date: datetime, identifier: str
) -> Iterator[bytes]:
    """Make up the header block of one message, line by line."""
    language = ENGLISH if random.random() < 1 / 7 else random.choice(LANGUAGES)
    hours = int(language.zone[1:3]) * (-1 if language.zone[0] == "-" else 1)
    stamp = (date + timedelta(hours=hours)).strftime("%a, %d %b %Y %H:%M:%S")
    yield f"Date: {stamp} {language.zone}\r\n".encode()
    fold = random.choice(_FOLDS)
    yield b"From: %b\r\n" % random.choice(people).encode()
    recipients = random.sample(people, random.randint(1, 8))
    cut = random.randint(1, len(recipients))
    comma = random.choice((", ", "," + fold, ", "))
    yield f"To: {comma.join(recipients[:cut])}\r\n".encode()
    if recipients[cut:]:
        yield f"Cc: {comma.join(recipients[cut:])}\r\n".encode()
    words = random.choices(language.words, k=random.randint(2, 8))
    text = language.blank.join([*words, str(random.randrange(10**9))])
    yield b"Subject: " + _subject(random, text, language) + b"\r\n"
    yield f"Message-ID: <{identifier}>\r\n".encode()
    if chain:
        yield f"In-Reply-To: <{chain[-1]}>\r\n".encode()
        yield f"References: {fold.join(f'<{each}>' for each in chain)}\r\n".encode()


def people(random: Random, number: int) -> list[str]:
    """Make up so many people, each as one mailbox that an address list may hold."""
    return [_person(random, place) for place in range(number)]


def _person(random: Random, place: int) -> str:
    language = ENGLISH if random.random() < 1 / 7 else random.choice(LANGUAGES)
    name = language.blank.join((random.choice(language.given), random.choice(language.family)))
    addr = f"u{place:x}{random.choice('._-')}{random.getrandbits(20):x}@{language.domain}"
    form = random.random()
    if form < 0.05:
        return addr
    if name.isascii():
        return f"{addr} ({name})" if form < 0.1 else f'"{name}" <{addr}>'
    encoded = _encoded(random, name, random.choice(language.charsets), " ")
    if form < 0.1:
        return f"{addr} ({encoded})"
    # Within quotes an encoded-word is none by the letter, and one in what programs do.
    return f'"{encoded}" <{addr}>' if form < 0.2 else f"{encoded} <{addr}>"


def _subject(random: Random, text: str, language: Language) -> bytes:
    if text.isascii():
        return text.encode()
    if random.random() < 0.03:
        return text.encode()  # RFC 6532
    reply = random.choice(("", "", "Re: "))
    encoded = _encoded(random, text, random.choice(language.charsets), random.choice(_FOLDS))
    return (reply + encoded).encode()


def _encoded(random: Random, text: str, charset: str, between: str) -> str:
    """Return text as encoded-words, as few of them as hold it."""
    codec = _CODECS.get(charset, charset)
    if len(text.encode(codec, "ignore").decode(codec)) < len(text):
        charset = codec = "utf-8"  # as mail programs do where the charset lacks a letter
    base64 = codec == "iso2022_jp" or random.random() < 0.5
    words, piece = [], ""
    for char in text:
        if len((piece + char).encode(codec)) > _ROOM:
            words.append(piece)
            piece = ""
        piece += char
    form = _in_base64 if base64 else _in_quotes
    return between.join(f"=?{charset}?{form(each.encode(codec))}?=" for each in (*words, piece))


def _in_base64(octets: bytes) -> str:
    return "B?" + b64encode(octets).decode()


def _in_quotes(octets: bytes) -> str:
    text = "".join(
        chr(octet)
        if chr(octet).isalnum() and octet < 128
        else "_"
        if octet == 32
        else f"={octet:02X}"
        for octet in octets
    )
    return "Q?" + text
