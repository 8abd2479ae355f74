"""Writers for graph_tricks.py: protobuf messages by field number, as the .proto files of TensorFlow,
Core ML, PaddlePaddle and Caffe have them, and tables of FlatBuffers (python3-flatbuffers)."""
import struct

try:
    import flatbuffers
except ImportError:
    flatbuffers = None


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """A field: int as varint, float as 4 bytes, text or bytes with their length."""
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(*pairs):
    """message((1, "name"), (5, [a, b])): a list repeats the field, None leaves it out."""
    out = b""
    for number, value in pairs:
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                out += field(number, one)
    return out


# --- TensorFlow: tensorflow/core/framework/*.proto, tensorflow/core/protobuf/*.proto ---

FLOAT, DOUBLE, INT32, UINT8, STRING, INT64, BOOL, BFLOAT16, HALF = 1, 2, 3, 4, 7, 9, 10, 14, 19


def shape(dims):
    return message((2, [message((1, d)) for d in dims]))


def tensor(dtype, dims, content=None, **values):
    """TensorProto; values: strings, floats (float_val), ints (int_val), longs (int64_val)."""
    floats = values.get("floats")
    return message((1, dtype), (2, shape(dims)), (4, content),
                   (5, struct.pack("<%df" % len(floats), *floats) if floats else None),
                   (7, b"".join(map(varint, values["ints"])) if "ints" in values else None),
                   (8, values.get("strings", [])),
                   (10, b"".join(map(varint, values["longs"])) if "longs" in values else None))


def attr(key, **value):
    numbers = {"list": 1, "s": 2, "i": 3, "f": 4, "b": 5, "type": 6, "shape": 7, "tensor": 8,
               "func": 10}
    return message((1, key), (2, message(*((numbers[k], v) for k, v in value.items()))))


def node(name, op, inputs=(), attrs=()):
    return message((1, name), (2, op), (3, list(inputs)), (5, list(attrs)))


def const_text(name, *texts, dims=()):
    return node(name, "Const", (), [attr("dtype", type=STRING),
                                    attr("value", tensor=tensor(STRING, dims, strings=list(texts)))])


def const(name, dtype, dims, content):
    return node(name, "Const", (), [attr("dtype", type=dtype),
                                    attr("value", tensor=tensor(dtype, dims, content))])


def function(name, nodes, args=()):
    signature = message((1, name), (2, [message((1, a), (3, STRING)) for a in args]))
    return message((1, signature), (3, list(nodes)))


def graph(nodes, functions=()):
    library = message((1, list(functions))) if functions else None
    return message((1, list(nodes)), (2, library), (4, message((1, 1286), (2, 12))))


def meta_graph(graph_def, saver=None, assets=(), objects=None, ops=("Const",), version="2.11.0"):
    op_list = message((1, [message((1, o)) for o in ops]))
    info = message((2, op_list), (4, "serve"), (5, version), (6, "v2.11.0-rc2-17-gd5b57ca93e5"),
                   (7, True))
    signature = message((1, "serving_default"), (2, message(
        (1, message((1, "x"), (2, message((1, "serving_default_x:0"), (2, FLOAT))))),
        (3, "tensorflow/serving/predict"))))
    return message((1, info), (2, graph_def), (3, saver), (5, signature), (6, list(assets)),
                   (7, objects))


def saved_model(*meta_graphs):
    return message((1, 1), (2, list(meta_graphs)))


def asset(tensor_name, filename):
    return message((1, message((1, tensor_name), (2, STRING))), (2, filename))


SAVER = message((1, "saver_filename:0"), (2, "StatefulPartitionedCall_1:0"),
                (3, "StatefulPartitionedCall_2"), (7, 2))


def call(name, callee, inputs):
    return node(name, "StatefulPartitionedCall", inputs,
                [attr("f", func=message((1, callee))), attr("Tin", list=message((6, STRING)))])


