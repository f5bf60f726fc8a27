"""Mistakes that learners make: for each exercise, three changes to the right answers of its lesson, each a text and what replaces it."""

WRONG = {
    1: {
        "record_header": [
            ('int.from_bytes(data[3:5], "big")', 'int.from_bytes(data[3:5], "little")'),
            ('int.from_bytes(data[1:3], "big"), ', "(data[1], data[2]), "),
            ('int.from_bytes(data[3:5], "big")', "len(data) - 5"),
        ],
        "split_records": [
            ("        if len(stream) < end:\n            break\n", ""),
            ("return records, stream", 'return records, b""'),
            ("stream[5:end]", "stream[:end]"),
        ],
        "join_messages": [
            ('b"".join(fragments)', 'b"".join(fragments[:1])'),
            ("data[4:end]", "data[:end]"),
            ("data[1:4]", "data[2:4][:1]"),
        ],
    },
    2: {
        "parse_client_hello": [
            ("listed = [int.from_bytes(suites[i : i + 2], ", "listed = [int.from_bytes(suites[i : i + 1], "),
            ("body[2:34], session_id", "body[6:34], session_id"),
            ("return int.from_bytes(body[:2]", "return body[0], int.from_bytes(body[:2]"),
        ],
        "parse_extensions": [
            ("vector(body, 34, 1)", "vector(body, 34, 2)"),
            ("found.append((kind, data))", "found.append((kind, len(data)))"),
            ("while at < len(block)", "while at + 4 < len(block)"),
        ],
        "host_name": [
            ("if kind == 0:", "if True:"),
            ("return name.decode()", "return name"),
            ("entries, at = data[2:], 0", "entries, at = data, 0"),
        ],
    },
    3: {
        "prf_hash": [
            ('return "sha384" if', 'return "sha1" if name.endswith("SHA") else "sha384" if'),
            ('return "sha384" if', 'return "sha384" if "AES_256" in name or'),
            ('else "sha256"', 'else "SHA256"'),
        ],
        "choose_suite": [
            (
                "for number, needs_group, needs_key in server:",
                "for number, needs_group, needs_key in sorted(server, key=lambda row: (offered + [row[0]]).index(row[0])):",
            ),
            (" and (groups or not needs_group)", ""),
            ("number in offered and needs_key == key", "number in offered"),
        ],
        "is_downgrade": [
            (" and version < highest", ""),
            ("0x5600 in offered and ", ""),
            ("version < highest", "version <= highest"),
        ],
    },
    4: {
        "der_element": [
            ("    if length >= 0x80:", "    if False:"),
            ("start += length - 0x80", "start += 1"),
            ("data[start:end], data[end:]", "data[start:], data[end:]"),
        ],
        "dns_names": [
            ("tag == 0x82", "tag != 0x87"),
            ('content.decode("ascii")', "content"),
            ("    while rest:", "    if rest:"),
        ],
        "covers": [
            (" and len(presented) > 2", ""),
            ('pattern.lower().split("."), host.lower().split(".")', 'pattern.split("."), host.split(".")'),
            (
                "    if len(presented) != len(wanted):\n        return False\n",
                '    if presented[0] == "*":\n        return host.endswith(pattern[1:])\n',
            ),
        ],
    },
    5: {
        "read_key_exchange": [
            ("end = 4 + body[3]", "end = 4 + 32"),
            ("body[end + 4 :]", "body[end + 2 :]"),
            ("return group,", "return body[0],"),
        ],
        "signed_content": [
            ("client_random + server_random + body", "server_random + client_random + body"),
            ("body[: 4 + body[3]]", "body"),
            ("body[: 4 + body[3]]", "body[4 : 4 + body[3]]"),
        ],
        "shared_secret": [
            ("return shared.to_bytes((shared.bit_length() + 7) // 8", "return shared.to_bytes((p.bit_length() + 7) // 8"),
            ("not 1 < value < p - 1", "not 1 < value"),
            ("not 1 < value < p - 1", "not 0 < value < p - 1"),
        ],
    },
    6: {
        "prf": [
            ("a + label + seed, ", "a, "),
            ('out, a = b"", label + seed', 'out, a = b"", seed'),
            ("return out[:length]", "return out"),
        ],
        "master_secret": [
            ("session_hash, 48)", "client_random + server_random, 48)"),
            ('b"master secret", client_random + server_random', 'b"master secret", server_random + client_random'),
            ("if session_hash is not None:", "if False:"),
        ],
        "key_block": [
            ('b"key expansion", server_random + client_random', 'b"key expansion", client_random + server_random'),
            (
                "lengths = [mac_length] * 2 + [key_length] * 2 + [iv_length] * 2",
                "lengths = [mac_length, key_length, iv_length] * 2",
            ),
            ("return tuple(keys)", "return keys[1], keys[0], *keys[2:]"),
        ],
    },
}
