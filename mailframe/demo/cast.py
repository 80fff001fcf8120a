"""The cast and the words of the demo mailbox: invented people, lists, shops and subjects.

All names are made up; all domains are reserved for examples (RFC 2606 and RFC 6761). What matters
is the variety: eleven languages in the charsets that their mail really used, display names that
need quoting or encoding, and an internationalised domain.
"""

from __future__ import annotations

from typing import NamedTuple


class Language(NamedTuple):
    """How people of one language write."""

    charset: str  # of subjects and names; "raw" is unencoded UTF-8, as RFC 6532 allows
    subjects: tuple[str, ...]
    line: str  # of a body


class Person(NamedTuple):
    """Somebody who writes: `pace` is the median time to an answer, in hours."""

    name: str
    address: str
    language: str = "en"
    offset: int = 0  # minutes east of UTC
    pace: float = 4.0


class MailingList(NamedTuple):
    """A discussion list, with a folder of its own."""

    folder: str
    name: str
    identifier: str
    address: str


class Letter(NamedTuple):
    """A newsletter or a shop: who sends it, what about, and every how many days."""

    sender: Person
    subjects: tuple[str, ...]
    days: float


LANGUAGES = {
    "en": Language(
        "us-ascii", (), "The rest can wait until we meet; tell me if Tuesday suits you."
    ),
    "de": Language(
        "iso-8859-1",
        (
            "Grüße aus dem Süden",
            "Rückfrage zur Übergabe",
            "Prüfung der Pläne",
            "Schöne Fotos vom See",
            "Änderung am Fahrplan",
        ),
        "Die Unterlagen schicke ich dir bis Freitag; schöne Grüße!",
    ),
    "fr": Language(
        "windows-1252",
        ("Réunion déplacée à l’été", "Un été à l’île", "Devis révisé – à signer", "Ça marche !"),
        "Je te rappelle dès que j’ai la réponse.",
    ),
    "pt": Language(
        "raw",
        ("Almoço de domingo", "Aniversário da avó", "Fotografias da viagem", "Notícias da família"),
        "Beijinhos a todos, até já!",
    ),
    "pl": Language(
        "iso-8859-2",
        ("Żagle na jesień", "Pytanie o łódź", "Zdjęcia z wyprawy", "Spóźnię się"),
        "Do zobaczenia w przystani.",
    ),
    "ru": Language(
        "koi8-r",
        ("Чертежи маяка", "Встреча в среду", "Новые фотографии", "Вопрос о проекте"),
        "Подробности пришлю завтра утром.",
    ),
    "el": Language(
        "iso-8859-7",
        ("Καλημέρα από το λιμάνι", "Το σχέδιο του φάρου", "Αλλαγή ημερομηνίας"),
        "Θα τα πούμε από κοντά.",
    ),
    "zh": Language("big5", ("燈塔的照片", "下週的會議", "問題與建議", "新的計畫"), "下週見。"),
    "ja": Language(
        "iso-2022-jp",
        ("会議の日程について", "灯台の写真", "来週の予定", "資料を送ります"),
        "よろしくお願いいたします。",
    ),
    "ko": Language("euc-kr", ("등대 사진", "회의 일정", "다음 주 계획"), "감사합니다."),
    "ar": Language("utf-8", ("صور المنارة", "موعد الاجتماع", "سؤال سريع"), "مع أطيب التحيات."),
}

#: English subjects are an opening and a thing.
OPENINGS = (
    "Notes on",
    "A question about",
    "Plan for",
    "Photos of",
    "Draft:",
    "Minutes:",
    "Thoughts on",
    "Costs of",
    "Reminder:",
    "Shall we talk about",
    "Final version of",
    "Your view on",
)
THINGS = (
    "the lantern room",
    "the summer trip",
    "the tide tables",
    "the north stairs",
    "our reading group",
    "the spare keys",
    "the paint samples",
    "the opening day",
    "the boat shed",
    "the visitor leaflet",
    "the autumn schedule",
    "the fog signal",
    "the garden wall",
    "the ferry times",
    "the new lens",
    "the radio hour",
    "the choir evening",
    "the map drawer",
)

OWNER = Person("Robin Vale", "robin@example.org", "en", 60, 3.0)

