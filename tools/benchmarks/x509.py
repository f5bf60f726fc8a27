"""Certificates: parsing, validating a chain for the first time and again, the system's roots, revocation.

tlslite-ng parses certificates and validates nothing; OpenSSL stands for pyca/cryptography, which validates in Rust on top of it.
"""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec

from benchmarks.harness import Case, Contender, Options, Row, compare, seconds
from puretls import roots
from puretls.ca import DevelopmentCa, Issued
from puretls.crypto.kernels.ec import combs
from puretls.crypto.provider import default
from puretls.errors import UsageError
from puretls.x509.certificates.certificate import Certificate, remembered
from puretls.x509.crl import Crl
from puretls.x509.ocsp import OcspResponse
from puretls.x509.path.examine import Caches
from puretls.x509.path.trust import TrustStore
from puretls.x509.revocation import HARD, Revocation
from puretls.x509.verifier import ChainRequest, Verifier, chain_verifier

NOW = 1_790_000_000
NAME = "www.example.test"
KINDS = {"RSA-2048": "rsa2048", "P-256": "secp256r1"}


def cases(options: Options) -> list[Case]:
    """Chains of three certificates: leaf, intermediate, root."""
    return [
        *(functools.partial(_chain, options, label, kind) for label, kind in KINDS.items()),
        functools.partial(_roots, options),
        functools.partial(_revocation, options),
    ]


def _measured(options: Options, work: Mapping[str, Callable[[], object]]) -> list[Row]:
    times = seconds({name: Contender(run) for name, run in work.items()}, options.rounds(15))
    return [Row("x509", name, "", "us", time * 1e6) for name, time in times.items()]


def _forgetful(verifier: Verifier, request: ChainRequest) -> None:
    """As if this chain had never been seen: nothing parsed but the anchors, no signature remembered, no multiples of its keys."""
    combs.clear()
    remembered.cache_clear()
    assert replace(verifier, caches=Caches())(request).accepted


def _request(issued: Issued) -> ChainRequest:
    return ChainRequest(issued.chain, "server", NAME, NOW)


def _chain(options: Options, label: str, kind: str) -> list[Row]:
    ca = DevelopmentCa.create(os.urandom, NOW, kind)
    issued = ca.issue([NAME], kind)
    verifier = chain_verifier([ca.root.certificate], provider=default(), random=os.urandom)
    request = _request(issued)
    assert verifier(request).accepted
    parse, verify = _openssl(issued, ca.root.certificate)
    ours = lambda: Certificate.parse(issued.certificate).public_key  # noqa: E731
    parsers = {"puretls": ours, "tlslite_ng": _tlslite(issued.certificate), "openssl": parse}
    first = {"puretls": lambda: _forgetful(verifier, request), "openssl": verify}
    again = {"puretls": lambda: verifier(request), "openssl": verify}
    return [
        _compared(options, f"parse a certificate, {label}", parsers),
        _compared(options, f"verify a chain of 3, {label}, first contact", first),
        _compared(options, f"verify a chain of 3, {label}, again", again),
    ]


def _compared(options: Options, name: str, contenders: Mapping[str, Callable[[], object] | None]) -> Row:
    found = {who: Contender(run) for who, run in contenders.items() if run is not None}
    return compare("x509", name, "", "us", found, options.rounds(15))


def _tlslite(der: bytes) -> Callable[[], object]:
    from puretls.crypto.backends import tlslite_ng  # noqa: F401  (loads the package without its warnings)

    x509 = importlib.import_module("tlslite.x509")
    return lambda: x509.X509().parseBinary(bytearray(der))


def _openssl(issued: Issued, root: bytes) -> tuple[Callable[[], object] | None, Callable[[], object] | None]:
    """Parsing all fields, and validating; None where `cryptography` is not installed."""
    if find_spec("cryptography") is None:
        return None, None
    x509 = importlib.import_module("cryptography.x509")
    verification = importlib.import_module("cryptography.x509.verification")
    leaf, *others = (x509.load_der_x509_certificate(der) for der in issued.chain)
    store = verification.Store([x509.load_der_x509_certificate(root)])
    builder = verification.PolicyBuilder().store(store).time(datetime.fromtimestamp(NOW, UTC))
    verifier = builder.build_server_verifier(x509.DNSName(NAME))

    def parse() -> object:
        parsed = x509.load_der_x509_certificate(issued.certificate)
        return parsed.subject, parsed.issuer, parsed.extensions, parsed.public_key()

    return parse, lambda: verifier.verify(leaf, others)


def _roots(options: Options) -> list[Row]:
    try:
        found = roots.system_roots()
    except UsageError:
        return []
    count = len(found)
    store = TrustStore(found)
    last = Certificate.parse(found[-1]).subject
    return _measured(
        options,
        {
            f"read and index the system's {count} roots": lambda: TrustStore(roots.system_roots()),
            f"parse all {count}": lambda: [Certificate.parse(der) for der in found],
            "find a root by name": lambda: list(store.by_subject(last)),
        },
    )


def _revocation(options: Options) -> list[Row]:
    ca = DevelopmentCa.create(os.urandom, NOW)
    issued = ca.issue([NAME])
    crl, response = ca.crl(), ca.ocsp_response(issued.certificate)
    root_crl = replace(ca, intermediate=None).crl()
    revocation = Revocation(HARD, crls=(Crl.parse(crl), Crl.parse(root_crl)))
    asking = chain_verifier([ca.root.certificate], provider=default(), revocation=revocation, random=os.urandom)
    plain = chain_verifier([ca.root.certificate], provider=default(), random=os.urandom)
    request = _request(issued)
    return _measured(
        options,
        {
            "parse an OCSP response": lambda: OcspResponse.parse(response),
            "parse a CRL": lambda: Crl.parse(crl),
            "verify a chain of 3, P-256, with a stapled response, first contact": lambda: _forgetful(
                plain, replace(request, ocsp_response=response)
            ),
            "verify a chain of 3, P-256, with two CRLs, first contact": lambda: _forgetful(asking, request),
        },
    )
