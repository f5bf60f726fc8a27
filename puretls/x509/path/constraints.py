"""Name constraints (RFC 5280 4.2.1.10) without pairwise comparison.

A `NameConstraints` becomes sets of bases; a name looks itself and its suffixes up in them. The work is thus the number of names
times their labels, whatever the number of constraints. The product of both is budgeted before any name is looked up all the same
(CVE-2025-58187): it is what a validator that compares pairs would do, and no honest chain comes near the limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from puretls.der import oids
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import GeneralSubtree, NameConstraints
from puretls.x509.hostname import dns_fault
from puretls.x509.names.distinguished import Name
from puretls.x509.names.general import GeneralName, GeneralNameKind

Kind = GeneralNameKind


class Unprocessable(Exception):
    """A constraint or a name that cannot be compared, which must lead to refusal. `str()` is a sentence."""


class _Subtrees:
    """The bases of one list, by kind, ready for look-up."""

    def __init__(self) -> None:
        self.kinds: set[Kind] = set()
        self.dns: set[str] = set()
        self.dns_parents: set[str] = set()
        """The parents of the DNS bases: a wildcard below one of them can expand to a base."""
        self.depths: set[int] = set()
        """How many labels the DNS bases and hosts have."""
        self.hosts: set[tuple[Kind, str]] = set()
        """Hosts of RFC822 and URI bases; those with a leading dot stand for everything below."""
        self.mailboxes: set[tuple[str, str]] = set()
        self.networks: dict[tuple[int, int], set[int]] = {}
        """(length of the address, mask) -> networks."""
        self.directories: set[bytes] = set()
        """Hashes of the names; `lengths` are how many relative names they have."""
        self.lengths: set[int] = set()
        self.places: set[tuple[int, bytes]] = set()
        self.unclear: set[tuple[int, bytes]] = set()
        """What the names have of these, see `Name`."""

    def add(self, subtree: GeneralSubtree) -> None:
        base = subtree.base
        if subtree.minimum or subtree.maximum is not None:
            raise Unprocessable(f"the constraint {base} has minimum or maximum, which have no meaning (RFC 5280 4.2.1.10)")
        value = base.value
        if isinstance(value, Name):
            self._add_directory(value)
        elif base.kind is Kind.IP and isinstance(value, bytes):
            self._add_network(base, value)
        elif isinstance(value, str):
            self._add_text(base, value)

    def _add_directory(self, name: Name) -> None:
        self.directories.add(name.canonical)
        self.lengths.add(len(name.rdns))
        self.places |= name.places
        self.unclear |= name.unclear

    def _add_network(self, base: GeneralName, value: bytes) -> None:
        half = len(value) // 2
        mask = int.from_bytes(value[half:])
        inverse = (1 << 8 * half) - 1 - mask
        if inverse & (inverse + 1):
            raise Unprocessable(f"the mask of the constraint {base} is no prefix")
        self.networks.setdefault((half, mask), set()).add(int.from_bytes(value[:half]) & mask)

    def _add_text(self, base: GeneralName, value: str) -> None:
        if base.kind is Kind.DNS:
            dns = value.lower()
            if dns and dns_fault(dns.removeprefix("."), underscore=True):
                raise Unprocessable(f"the constraint {base} is not a DNS name")
            self.dns.add(dns)
            self.depths.add(_depth(dns))
            self.dns_parents.add(dns.removeprefix(".").partition(".")[2] if dns[:1] != "." else dns[1:])
        elif base.kind is Kind.RFC822 and "@" in value:
            self.mailboxes.add(split_mailbox(value))
        else:
            if value and dns_fault(value.removeprefix("."), underscore=True):
                raise Unprocessable(f"the constraint {base} is neither a host nor a domain")
            self.hosts.add((base.kind, value.lower()))
            self.depths.add(_depth(value))

    # Containment: is the name, or everything a wildcard stands for, inside some subtree of its kind?

    def contains(self, name: GeneralName) -> bool:
        value = name.value
        if isinstance(value, Name):
            return self._contains_directory(value)
        if isinstance(value, bytes):
            number = int.from_bytes(value)
            return any(n == len(value) and number & mask in found for (n, mask), found in self.networks.items())
        if name.kind is Kind.DNS:
            return self._contains_dns(value)
        if name.kind is Kind.RFC822:
            mailbox = split_mailbox(value)
            return mailbox in self.mailboxes or self._contains_host(Kind.RFC822, mailbox[1])
        return self._contains_host(Kind.URI, uri_host(value))

    def _contains_directory(self, name: Name) -> bool:
        prefixes = name.prefixes
        return any(prefixes[length] in self.directories for length in self.lengths if length < len(prefixes))

    def _contains_dns(self, value: str) -> bool:
        """A base stands for itself and what is below (a leading dot: only what is below), so a wildcard is inside with its parent,
        but "*.example.com" is not inside "foo.example.com"."""  # noqa: D205, D209
        name = value.lower()
        if name[:2] == "*.":
            name = name[2:]
            if "." + name in self.dns:
                return True
        if "" in self.dns or name in self.dns:
            return True
        return any(suffix in self.dns or f".{suffix}" in self.dns for suffix in self._suffixes(name))

    def _contains_host(self, kind: Kind, host: str) -> bool:
        if (kind, "") in self.hosts or (kind, host) in self.hosts:
            return True
        return any((kind, f".{suffix}") in self.hosts for suffix in self._suffixes(host))

    def _suffixes(self, name: str) -> Iterator[str]:
        """The ends of a name, without its first label at least, that have as many labels as some base."""
        labels = name.split(".")
        return (".".join(labels[-depth:]) for depth in self.depths if depth < len(labels))

    def _may_contain(self, name: Name) -> bool:
        """False, or `Unprocessable` where a value that can be compared by its bytes alone meets one of its kind."""
        for index, kind in (self.places & name.unclear) | (self.unclear & name.places):
            where = f"{oids.describe(kind)} in its relative name {index}"
            raise Unprocessable(f"directory name {name} cannot be compared with what is excluded, because of {where}")
        return False

    def overlaps(self, name: GeneralName) -> bool:
        """Whether anything the name stands for is inside: as `contains`, and a wildcard that can expand to an excluded name.

        Raises `Unprocessable` for a directory name of which that cannot be told.
        """
        value = name.value
        if isinstance(value, Name):
            return self.contains(name) or self._may_contain(value)
        if name.kind is Kind.DNS and isinstance(value, str) and value[:2] == "*." and value[2:].lower() in self.dns_parents:
            return True
        return self.contains(name)


def _depth(base: str) -> int:
    return base.removeprefix(".").count(".") + 1


_UNSUPPORTED = frozenset({Kind.OTHER_NAME, Kind.X400_ADDRESS, Kind.EDI_PARTY, Kind.REGISTERED_ID})


@frozen
class Violation:
    """A name that the constraints refuse: the field of the certificate it is in, and a sentence without the certificate's name."""

    path: str
    sentence: str
    processed: bool = True
    """False when it was not compared, because of its kind or form."""