def traced_save(name="__inference__traced_save_123", target="file_prefix"):
    """As tf.saved_model.save() of TensorFlow 2 writes it."""
    return function(name, [
        node("StaticRegexFullMatch", "StaticRegexFullMatch", [target],
             [attr("pattern", s="^s3://.*")]),
        const_text("Const", ".part"), const_text("Const_1", "_temp/part"),
        node("Select", "Select", ["StaticRegexFullMatch:output:0", "Const:output:0",
                                  "Const_1:output:0"]),
        node("StringJoin", "StringJoin", [target, "Select:output:0"]),
        node("num_shards", "Const", (), [attr("value", tensor=tensor(INT32, [], ints=[1]))]),
        node("ShardedFilename", "ShardedFilename",
             ["StringJoin:output:0", "ShardedFilename/shard:output:0", "num_shards:output:0"]),
        const_text("SaveV2/tensor_names", "w/.ATTRIBUTES/VARIABLE_VALUE", dims=[1]),
        const_text("SaveV2/shape_and_slices", "", dims=[1]),
        node("SaveV2", "SaveV2", ["ShardedFilename:filename:0", "SaveV2/tensor_names:output:0",
                                  "SaveV2/shape_and_slices:output:0", "savev2_w"]),
        node("MergeV2Checkpoints", "MergeV2Checkpoints",
             ["MergeV2Checkpoints/checkpoint_prefixes:output:0", target, "^SaveV2"]),
        node("Identity", "Identity", [target, "^MergeV2Checkpoints"])], ["file_prefix", "savev2_w"])


def traced_restore(name="__inference__traced_restore_133"):
    return function(name, [
        const_text("RestoreV2/tensor_names", "w/.ATTRIBUTES/VARIABLE_VALUE", dims=[1]),
        node("RestoreV2", "RestoreV2", ["file_prefix", "RestoreV2/tensor_names:output:0"]),
        node("AssignVariableOp", "AssignVariableOp", ["assignvariableop_w", "RestoreV2:tensors:0"])],
        ["file_prefix"])


def keras_metadata(*configs):
    """SavedMetadata of keras/protobuf/saved_metadata.proto."""
    nodes = []
    for i, (path, identifier, text) in enumerate(configs):
        nodes.append(message((1, message((1, 1), (2, 1))), (2, i), (3, path), (4, identifier),
                             (5, text)))
    return message((1, nodes))


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    crc ^= 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff  # masked, as LevelDB writes it


def checkpoint_index(entries, shards=1, block_size=4096):
    """tensor_bundle.cc: entries is {name: (dtype, dims, shard, offset, size)}."""
    pairs = [(b"", message((1, shards), (3, message((1, 1)))))]
    for name in sorted(entries):
        dtype, dims, shard, offset, size = entries[name]
        value = message((1, dtype), (2, shape(dims)), (3, shard or None), (4, offset or None),
                        (5, size)) + varint(6 << 3 | 5) + bytes(4)
        pairs.append((name.encode(), value))
    out, index = b"", []

    def block(rows):
        """Every entry but the first shares what it can with the one before it."""
        body, last = b"", None
        for key, value in rows:
            shared = 0
            while last and shared < min(len(last), len(key)) and last[shared] == key[shared]:
                shared += 1
            body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
            last = key
        return body + struct.pack("<II", 0, 1)

    def add(body):
        nonlocal out
        handle = varint(len(out)) + varint(len(body))
        out += body + b"\0" + struct.pack("<I", crc32c(body + b"\0"))
        return handle

    rows = []
    for pair in pairs:
        rows.append(pair)
        if sum(len(k) + len(v) for k, v in rows) >= block_size:
            index.append((rows[-1][0], add(block(rows))))
            rows = []
    if rows:
        index.append((rows[-1][0], add(block(rows))))
    meta = add(block([]))
    footer = meta + add(block(index))
    return out + footer + bytes(40 - len(footer)) + bytes.fromhex("57fb808b247547db")


# --- FlatBuffers: {field: value}; see put() for the kinds of values ---

