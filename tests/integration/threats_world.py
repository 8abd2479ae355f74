"""A small described system with people, for threats.py and threats_clauses.py."""
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ["TUTELA_SOURCE"])
FAKETIME = shutil.which("faketime")
SOON = (datetime.date.today() + datetime.timedelta(days=300)).isoformat()

DESCRIPTION = """schema: tutela.system/1
system:
  name: s
  version: "1"
  purpose: tests
assets:
  - id: model/m
    path: classifier.onnx
    digest: sha256:%s
    origin: supplier
    licence: MIT
components:
  - {id: user, kind: user-client, boundary: outside}
  - {id: gateway, kind: inference-gateway, boundary: inside, monitored: true, api: {auth: key, rate_limit: 3/min, returns: label}}
  - id: scorer
    kind: model
    asset: model/m
    boundary: inside
    monitored: true
    model: {task: classifier, modality_enabled: [table], modality_used: [table]}
  - {id: sink, kind: log, boundary: inside}
flows:
  - {id: ask, from: user, to: gateway, auth: key, encryption: tls}
  - {id: checked, from: gateway, to: scorer}
  - {id: told, from: gateway, to: sink}
  - {id: kept, from: scorer, to: sink}
boundaries:
  - {id: outside, trust: public, inside: [user]}
  - {id: inside, trust: internal, inside: [gateway, scorer, sink]}
"""


class World(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        self.root = pathlib.Path(self.tmp.name) / "system"
        self.root.mkdir()
        self.env = {**os.environ, "XDG_DATA_HOME": self.tmp.name + "/keys", "XDG_CACHE_HOME": self.tmp.name + "/cache",
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}  # faketime comes first
        shutil.copy(SOURCE / "examples" / "credit-scoring" / "models" / "classifier.onnx", self.root)
        digest = subprocess.run(["sha256sum", self.root / "classifier.onnx"], capture_output=True, text=True, check=True)
        self.text = DESCRIPTION % digest.stdout.split()[0] + "threats:\n  review_days: 60\n"
        self.describe(self.text)

    def describe(self, text):
        (self.root / "tutela.yaml").write_text(text)

    def tutela(self, *args, ago=None, expect=None):
        before = [FAKETIME, "-f", ago] if ago else []
        run = subprocess.run([*before, TUTELA, *args], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=280)
        if expect is not None:
            self.assertEqual(run.returncode, expect, run.stdout + run.stderr)
        return run

    def assess(self, ago=None):
        self.assertIn(self.tutela("assess", ".", ago=ago).returncode, (0, 1, 3))

    def enrol(self):
        self.tutela("people", "enrol", "Olga", "--root", "--role", "operator", "--generate", "--no-passphrase", expect=0)
        for name, role in (("Dev", "developer"), ("Tess", "tester")):
            self.tutela("people", "enrol", name, "--role", role, "--generate", "--no-passphrase", "--by", "Olga", expect=0)

    def threats(self, *args, ago=None):
        run = self.tutela("threats", *args, "--format", "json", ago=ago)
        self.assertIn(run.returncode, (0, 1, 3), run.stderr)
        return json.loads(run.stdout)

    def risks(self, ago=None):
        return {r["id"]: r for r in self.threats(ago=ago)["risks"]}

    def accept_all(self):
        for risk in [r for r in self.risks().values() if r["state"] == "open"]:
            self.tutela("threats", "accept", risk["id"], "--reason", "small", "--expires", SOON, "--by", "Olga", expect=0)

    def control(self, clause, ago=None):
        doc = json.loads(self.tutela("report", "--format", "json", ago=ago).stdout)
        return next(c for c in doc["controls"] if c["id"] == clause)

    def verdict(self, clause, ago=None):
        return self.control(clause, ago)["verdict"]

    def uses(self, clause, check, ago=None):
        """Of the evidence that decides: what came before it is superseded."""
        return {e["use"] for e in self.control(clause, ago)["evidence"] if e["check"].startswith(check + "/")} - {"superseded"}

    def body_of(self, entry):
        doc = json.loads(self.tutela("ledger", "show", str(entry), "--format", "json", expect=0).stdout)
        return doc["entries"][0]["statement"]["predicate"]["body"]["sha256"]
