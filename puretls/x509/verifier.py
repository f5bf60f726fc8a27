"""Certificate verification: what a connection asks, and the verifiers that answer (RFC 5280 6, RFC 9525).

    verify = chain_verifier(anchors, provider=provider)
    report = verify(ChainRequest(chain, "server", "example.org", time))

No I/O and no clock: anchors and the time are arguments. A verifier without anchors refuses everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from puretls.arguments import described
from puretls.crypto.groups import RandomBytes
from puretls.crypto.keys import EcPublicKey
from puretls.crypto.provider import BatchVerify, Provider, Signed
from puretls.der import oids
from puretls.errors import DecodeError, UsageError
from puretls.text import counted
from puretls.values import extensible, field, frozen, replace
from puretls.x509.certificates.certificate import Certificate, parse_remembered
from puretls.x509.certificates.extensions import KeyUsageBit
from puretls.x509.hostname import Reference, parse_reference
from puretls.x509.names.general import GeneralName
from puretls.x509.path.budgets import Budgets
from puretls.x509.path.checks import encoding_faults
from puretls.x509.path.examine import Caches, Question, Settings
from puretls.x509.path.place import Role
from puretls.x509.path.policy import PolicyInputs
from puretls.x509.path.purposes import CLIENT_USAGES, SERVER_USAGES
from puretls.x509.path.search import Search
from puretls.x509.path.status import RevocationChecker
from puretls.x509.path.together import presented_path, unknown_signatures
from puretls.x509.path.trust import TrustStore, trust_store
from puretls.x509.reports.findings import Finding
from puretls.x509.reports.report import Report
from puretls.x509.reports.rules import DEFAULT, RULES, profile
from puretls.x509.revocation import Revocation

AHEAD = 2
"""Signatures of a chain that are verified together with another, before the chain is judged."""
FetchIssuers = Callable[[Certificate], Iterable[bytes]]


@frozen
class ChainRequest:
    """What a handshake wants to know. `chain`: DER, leaf first. `purpose`: "server" or "client", the peer's role.

    `server_name`: a host name or address; None checks no name. `time`: seconds since 1970. `ocsp_response`, `sct_list`: stapled.
    `resumed`: the chain, and what was stapled with it, are those of a session that is about to be resumed. The answer ought not to
    depend on it: resumption is no way around a verifier.
    """

    chain: tuple[bytes, ...]
    purpose: str
    server_name: str | None
    time: float
    ocsp_response: bytes | None = None
    sct_list: bytes | None = None
    resumed: bool = False


_PURPOSES: Mapping[str, tuple[bytes, frozenset[KeyUsageBit]]] = {
    "server": (oids.SERVER_AUTH, SERVER_USAGES),
    "client": (oids.CLIENT_AUTH, CLIENT_USAGES),
}


_NO_ANCHORS = (
    "no trust anchors are configured, so no certificate can be trusted: give the configuration a verifier, such as "
    "puretls.roots.system_verifier() or file_verifier(PATH)"
)


@extensible()
class Verifier:
    """Validates chains against a store of anchors under a set of rules. Call it with a `ChainRequest`.

    The fields below `settings` narrow what is accepted beyond the request: all `names` must be in subjectAltName, all `purposes` in
    extKeyUsage (None: by the request's purpose), all `key_usage` bits in keyUsage; at most `max_intermediates` that are not
    self-issued. `dataclasses.replace` makes a variant that shares the caches.
    """

    store: TrustStore
    settings: Settings
    names: tuple[GeneralName, ...] = ()
    purposes: tuple[bytes, ...] | None = None
    key_usage: frozenset[int] = frozenset()
    max_intermediates: int | None = None
    fetch_issuers: FetchIssuers | None = None
    caches: Caches = field(default_factory=Caches, repr=False, compare=False)

    def __call__(self, request: ChainRequest) -> Report:
        """Validates; never raises for what the peer sent. Raises `UsageError` for a purpose that is neither server nor client."""
        if request.purpose not in _PURPOSES:
            raise UsageError(f"the purpose is server or client, not {request.purpose!r}")
        finding = self._presented_fault(request.chain)
        if finding is not None:
            return self._refusal(finding)
        try:
            leaf = parse_remembered(request.chain[0])
        except DecodeError as bad:
            return self._refusal(Finding(RULES["malformed"], f"certificate 0: {bad}"))
        if leaf.malformed:  # nothing that is left out can be verified
            return self._malformed(leaf)
        try:
            reference = parse_reference(request.server_name) if request.server_name is not None else None
        except UsageError as bad:
            return self._refusal(Finding(RULES["wrong-host"], str(bad)))
        return self._search(leaf, request, reference)

    def verify_ahead(self, chain: Sequence[bytes], signed: Signed, provider: Provider) -> bool:
        """Whether `signed` was found right together with signatures of `chain`, which is about to be judged and whose leaf signed it.

        That is faster than one by one, and what is found right is remembered for the judgement. False says nothing: `signed` is then to
        be verified by itself, with the `provider` whose verdict it takes. Nothing is said of the chain. Never raises for what the peer
        sent.
        """
        own, random = self.settings.provider, self.settings.random
        if provider is not own or random is None or not isinstance(own.verify, BatchVerify) or self._presented_fault(chain):
            return False
        try:
            path = presented_path(chain, self.store)
            unknown = unknown_signatures(path, own, self.caches.signatures)
            fitting = [one for one in islice(unknown, AHEAD) if _curve(one.signed) == _curve(signed)]
        except DecodeError:
            return False
        right, *others = own.verify.together([signed, *(one.signed for one in fitting)], random)
        for one, is_right in zip(fitting, others, strict=True):
            if is_right:
                self.caches.signatures.put(one.link, True)
        return right

    def _presented_fault(self, chain: Sequence[bytes]) -> Finding | None:
        budgets = self.settings.budgets
        if not len(self.store):
            return Finding(RULES["anchors"], _NO_ANCHORS)
        if not chain:
            return Finding(RULES["presented"], "the peer sent no certificate")
        size = sum(map(len, chain))
        if len(chain) > budgets.presented or size > budgets.presented_bytes:
            limits = f"{budgets.presented} certificates or {budgets.presented_bytes} bytes"
            sent = counted(len(chain), "certificate")
            return Finding(RULES["presented"], f"the peer sent {sent} of {size} bytes, more than {limits}")
        return None

    def _refusal(self, finding: Finding) -> Report:
        return Report(False, (), (finding,), profile=self.settings.profile, switched_off=self.settings.switched_off)

    def _malformed(self, leaf: Certificate) -> Report:
        faults = (fault for fault in encoding_faults(leaf, Role.LEAF) if fault.rule in self.settings.rules)
        findings = tuple(Finding(RULES[f.rule], f.sentence, leaf, 0, f.path, f.offset) for f in faults)
        return Report(False, (leaf,), findings, profile=self.settings.profile, switched_off=self.settings.switched_off)

    def _search(self, leaf: Certificate, request: ChainRequest, reference: Reference | None) -> Report:
        purpose, usages = _PURPOSES[request.purpose]
        question = Question(
            leaf=leaf, time=request.time, reference=reference, names=self.names,
            purposes=self.purposes if self.purposes is not None else (purpose,),
            some_usage=usages, every_usage=self.key_usage, max_intermediates=self.max_intermediates,
            ocsp_response=request.ocsp_response,
        )  # fmt: skip
        search = Search(self.store, self.settings, self.caches, question)
        for index, data in enumerate(request.chain[1:], 1):
            search.present(index, data)
        return search.run(self.fetch_issuers)


def chain_verifier(
    anchors: Iterable[bytes | Certificate | TrustStore],
    *,
    provider: Provider,
    profile: str = "default",
    without: Iterable[str] = (),
    danger_without: Iterable[str] = (),
    extra: Iterable[str] = (),
    policies: PolicyInputs | None = None,
    revocation: RevocationChecker | None = None,
    fetch_issuers: FetchIssuers | None = None,
    handled_extensions: Iterable[bytes] = (),
    budgets: Budgets | None = None,
    random: RandomBytes | None = None,
) -> Verifier:
    """A verifier of chains against `anchors`.

    `profile`: "default", "strict" or "webpki". `without` names rules to drop that only strict profiles have, `danger_without` any others
    (SHA-1, small keys, expiry, ...), `extra` rules to add; `rules.TABLE` lists them, and the report says which are missing.
    `revocation`: by default a stapled OCSP response is heeded and silence accepted. `fetch_issuers(certificate)` gives DER of possible
    issuers, for example from authorityInfoAccess; it may do I/O and is asked only when the search would fail. `handled_extensions`:
    identifiers (content bytes) of critical extensions that the caller processes itself.

    With `random`, which gives n bytes that no peer can know, the ECDSA signatures of a chain, and a handshake's with them, are verified
    together, times random numbers: faster, and a forged one passes with a probability of 2^-61. No byte that is sent depends on them.
    `puretls.roots` gives `os.urandom`.

    Raises `UsageError` for unknown names, and for a rule of the default profile in `without`.
    """
    if not isinstance(provider, Provider):
        raise UsageError(f"the provider is a Provider, as `crypto.provider.default()` makes one, not {described(provider)}")
    harmless, dangerous = frozenset(without), frozenset(danger_without)
    needed = harmless & _rules(DEFAULT)
    if needed:
        raise UsageError(f"the rule {min(needed)!r} keeps connections safe: danger_without switches it off")
    dropped = tuple(sorted(harmless | dangerous))
    settings = Settings(
        provider=provider, profile=profile, rules=_rules(profile, dropped, extra), switched_off=dropped,
        policies=policies or PolicyInputs(), revocation=revocation or Revocation(), budgets=budgets or Budgets(),
        handled=frozenset(handled_extensions), random=random,
    )  # fmt: skip
    return Verifier(trust_store(anchors), settings, fetch_issuers=fetch_issuers)


_rules = profile  # the keyword argument of `chain_verifier` hides the name


def _curve(signed: Signed) -> str | None:
    """The curve of the key; of other kinds of keys several signatures cost as much together as one by one."""
    key = signed[1]
    return key.curve if isinstance(key, EcPublicKey) else None


@extensible()
class PinnedVerifier:
    """Accepts exactly the certificates or keys whose SHA-256 it has; nothing else about them matters, expiry included."""

    pins: frozenset[bytes]

    def __call__(self, request: ChainRequest) -> Report:
        """Compares the leaf with the pins."""
        if not request.chain:
            return Report(False, (), (Finding(RULES["presented"], "the peer sent no certificate"),), profile="pinned")
        try:
            leaf = parse_remembered(request.chain[0])
        except DecodeError as bad:
            return Report(False, (), (Finding(RULES["malformed"], f"certificate 0: {bad}"),), profile="pinned")
        if leaf.fingerprint in self.pins or leaf.spki_pin in self.pins:
            return Report(True, (leaf,), (), profile="pinned")
        rule = replace(RULES["unknown-issuer"], mend="pin this certificate or key if you know that it is the right one")
        sentence = f"is not pinned (certificate {leaf.fingerprint.hex()}, key {leaf.spki_pin_text})"
        return Report(False, (leaf,), (Finding(rule, sentence, leaf, 0),), profile="pinned")


def pinned_verifier(pins: Iterable[bytes]) -> PinnedVerifier:
    """A verifier that trusts exactly these: SHA-256 of a certificate's DER, or of its SubjectPublicKeyInfo (32 bytes each)."""
    given = list(pins) if isinstance(pins, Iterable) else [pins]
    if not all(isinstance(pin, bytes | bytearray) and len(pin) == 32 for pin in given):
        raise UsageError("a pin is a SHA-256 digest of 32 bytes: Certificate.fingerprint or Certificate.spki_pin")
    return PinnedVerifier(frozenset(map(bytes, given)))
