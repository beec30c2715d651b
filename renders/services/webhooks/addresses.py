"""Which addresses a webhook may be sent to: public ones only.

A host's name is resolved once, every address that it has is checked, and the request goes to one of those that
were checked: a name that means another address a moment later changes nothing.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import ipaddress
import socket

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

REFUSED_IPV4 = [
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind a carrier's NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's platform
        "169.254.0.0/16",  # link-local, and the metadata service of AWS, Google Cloud and Azure
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
]
"""https://www.iana.org/assignments/iana-ipv4-special-registry/"""

PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
"""All that is assigned. Outside of it are loopback, private and link-local addresses, and IPv4 in IPv6: mapped,
compatible, NAT64."""

REFUSED_IPV6 = [
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",
    )
]
"""https://www.iana.org/assignments/iana-ipv6-special-registry/"""


class NotResolved(Exception):
    """The host's name has no address now; the message says so."""


class AddressRefused(Exception):
    """The host has an address that is not public; the message says so, and not which."""


def is_public(address: Address) -> bool:
    """Return whether everybody may reach the address, by the registries of IANA."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in REFUSED_IPV4)
    if address.scope_id is not None or address not in PUBLIC_IPV6:
        return False
    return not any(address in network for network in REFUSED_IPV6)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of the host, all of them checked, in the order in which they are to be tried.

    Raise NotResolved, or AddressRefused if only one of them is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as err:
        raise NotResolved(f"The host {host} has no address.") from err
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    if not settings.WEBHOOK_ALLOW_PRIVATE and not all(is_public(_parsed(address)) for address in addresses):
        raise AddressRefused(f"The host {host} is not on the public internet, so nothing was sent.")
    return addresses


def _parsed(address: str) -> Address:
    return ipaddress.ip_address(address)
