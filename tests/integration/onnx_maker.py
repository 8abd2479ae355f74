"""ONNX files written field by field, for tests that have no framework."""
import random
import struct

FLOAT, INT64, DOUBLE = 1, 7, 11


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def attribute(name, value):
    body = message(1, name)
    if isinstance(value, float):
        return message(5, body + varint(2 << 3 | 5) + struct.pack("<f", value) + number(20, 1))
    if isinstance(value, str):
        return message(5, body + message(4, value) + number(20, 3))
    if isinstance(value, int):
        return message(5, body + number(3, value) + number(20, 2))
    return message(5, body + b"".join(number(8, v) for v in value) + number(20, 7))


class Maker:
    """One input "x" of rows of `shape`; every operator's output is named by its number."""

    def __init__(self, shape, opset=17, seed=1):
        self.shape, self.opset, self.random = shape, opset, random.Random(seed)
        self.nodes, self.tensors, self.count = b"", b"", 0

    def name(self):
        self.count += 1
        return "v%d" % self.count

    def tensor(self, shape, values, kind=FLOAT, way="raw"):
        name = self.name()
        code = {FLOAT: "f", INT64: "q", DOUBLE: "d"}[kind]
        body = b"".join(number(1, d) for d in shape) + number(2, kind) + message(8, name)
        packed = struct.pack("<%d%s" % (len(values), code), *values)
        if way == "raw":
            body += message(9, packed)
        elif kind == INT64:
            body += message(7, b"".join(varint(v) for v in values))
        else:
            body += message({FLOAT: 4, DOUBLE: 10}[kind], packed)
        self.tensors += message(5, body)
        return name

    def draw(self, *shape, low=-1.0, high=1.0, kind=FLOAT, way="raw"):
        size = 1
        for d in shape:
            size *= d
        return self.tensor(shape, [self.random.uniform(low, high) for _ in range(size)], kind, way)

    def weights(self, *shape):
        fan = 1
        for d in shape[1:] if len(shape) > 2 else shape[:1]:
            fan *= d
        return self.draw(*shape, low=-(2 / fan) ** 0.5, high=(2 / fan) ** 0.5)

    def ints(self, *values, way="raw"):
        return self.tensor([len(values)], values, INT64, way)

    def node(self, op, *inputs, **attributes):
        name = self.name()
        self.nodes += message(1, b"".join(message(1, i) for i in inputs) + message(2, name) + message(4, op)
                              + b"".join(attribute(k, v) for k, v in attributes.items()))
        return name

    def norm(self, x, channels):
        return self.node("BatchNormalization", x, self.draw(channels, low=0.5, high=1.5), self.draw(channels),
                         self.draw(channels), self.draw(channels, low=0.5, high=1.5), epsilon=1e-3)

    def save(self, path, output, rows=None):
        def value(field, name, shape):
            first = message(1, number(1, rows) if rows else message(2, "rows"))
            dims = first + b"".join(message(1, number(1, d)) for d in shape)
            return message(field, message(1, name) + message(2, message(1, number(1, FLOAT) + message(2, dims))))
        end = message(12, message(1, output) + message(2, message(1, number(1, FLOAT))))
        graph = self.nodes + message(2, "net") + self.tensors + value(11, "x", self.shape) + end
        with open(path, "wb") as f:
            f.write(number(1, 8) + message(7, graph) + message(8, number(2, self.opset)))
