"""Host names (RFC 9525): what a name to look for may be, and that any text at all is either one or a usage error."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from puretls.errors import UsageError
from puretls.x509.hostname import covered, dns_fault, matches, parse_ip, parse_reference
from puretls.x509.names.general import GeneralName, GeneralNameKind

hosts = st.lists(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4).map(".".join)


@given(st.text())
@example("\u2025")
@example("xn--\ud800")
@example("[::1]")
def test_any_text_is_a_reference_or_a_usage_error(text):
    try:
        reference = parse_reference(text)
    except UsageError:
        return
    assert reference.address or dns_fault(str(reference), underscore=True) == ""


@given(hosts)
def test_a_name_covers_itself_in_any_case_and_the_names_beside_it_by_wildcard(host):
    if parse_ip(host):
        return
    reference = parse_reference(host)
    assert matches(reference, GeneralName(GeneralNameKind.DNS, host.upper()))
    above = host.partition(".")[2]
    wildcard = matches(reference, GeneralName(GeneralNameKind.DNS, f"*.{above}"))
    assert wildcard is ("." in above)
    assert not matches(reference, GeneralName(GeneralNameKind.URI, host))
    assert not covered(reference, [])


@given(st.text(max_size=50))
def test_addresses_are_read_as_ipaddress_reads_them_but_for_zones(text):
    try:
        expected = ipaddress.ip_address(text).packed if "%" not in text else b""
    except ValueError:
        expected = b""
    assert parse_ip(text) == expected


@given(st.ip_addresses())
def test_addresses_survive(address):
    assert parse_ip(str(address)) == address.packed
    assert parse_reference(str(address)).address == address.packed


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("B\u00fccher.Example", ("xn--bcher-kva", "example")),
        ("fa\u00df.de", ("fass", "de")),  # IDNA 2003, as the resolver has it
        ("example.org.", ("example", "org")),
        ("localhost", ("localhost",)),
        ("a_b.example", ("a_b", "example")),
    ],
)
def test_u_labels_become_a_labels(text, labels):
    assert parse_reference(text).labels == labels


@pytest.mark.parametrize("text", ["192.0.2.1.", "192.0.2.1\u3002", "２.2.2.2."])
def test_an_address_with_a_final_dot_is_an_address_still(text):
    """RFC 6066 3: a literal address is never sent as a name."""
    reference = parse_reference(text)
    assert reference.sni is None
    assert parse_reference(reference.host) == reference
