"""The ledger of the handshakes as commands of OpenSSL 3, for bash."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from puretls.inspect.ledger.nodes import GIVEN, MISSING, Argument, Node, Ref

if TYPE_CHECKING:
    from puretls.inspect.conversation import Conversation
    from puretls.inspect.ledger.ledger import Ledger

_HEAD = r"""#!/usr/bin/env bash
# The key ledger of a TLS 1.2 conversation, recomputed by OpenSSL 3. All values are hex. It holds secrets.

bytes() { # hex to bytes
    printf "$(printf %s "$1" | sed 's/../\\x&/g')"
}

digest() { # HASH HEX: the hash of these bytes
    bytes "$2" | openssl dgst -r "-$1" | cut -d ' ' -f 1
}

prf() { # HASH SECRET LABEL SEED LENGTH (RFC 5246 5)
    local label
    label=$(printf %s "$3" | od -An -v -tx1 | tr -d ' \n')
    openssl kdf -keylen "$5" -kdfopt "digest:$1" -kdfopt "hexsecret:$2" -kdfopt "hexseed:$label$4" TLS1-PRF | tr -d ':\n' | tr A-F a-f
}

psk_premaster() { # OTHER_SECRET PSK (RFC 4279 2)
    printf '%04x%s%04x%s' $((${#1} / 2)) "$1" $((${#2} / 2)) "$2"
}

gcm_open() { # KEY NONCE SEALED: openssl enc has no AEAD; GCM encrypts as CTR does from 2 on, and the tag is not looked at
    bytes "${3:0:$((${#3} - 32))}" | openssl enc -d -aes-256-ctr -K "$1" -iv "${2}00000002" | od -An -v -tx1 | tr -d ' \n'
}

total=0 first_wrong=
check() { # NAME VALUE EXPECTED
    echo "$1 = $2"
    total=$((total + 1))
    if [ "$2" != "$3" ]; then
        echo "    WRONG: it should be $3"
        first_wrong=${first_wrong:-$1}
    fi
}
"""

_TAIL = """
if [ -n "$first_wrong" ]; then
    echo "the first wrong value is $first_wrong"
    exit 1
fi
echo "all $total values are right"
"""


def shell_script(conversation: Conversation, ledger: Ledger) -> str:
    """The text of the script."""
    suite = conversation.suite
    return "\n".join(
        [_HEAD, f"# {suite.name if suite else 'no cipher suite was chosen'}", *(_lines(node) for node in ledger.nodes), _TAIL]
    )


def _lines(node: Node) -> str:
    variable, value = _variable(node.name), (node.value or b"").hex()
    about = f"\n# {node.name}: {node.meaning} [{node.rfc}]"
    if node.formula == MISSING:
        return f"{about}\n# It is not known."
    if node.formula == GIVEN:
        return f"{about}\n{variable}={value}"
    if node.formula not in _COMMANDS:
        return f"{about}\n{variable}={value} # openssl pkeyutl -decrypt -inkey KEY.pem makes it of what was encrypted"
    command = _COMMANDS[node.formula](*(_argument(argument) for argument in node.arguments))
    return f'{about}\n{variable}={command}\ncheck "{node.name}" "${variable}" {value}'


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _argument(argument: Argument) -> str:
    return f"${{{_variable(argument.name)}}}" if isinstance(argument, Ref) else str(argument)


def _cut(data: str, start: str, end: str) -> str:
    return f"{data[:-1]}:{2 * int(start)}:{2 * (int(end) - int(start))}}}"


def _prf(hash_name: str, secret: str, label: str, seed: str, length: int | str) -> str:
    return f'$(prf {hash_name} "{secret}" "{label}" "{seed}" {length})'


_COMMANDS: dict[str, Callable[..., str]] = {
    "join": lambda *parts: "".join(parts),
    "cut": _cut,
    "digest": lambda hash_name, *parts: f'$(digest {hash_name} "{"".join(parts)}")',
    "aes_256_gcm_open": lambda key, nonce, sealed, _name: f'$(gcm_open "{key}" "{nonce}" "{sealed}")',
    "psk_premaster": lambda other, psk: f'$(psk_premaster "{other}" "{psk}")',
    "master_secret": lambda hash_name, secret, client, server: _prf(hash_name, secret, "master secret", client + server, 48),
    "extended_master_secret": lambda hash_name, secret, seen: _prf(hash_name, secret, "extended master secret", seen, 48),
    "key_block": lambda hash_name, secret, server, client, length: _prf(
        hash_name, secret, "key expansion", server + client, length
    ),
    "verify_data": lambda hash_name, secret, label, seen: _prf(hash_name, secret, label, seen, 12),
}
"""Name of a formula -> what bash writes for it, from its arguments as bash writes them."""
