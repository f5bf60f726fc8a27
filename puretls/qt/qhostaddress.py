"""QHostAddress: an IPv4 or IPv6 address, or none."""

from __future__ import annotations

import enum
import ipaddress

from puretls.qt._names import QtNames, export_values


class NetworkLayerProtocol(enum.Enum):
    """IPv4, IPv6 or either."""

    IPv4Protocol = 0
    IPv6Protocol = 1
    AnyIPProtocol = 2
    UnknownNetworkLayerProtocol = -1


Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))


class QHostAddress(QtNames):
    """Made of text (`"127.0.0.1"`, `"::1"`), a number (IPv4), a SpecialAddress or another address; null if it is none of these."""

    class SpecialAddress(enum.Enum):
        """Addresses with a name."""

        Null = 0
        Broadcast = 1
        LocalHost = 2
        LocalHostIPv6 = 3
        Any = 4
        AnyIPv6 = 5
        AnyIPv4 = 6

    class ConversionModeFlag(enum.Flag, boundary=enum.KEEP):
        """How `isEqual` compares an IPv4 address with an IPv6 one; accepted and ignored."""

        StrictConversion = 0
        ConvertV4MappedToIPv4 = 1
        ConvertV4CompatToIPv4 = 2
        ConvertUnspecifiedAddress = 4
        ConvertLocalHost = 8
        TolerantConversion = 255

    def __init__(self, address: str | int | SpecialAddress | QHostAddress | None = None) -> None:
        self._address: Address | None = None
        self._scope = ""
        self._dual = False  # QHostAddress.Any: all addresses of both families
        if address is not None:
            self.setAddress(address)

    def setAddress(self, address: str | int | SpecialAddress | QHostAddress) -> bool:
        """Takes another address; False, and null from now on, for text that is none."""
        self.clear()
        if isinstance(address, QHostAddress):
            self._address, self._scope, self._dual = address._address, address._scope, address._dual
        elif isinstance(address, QHostAddress.SpecialAddress):
            text = _SPECIAL[address]
            self._address = ipaddress.ip_address(text) if text else None
            self._dual = address is QHostAddress.SpecialAddress.Any
        else:
            try:
                text, _, self._scope = address.partition("%") if isinstance(address, str) else (address, "", "")  # type: ignore[assignment]
                self._address = ipaddress.ip_address(text)
            except ValueError:
                return False
        return self._address is not None

    def clear(self) -> None:
        self._address, self._scope, self._dual = None, "", False

    def isNull(self) -> bool:
        return self._address is None

    def protocol(self) -> NetworkLayerProtocol:
        if self._dual:
            return NetworkLayerProtocol.AnyIPProtocol
        if self._address is None:
            return NetworkLayerProtocol.UnknownNetworkLayerProtocol
        return NetworkLayerProtocol.IPv4Protocol if self._address.version == 4 else NetworkLayerProtocol.IPv6Protocol

    def toString(self) -> str:
        """The address as text, empty when null."""
        if self._address is None:
            return ""
        mapped = getattr(self._address, "ipv4_mapped", None)
        text = f"::ffff:{mapped}" if mapped is not None else str(self._address)
        return f"{text}%{self._scope}" if self._scope else text

    def toIPv4Address(self) -> int:
        """The number of an IPv4 address (also one mapped into IPv6), 0 if it is none."""
        mapped = getattr(self._address, "ipv4_mapped", None) or self._address
        return int(mapped) if isinstance(mapped, ipaddress.IPv4Address) else 0

    def scopeId(self) -> str:
        return self._scope

    def setScopeId(self, id: str) -> None:
        self._scope = id

    def isLoopback(self) -> bool:
        return self._address is not None and self._address.is_loopback

    def isMulticast(self) -> bool:
        return self._address is not None and self._address.is_multicast

    def isLinkLocal(self) -> bool:
        return self._address is not None and self._address.is_link_local

    def isGlobal(self) -> bool:
        """Neither loopback nor link-local, multicast, broadcast or unspecified; private networks count, as in Qt."""
        address = self._address
        if address is None or address.is_loopback or address.is_link_local or self.isBroadcast():
            return False
        return not address.is_multicast and not address.is_unspecified

    def isPrivateUse(self) -> bool:
        """In one of the networks of RFC 1918 or RFC 4193."""
        return any(self._address in network for network in _PRIVATE if self._address is not None)

    def isBroadcast(self) -> bool:
        return self.toString() == "255.255.255.255"

    def isInSubnet(self, subnet: QHostAddress, netmask: int) -> bool:
        """Whether the first `netmask` bits are those of `subnet`."""
        if self._address is None or subnet._address is None or self._address.version != subnet._address.version:
            return False
        shift = self._address.max_prefixlen - netmask
        return int(self._address) >> shift == int(subnet._address) >> shift

    def isEqual(self, address: QHostAddress, mode: ConversionModeFlag = ConversionModeFlag.TolerantConversion) -> bool:
        """The same address, an IPv4 address mapped into IPv6 being the IPv4 address."""
        if self._address is None or address._address is None:
            return self._address is address._address
        return self == address or (self.toIPv4Address() != 0 and self.toIPv4Address() == address.toIPv4Address())

    def swap(self, other: QHostAddress) -> None:
        self.__dict__, other.__dict__ = other.__dict__, self.__dict__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, QHostAddress.SpecialAddress):
            other = QHostAddress(other)
        if not isinstance(other, QHostAddress):
            return NotImplemented
        return (self._address, self._scope, self._dual) == (other._address, other._scope, other._dual)

    def __hash__(self) -> int:
        return hash((self._address, self._scope))

    def __repr__(self) -> str:
        return f"QHostAddress({self.toString()!r})"


_SPECIAL = {
    QHostAddress.SpecialAddress.Null: "",
    QHostAddress.SpecialAddress.Broadcast: "255.255.255.255",
    QHostAddress.SpecialAddress.LocalHost: "127.0.0.1",
    QHostAddress.SpecialAddress.LocalHostIPv6: "::1",
    QHostAddress.SpecialAddress.Any: "0.0.0.0",
    QHostAddress.SpecialAddress.AnyIPv6: "::",
    QHostAddress.SpecialAddress.AnyIPv4: "0.0.0.0",
}
export_values(QHostAddress, NetworkLayerProtocol)
