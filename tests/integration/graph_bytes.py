"""The generated graphs are what protobuf itself reads: messages are declared here by descriptors, files
parsed by python3-protobuf, and what it counts is what the scanner's facts say. A loader written by others
judges the generator, so that the corpus is not made of files that only our own reader takes."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError as e:
    print("skipped: python3-protobuf is not installed (%s)" % e)
    sys.exit(77)

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
F = descriptor_pb2.FieldDescriptorProto
KINDS = {"i": F.TYPE_INT64, "s": F.TYPE_STRING, "b": F.TYPE_BYTES}

# message: {field: (number, kind or message, repeated)}; the parts that tell a right file from a wrong one
MESSAGES = {
    "SavedModel": {"version": (1, "i", False), "metas": (2, "Meta", True)},
    "Meta": {"info": (1, "Info", False), "graph": (2, "Graph", False), "assets": (6, "Asset", True)},
    "Info": {"tags": (4, "s", True), "tensorflow": (5, "s", False)},
    "Asset": {"filename": (2, "s", False)},
    "Graph": {"node": (1, "Node", True), "library": (2, "Library", False)},
    "Library": {"function": (1, "Function", True)},
    "Function": {"signature": (1, "Signature", False), "node": (3, "Node", True)},
    "Signature": {"name": (1, "s", False)},
    "Node": {"name": (1, "s", False), "op": (2, "s", False), "input": (3, "s", True),
             "attr": (5, "Attr", True)},
    "Attr": {"key": (1, "s", False), "value": (2, "b", False)},
    "Core": {"version": (1, "i", False), "description": (2, "b", False), "net": (500, "Net", False)},
    "Net": {"layers": (1, "Layer", True)},
    "Layer": {"name": (1, "s", False)},
    "Program": {"blocks": (1, "Block", True)},
    "Block": {"idx": (1, "i", False), "ops": (4, "Op", True)},
    "Op": {"type": (3, "s", False)},
}


def classes():
    f = descriptor_pb2.FileDescriptorProto(name="graphs.proto", package="g", syntax="proto2")
    for name, fields in MESSAGES.items():
        m = f.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            row = m.field.add(name=field, number=number,
                              label=F.LABEL_REPEATED if repeated else F.LABEL_OPTIONAL)
            if kind in KINDS:
                row.type = KINDS[kind]
            else:
                row.type, row.type_name = F.TYPE_MESSAGE, ".g." + kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(f)
    factory = message_factory.MessageFactory(pool)
    return {n: factory.GetPrototype(pool.FindMessageTypeByName("g." + n)) for n in MESSAGES}


def nodes_of(graph):
    functions = list(graph.library.function)
    return len(graph.node) + sum(len(f.node) for f in functions), len(functions)


def facts_of(report):
    facts = {}
    for fact in report["facts"]:
        facts.setdefault(fact["key"], fact["value"])
    return facts


def expected(made, path, data):
    """What protobuf counts in a file, as the facts that the scanner should report."""
    if path.endswith("saved_model.pb"):
        model = made["SavedModel"].FromString(data)
        counts = [nodes_of(m.graph) for m in model.metas]
        return {"tf.meta_graphs": len(model.metas), "tf.nodes": sum(c[0] for c in counts),
                "tf.functions": sum(c[1] for c in counts)}
    if path.startswith("tf/") and path.endswith(".pb") and "/ok_" in path and path.count("/") == 1:
        nodes, functions = nodes_of(made["Graph"].FromString(data))
        return {"tf.nodes": nodes, "tf.functions": functions}
    if path.endswith(".pdmodel"):
        program = made["Program"].FromString(data)
        return {"paddle.operators": sum(len(b.ops) for b in program.blocks)}
    if path.endswith(".mlmodel"):
        return {"coreml.layers": len(made["Core"].FromString(data).net.layers)}
    return None


def main():
    made, wrong, checked = classes(), [], 0
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["/usr/bin/python3", str(SOURCE / "tests/corpus/graph_tricks.py"), directory],
                       check=True)
        root = pathlib.Path(directory)
        rows = [line.split("\t") for line in (root / "manifest.tsv").read_text().splitlines()]
        for path in [row[0] for row in rows if row[1] == "benign"]:
            counts = expected(made, path, (root / path).read_bytes())
            if not counts:
                continue
            run = subprocess.run([TUTELA, "scan", "--format", "json", str(root / path)],
                                 capture_output=True, check=False)
            facts = facts_of(json.loads(run.stdout)["files"][0])
            for key, count in counts.items():
                if int(facts.get(key, 0)) != count and not (count == 0 and key not in facts) and \
                        not (key == "coreml.layers" and count == 0):
                    wrong.append("%s: %s is %s, protobuf counts %d" % (path, key, facts.get(key), count))
            checked += 1
    print("%d files parsed by protobuf, %d facts wrong" % (checked, len(wrong)))
    print("\n".join(wrong))
    return 1 if wrong or checked < 15 else 0


sys.exit(main())
