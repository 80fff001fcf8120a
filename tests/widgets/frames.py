"""Seeded mail frames for the widgets' tests: any size in seconds, made column by column."""

import numpy as np
import pandas as pd
import pyarrow as pa

from mailframe.frame.schema import SCHEMA

FOLDERS = ["Archive/2023", "Archive/2024", "INBOX", "Lists/dev", "Lists/users", "Sent"]
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
FIRST = [
    "Ann",
    "Bob",
    "Chloe",
    "Dmitri",
    "Élodie",
    "Farid",
    "Grace",
    "Hana",
    "Ivan",
    "Jürgen",
    "Kenji",
    "שרה",
    "محمد",
    "Zoë",
]
LAST = [
    "Abel",
    "Brown",
    "Castillo",
    "Dahl",
    "Evans",
    "Farkas",
    "González",
    "Hadad",
    "Ito",
    "Jensen",
    "Kowalski",
    "Lund",
]
WORDS = [
    "plan",
    "budget",
    "review",
    "release",
    "notes",
    "agenda",
    "invoice",
    "meeting",
    "draft",
    "question",
    "weekly",
    "report",
    "travel",
    "offer",
    "survey",
    "patch",
    "build",
    "failed",
    "ticket",
    "lunch",
    "photos",
    "reminder",
    "welcome",
    "contract",
]
DOMAINS = [
    "example.org",
    "example.com",
    "mail.example.net",
    "lists.example.org",
    "xn--bcher-kva.example",
]
TYPES = {
    **{
        field.name: pd.ArrowDtype(field.type) if pa.types.is_list(field.type) else "str"
        for field in SCHEMA
    },
    **dict.fromkeys(("date", "internaldate"), "datetime64[us, UTC]"),
    "uid": "uint32",
    "date_offset": "Int16",
    "size": "Int64",
    "defects": "uint8",
    **dict.fromkeys(("bulk", "auto", "seen", "answered", "flagged", "draft", "deleted"), "bool"),
}


def make(count, seed=6, years=4):
    """A frame of ``count`` messages in the shape that every reader gives."""
    rng = np.random.default_rng(seed)
    people = min(max(count // 40, 3), 4000)
    popular = np.minimum(rng.zipf(1.5, count) - 1, people - 1)
    names = [_name(i) for i in range(people)]
    domains = [DOMAINS[i % len(DOMAINS)] for i in range(people)]
    addresses = [f"person{i}@{domain}" for i, domain in enumerate(domains)]
    sender = pa.array(np.where(rng.random(count) < 0.01, None, popular), pa.int32())
    end = 1_735_689_600  # 2025-01-01
    seconds = end - np.sort(rng.integers(0, max(years * 31_557_600, 1), count))[::-1]
    seconds -= seconds % 86_400 - rng.normal(50_000, 12_000, count).astype(int) % 86_400
    ids = pa.array([f"m{i}@example.org" for i in range(count)], pa.large_string())
    parent = np.arange(count) - rng.integers(1, 30, count)
    reply = (rng.random(count) < 0.4) & (parent >= 0)
    parents = pa.array(np.where(reply, parent, None), pa.int32())
    offsets = np.append(0, np.cumsum(reply)).astype(np.int32)
    subject = _subjects(rng, count)
    listed = rng.random(count) < 0.25
    undated = rng.random(count) < 0.005
    dates = pa.array(seconds * 1_000_000, pa.timestamp("us", tz="UTC"), mask=undated)
    columns = {
        "account": pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(count, np.int32)), pa.array(["ann@example.org"])
        ),
        "folder": pa.DictionaryArray.from_arrays(
            pa.array(np.sort(rng.integers(0, len(FOLDERS), count)).astype(np.int32)),
            pa.array(FOLDERS),
        ),
        "uid": pa.array(np.arange(1, count + 1), pa.uint32()),
        "date": dates,
        "date_offset": pa.array(np.full(count, 60), pa.int16()),
        "internaldate": dates,
        "from_name": pa.array(names, pa.large_string()).take(sender),
        "from_addr": pa.array(addresses, pa.large_string()).take(sender),
        "from_domain": pa.array(domains, pa.large_string()).take(sender),
        "to": _lists(pa.array(addresses), rng, count, (1, 1, 1, 2, 3)),
        "cc": _lists(pa.array(addresses), rng, count, (0, 0, 0, 1, 2)),
        "subject": subject,
        "message_id": ids,
        "in_reply_to": ids.take(parents),
        "references": pa.ListArray.from_arrays(
            offsets, ids.take(parents.drop_null()).cast(pa.string())
        ),
        "list_id": pa.array(
            np.where(
                listed, rng.choice(["dev.lists.example.org", "users.example.com"], count), None
            ),
            pa.large_string(),
        ),
        "bulk": pa.array(listed),
        "auto": pa.array(np.zeros(count, bool)),
        "size": pa.array(rng.lognormal(9.3, 1.4, count).astype(np.int64), mask=_rare(rng, count)),
        "seen": pa.array(rng.random(count) < 0.8),
        "answered": pa.array(rng.random(count) < 0.2),
        "flagged": pa.array(rng.random(count) < 0.05),
        "draft": pa.array(np.zeros(count, bool)),
        "deleted": pa.array(rng.random(count) < 0.01),
        "keywords": _lists(pa.array(["$Junk", "todo", "Later"]), rng, count, (0, 0, 0, 0, 1)),
        "defects": pa.array(_rare(rng, count).astype(np.uint8)),
    }
    frame = {}
    for field in SCHEMA:
        values = columns[field.name].cast(field.type)
        if pa.types.is_dictionary(field.type):
            frame[field.name] = values.to_pandas()
        else:
            column = pd.Series(pd.arrays.ArrowExtensionArray(values))
            frame[field.name] = column.astype(TYPES[field.name])
    return pd.DataFrame(frame)


