"""Addresses that are refused, in each form in which they can be written."""

import ipaddress
import socket
from typing import Any

import pytest

from renders.services.webhooks.addresses import AddressRefused, NotResolved, is_public, resolve

PRIVATE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",  # noqa: S104
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2002:7f00:1::",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"]


def answer(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let names have these addresses; return the names that were asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.fixture(autouse=True)
def refuse_private(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = False


@pytest.mark.parametrize("address", PRIVATE)
def test_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_all_addresses_that_are_public_are_returned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "8.8.8.8", "1.1.1.1", "8.8.8.8")
    assert resolve("example.com", 443) == ["8.8.8.8", "1.1.1.1"]


@pytest.mark.parametrize("mixed", [("8.8.8.8", "127.0.0.1"), ("2606:4700::1111", "fe80::1%1"), ("10.0.0.1",)])
def test_one_that_is_not_is_enough_to_refuse_and_is_not_told(
    monkeypatch: pytest.MonkeyPatch, mixed: tuple[str, ...]
) -> None:
    answer(monkeypatch, *mixed)
    with pytest.raises(AddressRefused, match=r"example\.com is not on the public internet") as caught:
        resolve("example.com", 443)
    assert not any(address in str(caught.value) for address in mixed)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost"])
def test_other_spellings_of_loopback(host: str) -> None:
    with pytest.raises(AddressRefused):
        resolve(host, 80)


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 70 + ".example", "..", "xn--" + "a" * 200])
def test_a_name_without_address(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    if host == "nowhere.invalid":
        monkeypatch.setattr(socket, "getaddrinfo", _fail)
    with pytest.raises(NotResolved, match="has no address"):
        resolve(host, 80)


def _fail(*_: Any, **__: Any) -> Any:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_for_development_all_are_allowed(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    assert resolve("127.0.0.1", 80) == ["127.0.0.1"]
