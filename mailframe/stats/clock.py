"""Time zones, told honestly: an instant is UTC, a weekday or an hour belongs to a zone.

``tz=None`` is the reader's own zone, ``tz="sender"`` the zone that each message's Date field
names (column ``date_offset``), anything else what pandas takes.
"""

from __future__ import annotations

import os
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from mailframe.errors import ConfigurationError
from mailframe.stats import vectors

if TYPE_CHECKING:
    from datetime import datetime

    from mailframe.stats.vectors import Ints

SENDER = "sender"
SECOND = 1_000_000  # of the microseconds in which instants are counted
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
UTC = {"UTC", "UCT", "Zulu", "Universal", "Etc/UTC", "Etc/UCT", "Etc/Zulu", "Etc/Universal"}


def zone(tz: str | tzinfo | None = None) -> tzinfo:
    """Find a time zone; ``None`` is the reader's: TZ, else what /etc/localtime names.

    Raises
    ------
    ConfigurationError
        When there is no zone of that name, or the senders' are asked for.
    """
    if tz is None:
        return _local()
    if isinstance(tz, str) and tz == SENDER:
        raise ConfigurationError(
            "this needs one zone for all messages, such as 'Europe/Berlin': each sender's own is "
            "for counts of messages, such as df.mail.matrix(tz='sender')"
        )
    if isinstance(tz, tzinfo):
        return tz
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"no time zone {tz!r}: name one such as 'Europe/Berlin' or 'UTC'"
        ) from error


def _local() -> tzinfo:
    """Name the local zone with its history; the C library's present rules are the last resort."""
    names = [os.environ.get("TZ", "").lstrip(":")]
    link = str(Path("/etc/localtime").resolve())
    if "/zoneinfo/" in link:
        names.append(link.rpartition("/zoneinfo/")[2])
    for name in filter(None, names):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return pd.DatetimeTZDtype(tz="tzlocal()").tz


def name(tz: str | tzinfo | None) -> str:
    """Say for a person whose clock is meant; what has no name of its own tells what it is now."""
    if isinstance(tz, str) and tz == SENDER:
        return "each sender's own"
    found = zone(tz)
    key = getattr(found, "key", None)
    if key in UTC:
        return "UTC"
    return key or str(pd.Timestamp.now(found).tzname())


def shown(utc: Ints, tz: str | tzinfo | None) -> Ints:
    """Give instants of UTC as a wall clock in ``tz`` shows them."""
    local = vectors.stamps(utc).tz_convert(zone(tz)).tz_localize(None)
    return local.to_numpy(dtype="datetime64[us]").view(np.int64)


def now(given: datetime | None = None) -> int:
    """Give the present, or the moment given (in the reader's zone if in none), in microseconds."""
    moment = pd.Timestamp.now("UTC") if given is None else pd.Timestamp(given)
    if moment.tz is None:
        moment = moment.tz_localize(zone())
    return int(moment.to_datetime64().astype("datetime64[us]").astype(np.int64))


def starts(days: pd.DatetimeIndex, tz: str | tzinfo | None) -> pd.DatetimeIndex:
    """Give the instants at which days begin in a zone; without one where each sender has their own.

    Where the clocks go forward at midnight, the day begins at the first hour that exists.
    """
    if isinstance(tz, str) and tz == SENDER:
        return days
    first = np.ones(len(days), dtype=bool)  # of two midnights, the first
    return days.tz_localize(zone(tz), nonexistent="shift_forward", ambiguous=first)
