"""What a peer may cost."""

from __future__ import annotations

from puretls.arguments import Kind, check_fields, whole
from puretls.errors import UsageError
from puretls.values import frozen


@frozen
class Limits:
    """Bounds on what a peer may cost. All are counts or bytes, `handshake_time` seconds (kept by whoever does the I/O).

    Attributes:
        handshake_message: Bytes of a message. The longest ClientHello there can be has some 131,400.
        certificates: Certificates in a chain.
        empty_records: Records without content in a row.
        warning_alerts: Warnings in a row.
        hello_requests: HelloRequests in a row, ignored or refused; eight times as many among 64 KiB of application data.
        renegotiations: Handshakes of one connection after the first.
        records_per_key: Records under one key: 2^24.5, the bound for AES-GCM (RFC 8446 5.5).
        bytes_per_key_64: Bytes under one key of a cipher with blocks of 64 bits, whose birthday bound is near.
        buffered: Bytes of input held while the application does not take events.
        smallest_dh_prime: Bits of a finite-field group's prime, at least.
        largest_dh_prime: Bits of such a prime, at most.
        handshake_time: Seconds for a whole handshake.
    """

    handshake_message: int = 2**18
    certificates: int = 32
    empty_records: int = 32
    warning_alerts: int = 4
    hello_requests: int = 4
    renegotiations: int = 3
    records_per_key: int = 23_726_566
    bytes_per_key_64: int = 2**30
    buffered: int = 2**20
    smallest_dh_prime: int = 2048
    largest_dh_prime: int = 8192
    handshake_time: float = 60.0

    def __post_init__(self) -> None:
        check_fields(self, _LIMITS)
        if self.smallest_dh_prime > self.largest_dh_prime:
            raise UsageError("Limits.smallest_dh_prime is not above largest_dh_prime")


def count(low: int, what: str = "a number") -> Kind:
    """A whole number that is bounded below; above, by what any counter here holds."""
    return whole(low, 2**64 - 1, f"{what}, at least {low}")


_LIMITS: dict[str, Kind] = {
    "handshake_message": count(1, "a number of bytes"),
    "certificates": count(1),
    "empty_records": count(0),
    "warning_alerts": count(0),
    "hello_requests": count(0),
    "renegotiations": count(0),
    "records_per_key": count(1),
    "bytes_per_key_64": count(1, "a number of bytes"),
    "buffered": count(1, "a number of bytes"),
    "smallest_dh_prime": count(1, "a number of bits"),
    "largest_dh_prime": count(1, "a number of bits"),
    "handshake_time": Kind(
        "a number of seconds above 0, and no more than a year", lambda value: _is_number(value) and 0 < value <= 3e7
    ),
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
