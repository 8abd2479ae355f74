"""A small system with a design section, gates and three people: for the tests of gates."""
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]

RECORD = """# Design record

## Need
Staff ask about the weather, and nobody has time to answer.

## Alternatives
A page of figures; it does not answer questions.

## Risks
Poisoned questions, and prompts that give other orders.

## Treatment
Data is vetted at each change; prompts are signed.
"""
PART = """
## Custodian's part
Cus asked for vetted data without names, and got it.
"""
DOCUMENTATION = """# Design

## Purpose
It answers questions about the weather.

## Design
One prompt, one dataset.

## Data
dataset/train, collected by ourselves.

## Security
Everything lies on one machine, behind a login.
"""
MAINTENANCE = """# Maintenance

## Schedule
The data is looked at every month.

## Responsibilities
Dev, and in his absence Opa.

## Updates
Through the release gate.

## End
Until the end of 2030; then the data is erased.
"""
CARD = """# System card

## Sources
dataset/train: questions that we wrote ourselves.

## Scope
Questions about the weather, by staff.

## Limits
It knows nothing about other matters.

## Guardrails
The prompt is signed, the data is vetted.

## Retention
Prompts are kept for 30 days.

## Review
Every six months, by Opa.

## Failure modes
It answers wrongly; staff report it to Dev.
"""
USE = """---
clause: %s
asset: %s
accepted by: %s
accepted until: 2099-01-01
---
# Intended use

## Use
Answers about the weather are drawn from it.

## Fit
Staff alone ask, and staff may see it.

## Controls
A login, and encryption where it moves.

## Limits
It is not to be handed to others.
"""
DESIGN = {"record": "docs/record.md", "documents": "[docs/design.md]", "maintenance": "docs/maintenance.md",
          "card": "docs/card.md", "use_ceiling": "internal"}
GATE = """gates:
  - name: go
    findings: none
    wants:
      - check: inventory.complete
    signers:
      - role: developer
"""
PEOPLE = (("Dev", "developer"), ("Opa", "operator"), ("Cus", "custodian"), ("App", "approver"))


class World(unittest.TestCase):
    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        self.root = pathlib.Path(self.tmp.name) / "system"
        for d in ("data", "docs"):
            (self.root / d).mkdir(parents=True)
        self.env = {**os.environ, "XDG_DATA_HOME": self.tmp.name + "/keys", "XDG_CONFIG_HOME": self.tmp.name + "/config",
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        rows = ["id,text,label"] + ["%d,question number %d about the weather and the sea,%s" % (i, i, "yes" if i % 3 else "no")
                                    for i in range(120)]
        (self.root / "data/train.csv").write_text("\n".join(rows) + "\n")
        (self.root / "prompt.txt").write_text("You answer questions about the weather.\n")
        self.design, self.gates, self.sensitivity, self.owner, self.more = dict(DESIGN), GATE, "internal", "Cus", ""
        self.custodian, self.roles = [("every dataset is vetted", "check: vet.dataset")], "  developer: Dev\n  data-custodian: Cus\n"
        self.documents()
        self.describe()

    def documents(self, **texts):
        for name, text in {"record": RECORD + PART, "design": DOCUMENTATION, "maintenance": MAINTENANCE, "card": CARD,
                           **texts}.items():
            (self.root / "docs" / (name + ".md")).write_text(text)

    def digest(self, name):
        return hashlib.sha256((self.root / name).read_bytes()).hexdigest()

    def describe(self):
        lines = ["schema: tutela.system/1", "system:", "  name: gated", '  version: "1"', "  purpose: answers questions",
                 "roles:", self.roles.rstrip("\n"), "assets:",
                 "  - id: dataset/train", "    path: data/train.csv", "    digest: sha256:" + self.digest("data/train.csv"),
                 "    origin: first-party"]
        lines += ["    sensitivity: " + self.sensitivity] if self.sensitivity else []
        lines += ["    owner: " + self.owner] if self.owner else []
        lines += ["  - id: prompt/system", "    path: prompt.txt", "    digest: sha256:" + self.digest("prompt.txt"),
                  "    origin: first-party", "    depends_on: [dataset/train]"]
        lines += ["  - id: document/card", "    path: docs/card.md", "    digest: sha256:" + self.digest("docs/card.md"),
                  "    origin: first-party"]
        if self.design is not None:
            lines += ["design:"] + ["  %s: %s" % item for item in self.design.items()]
            lines += ["  custodian:"] if self.custodian else []
            for control, shown in self.custodian:
                lines += ["    - control: " + control, "      " + shown]
        (self.root / "tutela.yaml").write_text("\n".join(lines) + "\n" + self.more + self.gates)

    def tutela(self, *args, expect=None, before=()):
        p = subprocess.run([*before, TUTELA, *args], cwd=self.root, env=self.env, capture_output=True, text=True, timeout=120,
                           stdin=subprocess.DEVNULL)
        if expect is not None:
            self.assertEqual(p.returncode, expect, p.stdout + p.stderr)
        return p

    def people(self, *names):
        self.tutela("people", "enrol", "Ada", "--root", "--generate", "--no-passphrase", expect=0)
        for name, role in PEOPLE:
            if not names or name in names:
                self.enrol(name, role)

    def enrol(self, name, *roles):
        self.tutela("people", "enrol", name, *[x for r in roles for x in ("--role", r)], "--generate", "--no-passphrase",
                    "--by", "Ada", expect=0)

    def assess(self):
        p = self.tutela("assess", ".", "--format", "json")
        self.assertIn(p.returncode, (0, 1, 3), p.stderr)
        return json.loads(p.stdout)

    def controls(self, collect=True, before=()):
        if collect:
            self.assess()
        doc = json.loads(self.tutela("report", "--format", "json", before=before).stdout)
        return {c["id"]: (c["verdict"], " ".join(c["reasons"])) for c in doc["controls"]}

    def check(self, name="go", expect=None, before=(), more=()):
        p = self.tutela("gate", "check", name, "--format", "json", *more, before=before, expect=expect)
        return json.loads(p.stdout)

    def item(self, doc, name="go"):
        return next(i for i in doc["items"] if i["id"] == name)
