# puretls lesson 3


def prf_hash(name):
    return "sha384" if name.endswith("SHA384") else "sha256"


def choose_suite(offered, server, key, groups):
    for number, needs_group, needs_key in server:
        if number in offered and needs_key == key and (groups or not needs_group):
            return number
    return None


def is_downgrade(offered, version, highest):
    return 0x5600 in offered and version < highest
