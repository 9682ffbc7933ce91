"""The day of a time, however a file writes it: for counting by the day. What is no time is told apart from no time at all."""

from __future__ import annotations

import datetime
import math
import re

from trainer.tables.tally import NONE, NOT_A_DATE

_SCALES = ((1e8, 1e10, 1.0), (1e11, 1e13, 1e3), (1e14, 1e16, 1e6), (1e17, 1e19, 1e9))
"""From, up to and how many make a second: seconds, milliseconds, microseconds and nanoseconds of the years 1973 to 2286. Smaller
numbers are years, months or other counts, and would all become 1970."""

_NUMBER = re.compile(r"\d+(\.\d*)?\Z")
_ZONE = re.compile(r"\s+(?:UTC|GMT|Z|([+-]\d\d:?\d\d))\Z", re.IGNORECASE)


def as_day(value: object) -> str:
    """The day (UTC) of a time: of Arrow; of ISO 8601, YYYYMMDD and YYYY/MM/DD, also with UTC behind it; of seconds and their
    thousandths since 1970. `NONE` where nothing stands, `NOT_A_DATE` for anything else: nobody knows which month 03/01 is."""
    if (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and not value.strip())
    ):
        return NONE
    try:
        found = _moment(value)
        if isinstance(found, datetime.datetime):
            found = (found.astimezone(datetime.UTC) if found.tzinfo else found).date()
        return found.isoformat()
    except (ValueError, TypeError, OverflowError, OSError):
        return NOT_A_DATE


def _moment(value: object) -> datetime.date:
    """A day, or a moment of it. Raises ValueError and what `datetime` does."""
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("no time")
    text = str(value).strip()
    if isinstance(value, str) and not _NUMBER.match(text):
        text = _ZONE.sub(lambda zone: zone[1] or ("+00:00" if ":" in text else ""), text)
        return datetime.datetime.fromisoformat(text.replace("/", "-"))
    number = float(text)
    if re.match(r"(19|20|21)\d{6}(\.0*)?\Z", text):
        return datetime.datetime.strptime(text[:8], "%Y%m%d").date()
    for least, most, second in _SCALES:
        if least <= number < most:
            return datetime.datetime.fromtimestamp(number / second, datetime.UTC)
    raise ValueError("no time")
