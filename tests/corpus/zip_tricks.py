#!/usr/bin/env python3
"""Archives, compressed files and NumPy files with every trick that the zip, codec and npy parsers
must catch, and honest ones that they must leave alone.

    zip_tricks.py OUTDIR

writes the files and OUTDIR/manifest.tsv with one line a file:

    path  label (malicious, suspicious, benign)  trick  loader  expected rules (comma)  least verdict

All payloads are inert: they would print a word.
"""
import bz2
import gzip
import io
import lzma
import os
import struct
import sys
import zipfile
import zlib

PAYLOAD = b"\x80\x02cos\nsystem\nq\x00X\x0b\x00\x00\x00echo canaryq\x01\x85q\x02Rq\x03."
HARMLESS = b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s."
LOADERS = {"torch": "torch.load", "numpy": "numpy.load", "gz": "gzip", "xz": "lzma",
           "unzip": "by specification: unzip", "miniz": "by specification: miniz",
           "stream": "by specification: whoever reads the local headers"}
# Malicious files that the loader of their kind, as Debian packages it, refuses or reads otherwise.
REFUSED = """method_central method_unknown size_unpacked flag_1_central flag_1_both flag_20_central
    flag_20_both flag_40_central flag_40_both flag_2000_central flag_2000_both local_missing member_cut
    size_less end_in_comment archive_in_comment zip64_missing trailing.pkl code pickle_in
    script_save""".split()
EVERY_MEMBER = ["names_duplicate", "names_duplicate_first", "names_case", "names_slash"]
rows = []
out_dir = "."


def emit(name, data, label, trick, loader="zipfile", rules="", verdict="dangerous"):
    path = os.path.join(out_dir, name)
    with open(path, "wb") as f:
        f.write(data)
    if label == "benign":
        verdict = "clean"
    loader = LOADERS.get(loader, loader)
    stem = name.rpartition(".")[0]
    if label == "malicious" and stem in REFUSED:
        loader = "by specification: this version refuses it, or reads something else"
    elif label == "malicious" and stem in EVERY_MEMBER:
        loader = "zipfile"
    rows.append((name, label, trick, loader, rules, verdict))


# --- a zip writer that lies on demand ---

class Member:
    def __init__(self, name, data=HARMLESS, method=0, **kw):
        self.name = name if isinstance(name, bytes) else name.encode()
        self.data = data
        self.method = method
        if method == 8:
            c = zlib.compressobj(9, zlib.DEFLATED, -15)
            self.packed = c.compress(data) + c.flush()
        else:
            self.packed = data
        self.flags = 0
        self.extra = b""
        self.central_extra = None
        self.made_by = 20
        self.external = 0
        self.descriptor = None
        self.local = {}      # overrides in the local header
        self.central = {}    # overrides in the central header
        self.no_central = False
        self.no_local = False
        self.before = b""    # bytes before the local header
        self.at = None
        for k, v in kw.items():
            setattr(self, k, v)

    def fields(self, over):
        d = dict(flags=self.flags, method=self.method, crc=zlib.crc32(self.data),
                 packed=len(self.packed), unpacked=len(self.data), name=self.name)
        d.update(over)
        return d

    def local_bytes(self):
        f = self.fields(self.local)
        head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, f["flags"], f["method"], 0, 33,
                           f["crc"], f["packed"] & 0xffffffff, f["unpacked"] & 0xffffffff,
                           len(f["name"]), len(self.extra))
        return head + f["name"] + self.extra + self.packed + (self.descriptor or b"")

    def central_bytes(self, at):
        f = self.fields(self.central)
        extra = self.extra if self.central_extra is None else self.central_extra
        head = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", self.made_by, 20, f["flags"],
                           f["method"], 0, 33, f["crc"], f["packed"] & 0xffffffff,
                           f["unpacked"] & 0xffffffff, len(f["name"]), len(extra), 0, 0, 0,
                           self.external, f.get("at", at))
        return head + f["name"] + extra


