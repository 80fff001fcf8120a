"""Dates as they are seen in the wild; what is one instant is read, the rest is left."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.headers.dates import UNREADABLE, parse

# value, instant in UTC, minutes east, whether it breaks RFC 5322 (obsolete forms do not).
SEEN = [
    # As RFC 5322 section 3.3 has it.
    ("Wed, 21 Aug 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, False),
    ("21 Aug 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, False),
    ("Wed, 21 Aug 2002 16:12 +0700", "2002-08-21 09:12:00", 420, False),
    ("Sun, 1 Sep 2002 06:01:02 -0330", "2002-09-01 09:31:02", -210, False),
    ("Sun, 01 Sep 2002 06:01:02 -0330", "2002-09-01 09:31:02", -210, False),
    ("Sun,  1 Sep 2002 06:01:02 +0000", "2002-09-01 06:01:02", 0, False),
    ("Sun, 1 Sep 2002 06:01:02 -0000", "2002-09-01 06:01:02", None, False),
    ("Wed, 21 Aug 2002 16:12:38 +0700 (ICT)", "2002-08-21 09:12:38", 420, False),
    ("Wed, 21 Aug 2002 16:12:38 +0700 (a (nested \\) one))", "2002-08-21 09:12:38", 420, False),
    ("(now) Wed, 21 (x) Aug 2002 (y) 16:12:38 +0700", "2002-08-21 09:12:38", 420, False),
    ("Wed,\r\n 21 Aug 2002\r\n\t16:12:38 +0700", "2002-08-21 09:12:38", 420, False),
    ("wed, 21 AUG 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, False),
    ("Thu, 29 Feb 2024 00:00:00 +0000", "2024-02-29 00:00:00", 0, False),
    ("Tue, 29 Feb 2000 00:00:00 +0000", "2000-02-29 00:00:00", 0, False),
    ("Sat, 31 Dec 2016 23:59:60 +0000", "2017-01-01 00:00:00", 0, False),
    ("Mon, 1 Jan 1900 00:00:00 +0000", "1900-01-01 00:00:00", 0, False),
    ("Fri, 31 Dec 9999 23:59:59 +0000", "9999-12-31 23:59:59", 0, False),
    ("Wed, 31 Dec 1969 23:59:59 +0000", "1969-12-31 23:59:59", 0, False),
    ("Wed, 21 Aug 2002 16:12:38 +9959", "2002-08-17 12:13:38", 5999, False),
    ("Wed, 21 Aug 2002 16:12:38 -1800", "2002-08-22 10:12:38", -1080, False),
    # The obsolete forms of section 4.3.
    ("Wed, 21 Aug 02 16:12:38 +0700", "2002-08-21 09:12:38", 420, False),
    ("Sat, 21 Aug 99 16:12:38 +0000", "1999-08-21 16:12:38", 0, False),
    ("Sat, 1 Jan 49 00:00:00 +0000", "2049-01-01 00:00:00", 0, True),
    ("Sun, 1 Jan 50 00:00:00 +0000", "1950-01-01 00:00:00", 0, False),
    ("Wed, 21 Aug 102 16:12:38 +0000", "2002-08-21 16:12:38", 0, False),
    ("Wed, 21 Aug 2002 16:12:38 GMT", "2002-08-21 16:12:38", 0, False),
    ("Wed, 21 Aug 2002 16:12:38 UT", "2002-08-21 16:12:38", 0, False),
    ("Wed, 21 Aug 2002 16:12:38 EST", "2002-08-21 21:12:38", -300, False),
    ("Wed, 21 Aug 2002 16:12:38 PDT", "2002-08-21 23:12:38", -420, False),
    ("Wed, 21 Aug 2002 16:12:38 A", "2002-08-21 16:12:38", None, False),
    ("Wed, 21 Aug 2002 16:12:38 Z", "2002-08-21 16:12:38", 0, False),
    ("Wed, 21 Aug 2002 16 : 12 : 38 +0700", "2002-08-21 09:12:38", 420, False),
    ("Wed , 21 Aug 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, False),
    # Against the RFC, but there is only one way to read them.
    ("Thu, 21 Aug 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, True),
    ("Wed, 21 Aug 2002 16:12:38 UTC", "2002-08-21 16:12:38", 0, True),
    ("Wed, 21 Aug 2002 16:12:38 GMT+0200", "2002-08-21 14:12:38", 120, True),
    ("Wed, 21 Aug 2002 16:12:38 +02:00", "2002-08-21 14:12:38", 120, True),
    ("Wed, 21 Aug 2002 16:12:38 +2", "2002-08-21 14:12:38", 120, True),
    ("Wed, 21 Aug 2002 16:12:38 CEST", "2002-08-21 16:12:38", None, True),
    ('Wed, 21 Aug 2002 16:12:38 "GMT"', "2002-08-21 16:12:38", 0, True),
    ("Wed, 21 Aug 2002 16:12:38", "2002-08-21 16:12:38", None, True),
    ("Wed, 21 Aug 2002 16:12", "2002-08-21 16:12:00", None, True),
    ("Wed, 21-Aug-2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, True),
    ("Wed, 21-Aug-02 16:12:38 GMT", "2002-08-21 16:12:38", 0, True),
    ("Wed 21 Aug 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, True),
    ("Wednesday, 21 August 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, True),
    ("Wed, 21 Aug 2002, 16:12:38 +0700", "2002-08-21 09:12:38", 420, True),
    ("Wed, 21 Aug 2002 16.12.38 +0700", "2002-08-21 09:12:38", 420, True),
    ("Wed, 21 Aug 2002 16:12:38.123 +0700", "2002-08-21 09:12:38", 420, True),
    ("Wed, 21 Aug 2002 4:12:38 PM +0700", "2002-08-21 09:12:38", 420, True),
    ("Wed, 21 Aug 2002 12:12:38 a.m. +0000", "2002-08-21 00:12:38", 0, True),
    ("Wed, 21 Aug 2002 13:12:38 PM +0000", "2002-08-21 13:12:38", 0, True),
    ("Wed, 21 Aug 2002 6:12:38 +0000", "2002-08-21 06:12:38", 0, True),
    ("20020821161238", "2002-08-21 16:12:38", None, True),
    ("T4, 21 Thg8 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, True),
    ("Th 4, 21 thg 8, 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, True),
    ("Thứ Tư, 21 Tháng Tám 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, True),
    ("Thứ 4, 21 Tháng 8 2002 16:12:38 +0700", "2002-08-21 09:12:38", 420, True),
    ("CN, 25 Thg8 2002 16:12:38 +0700", "2002-08-25 09:12:38", 420, True),
    ("quarta-feira, 21 de agosto de 2002 16:12:38 +0000", "2002-08-21 16:12:38", 0, True),
    ("Paz, 8 Şub 2015 10:20:30 +0000", "2015-02-08 10:20:30", 0, True),
    ("Sen, 9 Mar 2015 10:20:30 +0000", "2015-03-09 10:20:30", 0, True),
    ("អង្គារ, 6 មករា 2015 10:20:30 +0000", "2015-01-06 10:20:30", 0, True),
    ("મંગળ, 6 જાન્યુ 2015 10:20:30 +0000", "2015-01-06 10:20:30", 0, True),
    ("Thu 2 Jan 2003 16:12:38 +0000", "2003-01-02 16:12:38", 0, True),
    ("Wed Aug 21 16:12:38 2002", "2002-08-21 16:12:38", None, True),
    ("Wed Aug 21 16:12:38 PDT 2002", "2002-08-21 23:12:38", -420, True),
    ("Wed Aug 21 16:12:38 +0200 2002", "2002-08-21 14:12:38", 120, True),
    ("Aug 21, 2002 4:12 PM", "2002-08-21 16:12:00", None, True),
    ("Wednesday, August 21, 2002 16:12:38 GMT", "2002-08-21 16:12:38", 0, True),
    ("Wed, 021 Aug 2002 16:12:38 +0000", "2002-08-21 16:12:38", 0, True),
    ("2002-08-21T16:12:38Z", "2002-08-21 16:12:38", 0, True),
    ("2002-08-21 16:12:38 +0200", "2002-08-21 14:12:38", 120, True),
    ("2002-08-21T16:12:38.5+02:00", "2002-08-21 14:12:38", 120, True),
    ("Wed, 21 Aug 2002 16:12:38 +0700 (unclosed", "2002-08-21 09:12:38", 420, True),
    # Other orders, separators and languages.
    ("Sun, 13 Oct 08:44:17 2002 -0700", "2002-10-13 15:44:17", -420, True),
    ("Tue, 1, Oct 2002 10:00:00 +0000", "2002-10-01 10:00:00", 0, True),
    ("2002/09/14 Sat 13:06:03 GMT", "2002-09-14 13:06:03", 0, True),
    ("2020-06-17 16:39:24.757045452 +0000 UTC m=+3498.4", "2020-06-17 16:39:24", 0, True),
    ("20020821T161238Z", "2002-08-21 16:12:38", 0, True),
    ("16:12:38 21-Aug-2002", "2002-08-21 16:12:38", None, True),
    ("2002 Aug 21 16:12:38", "2002-08-21 16:12:38", None, True),
    ("Wed, 3 Apr 2002 12.34.56.78+0800", "2002-04-03 04:34:56", 480, True),
    ("21.08.2002 16:12", "2002-08-21 16:12:00", None, True),
    ("21/08/2002 16:12:38", "2002-08-21 16:12:38", None, True),
    ("08/21/2002 16:12:38", "2002-08-21 16:12:38", None, True),
    ("Wed 03/04/2002 16:12", "2002-04-03 16:12:00", None, True),
    ("jue ago 30 13:55:12 2007", "2007-08-30 13:55:12", None, True),
    ("mar, 13 mar 2007 10:00:00 +0100", "2007-03-13 09:00:00", 60, True),
    ("fre, 28 maj 1999 21:47:11 +0200", "1999-05-28 19:47:11", 120, True),
    ("Mi., 23 Apr. 2025 09:48:37 +0200 (MESZ)", "2025-04-23 07:48:37", 120, True),
    ("mer., 21 ao\xfbt 2002 \xe0 16h12", "2002-08-21 16:12:00", None, True),
    ("pon, 21 lis 2022 10:00:00 +0100", "2022-11-21 09:00:00", 60, True),  # Poland
    ("pet, 21 lis 2022 10:00:00 +0200", "2022-10-21 08:00:00", 120, True),  # Croatia
    ("2002\u5e748\u670821\u65e5 16:12:38 +0900", "2002-08-21 07:12:38", 540, True),
    ("=?utf-8?q?21_ao=C3=BBt_2002_10:00_+0100?=", "2002-08-21 09:00:00", 60, True),
    # Other zones.
    ("Wed, 21 Aug 2002 16:12:38 0700", "2002-08-21 09:12:38", 420, True),
    ("Wed, 21 Aug 2002 16:12:38 --0400", "2002-08-21 20:12:38", -240, True),
    ("Wed, 21 Aug 2002 16:12:38 CET +0100", "2002-08-21 15:12:38", 60, True),
    ("Wed, 21 Aug 2002 16:12:38 +0200 CEST", "2002-08-21 14:12:38", 120, True),
    ("Wed, 21 Aug 2002 16:12:38 UTC+1", "2002-08-21 15:12:38", 60, True),
    ("Wed, 21 Aug 2002 16:12:38 -800", "2002-08-22 00:12:38", -480, True),
    ("Wed, 21 Aug 2002 16:12:38 Eastern Daylight Time", "2002-08-21 20:12:38", -240, True),
    ("Wed, 21 Aug 2002 16:12:38 +0200 W. Europe Standard Time", "2002-08-21 14:12:38", 120, True),
    ("Mi, 21 Aug 2002 16:12:38 +0200", "2002-08-21 14:12:38", 120, True),
    ("\u0441\u0440, 21 Aug 2002 16:12:38 +0200", "2002-08-21 14:12:38", 120, True),
    ("Wed, 21. Aug 2002 16:12:38 +0200", "2002-08-21 14:12:38", 120, True),
    ("Wed Aug 21 16:12:38 2002 +0200", "2002-08-21 14:12:38", 120, True),
    ('"Wed, 21 Aug 2002 16:12:38 +0200"', "2002-08-21 14:12:38", 120, True),
    ("Wed, 21 Aug 2002 16:12:38 +0200;", "2002-08-21 14:12:38", 120, True),
    # No instant at all.
    ("", None, None, True),
    ("soon", None, None, True),
    ("Wed, 0 Aug 2002 16:12:38 +0700", None, None, True),
    ("Wed, 32 Aug 2002 16:12:38 +0700", None, None, True),
    ("Fri, 30 Feb 2002 16:12:38 +0700", None, None, True),
    ("Thu, 29 Feb 1900 00:00:00 +0000", None, None, True),
    ("Wed, 21 Aug 2002 24:00:00 +0000", None, None, True),
    ("Wed, 21 Aug 2002 16:60:38 +0000", None, None, True),
    ("Wed, 21 Aug 2002 16:12:61 +0000", None, None, True),
    ("Wed, 21 Aug 20020 16:12:38 +0000", None, None, True),
    ("Wed, 21 Aug 1899 16:12:38 +0000", None, None, True),
    ("Wed, 21 Aug 0000 16:12:38 +0000", None, None, True),
    ("21 2002 Aug 16:12:38", None, None, True),
    ("Wed, 21 Foo 2002 16:12:38 +0000", None, None, True),
    ("Wed, 21 Aug 2002", None, None, True),
    ("08/21/02 16:12:38", None, None, True),
    ("03/04/2002 16:12:38 +0000", None, None, True),
    ("1029921158", None, None, True),
    # Half a date is none: what follows it may be the hour in another zone.
    ("Wed, 21 Aug 2002 16:12:38 +0060", None, None, True),
    ("Wed, 21 Aug 2002 16:12:38 +070", None, None, True),
    ("Wed, 21 Aug 2002 16:12:38 +01000", None, None, True),
    ("Wed, 21 Aug 2002 16:12:38 +-0400", None, None, True),
    ("Wed, 21 Aug 2002 16:12:38 +0100 +0200", None, None, True),
    ("Wed, 21 Aug 2002 16:12:38 +0700 and more", None, None, True),
    ("Wed, 21 Aug 2002 16:12:38 Europe/Berlin", None, None, True),
    ("Wed, 21 Aug 2002 16:12:38 and on 22 Aug 2002", None, None, True),
    ("Wed, 21 Aug 2002 16:12 - 17:30", None, None, True),
    ("Wed, 21 Aug 2002 16:12:38 H0500", None, None, True),
    ("21 lis 2022 10:00:00 +0100", None, None, True),  # October or November
    ("21 jui 2002 10:00:00 +0100", None, None, True),  # June or July
    ("2002-21-08 10:00:00", None, None, True),
    ("Aug 21 Aug 22 16:12:38 2002", None, None, True),
    ("%a, %d %b %Y %H:%M:%S", None, None, True),
]


# Words that two languages give to two months.
SHARED = {"listopad", "listopada", "lis", "lip", "srp"}


LANGUAGES = (
    "de fr es it pt nl sv da nb fi et lv lt pl cs sk sl hr sr bs bg mk ru uk be ro hu el tr sq hy"
    " ka ar id ms th hi eu gl is cy kk uz ca he zh ja ko"
)


@pytest.mark.parametrize("language", LANGUAGES.split())
def test_months_and_weekdays_are_read_as_a_language_writes_them(language):
    locale = pytest.importorskip("babel").Locale.parse(language)
    for number, name in locale.months["format"]["abbreviated"].items():
        for shown in (name, locale.months["format"]["wide"][number]):
            if shown.strip(".") in SHARED:
                continue
            instant = datetime(2024, number, 21, 8, tzinfo=UTC)
            weekday = locale.days["format"]["abbreviated"][instant.weekday()]
            when = parse(f"{weekday}, 21 {shown} 2024 10:00:00 +0200".encode())
            assert when.seconds == instant.timestamp(), shown


def test_the_table_is_long_enough_to_mean_something():
    assert len({value for value, *_ in SEEN}) >= 60


@pytest.mark.parametrize(("value", "instant", "offset", "mended"), SEEN)
def test_seen_in_the_wild(value, instant, offset, mended):
    when = parse(value.encode())
    shown = None
    if when.seconds is not None:
        shown = str(datetime(1970, 1, 1) + timedelta(seconds=when.seconds))  # noqa: DTZ001 -- UTC
    assert (shown, when.offset, when.mended) == (instant, offset, mended)


instants = st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis wants naive bounds


@given(instants, st.integers(-14 * 60, 14 * 60))
def test_what_is_written_is_read(instant, offset):
    local = instant + timedelta(minutes=offset)
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    written = f"{local:%a, %d %b} {local.year:04} {local:%H:%M:%S} "
    written += f"{sign}{minutes // 60:02}{minutes % 60:02}"
    when = parse(written.encode())
    assert (when.seconds, when.offset, when.mended) == (
        int(instant.replace(microsecond=0).timestamp()),
        offset,
        False,
    )


@given(st.binary())
def test_any_octets_are_an_instant_or_none(raw):
    when = parse(raw)
    assert when == UNREADABLE or when.seconds is not None
