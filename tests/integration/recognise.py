"""What init and inventory recognise in a tree of small files: kinds, counts, dependencies, findings;
and that docs/facts.md knows every fact that a parser can note."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ["TUTELA_SOURCE"]

TREE = {
    "README.md": "# A project\n\nNothing else.\n",
    "LICENSE": "Apache License\n",
    ".gitignore": "*.pyc\n",
    ".github/workflows/ci.yaml": "on: push\n",
    "notes.txt": "remember the milk\n",
    "requirements.txt": "numpy==1.2 \\\n    --hash=sha256:00\ntorch==2.0\n# x\n-r other.in\n",
    "package-lock.json": json.dumps({"lockfileVersion": 3, "packages": {"": {}, "node_modules/a": {}}}),
    "app/main.py": "print(1)\n",
    "app/sub/more.py": "print(2)\n",
    "Dockerfile": "FROM debian\n",
    "nb/look.ipynb": json.dumps({"cells": [{"cell_type": "code"}], "metadata": {}, "nbformat": 4}),
    "config/run.yaml": "model: ../models/net\nindex: ../models/net/model.safetensors.index.json\n"
                       "articles: ./../data/kb.jsonl\nprompts:\n  - ../prompts/system.md\n",
    "config/tools.yaml": "tools:\n  - name: search\n  - name: open\n  - name: close\n",
    "config/adapter_config.json": json.dumps({"base_model_name_or_path": "someone/base"}),
    "models/net/model.safetensors.index.json": json.dumps(
        {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}),
    "models/base/base.safetensors": None,
    "models/net/model-1.safetensors": None,
    "models/net/model-2.safetensors": None,
    "data/kb.jsonl": "".join('{"id": %d}\n' % i for i in range(1234)),
    "data/table.csv": "id,text\n" + "".join('%d,"a ""b""\nc"\n' % i for i in range(20)),
    "data/records.json": json.dumps([{"a": i} for i in range(7)]),
    "prompts/system.md": "You help.\nBe kind.\n",
    "CARD.md": "---\nlicense: mit\ndatasets: [org/table]\nbase_model: someone/base\n---\n# Card\n",
}


def safetensors():
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    return len(header).to_bytes(8, "little") + header + b"\0\0\0\0"


def write(root, tree):
    for path, text in tree.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(safetensors() if text is None else text.encode())


def tutela(*args):
    return subprocess.run([TUTELA, *args], capture_output=True, text=True, timeout=60)


class Recognise(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)

    def assets(self):
        run = tutela("init", self.root)
        self.assertEqual(run.returncode, 0, run.stderr)
        listing = tutela("inventory", self.root, "--format", "json")
        return run.stdout, {a["path"]: a for a in json.loads(listing.stdout)["assets"]}

    def test_a_tree_becomes_its_assets_and_nothing_else(self):
        write(self.root, TREE)
        out, assets = self.assets()
        kinds = {path: a["kind"] for path, a in assets.items()}
        self.assertEqual(kinds, {
            "requirements.txt": "code", "package-lock.json": "code", "app": "code", "Dockerfile": "code",
            "nb": "code", "config/run.yaml": "config", "config/tools.yaml": "config",
            "config/adapter_config.json": "config", "models/net/model.safetensors.index.json": "model",
            "models/base/base.safetensors": "model", "data/kb.jsonl": "dataset",
            "data/table.csv": "dataset", "data/records.json": "dataset",
            "prompts/system.md": "prompt", "CARD.md": "document"})
        for words in ("1,234 rows", "20 rows", "7 rows", "2 packages", "1 package", "3 tools", "2 lines",
                      "2 shards", "1 cell", "mit"):
            self.assertIn(words, out)

    def test_dependencies_follow_what_files_name(self):
        write(self.root, TREE)
        _, assets = self.assets()
        ids = {path: a["id"] for path, a in assets.items()}

        def needs(path):
            return set(assets[path]["depends_on"])

        self.assertEqual(needs("config/run.yaml"), {
            ids["models/net/model.safetensors.index.json"], ids["data/kb.jsonl"], ids["prompts/system.md"]})
        self.assertEqual(needs("config/adapter_config.json"), {ids["models/base/base.safetensors"]})
        self.assertEqual(needs("CARD.md"), {ids["data/table.csv"], ids["models/base/base.safetensors"]})

    def test_honest_files_have_no_findings(self):
        write(self.root, TREE)
        run = tutela("scan", self.root, "--format", "json")
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertEqual([f for f in json.loads(run.stdout)["files"] if f["findings"]], [])

    def test_configurations_that_run_code_are_found(self):
        cases = {
            "a.yaml": ("x: !!python/object/apply:os.system [id]\n", "data.yaml-python-call", "malicious"),
            "b.yaml": ("x: !!python/object:pkg.Thing {}\n", "data.yaml-python-tag", "dangerous"),
            "c.yaml": ("x:\n  _target_: subprocess.run\n", "data.hydra-call", "dangerous"),
            "d.yaml": ("x:\n  _target_: src.models.Net\n", "data.hydra-target", "review"),
            "config.json": ('{"auto_map": {"AutoModel": "m.M"}}', "data.remote-code", "review"),
            "m.safetensors.index.json": ('{"weight_map": {"a": "../../x"}}', "data.shard-traversal",
                                         "dangerous"),
        }
        write(self.root, {path: case[0] for path, case in cases.items()})
        run = tutela("scan", self.root, "--format", "json")
        self.assertEqual(run.returncode, 1, run.stderr)
        files = {os.path.basename(f["path"]): f for f in json.loads(run.stdout)["files"]}
        for path, (_, rule, verdict) in cases.items():
            self.assertEqual([f["rule"] for f in files[path]["findings"]], [rule], path)
            self.assertEqual(files[path]["verdict"], verdict, path)
            self.assertEqual(files[path]["status"], "complete", path)

    def test_every_fact_is_documented(self):
        with open(os.path.join(SOURCE, "docs", "facts.md"), encoding="utf-8") as file:
            known = set(re.findall(r"`([a-z_.-]+)`", file.read()))
        folder = os.path.join(SOURCE, "src", "formats")
        call = re.compile(r'(?:tut_exam_factf?|tut_text_fact|tut_text_count|give_set)\([^;"]*?"([a-z_][a-z_.-]+)"')
        seen = set()
        for name in os.listdir(folder):
            if name.endswith(".c"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    seen |= set(call.findall(file.read()))
        self.assertGreater(len(seen), 40)
        self.assertEqual(seen - known, set())


if __name__ == "__main__":
    unittest.main()
