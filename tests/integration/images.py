#!/usr/bin/python3
"""Images as directories (OCI layouts, Ollama's store): files are held against the digests that they are
called by, get the names that manifests give them, and are scanned by what they hold."""
import gzip
import hashlib
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("archive_tricks", SOURCE / "tests/corpus/archive_tricks.py")
tricks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tricks)


def scan(path, *options):
    run = subprocess.run([TUTELA, "scan", "--format", "json", *options, str(path)], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=False)
    if run.returncode not in (0, 1, 3):
        raise AssertionError(run.stderr.decode())
    return {os.path.relpath(f["path"], path): f for f in json.loads(run.stdout)["files"]}


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Images(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)

    def write(self, parts):
        for name, data in parts:
            path = self.dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def rules(self, reports):
        return {f["rule"] for report in reports.values() for f in report["findings"]}

    def title(self, report):
        return [fact["value"] for fact in report["facts"] if fact["key"] == "image.title"]

    def test_a_layout_of_models_is_clean_and_its_layers_have_names(self):
        layer = gzip.compress(tricks.root_layer(tricks.member("opt/model.pkl")), mtime=0)
        self.write(tricks.image([(None, layer), ("weights/model.pkl", tricks.HARMLESS)]))
        reports = scan(self.dir)
        self.assertEqual(self.rules(reports), set())
        raw = reports["blobs/sha256/" + digest(tricks.HARMLESS)]
        self.assertEqual((raw["verdict"], raw["status"], raw["format"]), ("clean", "complete", "pickle"))
        self.assertEqual(self.title(raw), ["weights/model.pkl"])
        packed = reports["blobs/sha256/" + digest(layer)]
        self.assertEqual((packed["verdict"], packed["status"]), ("clean", "complete"))

    def test_a_pickle_in_a_layer_and_as_a_layer_is_found(self):
        layer = gzip.compress(tricks.root_layer(tricks.member("opt/model.pkl", tricks.PAYLOAD)), mtime=0)
        self.write(tricks.image([(None, layer), ("model.pkl", tricks.PAYLOAD)]))
        reports = scan(self.dir)
        inner = reports["blobs/sha256/" + digest(layer)]
        self.assertEqual(inner["verdict"], "malicious")
        self.assertTrue(inner["findings"][0]["location"].endswith("!/opt/model.pkl"))
        self.assertEqual(reports["blobs/sha256/" + digest(tricks.PAYLOAD)]["verdict"], "malicious")

    def test_a_part_that_was_changed_is_found_at_depth_content(self):
        self.write(tricks.image([("model.pkl", tricks.HARMLESS)]))
        path = self.dir / "blobs/sha256" / digest(tricks.HARMLESS)
        path.write_bytes(tricks.HARMLESS.replace(b"K\x01", b"K\x02"))
        self.assertEqual(self.rules(scan(self.dir)), {"image.digest-mismatch"})
        self.assertEqual(self.rules(scan(self.dir, "--depth", "structure")), set())

    def test_a_store_of_ollama(self):
        model = tricks.gguf()
        manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                               "layers": [{"mediaType": "application/vnd.ollama.image.model", "size": len(model),
                                           "digest": "sha256:" + digest(model)}]}).encode()
        self.write([("manifests/registry.ollama.ai/library/m/latest", manifest), ("blobs/sha256-" + digest(model), model)])
        reports = scan(self.dir)
        self.assertEqual(self.rules(reports), set())
        self.assertEqual(self.title(reports["blobs/sha256-" + digest(model)]), ["application/vnd.ollama.image.model"])
        (self.dir / "blobs" / ("sha256-" + digest(model))).write_bytes(model + b"\0" * 32)
        self.assertIn("image.digest-mismatch", self.rules(scan(self.dir)))

    def test_manifests_that_readers_differ_about(self):
        fine = {"mediaType": "x", "digest": "sha256:" + "0" * 64, "size": 1}
        for name, value, rule in (
                ("form", {"schemaVersion": 2, "config": fine, "layers": [dict(fine, digest="sha256:../../etc/passwd")]}, "image.digest-form"),
                ("both", {"schemaVersion": 2, "layers": [fine], "manifests": [fine]}, "image.two-kinds")):
            (self.dir / name).mkdir()
            (self.dir / name / "index.json").write_text(json.dumps(value))
            self.assertEqual(self.rules(scan(self.dir / name)), {rule})
        (self.dir / "twice").mkdir()
        (self.dir / "twice" / "index.json").write_text(
            json.dumps({"schemaVersion": 2, "layers": [fine]}).replace('"digest"', '"digest": "sha256:1", "digest"'))
        self.assertIn("image.duplicate-key", self.rules(scan(self.dir / "twice")))


if __name__ == "__main__":
    unittest.main(verbosity=0)
