"""A small writer of HDF5 (superblock 2, object headers 2), by its format specification, version 3. It
writes what it is told to, lies included. Standard library only.

    f = File()
    f.root = f.group({"w": f.contiguous(b"...", F32, (2, 3))}, {"note": text("hello")})
    data = f.finish()
"""
import struct

NOWHERE = 0xffffffffffffffff
M32 = 0xffffffff


def lookup3(data):
    """Bob Jenkins' hashlittle() with a start value of 0."""
    a = b = c = (0xdeadbeef + len(data)) & M32

    def rot(x, k):
        return ((x << k) | (x >> (32 - k))) & M32

    at, left = 0, len(data)
    while left > 12:
        x, y, z = struct.unpack_from("<3I", data, at)
        a, b, c = (a + x) & M32, (b + y) & M32, (c + z) & M32
        a = ((a - c) & M32) ^ rot(c, 4); c = (c + b) & M32
        b = ((b - a) & M32) ^ rot(a, 6); a = (a + c) & M32
        c = ((c - b) & M32) ^ rot(b, 8); b = (b + a) & M32
        a = ((a - c) & M32) ^ rot(c, 16); c = (c + b) & M32
        b = ((b - a) & M32) ^ rot(a, 19); a = (a + c) & M32
        c = ((c - b) & M32) ^ rot(b, 4); b = (b + a) & M32
        at, left = at + 12, left - 12
    if not left:
        return c
    x, y, z = struct.unpack("<3I", data[at:] + b"\0" * (12 - left))
    a, b, c = (a + x) & M32, (b + y) & M32, (c + z) & M32
    c = ((c ^ b) - rot(b, 14)) & M32
    a = ((a ^ c) - rot(c, 11)) & M32
    b = ((b ^ a) - rot(a, 25)) & M32
    c = ((c ^ b) - rot(b, 16)) & M32
    a = ((a ^ c) - rot(c, 4)) & M32
    b = ((b ^ a) - rot(a, 14)) & M32
    return ((c ^ b) - rot(b, 24)) & M32


def summed(data):
    return data + struct.pack("<I", lookup3(data))


def kind(class_, bits, size, properties=b"", version=1):
    return struct.pack("<BBHI", class_ | version << 4, bits & 255, bits >> 8, size) + properties


F32 = kind(1, 0x1f20, 4, struct.pack("<HHBBBBI", 0, 32, 23, 8, 0, 23, 127))
F64 = kind(1, 0x3f20, 8, struct.pack("<HHBBBBI", 0, 64, 52, 11, 0, 52, 1023))
U8 = kind(0, 0, 1, struct.pack("<HH", 0, 8))
I64 = kind(0, 8, 8, struct.pack("<HH", 0, 64))
VLEN_TEXT = kind(9, 1, 16, kind(3, 0, 1))
VLEN_BYTES = kind(9, 0, 16, U8)


def fixed_text(size):
    return kind(3, 0, size)


def opaque(size):
    return kind(5, 8, size, b"blob\0\0\0\0")


def type_size(type_):
    return struct.unpack_from("<I", type_, 4)[0]


def space(shape):
    return struct.pack("<BBBB", 2, len(shape), 0, 1 if shape else 0) + b"".join(
        struct.pack("<Q", n) for n in shape)


def message(number, body, flags=0):
    return struct.pack("<BHB", number, len(body), flags) + body


def text(value):
    """An attribute's type, shape and bytes."""
    value = value.encode() if isinstance(value, str) else value
    return fixed_text(max(len(value), 1)), (), value or b"\0"


def attribute(name, type_, shape, value):
    name = name.encode() + b"\0"
    s = space(shape)
    return message(0x0c, struct.pack("<BBHHHB", 3, 0, len(name), len(type_), len(s), 0) + name +
                   type_ + s + value)


def hard(name, address):
    name = name.encode()
    return message(6, struct.pack("<BBB", 1, 0, len(name)) + name + struct.pack("<Q", address))


def soft(name, target):
    name, target = name.encode(), target.encode()
    return message(6, struct.pack("<BBBB", 1, 8, 1, len(name)) + name +
                   struct.pack("<H", len(target)) + target)


def external(name, file, path, flags=b"\0"):
    name = name.encode()
    value = flags + file.encode() + b"\0" + path.encode() + b"\0"
    return message(6, struct.pack("<BBBB", 1, 8, 64, len(name)) + name +
                   struct.pack("<H", len(value)) + value)