class Flat:
    """A buffer whose tables are written from dictionaries."""

    def __init__(self):
        self.b = flatbuffers.Builder(1024)

    def table(self, fields):
        """fields: {number: ("u8", 3) | ("text", "a") | ("table", {..}) | ("tables", [{..}]) |
        ("bytes", b"") | ("ints", [1]) | ("longs", [1])}; numbers of 1, 4, 8 bytes: u8 u32 u64."""
        ready = {n: self.child(kind, value) for n, (kind, value) in fields.items()}
        self.b.StartObject(max(fields, default=-1) + 1)
        for n, (kind, value) in fields.items():
            if kind == "u8":
                self.b.PrependUint8Slot(n, value, 0)
            elif kind == "u32":
                self.b.PrependUint32Slot(n, value, 0)
            elif kind == "u64":
                self.b.PrependUint64Slot(n, value, 0)
            else:
                self.b.PrependUOffsetTRelativeSlot(n, ready[n], 0)
        return self.b.EndObject()

    def child(self, kind, value):
        if kind == "text":
            return self.b.CreateString(value)
        if kind == "table":
            return self.table(value)
        if kind == "tables":
            rows = [self.table(v) for v in value]
            return self.vector(rows, 4, self.b.PrependUOffsetTRelative)
        if kind == "ints":
            return self.vector([v & 0xffffffff for v in value], 4, self.b.PrependUint32)
        if kind == "longs":
            return self.vector(value, 8, self.b.PrependUint64)
        if kind == "bytes":
            self.b.StartVector(1, len(value), 16)
            for byte in reversed(value):
                self.b.PrependByte(byte)
            return self.end(len(value))
        return 0

    def vector(self, rows, size, prepend):
        self.b.StartVector(size, len(rows), size)
        for row in reversed(rows):
            prepend(row)
        return self.end(len(rows))

    def end(self, count):
        try:
            return self.b.EndVector()
        except TypeError:
            return self.b.EndVector(count)

    def finish(self, root, identifier):
        self.b.Finish(root, file_identifier=identifier)
        return bytes(self.b.Output())


def flat(root, identifier):
    f = Flat()
    return f.finish(f.table(root), identifier)


def tflite(codes=((0, None, 9),), tensors=None, buffers=(), operators=None, metadata=(), **more):
    """Model of schema.fbs; codes: (old code, custom name, code); tensors: (shape, type, buffer,
    name); buffers: bytes or (offset, size); operators: (code, inputs, outputs, options)."""
    if tensors is None:
        tensors = [([1, 4], 0, 0, "x"), ([3, 4], 0, 1, "w"), ([1, 3], 0, 0, "y")]
    if operators is None:
        operators = [(0, [0, 1, -1], [2], None)]
    code_rows = []
    for old, name, code in codes:
        row = {0: ("u8", old), 2: ("u32", 1), 3: ("u32", code)}
        if name is not None:
            row[1] = ("text", name)
        code_rows.append(row)
    rows = [{0: ("ints", s), 1: ("u8", t), 2: ("u32", b), 3: ("text", n)} for s, t, b, n in tensors]
    ops = []
    for code, inputs, outputs, options in operators:
        row = {0: ("u32", code), 1: ("ints", inputs), 2: ("ints", outputs)}
        if options is not None:
            row[5] = ("bytes", options)
        ops.append(row)
    buffer_rows = [{}]
    for data in buffers:
        buffer_rows.append({0: ("bytes", data)} if isinstance(data, bytes)
                           else {1: ("u64", data[0]), 2: ("u64", data[1])})
    subgraph = {0: ("tables", rows), 1: ("ints", more.get("inputs", [0])),
                2: ("ints", more.get("outputs", [2])), 3: ("tables", ops), 4: ("text", "main")}
    model = {0: ("u32", 3), 1: ("tables", code_rows), 2: ("tables", [subgraph]),
             3: ("text", more.get("description", "MLIR Converted.")), 4: ("tables", buffer_rows),
             6: ("tables", [{0: ("text", n), 1: ("u32", b)} for n, b in metadata])}
    return flat(model, b"TFL3")


