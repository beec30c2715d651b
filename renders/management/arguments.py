"""Types for the commands' options: argparse calls them and prints what they raise."""

import re
from argparse import ArgumentTypeError
from datetime import timedelta

from renders.services.api_keys import MAX_LIFETIME


def age(text: str) -> timedelta:
    """``90d``, ``36h`` or ``30m``."""
    match = re.fullmatch(r"(\d+)([dhm])", text)
    unit = {"d": "days", "h": "hours", "m": "minutes"}
    try:
        if not match:
            raise ValueError
        return timedelta(**{unit[match[2]]: int(match[1])})
    except (ValueError, OverflowError) as err:
        raise ArgumentTypeError(f"{text!r} is not an age like 90d, 36h or 30m") from err


def positive_int(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number over 0")
    return number


def port_number(text: str) -> int:
    number = positive_int(text)
    if number > 65535:
        raise ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return number


def quota(text: str) -> int:
    number = positive_int(text)
    if number < 4:
        raise ArgumentTypeError("the example needs 4 functions at a time: one that leads it and three that render")
    return number


def positive_float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise ArgumentTypeError(f"{text!r} is not a number over 0")
    return number


def days(text: str) -> timedelta:
    number = positive_int(text)
    if number > MAX_LIFETIME.days:
        raise ArgumentTypeError(
            f"{text!r} is more than {MAX_LIFETIME.days:,} days; leave it out for a key that never expires"
        )
    return timedelta(days=number)


def key_name(text: str) -> str:
    if not text.strip() or len(text) > 100 or not text.isprintable():
        raise ArgumentTypeError("a name has 1 to 100 printable characters")
    return text.strip()
