"""What the tests of training share: small modules, a system with people, answers found by their text."""
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
FAKETIME = shutil.which("faketime")
WORDS = " ".join("Word number %d of a text that takes a while to read." % i for i in range(40))


def day(days):
    """So many days from today."""
    return (datetime.date.today() + datetime.timedelta(days=days)).isoformat()


def module(ident, version=1, about="practice", roles="[developer]", atlas="", reviewed=day(-30), questions=4, draw=3, text="", extra=""):
    """A module in the format of docs/train.md. The right answers say "right"."""
    bank = "".join("### Question %d of %s?\n- [ ] wrong one %d\n- [x] right one %d\n- [ ] wrong two %d\n> Why: because of %d.\n\n"
                   % (i, ident, i, i, i, i) for i in range(1, questions)) + \
        "### Which two of %s?\n- [x] right first\n- [ ] wrong third\n- [x] right second\n" % ident
    threats = "atlas: [%s]\natlas_version: 5.6.0\n" % atlas if atlas else ""
    return """---
id: %s
title: The module %s
version: %d
reviewed: %s
minutes: 2
about: %s
for: %s
%spass: 0.8
draw: %d
%s---
# The module %s

%s

%s

## Questions

%s""" % (ident, ident, version, reviewed, about, roles, threats, draw, extra, ident, WORDS, text, bank)


class World(unittest.TestCase):
    TRAINING = "  modules: own\n  secure_coding: coding\n  assign: {everyone: [], developer: [coding], operator: [running], custodian: [], approver: [], trainer: [], tester: [], auditor: [], root: []}\n"

    def setUp(self):
        self.tmp = tempfile.TemporaryDirectory()
        self.addCleanup(self.tmp.cleanup)
        self.root = pathlib.Path(self.tmp.name) / "system"
        (self.root / "own").mkdir(parents=True)
        self.env = {**os.environ, "XDG_DATA_HOME": self.tmp.name + "/keys", "XDG_CACHE_HOME": self.tmp.name + "/cache",
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}  # faketime comes first
        (self.root / "system.txt").write_text("You are a system that is tested.\n")
        self.describe()
        self.put("coding")
        self.put("running", roles="[operator]")

    def describe(self, training=None, more=""):
        (self.root / "tutela.yaml").write_text("schema: tutela.system/1\nsystem:\n  name: s\n  version: \"1\"\n  purpose: tests\nassets:\n"
                                               "  - {id: prompt/system, path: system.txt, origin: first-party}\ntraining:\n" + (self.TRAINING if training is None else training) + more)

    def put(self, ident, **how):
        (self.root / "own" / (ident + ".md")).write_text(module(ident, **how))

    def tutela(self, *args, ago=None, given=None, code=None):
        before = [FAKETIME, "-f", ago] if ago else []
        run = subprocess.run([*before, TUTELA, *args], cwd=self.root, env=self.env, capture_output=True, text=True, input=given, timeout=280)
        if code is not None:
            self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def json(self, *args, **how):
        return json.loads(self.tutela(*args, "--format", "json", **how).stdout)

    def enrol(self, name, *roles, ago="-3d", root=False):
        words = [w for r in roles for w in ("--role", r)]
        by = ["--root"] if root else ["--by", "Ada"]
        self.tutela("people", "enrol", name, *words, *by, "--generate", "--no-passphrase", ago=ago, code=0)

    def page(self, ident, person, ago=None):
        """The questions drawn for the person: the page, its sheet of answers, and the right ones by their text."""
        self.tutela("train", "page", ident, "--by", person, "--html", "../page.html", ago=ago, code=0)
        page = (self.root.parent / "page.html").read_text()
        head = re.search(r"(tutela-answers 1\nmodule \S+\nseed [0-9a-f]{16}\n)answers ", page).group(1)
        right = []
        for at, question in enumerate(page.split("<fieldset>")[1:], 1):
            letters = "".join(re.findall(r'value="(\w)"><b>\w</b> <span>right', question))
            right.append("%d%s" % (at, letters))
        return page, head, right

    def take(self, ident, person, ago=None, later=None, wrong=0, code=0):
        """Hands in a page later: `later` is the time of handing in, in faketime's words."""
        _, head, right = self.page(ident, person, ago)
        if wrong:
            right = right[wrong:]
        sheet = head + "answers " + " ".join(right) + "\n"
        return self.tutela("train", "submit", "-", "--by", person, given=sheet, ago=later, code=code)

    def completed(self, ident, person, ago="-2d", later="-1d"):
        """Taken with time enough for reading."""
        return self.take(ident, person, ago=ago, later=later)

    def standing(self, person, ident, ago=None):
        return next(i for i in self.json("train", "status", person, ago=ago)["items"] if i["module"] == ident)

    def control(self, clause, ago=None):
        doc = self.json("report", ago=ago)
        return next(c for c in doc["controls"] if c["id"] == clause)

    def uses(self, clause, check, ago=None):
        return {e["use"] for e in self.control(clause, ago)["evidence"] if e["check"].startswith(check + "/")}