def _name(number):
    first, number = FIRST[number % len(FIRST)], number // len(FIRST)
    last, number = LAST[number % len(LAST)], number // len(LAST)
    return f"{first} {chr(64 + number)}. {last}" if number else f"{first} {last}"


def broad():
    """A small mailbox of which every text is too long for any screen, half of it Hebrew."""
    frame = make(300)
    frame["subject"] = "שלום עולם " * 40
    frame["from_name"] = [f"{'Maximiliane-Alexandra' * 9} {n % 30}" for n in range(300)]
    frame["from_addr"] = [f"{'very-long-' * 12}{n % 30}@example.org" for n in range(300)]
    folders = [f"{'Ein sehr langer Name ' * 8}/{'unten' * 30}{n % 4}" for n in range(300)]
    frame["folder"] = pd.Categorical(folders)
    return frame.astype(dict.fromkeys(("subject", "from_name", "from_addr"), "str"))


def _rare(rng, count):
    return rng.random(count) < 0.003


def _subjects(rng, count):
    picks = rng.integers(0, len(WORDS), (4, count))
    words = np.array(WORDS, dtype=object)
    texts = words[picks[0]] + " " + words[picks[1]] + " " + words[picks[2]]
    numbered = rng.random(count) < 0.5  # real subjects are half of them distinct
    texts[numbered] += " #" + np.arange(count).astype(str).astype(object)[numbered]
    texts[rng.random(count) < 0.3] += " - Entwurf für nächste Woche"
    replies = rng.random(count) < 0.4
    texts[replies] = "Re: " + texts[replies]
    if count:
        texts[rng.integers(0, count, max(count // 200, 1))] = HOSTILE
        texts[rng.integers(0, count, max(count // 300, 1))] = "اجتماع الفريق يوم الأحد " * 6
    texts[_rare(rng, count)] = None
    return pa.array(texts, pa.large_string())


def _lists(values, rng, count, lengths):
    sizes = rng.choice(lengths, count)
    offsets = np.append(0, np.cumsum(sizes)).astype(np.int32)
    return pa.ListArray.from_arrays(offsets, values.take(rng.integers(0, len(values), offsets[-1])))
