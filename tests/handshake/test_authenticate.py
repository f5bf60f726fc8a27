from puretls.handshake import authenticate
from puretls.x509.certificates.certificate import MAX_REMEMBERED
from tests.support.credentials import credential


def test_a_known_leaf_is_parsed_once():
    chain = credential().chain
    assert authenticate.parse_leaf(chain)[0] is authenticate.parse_leaf(chain)[0]


def test_a_certificate_larger_than_real_ones_is_not_remembered(monkeypatch):
    """A peer that shows one huge certificate after the other must not fill the memory of the process."""
    monkeypatch.setattr("puretls.x509.certificates.certificate.MAX_REMEMBERED", 100)
    assert MAX_REMEMBERED > 100
    chain = credential().chain
    assert authenticate.parse_leaf(chain)[0] is not authenticate.parse_leaf(chain)[0]
