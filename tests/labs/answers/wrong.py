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
    7: {
        "transcript": [
            ("kind == 22 and raw[0] != 0", "raw[0] != 0"),
            ("kind == 22 and raw[0] != 0", "kind == 22"),
            ("raw for kind", "raw[4:] for kind"),
        ],
        "verify_data": [
            ('f"{side} finished"', '"client finished"'),
            (", digest, 12)", ', b"".join(messages), 12)'),
            (", digest, 12)", ", digest, 32)"),
        ],
        "wrong_finished": [
            ("        before.append(raw)\n", "        if raw[0] != 0x14:\n            before.append(raw)\n"),
            ("        before.append(raw)\n", "        before.append(raw[4:])\n"),
            ("wrong.append(side)", "wrong.append(side)\n            break"),
        ],
    },
    8: {
        "gcm_parts": [
            ("len(fragment) - 24", "len(fragment)"),
            ("iv + fragment[:8]", "iv + sequence.to_bytes(8, 'big')"),
            ("fragment[8:]", "fragment[8:-16]"),
        ],
        "open_gcm": [
            ("return gcm_open(key, nonce, sealed, aad)", "return gcm_open(key, nonce, sealed, record[:5])"),
            ("gcm_parts(iv, sequence, record)", "gcm_parts(iv, 0, record)"),
            ("return gcm_open(key, nonce, sealed, aad)", "return gcm_open(key, nonce, sealed, aad) or b''"),
        ],
        "open_cbc": [
            (" or plain[end + 20 :] != bytes([count]) * (count + 1)", ""),
            ("kind, len(content))", "kind, len(plain))"),
            ("return content if hmac.compare_digest(mac, right) else None", "return content"),
        ],
    },
    9: {
        "is_resumed": [
            ("messages[0] in (11, 14)", "messages[0] == 4"),
            (
                "messages, stream = messages + stream[5:end], stream[end:]",
                "messages, stream = messages + stream[5:6] + bytes(3), stream[end:]",
            ),
            ("return True", "return stream[:1] == b'\\x16'"),
        ],
        "seal_ticket": [
            ("state, name)", 'state, b"")'),
            ("return name + nonce", "return nonce + name"),
            ("gcm_seal(key[16:]", "gcm_seal(key[:32]"),
        ],
        "open_ticket": [
            ("for key in keys:", "for key in keys[:1]:"),
            ("sealed, name)", 'sealed, b"")'),
            ("if key[:16] == name:", "if True:"),
        ],
    },
    10: {
        "read_request": [
            ("names, at = vector(body, at, 2)\n", "names = body[at:]\n"),
            ("list(types), ", "types, "),
            ("types, at = vector(body, 0, 1)", "types, at = vector(body, 0, 2)"),
        ],
        "choose_certificate": [
            (" and (not authorities or issuer in authorities)", ""),
            ("(not authorities or issuer in authorities)", "issuer in authorities"),
            ("in types and (not", "in types or (not"),
        ],
        "covered": [
            ("            return before\n", "            return before + raw\n"),
            ("before += raw", "before += raw[4:]"),
            ("return None", "return before"),
        ],
    },
    11: {
        "read_alert": [
            ("len(fragment) != 2 or fragment[0] not in (1, 2)", "len(fragment) != 2"),
            ("len(fragment) != 2 or fragment[0] not in (1, 2)", "len(fragment) < 2 or fragment[0] not in (1, 2)"),
            ("fragment[0] == 2, ", "fragment[0], "),
        ],
        "ending": [
            ("content[0] == 2", "content[1] != 0"),
            ('return "truncated"', 'return "closed"'),
            ('if kind == "alert" and content[1] == 0:', 'if kind == "alert" and content == b"\\1\\0":'),
        ],
        "refusal": [
            ("(2048 if protected else 0)", "2048"),
            ("> most", ">= most"),
            ("not 20 <= header[0] <= 23", "not 20 <= header[0] <= 24"),
        ],
    },
    12: {
        "tcp_stream": [
            ("(number - first) % 2**32", "number - first"),
            ("data[len(stream) - start :]", "data"),
            ("        if start > len(stream):\n            break\n", ""),
        ],
        "master_secret_of": [
            ("len(words) == 3 and ", ""),
            ('words[0] == "CLIENT_RANDOM" and ', ""),
            ("words[1].lower()", "words[1]"),
        ],
        "changed_byte": [
            ("fragments(sent), fragments(received)", "sent, received"),
            ("return one[0], at", "return one[0], at - 4"),
            ("zip(one, other, strict=True))", "zip(one, other, strict=True), 5)"),
        ],
    },
}
