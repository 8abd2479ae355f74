"""Large and hostile files for the figures of the scanner."""
import json
import os
import pickle
import struct
import zipfile

import numpy

GIB = 1 << 30


def weights(count, seed=1):
    """Float32 as a trained layer has them: normal, of a few hundredths."""
    return (numpy.random.default_rng(seed).standard_normal(count, dtype=numpy.float32) * 0.02).tobytes()


def torch_zip(path, tensors=16):
    """1 GiB of state dict as torch.save lays it out: one stored member a tensor, aligned to 64 bytes."""
    storage = weights(GIB // tensors // 4)
    out = [b"\x80\x02}q\x00("]
    for i in range(tensors):
        name, key = f"layer.{i}.weight".encode(), str(i).encode()
        out.append(b"X" + struct.pack("<I", len(name)) + name +
                   b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
                   b"X" + struct.pack("<I", len(key)) + key + b"X\x03\x00\x00\x00cpuJ" +
                   struct.pack("<i", len(storage) // 4) + b"tQK\x00M\x00\x10M\x00\x10\x86M\x00\x10K\x01\x86\x89"
                   b"ccollections\nOrderedDict\n)RtR")
    out.append(b"u.")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", b"".join(out))
        for i in range(tensors):
            archive.writestr(f"archive/data/{i}", storage)
        archive.writestr("archive/version", b"3\n")


def numpy_pickle(path, arrays=16):
    data = numpy.frombuffer(weights(GIB // arrays // 4), numpy.float32)
    with open(path, "wb") as out:
        pickle.dump({f"layer.{i}": data + numpy.float32(i) for i in range(arrays)}, out, protocol=4)


def safetensors(path, tensors=16):
    size = GIB // tensors
    header = {f"layer.{i}.weight": {"dtype": "F32", "shape": [size // 4096, 1024],
                                    "data_offsets": [i * size, (i + 1) * size]} for i in range(tensors)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for i in range(tensors):
            out.write(weights(size // 4, i))


def gguf(path, tensors=16, tokens=128_000):
    """F32 tensors and a vocabulary of the usual size."""
    def text(z):
        return struct.pack("<Q", len(z)) + z
    size = GIB // tensors
    head = [b"GGUF", struct.pack("<IQQ", 3, tensors, 2),
            text(b"general.architecture"), struct.pack("<I", 8), text(b"llama"),
            text(b"tokenizer.ggml.tokens"), struct.pack("<IIQ", 9, 8, tokens)]
    head += [text(b"token%d" % i) for i in range(tokens)]
    for i in range(tensors):
        head += [text(b"blk.%d.weight" % i), struct.pack("<IQQIQ", 2, 1024, size // 4096, 0, i * size)]
    data = b"".join(head)
    with open(path, "wb") as out:
        out.write(data + b"\0" * (-len(data) % 32))
        for i in range(tensors):
            out.write(weights(size // 4, i))


def hostile(folder):
    call = b"cposix\nsystem\n(X\x0b\x00\x00\x00echo canarytR"
    steps = b"".join(b"(h" + bytes([i]) + b"h" + bytes([i]) + b"lq" + bytes([i + 1]) for i in range(60))
    files = {
        "opcodes.pkl": b"\x80\x02" + b"N0" * 2_100_000 + call + b".",
        "padding.pkl": b"\x80\x02" + b"N" + b"0N" * 6_000_000 + b"0" + call + b".",
        "memo-bomb.pkl": b"\x80\x02]q\x00" + steps + b".",
        "claims.pkl": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"abc",
        "counts.npy": b"\x93NUMPY\x01\x00v\x00" +
                      b"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,), }".ljust(117) + b"\n",
    }
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)


def text(folder, megabytes=100):
    """Text of this machine in files of 5 MB: headers, Python, documentation."""
    parts, total = [], 0
    for top in ("/usr/include", "/usr/lib/python3", "/usr/lib/python3.11", "/usr/share/doc"):
        for where, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(where, name)
                if os.path.splitext(name)[1] in (".h", ".hpp", ".py", ".txt", ".md", ".rst", "") and os.path.isfile(path):
                    with open(path, "rb") as f:
                        parts.append(f.read(4 << 20).replace(b"\0", b""))
                    total += len(parts[-1])
                if total > megabytes << 20:
                    break
    data = b"\n".join(parts)[:megabytes << 20]
    paths = []
    for i in range(0, len(data), 5 << 20):
        paths.append(os.path.join(folder, f"text{i >> 20:03}.txt"))
        with open(paths[-1], "wb") as out:
            out.write(data[i:i + (5 << 20)])
    return paths, len(data)


def small(folder, count=2000):
    os.mkdir(folder)
    for i in range(count):
        with open(os.path.join(folder, f"{i:04}.pkl"), "wb") as out:
            pickle.dump({"weights": list(range(40)), "name": f"model {i}", "bias": 0.5}, out)
