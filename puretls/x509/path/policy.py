"""Certificate policies (RFC 5280 6.1) as a graph (RFC 9618): one node a policy and level, so that no chain of certificates can make
it grow beyond what the certificates list (CVE-2023-0464 was a tree)."""  # noqa: D205, D209

from __future__ import annotations

from collections.abc import Iterator, Sequence

from puretls.der import oids
from puretls.values import frozen
from puretls.x509.certificates.certificate import Certificate
from puretls.x509.certificates.extensions import (
    CertificatePolicies,
    InhibitAnyPolicy,
    PolicyConstraints,
    PolicyInformation,
    PolicyMappings,
)

ANY = oids.ANY_POLICY


@frozen
class PolicyInputs:
    """The four inputs of RFC 5280 6.1.1 (c) to (g). `acceptable`: content bytes of identifiers; anyPolicy in it accepts all."""

    acceptable: frozenset[bytes] = frozenset({ANY})
    require_explicit_policy: bool = False
    inhibit_policy_mapping: bool = False
    inhibit_any_policy: bool = False


class _Node:
    """A policy that is valid at one level. `parents`: keys of the level above; `expected`: what the next certificate may call it."""

    __slots__ = ("expected", "parents", "policy")

    def __init__(self, policy: bytes, parents: set[bytes], expected: set[bytes]) -> None:
        self.policy, self.parents, self.expected = policy, parents, expected


_Level = dict[bytes, _Node]


def policy_fault(path: Sequence[Certificate], inputs: PolicyInputs, *, from_anchor: bool = False) -> tuple[int, str] | None:
    """Processes `path`, from the certificate below the anchor to the leaf; `from_anchor`: from the anchor itself (RFC 5937 3.2).

    Gives None if the policies are acceptable, else the index in `path` of the certificate at which they ceased to be, and a sentence.
    """
    return _Processing(path, inputs, path[0] if from_anchor else None).run()


class _Processing:
    """The state variables of RFC 5280 6.1.2."""

    def __init__(self, path: Sequence[Certificate], inputs: PolicyInputs, anchor: Certificate | None) -> None:
        self.path = path
        self.anchor = anchor
        self.inputs = inputs
        above = len(path) + 1
        self.explicit = 0 if inputs.require_explicit_policy else above
        self.mapping = 0 if inputs.inhibit_policy_mapping else above
        self.any = 0 if inputs.inhibit_any_policy else above
        self.levels: list[_Level] = [{ANY: _Node(ANY, set(), {ANY})}]

    def run(self) -> tuple[int, str] | None:
        last = len(self.path) - 1
        for index, certificate in enumerate(self.path):
            self._descend(certificate, final=index == last)
            if not self.explicit and not self.levels[-1]:
                return index, "an explicit policy is required, and none is left that is valid down to this certificate"
            if index < last:
                fault = self._prepare(certificate)
                if fault:
                    return index, fault
        return self._wrap_up(last)

    def _descend(self, certificate: Certificate, *, final: bool) -> None:
        """6.1.3 (d) and (e): the next level."""
        above = self.levels[-1]
        listed = certificate.get(CertificatePolicies)
        if listed is None and certificate is self.anchor:  # an anchor that names no policy stands for all
            listed = CertificatePolicies((PolicyInformation(ANY),))
        level: _Level = {}
        self.levels.append(level)
        if listed is None or not above:
            return
        expecting: dict[bytes, set[bytes]] = {}
        for node in above.values():
            for policy in node.expected:
                expecting.setdefault(policy, set()).add(node.policy)
        policies = {p.policy for p in listed.policies}
        for policy in policies - {ANY}:
            parents = expecting.get(policy) or ({ANY} if ANY in above else None)
            if parents:
                level[policy] = _Node(policy, parents, {policy})
        if ANY in policies and (self.any > 0 or (not final and certificate.is_self_issued)):
            for policy, parents in expecting.items():
                if policy not in level:
                    level[policy] = _Node(policy, parents, {policy})

    def _prepare(self, certificate: Certificate) -> str | None:
        """6.1.4 (a), (b), (h) to (j): for the next certificate."""
        mappings = certificate.get(PolicyMappings)
        if mappings is not None:
            if any(ANY in pair for pair in mappings.mappings):
                return "anyPolicy is mapped, which is not allowed"
            self._map(mappings)
        if not certificate.is_self_issued:
            self.explicit, self.mapping, self.any = (max(0, n - 1) for n in (self.explicit, self.mapping, self.any))
        constraints = certificate.get(PolicyConstraints)
        if constraints is not None:
            self.explicit = _lower(self.explicit, constraints.require_explicit_policy)
            self.mapping = _lower(self.mapping, constraints.inhibit_policy_mapping)
        inhibit = certificate.get(InhibitAnyPolicy)
        self.any = _lower(self.any, inhibit.skip_certs if inhibit else None)
        return None

    def _map(self, mappings: PolicyMappings) -> None:
        level = self.levels[-1]
        targets: dict[bytes, set[bytes]] = {}
        for issuer_policy, subject_policy in mappings.mappings:
            targets.setdefault(issuer_policy, set()).add(subject_policy)
        for policy, expected in targets.items():
            if not self.mapping:
                level.pop(policy, None)
            elif policy in level:
                level[policy].expected = expected
            elif ANY in level:
                level[policy] = _Node(policy, level[ANY].parents, expected)

    def _wrap_up(self, last: int) -> tuple[int, str] | None:
        """6.1.5 (a), (b), (g)."""
        self.explicit = max(0, self.explicit - 1)
        constraints = self.path[last].get(PolicyConstraints) if self.path else None
        if constraints is not None and constraints.require_explicit_policy == 0:
            self.explicit = 0
        if self.explicit or self._acceptable():
            return None
        return max(last, 0), "an explicit policy is required, and none of those acceptable here is valid for the whole path"

    def _acceptable(self) -> bool:
        """Whether some policy of the last level goes back, through mappings, to one that the user accepts."""
        final = self.levels[-1]
        if ANY in self.inputs.acceptable:
            return bool(final)
        if ANY in final:
            return bool(self.inputs.acceptable)
        good: set[bytes] = set()
        for level, above in zip(self.levels[1:], self.levels, strict=False):
            good = set(self._accepted(level, above, good))
        return bool(good)

    def _accepted(self, level: _Level, above: _Level, good: set[bytes]) -> Iterator[bytes]:
        for node in level.values():
            from_any = ANY in node.parents and ANY in above and node.policy in self.inputs.acceptable
            if node.policy != ANY and (from_any or not good.isdisjoint(node.parents)):
                yield node.policy


def _lower(current: int, wanted: int | None) -> int:
    return current if wanted is None else min(current, wanted)