class File:
    def __init__(self, user_block=b""):
        self.user_block = user_block
        self.data = bytearray(48)
        self.root = None

    def put(self, data, align=8):
        self.data += b"\0" * (-len(self.data) % align)
        at = len(self.data)
        self.data += data
        return at

    def header(self, messages):
        body = b"".join(messages)
        return self.put(summed(b"OHDR" + struct.pack("<BBI", 2, 2, len(body)) + body))

    def group(self, children=None, attributes=None, more=()):
        parts = [message(2, struct.pack("<BBQQ", 0, 0, NOWHERE, NOWHERE)), message(10, b"\0\0")]
        parts += [hard(name, at) for name, at in (children or {}).items()]
        parts += [attribute(name, *value) for name, value in (attributes or {}).items()]
        return self.header(parts + list(more))

    def dataset(self, layout, type_, shape, more=()):
        return self.header([message(1, space(shape)), message(3, type_), *more,
                            message(8, layout)])

    def contiguous(self, raw, type_, shape, at=None, size=None, more=()):
        at = self.put(raw) if at is None else at
        size = len(raw) if size is None else size
        return self.dataset(struct.pack("<BBQQ", 3, 1, at, size), type_, shape, more)

    def compact(self, raw, type_, shape):
        return self.dataset(struct.pack("<BBH", 3, 0, len(raw)) + raw, type_, shape)

    def chunked(self, raw, type_, shape, filters=(), stored=None, at=None, levels=0):
        """One chunk of the whole shape, under the old index."""
        chunk = (shape or (1,)) + (type_size(type_),)
        at = self.put(raw) if at is None else at
        key = struct.pack("<II", stored or len(raw), 0) + b"\0" * 8 * len(chunk)
        end = struct.pack("<II", 0, 0) + b"".join(struct.pack("<Q", n) for n in chunk)
        tree = self.put(b"TREE" + struct.pack("<BBHQQ", 1, levels, 1, NOWHERE, NOWHERE) + key +
                        struct.pack("<Q", at) + end)
        layout = struct.pack("<BBBQ", 3, 2, len(chunk), tree) + b"".join(
            struct.pack("<I", n) for n in chunk)
        more = [pipeline(filters)] if filters else []
        return self.dataset(layout, type_, shape, more)

    def in_chunks(self, chunks, type_, shape, chunk, filters=()):
        """Many chunks of one dimension, under the old index: a root over leaves of two."""
        ends = [(chunk * i, len(raw), self.put(raw)) for i, raw in enumerate(chunks)]

        def key(place, size):
            return struct.pack("<IIQQ", size, 0, place, 0)

        leaves = []
        for i in range(0, len(ends), 2):
            some = ends[i:i + 2]
            body = b"".join(key(place, size) + struct.pack("<Q", at) for place, size, at in some)
            leaves.append((some[0][0], self.put(
                b"TREE" + struct.pack("<BBHQQ", 1, 0, len(some), NOWHERE, NOWHERE) + body +
                key(some[-1][0] + chunk, 0))))
        body = b"".join(key(place, 0) + struct.pack("<Q", at) for place, at in leaves)
        tree = self.put(b"TREE" + struct.pack("<BBHQQ", 1, 1, len(leaves), NOWHERE, NOWHERE) + body +
                        key(chunk * len(chunks), 0))
        layout = struct.pack("<BBBQII", 3, 2, 2, tree, chunk, type_size(type_))
        return self.dataset(layout, type_, shape, [pipeline(filters)] if filters else [])

    def global_heap(self, values):
        body = b""
        for i, value in enumerate(values, 1):
            body += struct.pack("<HHIQ", i, 1, 0, len(value)) + value + b"\0" * (-len(value) % 8)
        size = max(4096, 16 + len(body) + 16)
        body += struct.pack("<HHIQ", 0, 0, 0, size - 16 - len(body))
        return self.put((b"GCOL" + struct.pack("<BBBBQ", 1, 0, 0, 0, size) + body).ljust(size, b"\0"))

    def vlen(self, values):
        """The bytes of elements of variable length."""
        heap = self.global_heap(values)
        return b"".join(struct.pack("<IQI", len(value), heap, i)
                        for i, value in enumerate(values, 1))

    def local_heap(self, names):
        body, places = b"\0" * 8, []
        for name in names:
            places.append(len(body))
            body += name.encode() + b"\0" * (8 - len(name.encode()) % 8)
        at = self.put(body)
        return self.put(b"HEAP" + struct.pack("<BBBBQQQ", 0, 0, 0, 0, len(body), 1, at)), places

    def external_storage(self, names, type_, shape, size=16):
        heap, places = self.local_heap(names)
        slots = b"".join(struct.pack("<QQQ", place, 0, size) for place in places)
        body = struct.pack("<BBBBHHQ", 1, 0, 0, 0, len(names), len(names), heap) + slots
        return self.dataset(struct.pack("<BBQQ", 3, 1, NOWHERE, size), type_, shape,
                            [message(7, body)])

    def virtual(self, sources, type_, shape):
        everything = struct.pack("<IIII", 3, 1, 0, 0)
        block = struct.pack("<BQ", 0, len(sources))
        for file, path in sources:
            block += file.encode() + b"\0" + path.encode() + b"\0" + everything * 2
        heap = self.global_heap([summed(block)])
        return self.dataset(struct.pack("<BBQI", 4, 3, heap, 1), type_, shape)

    def finish(self, root=None, eof=None, tail=b""):
        self.root = root if root is not None else self.root
        base = len(self.user_block)
        eof = base + len(self.data) if eof is None else eof
        self.data[:48] = summed(b"\x89HDF\r\n\x1a\n" + struct.pack(
            "<BBBBQQQQ", 2, 8, 8, 0, base, NOWHERE, eof, self.root))
        return self.user_block + bytes(self.data) + tail


def pipeline(filters):
    """[(id, name, client values)]"""
    body = struct.pack("<BB", 2, len(filters))
    for number, name, values in filters:
        name = name.encode() + b"\0" if number >= 256 else b""
        body += struct.pack("<H", number)
        if number >= 256:
            body += struct.pack("<H", len(name))
        body += struct.pack("<HH", 0, len(values)) + name
        body += b"".join(struct.pack("<I", v) for v in values)
    return message(0x0b, body)
