"""Writers for graph_tricks.py: protobuf messages by field number, as the .proto files of TensorFlow,
Core ML, PaddlePaddle and Caffe have them. Standard library only."""
import struct


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