def executorch(operators=(("aten::add", "out"),), delegates=(), inline=(), segments=b"", **more):
    """Program of program.fbs with its extended header; delegates: (id, location, index)."""
    sizes = more.get("sizes", [3, 4])
    tensor_row = {0: ("u8", more.get("dtype", 6)), 2: ("ints", sizes), 3: ("bytes", bytes(len(sizes))),
                  5: ("u32", more.get("buffer", 1))}
    values = [{0: ("u8", 5), 1: ("table", tensor_row)}, {0: ("u8", 2), 1: ("table", {0: ("u64", 1)})}]
    instruction = {0: ("u8", 1), 1: ("table", {0: ("u32", more.get("call", 0)), 1: ("ints", [0, 0])})}
    plan = {0: ("text", "forward"), 2: ("tables", values), 3: ("ints", [0]), 4: ("ints", [0]),
            5: ("tables", [{0: ("ints", []), 1: ("ints", []), 2: ("tables", [instruction])}]),
            6: ("tables", [{0: ("text", n), 1: ("text", o)} for n, o in operators]),
            7: ("tables", [{0: ("text", i), 1: ("table", {0: ("u8", at), 1: ("u32", n)})}
                           for i, at, n in delegates]), 8: ("longs", [0, 64])}
    program = {0: ("u32", 0), 1: ("tables", [plan]),
               3: ("tables", [{0: ("bytes", d)} for d in inline]),
               4: ("tables", [{0: ("u64", o), 1: ("u64", n)} for o, n in
                              more.get("ranges", [(0, len(segments))])]),
               5: ("table", {0: ("u32", 0), 1: ("longs", more.get("offsets", [0, 0]))})}
    body = flat(program, b"ET12")
    # The header lies between the identifier and the rest: offsets move by its length.
    root = struct.unpack("<I", body[:4])[0] + 32
    size = len(body) + 32
    base = (size + 127) // 128 * 128
    head = struct.pack("<I4s4sIQQ", root, b"ET12", b"eh00", more.get("length", 24),
                       more.get("program_size", size), more.get("segment_base", base))
    head += bytes(40 - len(head))
    return head + body[8:] + bytes(base - size) + segments


# --- Core ML: mlmodel/format/*.proto of coremltools ---

def coreml(kind, body, version=4, metadata=()):
    feature = message((1, "x"), (3, message((5, message((1, [3]), (2, 65568))))))
    info = message((1, "A model"), (2, "1.0"), (3, "Ana"), (4, "MIT"),
                   (100, [message((1, k), (2, v)) for k, v in metadata]))
    description = message((1, feature), (10, feature), (100, info))
    return message((1, version), (2, description), (kind, body))


def coreml_layer(name, kind, body):
    return message((1, name), (2, "x"), (3, "y"), (kind, body))


def coreml_program(operations):
    block = message((2, "y"), (3, list(operations)))
    function = message((2, "CoreML5"), (3, message((1, "CoreML5"), (2, block))))
    return message((1, 1), (2, message((1, "main"), (2, function))))


def coreml_const(name, filename, offset=64):
    value = message((2, message((1, message((1, 11), (2, 1))))),
                    (5, message((1, filename), (2, offset))))
    text = message((3, message((1, message((4, message((1, name))))))))
    return message((1, "const"), (3, message((1, name))),
                   (5, [message((1, "name"), (2, text)), message((1, "val"), (2, value))]))


# --- PaddlePaddle: framework.proto ---

def paddle_op(kind, **attrs):
    rows = [message((1, k), (2, 2), (5, v)) if isinstance(v, str) else
            message((1, k), (2, 0), (3, v)) for k, v in attrs.items()]
    return message((3, kind), (1, message((1, "X"), (2, "x"))), (2, message((1, "Out"), (2, "y"))),
                   (4, rows))


def paddle(ops, blocks=1):
    variable = message((1, "x"), (2, message((1, 7), (3, message((1, message((1, 5), (2, -1)))))),),
                       (3, False))
    rows = []
    for i in range(blocks):
        rows.append(field(1, i) + field(2, i - 1) + message((3, [variable]), (
            4, list(ops) if i == blocks - 1 else [paddle_op("feed", col=0)])))
    return message((1, rows), (4, message((1, 0))))


def paddle_tensor(dtype, dims, data):
    description = field(1, dtype) + b"".join(field(2, d) for d in dims)
    return struct.pack("<IQI", 0, 0, 0) + struct.pack("<i", len(description)) + description + data


# --- Caffe: caffe.proto ---

def caffe(layers):
    return message((1, "net"), (100, list(layers)))


def caffe_layer(name, kind, *more):
    return message((1, name), (2, kind), (3, "data"), (4, name), *more)
