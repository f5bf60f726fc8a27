"""What records carry, and records themselves."""

import pytest

from puretls.errors import DecodeError
from puretls.iana import AlertDescription, AlertLevel
from puretls.messages.records import Alert, ApplicationData, ChangeCipherSpec, Record
from puretls.wire.schema import parse, serialise


@pytest.mark.rfc("5246", "7.2")
def test_alert_has_two_bytes():
    assert parse(Alert, b"\2\x28") == Alert(AlertLevel.FATAL, AlertDescription.HANDSHAKE_FAILURE)
    for bad in (b"", b"\2", b"\2\x28\0"):
        with pytest.raises(DecodeError):
            parse(Alert, bad)


@pytest.mark.rfc("5246", "7.1")
def test_change_cipher_spec_has_one_byte():
    assert serialise(ChangeCipherSpec(1)) == b"\1"
    for bad in (b"", b"\1\1"):
        with pytest.raises(DecodeError):
            parse(ChangeCipherSpec, bad)


@pytest.mark.rfc("5246", "10")
def test_application_data_is_anything():
    assert parse(ApplicationData, b"").data == b""
    assert parse(ApplicationData, b"xyz").data == b"xyz"


@pytest.mark.rfc("5246", "6.2.1")
def test_record_has_a_header_of_five_bytes():
    record = Record(23, 0x0303, b"abc")
    assert record.header().hex() == "1703030003"
    assert record.to_bytes() == record.header() + b"abc"