class Constraints:
    """The name constraints of one CA, compiled. `faults`: a sentence for each that cannot be processed, and hence does not bind."""

    def __init__(self, extension: NameConstraints) -> None:
        self.faults: list[str] = []
        self.bases: Counter[Kind] = Counter()
        self.permitted: _Subtrees = self._compile(extension.permitted_subtrees)
        self.excluded: _Subtrees = self._compile(extension.excluded_subtrees)

    def _compile(self, subtrees: tuple[GeneralSubtree, ...] | None) -> _Subtrees:
        compiled = _Subtrees()
        for subtree in subtrees or ():
            try:
                compiled.add(subtree)
            except Unprocessable as bad:
                self.faults.append(str(bad))
            else:
                compiled.kinds.add(subtree.base.kind)
                self.bases[subtree.base.kind] += 1
        return compiled

    def comparisons(self, certificate: Certificate) -> int:
        """How many pairs of the same kind a naive comparison with this certificate's names would look at.

        Each attribute of the subject counts as a directory name, for it is compared on its own.
        """
        names = Counter(name.kind for name in certificate.subject_alt_names)
        names[Kind.DIRECTORY] += certificate.subject.size
        names[Kind.RFC822] += sum(1 for _ in certificate.subject.attributes(oids.EMAIL_ADDRESS))
        return sum(count * names[kind] for kind, count in self.bases.items())

    def violations(self, certificate: Certificate) -> Iterator[Violation]:
        """All names of `certificate` that are excluded, not permitted, or of a kind or form that cannot be told."""
        for path, name in constrained_names(certificate):
            try:
                fault = self._fault(name)
            except Unprocessable as bad:
                yield Violation(path, str(bad), processed=False)
                continue
            if fault:
                yield Violation(path, fault, processed=name.kind not in _UNSUPPORTED)

    def _fault(self, name: GeneralName) -> str:
        kind = name.kind
        permitted, excluded = kind in self.permitted.kinds, kind in self.excluded.kinds
        if not permitted and not excluded:
            return ""
        if kind is Kind.RFC822 and isinstance(name.value, bytes):
            raise Unprocessable(f"an emailAddress that is no string, {name}, cannot be compared")
        if kind in _UNSUPPORTED:
            return f"{name} is of a kind that is constrained but cannot be compared"
        if excluded and self.excluded.overlaps(name):
            return f"{name} is excluded"
        if permitted and not self.permitted.contains(name):
            return f"{name} is not within what is permitted"
        return ""


def constrained_names(certificate: Certificate) -> Iterator[tuple[str, GeneralName]]:
    """The names that constraints apply to, with the field each is in: subject (if not empty), the mail addresses in it, subjectAltName."""
    subject = certificate.subject
    if subject:
        yield "tbs_certificate.subject", GeneralName(Kind.DIRECTORY, subject)
        for attribute in subject.attributes(oids.EMAIL_ADDRESS):
            yield "tbs_certificate.subject", GeneralName(Kind.RFC822, attribute.value)
    alternative = certificate.extension(oids.SUBJECT_ALT_NAME)
    if alternative is not None:
        for index, name in enumerate(certificate.subject_alt_names):
            yield f"{alternative.path}.subject_alt_name[{index}]", name


def split_mailbox(text: str) -> tuple[str, str]:
    """Local part and lower-case host of a mailbox (RFC 5280 4.2.1.6). Raises `Unprocessable` for anything else."""
    local, at, host = text.rpartition("@")
    if not (text.isascii() and text.isprintable()):  # what looks alike must not pass for another mailbox
        raise Unprocessable(f"{text[:80]!r} is not a mail address")
    if not local or not at or "@" in local or any(c in local for c in ' "(),:;<>[\\]') or dns_fault(host, underscore=True):
        raise Unprocessable(f"{text[:80]!r} is not a mail address")
    return local, host.lower()


def uri_host(text: str) -> str:
    """The lower-case host name of a URI. Raises `Unprocessable` where there is none or it is an address (RFC 5280 4.2.1.10)."""
    _, scheme, rest = text.partition("://")
    authority = rest
    for end in "/?#":
        authority = authority.partition(end)[0]
    host = authority.rpartition("@")[2].partition(":")[0].lower()
    if not scheme or dns_fault(host, underscore=True) or host.rpartition(".")[2].isdigit():
        raise Unprocessable(f"the URI {text[:80]!r} names no host")
    return host
