"""The examples do what their READMEs say: each planted fault goes by its one documented command."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ.get("TUTELA_SOURCE", os.getcwd())


class Examples(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copytree(os.path.join(SOURCE, "examples"), os.path.join(self.root, "examples"),
                        ignore=shutil.ignore_patterns(".tutela"))

    def dir(self, name):
        return os.path.join(self.root, "examples", name)

    def assess(self, name):
        run = subprocess.run([TUTELA, "assess", "--format", "json"], cwd=self.dir(name), capture_output=True, text=True,
                             timeout=60)
        return run.returncode, json.loads(run.stdout)

    def verdict(self, doc, clause):
        return next(c["verdict"] for c in doc["controls"] if c["id"] == clause)

    def test_every_fault_of_the_support_assistant_goes_by_its_command(self):
        with open(os.path.join(self.dir("support-assistant"), "README.md")) as file:
            rows = re.findall(r"^\| (?!fault|---)(.*) \| (.*) \| `(.*)` \|$", file.read(), re.M)
        self.assertEqual(len(rows), 4)
        status, doc = self.assess("support-assistant")
        self.assertEqual(status, 1)
        self.assertEqual(self.verdict(doc, "5.2.1-1"), "not_met")
        before = self.planted(doc)
        self.assertGreaterEqual(before, 5)
        for _, _, command in rows:
            command = re.sub(r"^tutela ", TUTELA + " ", command)
            done = subprocess.run(command, shell=True, cwd=self.dir("support-assistant"), capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, command + done.stderr)
            _, doc = self.assess("support-assistant")
            self.assertLess(self.planted(doc), before, command)
            before = self.planted(doc)
        self.assertEqual(before, 0)
        self.assertEqual(self.verdict(doc, "5.2.1-1"), "met")

    def planted(self, doc):
        return len([f for f in doc["findings"] if f["rule"] != "inventory.unassessed" and f["severity"] != "low"])

    def test_due_diligence_clears_what_comes_from_outside(self):
        here = self.dir("support-assistant")
        env = {**os.environ, "XDG_DATA_HOME": os.path.join(self.root, "diligence-keys")}
        with open(os.path.join(here, "README.md")) as file:
            text = file.read()
        faults = [m[2] for m in re.findall(r"^\| (?!fault|---)(.*) \| (.*) \| `(.*)` \|$", text, re.M)]
        records = re.findall(r"^tutela record .*$", text, re.M)
        self.assertEqual(len(records), 4)
        enrol = re.search(r"^tutela people enrol .*$", text, re.M).group()

        def shell(command):
            subprocess.run(re.sub(r"^tutela ", TUTELA + " ", command), shell=True, cwd=here, env=env, check=True,
                           capture_output=True)

        def assess():
            run = subprocess.run([TUTELA, "assess", "--format", "json"], cwd=here, env=env, capture_output=True, text=True)
            return json.loads(run.stdout)

        for command in [*faults, enrol]:
            shell(command)
        with open(os.path.join(here, "tutela.yaml")) as file:
            yaml = file.read()
        at = yaml.index("- id: dataset/feedback")
        with open(os.path.join(here, "tutela.yaml"), "w") as file:
            file.write(yaml[:at] + yaml[at:].replace("origin: TODO", "origin: user", 1))
        doc = assess()
        self.assertEqual(len([f for f in doc["findings"] if f["rule"] == "inventory.unassessed"]), 4)
        self.assertEqual(self.verdict(doc, "5.1.2-4"), "partly")
        self.assertEqual(self.verdict(doc, "5.2.4-3"), "met")
        self.assertEqual(self.verdict(doc, "5.2.4-2.1"), "met")
        for command in records:
            shell(command)
        doc = assess()
        self.assertEqual([f for f in doc["findings"] if f["severity"] != "low"], [])  # articles that repeat each other stay
        self.assertEqual(self.verdict(doc, "5.1.2-4"), "met")

    def test_the_readme_shows_what_is_printed(self):
        with open(os.path.join(SOURCE, "README.md")) as file:
            live = r"^## (In front of a model server|Attack it ourselves)$.*?(?=^## )"  # guard_scenes.py, probe_service.py
            text = re.sub(live, "", file.read(), flags=re.M | re.S)
        shown = re.findall(r"^\$ tutela ([^\n]*)\n(.*?)(?=^\$ tutela |^```)", text, re.M | re.S)
        self.assertGreaterEqual(len(shown), 5)
        env = {**os.environ, "XDG_DATA_HOME": os.path.join(self.root, "readme-keys")}

        def general(output):
            output = re.sub(r" Cached: \d+\.", "", output)  # on a slow machine the files are old enough by then
            output = re.sub(r"\d+ \w{3} \d{4}, [\d:]+ UTC|\d+\.\d\d s", "TIME", output)
            return re.sub(r"\b[0-9a-f]{8,64}\b", "HEX", output).strip()

        where = os.path.join(self.root, "examples")
        for command, output in shown:
            run = subprocess.run([TUTELA, *command.split()], cwd=where, env=env, capture_output=True, text=True)
            self.assertEqual(general(run.stdout), general(output), command)
            where = self.dir("support-assistant")

    def test_credit_scoring_is_in_order(self):
        status, doc = self.assess("credit-scoring")
        self.assertEqual(status, 3, "nothing is wrong, and not enough is checked")
        self.assertEqual(self.planted(doc), 0)  # only that nobody assessed its packages
        self.assertEqual(self.verdict(doc, "5.2.1-1"), "met")
        self.assertEqual(len(doc["controls"]), 72)

    def test_the_generators_make_what_is_committed(self):
        code = "import torch, sklearn, onnx, joblib, numpy"
        if subprocess.run(["/usr/bin/python3", "-c", code], capture_output=True).returncode != 0:
            self.skipTest("python3-torch, python3-sklearn, python3-onnx or python3-joblib is not installed")
        for script in ("support_assistant.py", "texts.py", "assistant.py", "credit_scoring.py"):
            subprocess.run(["/usr/bin/python3", script], cwd=self.dir("generate"), check=True, capture_output=True)
        status, doc = self.assess("credit-scoring")
        changed = {a["id"] for a in doc["assets"] if a["state"] != "declared"}
        self.assertLessEqual(changed, {"model/classifier"}, "only a compressed pickle may differ between machines")
        self.assertFalse([f for f in doc["findings"] if not f["rule"].startswith("inventory.")])
        status, doc = self.assess("support-assistant")
        self.assertEqual({f["rule"] for f in doc["findings"] if f["severity"] == "critical"}, {"pickle.call-on-load"})


if __name__ == "__main__":
    unittest.main()