def end_record(count, size, offset, comment=b"", here=None):
    return struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count if here is None else here, count, size,
                       offset, len(comment)) + comment


def archive(members, prefix=b"", gap=b"", comment=b"", tail=b"", base=0, **over):
    body = bytearray(prefix)
    for m in members:
        body += m.before
        if not m.no_local:
            m.at = len(body) - (len(prefix) if not base else 0)
            body += m.local_bytes()
    body += gap
    start = len(body)
    listed = [m for m in members if not m.no_central]
    for m in listed:
        body += m.central_bytes(m.at if m.at is not None else 0)
    size = len(body) - start
    body += over.get("before_end", b"")
    if not over.get("no_end"):
        body += end_record(over.get("count", len(listed)), over.get("size", size),
                           over.get("offset", start - (len(prefix) if not base else 0)), comment)
    return bytes(body) + tail


def torch_members(pickle=PAYLOAD, root="archive"):
    return [Member(root + "/data.pkl", pickle), Member(root + "/data/0", b"\0" * 64),
            Member(root + "/version", b"3\n")]


# --- honest archives ---

class Unseekable(io.RawIOBase):
    """What makes zipfile write data descriptors."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def seekable(self):
        return False

    def write(self, b):
        self.data += bytes(b)
        return len(b)


def python_zip(build, **kw):
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w", **kw) as z:
        build(z)
    return f.getvalue()


def honest_zips():
    def one(z):
        z.writestr("a.pkl", HARMLESS)
        z.writestr("dir/b.txt", "text\n" * 50)

    for name, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED),
                         ("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA)):
        emit("ok_%s.zip" % name, python_zip(one, compression=method), "benign", "zip " + name)
    emit("ok_empty.zip", python_zip(lambda z: None), "benign", "empty archive")

    def directories(z):
        z.writestr(zipfile.ZipInfo("dir/"), b"")
        z.writestr(zipfile.ZipInfo("dir/sub/"), b"")
        z.writestr("dir/sub/empty.txt", b"")
        z.comment = b"a comment"
    emit("ok_directories.zip", python_zip(directories), "benign", "directories, comment")

    def wide(z):
        with z.open(zipfile.ZipInfo("wide.pkl"), "w", force_zip64=True) as m:
            m.write(HARMLESS)
        info = zipfile.ZipInfo("wide2.pkl")
        info.compress_type = zipfile.ZIP_DEFLATED
        with z.open(info, "w", force_zip64=True) as m:
            m.write(HARMLESS * 9)
    emit("ok_zip64.zip", python_zip(wide), "benign", "zip64 forced")

    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        sink = Unseekable()
        with zipfile.ZipFile(sink, "w", method) as z:
            z.writestr("a.pkl", HARMLESS)
            with z.open(zipfile.ZipInfo("b.txt"), "w") as m:
                m.write(b"streamed " * 100)
            with z.open("c.txt", "w", force_zip64=True) as m:
                m.write(b"streamed wide " * 100)
            z.writestr("empty.txt", b"")
        emit("ok_streamed_%d.zip" % method, bytes(sink.data), "benign", "data descriptors")

    def unicode_names(z):
        z.writestr("modèle/poids.pkl", HARMLESS)
        z.writestr("README", b"one")
        z.writestr("LICENCE", b"two")
    emit("ok_unicode.zip", python_zip(unicode_names), "benign", "UTF-8 names")
    inner = python_zip(one)
    emit("ok_nested.zip", python_zip(lambda z: z.writestr("inner.zip", inner)), "benign",
         "stored archive inside")
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w") as z:
        z.writestr("a.txt", b"one")
    with zipfile.ZipFile(f, "a") as z:
        z.writestr("b.txt", b"two")
    emit("ok_appended.zip", f.getvalue(), "benign", "appended to")
    emit("ok_torch.pt", archive(torch_members(HARMLESS)), "benign", "torch layout", "torch")
    many = python_zip(lambda z: [z.writestr("n%05d" % i, b"x") for i in range(3000)])
    emit("ok_many.zip", many, "benign", "3,000 members")
    zeros = python_zip(lambda z: z.writestr("zeros", b"\0" * (4 << 20)),
                       compression=zipfile.ZIP_DEFLATED)
    emit("ok_zeros.zip", zeros, "benign", "well packed, small")


# --- tricks on headers ---

def header_tricks():
    t = torch_members

    def changed(**over):
        members = t()
        for k, v in over.items():
            setattr(members[0], k, v)
        return archive(members)

    emit("name_local.pt", changed(local={"name": b"archive/other.bin"}), "malicious",
         "names differ", "torch", "zip.name-mismatch")
    emit("name_case.pt", changed(local={"name": b"ARCHIVE/data.pkl"}), "malicious",
         "names differ by case", "torch", "zip.name-mismatch")
    emit("name_nul.pt", changed(local={"name": b"archive/data.pkl\0.txt"}), "malicious",
         "names differ behind NUL", "torch", "zip.name-mismatch,zip.nul-in-name")
    emit("name_backslash.pt", changed(local={"name": b"archive\\data.pkl"}), "malicious",
         "names differ by slash", "torch", "zip.name-mismatch,zip.odd-name")
    emit("method_local.pt", changed(local={"method": 8}), "malicious", "methods differ", "torch",
         "zip.header-mismatch")
    emit("method_central.pt", changed(central={"method": 8}), "malicious", "methods differ",
         "torch", "zip.header-mismatch")
    emit("method_unknown.pt", changed(local={"method": 77}, central={"method": 77}), "malicious",
         "unknown method over stored data", "torch", "zip.unsupported-method", "review")
    emit("crc_local.pt", changed(local={"crc": 1}), "malicious", "CRC differs", "torch",
         "zip.header-mismatch")
    emit("crc_both.pt", changed(local={"crc": 1}, central={"crc": 1}), "malicious", "CRC wrong",
         "torch", "zip.crc-mismatch")
    emit("size_local.pt", changed(local={"packed": 3, "unpacked": 3}), "malicious", "sizes differ",
         "torch", "zip.header-mismatch")
    emit("size_unpacked.pt", changed(local={"unpacked": 7}, central={"unpacked": 7}), "malicious",
         "unpacked size wrong", "torch", "zip.size-mismatch")
    for bit in (0x1, 0x20, 0x40, 0x2000):
        rule = "zip.false-encryption" if bit == 1 else "zip.flag-unusual"
        for where in ("local", "central", "both"):
            over = {}
            if where != "central":
                over["local"] = {"flags": bit}
            if where != "local":
                over["central"] = {"flags": bit}
            rules = rule if where == "both" else rule + ",zip.flag-mismatch"
            emit("flag_%x_%s.pt" % (bit, where), changed(**over), "malicious",
                 "flag 0x%x %s" % (bit, where), "torch", rules)
    secret = Member("archive/data.pkl", os.urandom(80), flags=1)
    secret.local = secret.central = {"crc": 0x12345678}
    emit("encrypted.pt", archive([secret] + t()[1:]), "suspicious", "encrypted", "torch",
         "zip.encrypted", "review")
    emit("unicode_path.pt", changed(extra=struct.pack("<HHBI", 0x7075, 9 + 0, 1, zlib.crc32(
        b"archive/data.pkl")) + b"evil"), "malicious", "second name", "unzip", "zip.unicode-name")
    emit("extra_broken.pt", changed(extra=struct.pack("<HH", 0x9999, 500) + b"ab"), "malicious",
         "extra field too long", "torch", "zip.extra-field")
    emit("local_missing.pt", changed(central={"at": 1 << 20}), "malicious",
         "no local header", "torch", "zip.central-only-member")
    deferred = Member("archive/data.pkl", PAYLOAD, flags=8)
    deferred.local = {"crc": 0, "packed": 0, "unpacked": 0}
    deferred.descriptor = struct.pack("<4sIII", b"PK\7\10", 1, 2, 3)
    emit("descriptor_wrong.pt", archive([deferred] + t()[1:]), "malicious", "descriptor differs",
         "torch", "zip.descriptor-mismatch")
    deferred.descriptor = b""
    emit("descriptor_missing.pt", archive([deferred] + t()[1:]), "malicious", "descriptor missing",
         "torch", "zip.descriptor-mismatch")
    deferred.descriptor = struct.pack("<III", zlib.crc32(PAYLOAD), len(PAYLOAD), len(PAYLOAD))
    emit("ok_descriptor_bare.pt", archive(
        [Member("archive/data.pkl", HARMLESS, flags=8,
                local={"crc": 0, "packed": 0, "unpacked": 0},
                descriptor=struct.pack("<III", zlib.crc32(HARMLESS), len(HARMLESS),
                                       len(HARMLESS)))] + t()[1:]),
        "benign", "descriptor without signature", "torch")
    emit("member_cut.pt", changed(central={"packed": 1 << 20, "unpacked": 1 << 20},
                                  local={"packed": 1 << 20, "unpacked": 1 << 20}), "malicious",
         "member beyond the end", "torch", "zip.member-cut")


def name_tricks():
    def names(*list_of):
        return archive([Member(n) for n in list_of])

    emit("names_duplicate.pt", archive(torch_members(HARMLESS) +
                                       [Member("archive/data.pkl", PAYLOAD)]), "malicious",
         "duplicate name, last", "torch", "zip.duplicate-name")
    emit("names_duplicate_first.pt", archive([Member("archive/data.pkl", PAYLOAD)] +
                                             torch_members(HARMLESS)), "malicious",
         "duplicate name, first", "torch", "zip.duplicate-name")
    emit("names_case.pt", archive(torch_members(HARMLESS) + [Member("archive/DATA.PKL", PAYLOAD)]),
         "malicious", "names meet by case", "torch", "zip.name-collision")
    emit("names_slash.pt", archive(torch_members(HARMLESS) + [Member("archive//data.pkl", PAYLOAD)]),
         "malicious", "names meet by slashes", "torch", "zip.name-collision")
    emit("names_nul.zip", names("a.pkl", b"a.pkl\0.txt"), "suspicious", "names meet by NUL",
         "zipfile", "zip.nul-in-name,zip.name-collision")
    emit("names_case.zip", names("README", "readme"), "suspicious", "names meet by case",
         "zipfile", "zip.case-collision", "review")
    for i, bad in enumerate(("../../etc/x", "a/../../x", "/etc/x", "\\x", "C:\\x", "C:x",
                             "a\\..\\..\\x")):
        emit("names_unsafe_%d.zip" % i, names("ok.txt", bad), "suspicious", "path " + bad,
             "zipfile", "zip.unsafe-name")
    link = Member("link", b"../../etc", made_by=0x031e, external=0o120777 << 16)
    emit("link_out.zip", archive([link, Member("link/x", b"y")]), "suspicious", "link out",
         "unzip", "zip.symlink-escape")
    inside = Member("link", b"target.txt", made_by=0x031e, external=0o120777 << 16)
    emit("link_inside.zip", archive([inside, Member("target.txt", b"y")]), "suspicious",
         "link inside", "unzip", "zip.symlink", "review")
    emit("link_through.zip", archive([inside, Member("link/x", b"y")]), "suspicious",
         "member below a link", "unzip", "zip.symlink-escape")
    device = Member("null", b"", made_by=0x031e, external=0o020666 << 16)
    emit("device.zip", archive([device]), "suspicious", "device", "unzip", "zip.special-file")
    emit("name_empty.zip", names("", "a"), "suspicious", "empty name", "zipfile", "zip.odd-name",
         "review")


def layout_tricks():
    t = torch_members
    emit("prefix.pt", archive(t(), prefix=b"MZ" + b"\x90" * 500), "malicious", "prefix bytes",
         "zipfile", "zip.prefix-data")
    emit("prefix_adjusted.pt", archive(t(), prefix=b"#!/bin/sh\n", base=1), "malicious",
         "prefix bytes, offsets adjusted", "zipfile", "zip.prefix-data")
    good, bad = archive(t(HARMLESS)), archive(t())
    emit("concat_first.pt", bad + good, "malicious", "two archives, payload in the first", "miniz",
         "zip.hidden-archive")
    emit("concat_last.pt", good + bad, "malicious", "two archives, payload in the last", "zipfile",
         "zip.hidden-archive")
    emit("trailing.pt", archive(t(HARMLESS), tail=PAYLOAD * 3), "suspicious", "trailing pickle",
         "zipfile", "zip.trailing-data")
    emit("gap.pt", archive(t(HARMLESS), gap=PAYLOAD), "suspicious", "bytes before the directory",
         "zipfile", "zip.gap-data", "review")
    members = t(HARMLESS)
    members[1].before = b"hidden words"
    emit("gap_between.pt", archive(members), "suspicious", "bytes between members", "zipfile",
         "zip.gap-data", "review")
    members = t(HARMLESS)
    members[1].before = b"\0" * 16
    emit("ok_gap_zero.pt", archive(members), "benign", "aligned by zero bytes", "zipfile")
    hidden = Member("archive/hidden.pkl", PAYLOAD, no_central=True)
    emit("local_only.pt", archive([t(HARMLESS)[0], hidden] + t(HARMLESS)[1:]), "malicious",
         "member without directory entry", "stream", "zip.local-only-member")
    packed = Member("archive/hidden.pkl", PAYLOAD * 20, method=8, no_central=True, flags=8,
                    local={"crc": 0, "packed": 0, "unpacked": 0})
    packed.descriptor = struct.pack("<4sIII", b"PK\7\10", zlib.crc32(packed.data),
                                    len(packed.packed), len(packed.data))
    emit("local_only_streamed.pt", archive([packed] + t(HARMLESS)), "malicious",
         "streamed member without directory entry", "stream", "zip.local-only-member")
    emit("count_less.pt", archive(t(), count=2), "malicious", "entry count too small", "miniz",
         "zip.entry-count")
    emit("count_more.pt", archive(t(), count=9), "malicious", "entry count too large", "miniz",
         "zip.entry-count")
    emit("size_less.pt", archive(t(), size=60), "malicious", "directory size too small", "zipfile",
         "zip.end-record")
    emit("end_missing.pt", archive(t(), no_end=True), "malicious", "no end record", "stream",
         "zip.no-directory")
    whole = archive(t())
    emit("cut.pt", whole[:len(whole) // 2], "suspicious", "cut in the middle", "stream",
         "zip.no-directory")
    fake = end_record(0, 0, 0)
    emit("end_in_comment.pt", archive(t(), comment=b"see: " + fake), "malicious",
         "end record in the comment", "zipfile", "")
    inner = archive(t(HARMLESS), prefix=b"")
    emit("archive_in_comment.pt", archive(t(), comment=inner), "malicious",
         "archive in the comment", "zipfile", "zip.hidden-archive")
    # Two directories: one where the offset says, one before the end record.
    a, b = Member("archive/data.pkl", PAYLOAD), Member("archive/data.pkl", HARMLESS)
    b.no_central = True
    body = a.local_bytes()
    b_at = len(body)
    body += b.local_bytes()
    first = a.central_bytes(0)
    second = b.central_bytes(b_at)
    start = len(body)
    body += first + b"\0\0\0\0" + second + end_record(1, len(second), start)
    emit("two_directories.pt", body, "malicious", "directory by offset or by end", "miniz",
         "zip.several-directories")
    # zip64 records that disagree with the plain ones.
    members = t()
    body = b"".join(m.local_bytes() for m in members)
    at, central = 0, b""
    for m in members:
        central += m.central_bytes(at)
        at += len(m.local_bytes())
    wide_at = len(body) + len(central)
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 3, 3, len(central), len(body))
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, wide_at, 1)
    emit("ok_zip64_end.zip", body + central + wide + locator + end_record(
        0xffff, 0xffffffff, 0xffffffff), "malicious", "zip64 end record (sound archive)",
        "torch", "", "malicious")
    emit("zip64_disagrees.pt", body + central + wide + locator + end_record(2, 90, 0), "malicious",
         "plain and zip64 end differ", "zipfile", "zip.zip64-mismatch")
    emit("zip64_missing.pt", body + central + end_record(0xffff, len(central), 0xffffffff),
         "malicious", "zip64 sentinels without zip64", "zipfile", "zip.zip64-mismatch")
    emit("entry_sentinel.pt", archive([Member("archive/data.pkl", PAYLOAD, central={
        "packed": 0xffffffff})] + t()[1:]), "malicious", "entry sentinel without zip64", "miniz",
        "zip.zip64-mismatch")


def bombs():
    zeros = b"\0" * (16 << 20)
    kernel = Member("kernel", zeros, method=8)
    local = kernel.local_bytes()
    # Many entries over one kernel.
    central = b"".join(Member("n%d" % i, zeros[:1], method=8, local={}, central={
        "crc": zlib.crc32(zeros), "packed": len(kernel.packed), "unpacked": len(zeros)}
    ).central_bytes(0) for i in range(60))
    emit("bomb_shared.zip", local + central + end_record(60, len(central), len(local)),
         "suspicious", "one kernel, many entries", "unzip", "zip.overlap,zip.bomb")
    # Quoted overlap: each member holds the headers of the next ones as stored deflate blocks.
    quoted, after, entries = b"", b"", []
    body = kernel.packed
    crc, unpacked = zlib.crc32(zeros), len(zeros)
    data = zeros
    for i in range(30):
        name = b"q%02d" % i
        head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 8, 0, 33, crc, len(body), unpacked,
                           len(name), 0) + name
        entries.append((name, crc, len(body), unpacked, len(body)))
        quoted = head + body
        data = head + data
        body = struct.pack("<BHH", 0, len(head), len(head) ^ 0xffff) + quoted
        crc, unpacked = zlib.crc32(data), len(data)
    total = len(quoted)
    central = b""
    for name, c, packed, size, length in entries:
        at = total - length - 30 - len(name)
        m = Member(name, b"", method=8, central={"crc": c, "packed": packed, "unpacked": size})
        central += m.central_bytes(at)
    emit("bomb_quoted.zip", quoted + central + end_record(len(entries), len(central), total),
         "suspicious", "quoted overlap", "unzip", "zip.overlap")
    c = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(c.compress(zeros) for _ in range(20)) + c.flush()
    emit("bomb.gz", packed, "suspicious", "gzip bomb", "gzip", "codec.bomb")
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(c.compress(zeros) for _ in range(20)) + c.flush()
    big = Member("big", b"", method=8)
    big.packed = packed
    over = {"packed": len(packed), "unpacked": 20 * len(zeros), "crc": 0}
    big.local = big.central = over
    emit("bomb.zip", archive([big]), "suspicious", "deflate bomb", "unzip", "zip.bomb")
    layers = archive([Member("zeros", zeros * 4, method=8)])
    for _ in range(3):
        layers = archive([Member("z%d.zip" % i, layers, method=8) for i in range(16)])
    emit("bomb_layers.zip", layers, "suspicious", "bomb in layers", "unzip", "zip.bomb")


def codec_tricks():
    packers = (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress),
               ("zlib", zlib.compress),
               ("lzma", lambda d: lzma.compress(d, format=lzma.FORMAT_ALONE)))
    noise = HARMLESS + bytes((i * 7919 >> 3) & 0xff for i in range(9000))
    for ext, pack in packers:
        whole = pack(HARMLESS)
        emit("ok.pkl." + ext, whole, "benign", ext, ext)
        emit("payload.pkl." + ext, pack(PAYLOAD), "malicious", ext + " of a pickle", ext, "",
             "malicious")
        packed = pack(PAYLOAD + noise)
        emit("cut.pkl." + ext, packed[:-9], "malicious", ext + " cut off", ext, "codec.truncated",
             "dangerous")
        emit("trailing.pkl." + ext, whole + PAYLOAD, "malicious", ext + " and trailing bytes", ext,
             "codec.trailing-data")
    emit("ok_members.pkl.gz", gzip.compress(HARMLESS[:9]) + gzip.compress(HARMLESS[9:]), "benign",
         "two gzip members", "gzip")
    emit("ok_padding.pkl.gz", gzip.compress(HARMLESS) + b"\0" * 512, "benign", "gzip zero padding",
         "gzip")
    emit("ok_streams.pkl.bz2", bz2.compress(HARMLESS[:9]) + bz2.compress(HARMLESS[9:]), "benign",
         "two bz2 streams", "bz2")
    emit("ok_streams.pkl.xz", lzma.compress(HARMLESS[:9]) + lzma.compress(HARMLESS[9:]), "benign",
         "two xz streams", "lzma")
    emit("second_member.pkl.gz", gzip.compress(HARMLESS[:-1]) + gzip.compress(PAYLOAD[2:]),
         "malicious", "payload in the second gzip member", "gzip", "", "malicious")
    broken = bytearray(gzip.compress(HARMLESS))
    broken[-6] ^= 0x55
    emit("crc.pkl.gz", bytes(broken), "suspicious", "gzip CRC wrong", "gzip", "codec.broken")


def npy(header, data, version=1):
    text = header.encode("latin1")
    width = 2 if version == 1 else 4
    pad = -(len(text) + 1 + 6 + 2 + width) % 64
    text += b" " * pad + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(width, "little") + text + data


def numpy_tricks():
    def h(descr, shape, order="False"):
        return "{'descr': %s, 'fortran_order': %s, 'shape': %s, }" % (descr, order, shape)

    emit("ok.npy", npy(h("'<f8'", "(2, 3)"), b"\0" * 48), "benign", "npy", "numpy")
    emit("ok_v2.npy", npy(h("'<f4'", "(3,)", "True"), b"\0" * 12, 2), "benign", "npy version 2",
         "numpy")
    emit("ok_v3.npy", npy(h("[('a', '<f8'), ('b', '<U5', (2, 2))]", "(1,)"), b"\0" * 88, 3),
         "benign", "structured type", "numpy")
    emit("ok_scalar.npy", npy(h("'|b1'", "()"), b"\1"), "benign", "no dimension", "numpy")
    emit("ok_py2.npy", npy(h("'<i8'", "(2L,)"), b"\0" * 16), "benign", "Python 2 integers", "numpy")
    emit("ok_empty.npy", npy(h("'<i8'", "(0, 1152921504606846976)"), b""), "benign", "no element",
         "numpy")
    emit("ok_date.npy", npy(h("'<M8[ns]'", "(1,)"), b"\0" * 8), "benign", "dates", "numpy")
    emit("ok_two.npy", npy(h("'<f8'", "(1,)"), b"\0" * 8) * 2, "benign", "two arrays", "numpy")
    emit("object.npy", npy(h("'|O'", "(1,)"), PAYLOAD), "malicious", "object array", "numpy",
         "numpy.object-array", "malicious")
    emit("object_nested.npy", npy(h("[('a', '<f8'), ('b', [('c', '|O')])]", "(1,)"), PAYLOAD),
         "malicious", "object nested in a type", "numpy", "numpy.object-array", "malicious")
    emit("object_odd.npy", npy(h("'f8,O'", "(1,)"), PAYLOAD), "malicious", "object in an odd type",
         "numpy", "numpy.odd-dtype")
    emit("code.npy", npy("{'descr': __import__('os').system('echo canary'), 'fortran_order': "
                         "False, 'shape': (1,), }", b"\0" * 8), "malicious", "code in the header",
         "numpy", "numpy.header-not-literal")
    emit("concat.npy", npy(h("'|' 'O'", "(1,)"), PAYLOAD), "malicious", "strings side by side",
         "numpy", "numpy.header-not-literal", "malicious")
    emit("escape.npy", npy(h("'|\\x4f'", "(1,)"), PAYLOAD), "malicious", "escaped type", "numpy",
         "numpy.header-not-literal", "malicious")
    emit("twice.npy", npy("{'descr': '<f8', 'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
                          PAYLOAD), "malicious", "key twice", "numpy", "numpy.header-not-literal",
         "malicious")
    emit("overflow.npy", npy(h("'<f8'", "(4294967296, 4294967296, 4)"), b"\0" * 8), "suspicious",
         "shape overflows", "numpy", "numpy.shape-overflow")
    emit("negative.npy", npy(h("'<f8'", "(-1,)"), b"\0" * 8), "suspicious", "negative dimension",
         "numpy", "numpy.header-not-literal")
    emit("short.npy", npy(h("'<f8'", "(100,)"), b"\0" * 8), "suspicious", "data too short", "numpy",
         "numpy.data-short")
    emit("trailing.npy", npy(h("'<f8'", "(1,)"), b"\0" * 8 + PAYLOAD), "suspicious",
         "trailing bytes", "numpy", "numpy.trailing-data")
    emit("version.npy", b"\x93NUMPY\x09\x00" + npy(h("'<f8'", "(1,)"), b"\0" * 8)[8:],
         "suspicious", "unknown version", "numpy", "numpy.bad-header")
    good = npy(h("'<f8'", "(1,)"), b"\0" * 8)
    emit("ok.npz", python_zip(lambda z: z.writestr("a.npy", good)), "benign", "npz", "numpy")
    bad = npy(h("'|O'", "(1,)"), PAYLOAD)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        emit("object_%d.npz" % method, python_zip(
            lambda z: (z.writestr("a.npy", good), z.writestr("b.npy", bad)), compression=method),
            "malicious", "object array in npz", "numpy", "numpy.object-array", "malicious")
    emit("pickle_in.npz", python_zip(
        lambda z: (z.writestr("a.npy", good), z.writestr("b.npy", PAYLOAD))), "malicious",
        "pickle under .npy in npz", "numpy", "", "malicious")


def torchscript():
    code = b"def forward(self, x: Tensor) -> Tensor:\n  _0 = torch.save(x, \"/tmp/x\")\n  return x\n"
    members = torch_members(HARMLESS) + [
        Member("archive/code/__torch__.py", code, method=8),
        Member("archive/constants.pkl", HARMLESS)]
    emit("script_save.pt", archive(members), "malicious", "TorchScript writes a file", "torch",
         "torch.script-file-access")
    members[3] = Member("archive/code/__torch__.py", b"  return ops.evil.run(x)\n")
    emit("script_foreign.pt", archive(members), "suspicious", "TorchScript calls a foreign library",
         "torch", "torch.script-custom-op", "review")
    members[3] = Member("archive/code/__torch__.py", b"  return ops.torchvision.nms(x, y, 0.5)\n")
    emit("ok_script_vision.pt", archive(members), "benign", "TorchScript with torchvision", "torch")
    members[3] = Member("archive/code/__torch__.py", b"  return torch.add(ops.prim.data(x), y)\n")
    emit("ok_script.pt", archive(members), "benign", "TorchScript", "torch")


def main():
    global out_dir
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out_dir = sys.argv[1]
    os.makedirs(out_dir, exist_ok=True)
    honest_zips()
    header_tricks()
    name_tricks()
    layout_tricks()
    bombs()
    codec_tricks()
    numpy_tricks()
    torchscript()
    with open(os.path.join(out_dir, "manifest.tsv"), "w", encoding="utf-8") as f:
        for row in rows:
            f.write("\t".join(row) + "\n")


main()
