"""Name constraints by look-up decide as comparison pair by pair does."""

from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.x509.certificates.extensions import GeneralSubtree, NameConstraints
from puretls.x509.names.general import GeneralName, GeneralNameKind
from puretls.x509.path.constraints import Constraints

Kind = GeneralNameKind
labels = st.lists(st.sampled_from(["a", "b", "org", "aa"]), min_size=1, max_size=4).map(".".join)
dns_bases = st.tuples(st.sampled_from(["", ".", "", ""]), labels).map("".join) | st.just("")
dns_names = st.tuples(st.sampled_from(["", "", "*."]), labels).map("".join)
networks = st.tuples(st.binary(min_size=4, max_size=4), st.integers(0, 32)).map(
    lambda pair: pair[0] + (((1 << 32) - 1) ^ ((1 << 32 - pair[1]) - 1)).to_bytes(4)
)


def below(name, base):
    """`name` is `base` or below it; a leading dot in the base leaves only what is below."""
    if not base:
        return True
    if base[0] == ".":
        return name.endswith(base)
    return name == base or name.endswith("." + base)


def dns_inside(name, base):
    """All that the name can stand for: "x" is a label that no base has."""
    return below(name.replace("*", "x"), base)


def dns_touches(name, base):
    """Something that the name can stand for: any of the labels that bases have, or another."""
    return any(below(name.replace("*", label), base) for label in ("x", "a", "b", "org", "aa"))


def ip_inside(address, network):
    return all(a & m == n & m for a, n, m in zip(address, network[:4], network[4:], strict=True))


class Leaf:
    """As much of a certificate as constraints need."""

    subject = ()

    def __init__(self, names):
        self.subject_alt_names = tuple(names)

    def extension(self, oid):
        return self

    path = ""


def refused(kind, names, permitted, excluded):
    extension = NameConstraints(*(tuple(GeneralSubtree(GeneralName(kind, b)) for b in bases) for bases in (permitted, excluded)))
    found = Constraints(extension).violations(Leaf([GeneralName(kind, n) for n in names]))
    return {int(v.path.rpartition("[")[2][:-1]) for v in found}


def naive(names, permitted, excluded, inside, touches):
    return {
        index
        for index, name in enumerate(names)
        if any(touches(name, base) for base in excluded) or (permitted and not any(inside(name, base) for base in permitted))
    }


@given(st.lists(dns_names, max_size=4), st.lists(dns_bases, max_size=3), st.lists(dns_bases, max_size=3))
@settings(max_examples=500, deadline=None)
def test_dns_names(names, permitted, excluded):
    assert refused(Kind.DNS, names, permitted, excluded) == naive(names, permitted, excluded, dns_inside, dns_touches)


@given(st.lists(st.binary(min_size=4, max_size=4), max_size=4), st.lists(networks, max_size=3), st.lists(networks, max_size=3))
@settings(deadline=None)
def test_addresses(names, permitted, excluded):
    assert refused(Kind.IP, names, permitted, excluded) == naive(names, permitted, excluded, ip_inside, ip_inside)


def test_addresses_of_one_family_are_not_of_the_other():
    everything = [bytes(8)]
    assert refused(Kind.IP, [bytes(16)], [], everything) == set()
    assert refused(Kind.IP, [bytes(16)], everything, []) == {0}


def test_mailboxes_and_hosts():
    """RFC 5280 4.2.1.10: a mailbox, a host, or with a leading dot all hosts below."""
    for base, name, fine in (
        ("user@example.org", "user@example.org", True),
        ("user@example.org", "User@example.org", False),  # the local part is case sensitive
        ("user@example.org", "user@EXAMPLE.org", True),
        ("example.org", "any@example.org", True),
        ("example.org", "any@host.example.org", False),
        (".example.org", "any@host.example.org", True),
        (".example.org", "any@example.org", False),
        ("*@example.org", "user@example.org", False),
        ("*@example.org", "*@example.org", True),
    ):
        assert refused(Kind.RFC822, [name], [base], []) == (set() if fine else {0}), (base, name)


def test_masks_that_are_no_prefix_and_bases_that_are_no_name_are_told():
    subtrees = tuple(GeneralSubtree(GeneralName(kind, value)) for kind, value in (
        (Kind.IP, b"\x0a\0\0\0\xff\0\xff\0"), (Kind.DNS, "*.org"), (Kind.RFC822, "a@b@c"), (Kind.URI, "http://x/")))  # fmt: skip
    constraints = Constraints(NameConstraints(subtrees, (GeneralSubtree(GeneralName(Kind.DNS, "org"), minimum=1),)))
    assert len(constraints.faults) == 5
    assert not constraints.bases
