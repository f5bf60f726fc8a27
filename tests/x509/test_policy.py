"""Certificate policies: the graph gives what the tree of RFC 5280 6.1 gives, without growing like one."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from puretls.der.oids import ANY_POLICY as ANY
from puretls.x509.certificates.extensions import (
    CertificatePolicies,
    InhibitAnyPolicy,
    PolicyConstraints,
    PolicyInformation,
    PolicyMappings,
)
from puretls.x509.path.policy import PolicyInputs, policy_fault


@dataclass
class Stub:
    """As much of a certificate as policies need."""

    policies: frozenset | None = None
    mappings: tuple = ()
    require: int | None = None
    inhibit_mapping: int | None = None
    inhibit_any: int | None = None
    is_self_issued: bool = False
    values: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.policies is not None:
            self.values[CertificatePolicies] = CertificatePolicies(tuple(PolicyInformation(p) for p in sorted(self.policies)))
        if self.mappings:
            self.values[PolicyMappings] = PolicyMappings(self.mappings)
        if self.require is not None or self.inhibit_mapping is not None:
            self.values[PolicyConstraints] = PolicyConstraints(self.require, self.inhibit_mapping)
        if self.inhibit_any is not None:
            self.values[InhibitAnyPolicy] = InhibitAnyPolicy(self.inhibit_any)

    def get(self, kind):
        return self.values.get(kind)


@dataclass(eq=False)
class Node:
    policy: bytes
    expected: set
    parent: object = None
    children: list = field(default_factory=list)


def at_depth(root, depth):
    level = [root]
    for _ in range(depth):
        level = [child for node in level for child in node.children]
    return level


def prune(root, depth):
    for above in range(depth - 1, -1, -1):
        for node in at_depth(root, above):
            node.children = [c for c in node.children if above + 1 == depth or c.children]
    return root if depth == 0 or root.children else None


def tree_accepts(path, inputs):  # noqa: C901 (the RFC on one page)
    """RFC 5280 6.1 as it is written, tree and all."""
    n = len(path)
    tree = Node(ANY, {ANY})
    explicit = 0 if inputs.require_explicit_policy else n + 1
    mapping = 0 if inputs.inhibit_policy_mapping else n + 1
    inhibit_any = 0 if inputs.inhibit_any_policy else n + 1
    for i, certificate in enumerate(path, 1):
        if certificate.policies is None:
            tree = None
        elif tree is not None:
            for policy in certificate.policies - {ANY}:
                hits = [node for node in at_depth(tree, i - 1) if policy in node.expected]
                hits = hits or [node for node in at_depth(tree, i - 1) if node.policy == ANY]
                for node in hits:
                    node.children.append(Node(policy, {policy}, node))
            if ANY in certificate.policies and (inhibit_any > 0 or (i < n and certificate.is_self_issued)):
                for node in at_depth(tree, i - 1):
                    for policy in node.expected - {c.policy for c in node.children}:
                        node.children.append(Node(policy, {policy}, node))
            tree = prune(tree, i)
        if not explicit and tree is None:
            return False
        if i == n:
            break
        if any(ANY in pair for pair in certificate.mappings):
            return False
        for policy in {a for a, _ in certificate.mappings}:
            if tree is None:
                break
            targets = {b for a, b in certificate.mappings if a == policy}
            hits = [node for node in at_depth(tree, i) if node.policy == policy]
            if mapping > 0:
                for node in hits:
                    node.expected = targets
                for node in [] if hits else [node for node in at_depth(tree, i) if node.policy == ANY]:
                    node.parent.children.append(Node(policy, targets, node.parent))
            else:
                for node in hits:
                    node.parent.children.remove(node)
                tree = prune(tree, i)
        if not certificate.is_self_issued:
            explicit, mapping, inhibit_any = (max(0, x - 1) for x in (explicit, mapping, inhibit_any))
        explicit = min(explicit, explicit if certificate.require is None else certificate.require)
        mapping = min(mapping, mapping if certificate.inhibit_mapping is None else certificate.inhibit_mapping)
        inhibit_any = min(inhibit_any, inhibit_any if certificate.inhibit_any is None else certificate.inhibit_any)
    explicit = max(0, explicit - 1)
    if path[-1].require == 0:
        explicit = 0
    return explicit > 0 or acceptable(tree, n, inputs.acceptable)


def acceptable(tree, n, wanted):
    """6.1.5 (g)."""
    if tree is None:
        return False
    leaves = at_depth(tree, n)
    if ANY in wanted:
        return bool(leaves)
    for node in leaves:
        if node.policy == ANY:
            return True
        domain = node
        while domain.parent.policy != ANY:
            domain = domain.parent
        if domain.policy in wanted:
            return True
    return False


POLICIES = [b"\x2a\x01", b"\x2a\x02", b"\x2a\x03"]
some = st.frozensets(st.sampled_from([*POLICIES, ANY]), min_size=1)
certificates = st.builds(
    Stub,
    policies=st.none() | some | some | some,
    mappings=st.lists(st.tuples(st.sampled_from(POLICIES), st.sampled_from(POLICIES)), max_size=3, unique=True).map(tuple),
    require=st.none() | st.integers(0, 2),
    inhibit_mapping=st.none() | st.integers(0, 2),
    inhibit_any=st.none() | st.integers(0, 2),
    is_self_issued=st.booleans(),
)
wanted = st.builds(
    PolicyInputs, some, require_explicit_policy=st.booleans(), inhibit_policy_mapping=st.booleans(), inhibit_any_policy=st.booleans()
)


@given(st.lists(certificates, min_size=1, max_size=5), wanted)
@settings(max_examples=500, deadline=None)
def test_the_graph_decides_as_the_tree_of_the_rfc(path, inputs):
    assert (policy_fault(path, inputs) is None) == tree_accepts(path, inputs)


def test_mapping_any_policy_is_refused():
    path = [Stub(frozenset({ANY}), ((ANY, POLICIES[0]),)), Stub(frozenset({ANY}))]
    assert policy_fault(path, PolicyInputs()) == (0, "anyPolicy is mapped, which is not allowed")


def test_the_fault_names_the_certificate_at_which_policies_ended():
    good, bad = Stub(frozenset({POLICIES[0]})), Stub(None)
    fault = policy_fault([good, bad, good], PolicyInputs(require_explicit_policy=True))
    assert fault[0] == 1
