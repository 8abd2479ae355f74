"""Writers for formats that no Debian package writes: GGUF v3 and safetensors, by their specifications."""
import json
import struct


def write_safetensors(path, tensors, metadata):
    """tensors: list of (name, dtype, shape, bytes)."""
    header, at = {"__metadata__": metadata}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, _, _, data in tensors:
            out.write(data)


def gguf_string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf_value(value):
    """A typed value: bool, int (u32), float (f32), str, or a list of one of these."""
    if isinstance(value, bool):
        return 7, struct.pack("<B", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    if isinstance(value, str):
        return 8, gguf_string(value)
    kinds = [gguf_value(item) for item in value]
    body = b"".join(raw for _, raw in kinds)
    return 9, struct.pack("<IQ", kinds[0][0], len(kinds)) + body


def write_gguf(path, metadata, tensors, alignment=32):
    """tensors: list of (name, dims, ggml type, bytes). dims in GGUF order (fastest first)."""
    out = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    for key, value in metadata.items():
        kind, raw = gguf_value(value)
        out.append(gguf_string(key) + struct.pack("<I", kind) + raw)
    at = 0
    for name, dims, kind, data in tensors:
        out.append(gguf_string(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims))
        out.append(struct.pack("<IQ", kind, at))
        at += len(data) + (-len(data) % alignment)
    head = b"".join(out)
    with open(path, "wb") as file:
        file.write(head + b"\0" * (-len(head) % alignment))
        for _, _, _, data in tensors:
            file.write(data + b"\0" * (-len(data) % alignment))
