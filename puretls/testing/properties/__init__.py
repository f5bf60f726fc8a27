"""Properties that every TLS stack ought to have, as functions that take a factory of its ends (`puretls.testing.adapters`).

    from puretls.testing import adapters, properties

    def test_my_stack():
        properties.only_own_errors(adapters.tlslite("server"))

Each tries hypothesis's usual number of examples, or what its `settings` say, and raises `Violated` with the least conversation for which it
does not hold. What is not ours is not judged by our reasons: of an end only its bytes count, and what it tells as a `Peer`.
`PROPERTIES` has all of them by name. Needs hypothesis: `pip install 'puretls[testing]'`.
"""

from __future__ import annotations

from collections.abc import Mapping

from puretls.testing.properties.bounds import bounded
from puretls.testing.properties.choices import negotiation_is_sound, resumption_keeps_parameters
from puretls.testing.properties.conversations import (
    byte_map_tiles,
    chunking_is_invisible,
    determinism,
    honest_peers_finish,
    matching_conversations,
    no_completion_without_finished,
    only_own_errors,
    tampering_never_completes,
)
from puretls.testing.properties.endings import no_data_before_finished_nor_after_close, truncation_is_reported
from puretls.testing.properties.parsers import Parser, only_own_errors_of_parser, parsing_undoes_serialising
from puretls.testing.properties.playing import Meeting
from puretls.testing.properties.property import Property, Violated
from puretls.testing.properties.secrets import nonces_never_repeat, secrets_are_never_shown

PROPERTIES: Mapping[str, Property] = {
    row.name: row
    for row in (
        parsing_undoes_serialising,
        only_own_errors_of_parser,
        only_own_errors,
        chunking_is_invisible,
        honest_peers_finish,
        determinism,
        byte_map_tiles,
        no_completion_without_finished,
        matching_conversations,
        tampering_never_completes,
        no_data_before_finished_nor_after_close,
        truncation_is_reported,
        nonces_never_repeat,
        secrets_are_never_shown,
        negotiation_is_sound,
        resumption_keeps_parameters,
        bounded,
    )
}
"""All of them, by name. The first two take a `Parser`, the others a `Factory`."""

__all__ = [
    "PROPERTIES",
    "Meeting",
    "Parser",
    "Property",
    "Violated",
    "bounded",
    "byte_map_tiles",
    "chunking_is_invisible",
    "determinism",
    "honest_peers_finish",
    "matching_conversations",
    "negotiation_is_sound",
    "no_completion_without_finished",
    "no_data_before_finished_nor_after_close",
    "nonces_never_repeat",
    "only_own_errors",
    "only_own_errors_of_parser",
    "parsing_undoes_serialising",
    "resumption_keeps_parameters",
    "secrets_are_never_shown",
    "tampering_never_completes",
    "truncation_is_reported",
]