FRIENDS = (
    Person("Ada Quill", "ada@example.com", "en", 0, 1.5),
    Person("Tomas Ferrow", "tomas.ferrow@post.example.net", "en", -300, 9.0),
    Person("Quist, Imke", "imke@quist.example", "de", 60, 5.0),
    Person("Jürgen Weißbach", "juergen@bücher.example", "de", 60, 20.0),
    Person("Solène d’Arvor", "solene@ile.example.com", "fr", 60, 6.0),
    Person("Żaneta Kormoran", "zaneta@zagle.example", "pl", 60, 12.0),
    Person("Νίκος Άλμυρος", "nikos@faros.example", "el", 120, 3.0),
    Person("林小雨", "hsiao-yu@rain.example", "zh", 480, 8.0),
    Person("김하늘", "haneul@sky.example.com", "ko", 540, 7.0),
    Person("سلمى النور", "salma@noor.example", "ar", 180, 4.0),
)
FAMILY = (
    Person("Ana Lúcia Prado", "analucia@prado.example", "pt", 0, 1.0),
    Person("Tio Zé", "ze@prado.example", "pt", -180, 30.0),
    Person("Mara Vale", "mara@example.org", "en", 60, 0.7),
)
COLLEAGUES = (
    Person("Ольга Мирная", "olga.mirnaya@mayak.example", "ru", 180, 2.5),
    Person("青木 ゆき", "aoki@toudai.example", "ja", 540, 10.0),
    Person("Dr. Pell (Works)", "pell@works.example.com", "en", -480, 6.0),
    Person("Harbour Office", "office@harbour.example.com", "en", 60, 26.0),
    Person("Ines Calder", "ines.calder@works.example.com", "en", 60, 1.2),
)
MEMBERS = (
    *(
        Person(f"{first} {last}", f"{first.lower()}.{last.lower()}@{domain}", "en", offset, pace)
        for first, last, domain, offset, pace in (
            ("Bo", "Larkspur", "cs.example.net", -420, 2.0),
            ("Cleo", "Marsh", "example.net", 60, 5.0),
            ("Dov", "Tarn", "tarn.example", 120, 1.0),
            ("Edda", "Finch", "finch.example.com", 0, 14.0),
            ("Fenn", "Oakes", "oakes.example", -300, 8.0),
            ("Gil", "Ravel", "ravel.example.net", 330, 3.0),
            ("Hedy", "Stone", "stone.example.com", 600, 6.0),
            ("Ivo", "Brandt", "brandt.example", 60, 18.0),
        )
    ),
    FRIENDS[0],
    FRIENDS[2],
    FRIENDS[6],
    COLLEAGUES[1],
)

LISTS = (
    MailingList(
        "Lists/kite-flyers",
        "Kite flyers",
        "kite-flyers.lists.example.net",
        "kites@lists.example.net",
    ),
    MailingList("Lists/orbit-dev", "orbit-dev", "orbit-dev.example.com", "orbit-dev@example.com"),
)

NEWSLETTERS = (
    Letter(
        Person("The Weekly Lantern", "hello@lantern.example.com"),
        ("The Weekly Lantern #{n}: light in small doses",),
        7,
    ),
    Letter(
        Person("Küsten-Rundbrief", "rundbrief@kueste.example", "de", 60),
        ("Küsten-Rundbrief {n}: Neues von der Küste",),
        14,
    ),
    Letter(Person("Orbit Release Bot", "bot@orbit.example.com"), ("orbit 2.{n} is out",), 21),
    Letter(
        Person("Data & Tides", "letters@tides.example.com"),
        ("Issue {n}: what the tide gauges say", "Issue {n}: a year of moons"),
        7,
    ),
    Letter(Person("東京写真便り", "news@shashin.example", "ja", 540), ("写真便り 第{n}号",), 30),
    Letter(Person("Bakers' Circle", "circle@flour.example.net"), ("Recipe {n}: slow bread",), 10),
)
SHOPS = (
    Letter(
        Person("Paper & Ink", "orders@paper.example.com"), ("Your order {n} is on its way",), 20
    ),
    Letter(Person("Ferry Line", "tickets@ferry.example.net"), ("Booking {n} confirmed",), 25),
    Letter(Person("Bücher-Insel", "rechnung@bücher.example", "de", 60), ("Rechnung Nr. {n}",), 30),
    Letter(Person("Grid Power", "billing@grid.example.com"), ("Your invoice {n} is ready",), 30),
)
JUNK = (
    ("=?UTF-8?B?8J+OgQ==?= You have been chosen", "prize@lucky.example"),
    ("R e f i n a n c e  now!!!", "offer@rates.example"),
    ("Your parcel is held, act today", "parcel@notice.example"),
    ("Re: invoice attached", "accounts@unknown.example"),
    ("CHEAP WATCHES", "sales@watches.example"),
)
