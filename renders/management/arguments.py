"""Types for the commands' options: argparse calls them and prints what they raise."""

import re
from argparse import ArgumentTypeError
from datetime import timedelta


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
