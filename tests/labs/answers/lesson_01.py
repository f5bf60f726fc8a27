# puretls lesson 1


def record_header(data):
    return data[0], int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")


def split_records(stream):
    records = []
    while len(stream) >= 5:
        end = 5 + int.from_bytes(stream[3:5], "big")
        if len(stream) < end:
            break
        records.append((stream[0], stream[5:end]))
        stream = stream[end:]
    return records, stream


def join_messages(fragments):
    data, messages = b"".join(fragments), []
    while data:
        end = 4 + int.from_bytes(data[1:4], "big")
        messages.append((data[0], data[4:end]))
        data = data[end:]
    return messages
