"""5.2.3-1 on both examples: by the commands of their READMEs, and every way back."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ.get("TUTELA_SOURCE", os.getcwd())
CLAUSE = "5.2.3-1"


class Supply(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="tutela-supply-")
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copytree(os.path.join(SOURCE, "examples"), os.path.join(self.root, "examples"),
                        ignore=shutil.ignore_patterns(".tutela"))
        self.env = {**os.environ, "XDG_DATA_HOME": os.path.join(self.root, "keys"),
                    "XDG_CACHE_HOME": os.path.join(self.root, "cache"),
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def enter(self, name):
        self.here = os.path.join(self.root, "examples", name)
        with open(os.path.join(self.here, "README.md")) as file:
            self.readme = file.read()

    def shell(self, command):
        command = re.sub(r"^tutela ", TUTELA + " ", command)
        run = subprocess.run(command, shell=True, cwd=self.here, env=self.env, capture_output=True, text=True,
                             timeout=120)
        self.assertIn(run.returncode, (0, 1, 3), f"{command}: {run.stdout} {run.stderr}")

    def control(self, command="report", ago=None):
        clock = ["faketime", "-f", ago] if ago else []
        run = subprocess.run([*clock, TUTELA, command, "--format", "json"], cwd=self.here, env=self.env,
                             capture_output=True, text=True, timeout=120)
        doc = json.loads(run.stdout)
        return next(c for c in doc["controls"] if c["id"] == CLAUSE)

    def uses(self, control, check="supply.sources"):
        return {e["subjects"][0]["name"]: (e["result"], e["use"]) for e in control["evidence"]
                if e["check"].startswith(check) and e["use"] != "superseded"}

    def edit(self, old, new, count=1):
        path = os.path.join(self.here, "tutela.yaml")
        with open(path) as file:
            text = file.read()
        self.assertIn(old, text)
        with open(path, "w") as file:
            file.write(text.replace(old, new, count))

    def put_in_order(self, name):
        self.enter(name)
        for command in re.findall(r"^\| (?!fault|---).* \| .* \| `(.*)` \|$", self.readme, re.M):
            self.shell(command)
        block = next(b for b in re.findall(r"```\n(.*?)```", self.readme, re.S) if "tutela bom " in b)
        for command in block.splitlines():
            self.shell(command)

    def test_the_documented_commands_meet_it_on_both_examples(self):
        assistant = {"model/assistant-q4", "model/reranker", "dataset/support-questions", "code/requirements"}
        for name, outside in (("support-assistant", assistant), ("credit-scoring", {"code/requirements"})):
            self.enter(name)
            self.assertNotEqual(self.control("assess")["verdict"], "met", name)
            self.put_in_order(name)
            control = self.control()
            self.assertEqual(control["verdict"], "met", control["reasons"])
            self.assertEqual(self.uses(control), {asset: ("pass", "counts") for asset in outside})
            kinds = {asset.split("/")[0] for asset in self.uses(control, "scan.content")}
            self.assertLessEqual({"model", "dataset", "config", "code"}, kinds)

    def test_it_falls_when_the_evidence_is_old(self):
        self.put_in_order("credit-scoring")
        control = self.control(ago="+31d")
        self.assertEqual(control["verdict"], "partly", control["reasons"])  # the bill holds longer
        self.assertEqual(self.uses(control), {"code/requirements": ("pass", "stale")})
        self.assertTrue(control["stale"])
        self.assertIn("tutela assess", control["refresh"])

    def test_it_falls_when_the_evidence_is_about_other_bytes_or_missing(self):
        self.put_in_order("support-assistant")
        with open(os.path.join(self.here, "requirements.lock"), "a") as file:
            file.write("requests==2.28.1\n")
        control = self.control("assess")
        self.assertEqual(control["verdict"], "not_met", control["reasons"])
        self.assertEqual(self.uses(control)["code/requirements"], ("fail", "contradicts"))
        said = [e["statement"] for e in control["evidence"] if e["use"] == "contradicts"]
        self.assertTrue(any("code/requirements: it is not the file whose digest is pinned" in s for s in said), said)
        self.shell("tutela init . --accept code/requirements")
        self.assertNotEqual(self.control()["verdict"], "met", "evidence about the bytes before does not count")
        self.shell("tutela assess")
        self.shell("tutela bom --output bom.cdx.json")
        control = self.control()
        self.assertEqual(control["verdict"], "met", control["reasons"])
        body = next(e["body"]["sha256"] for e in control["evidence"] if e["check"] == "supply.sources/1")
        os.remove(os.path.join(self.here, ".tutela", "bodies", body))
        self.assertNotEqual(self.control()["verdict"], "met", "what it was drawn from is gone")

    def test_sources_are_approved_by_host_and_whole_segments(self):
        self.put_in_order("credit-scoring")
        approved = "prefix: https://pypi.org/simple/"
        for prefix, expected in (("https://pypi.org/simple", "pass"), ("https://PYPI.org:443/", "pass"),
                                 ("https://pypi.org/sim", "fail"), ("https://pypi.org.evil.example/", "fail"),
                                 ("http://pypi.org/simple/", "fail"), ("https://pypi.org/simple/numpy", "fail")):
            self.edit(approved, "prefix: " + prefix)
            control = self.control("assess")
            self.assertEqual(self.uses(control)["code/requirements"][0], expected, prefix)
            self.edit("prefix: " + prefix, approved)

    def test_what_takes_a_source_away(self):
        self.put_in_order("credit-scoring")
        url = "    url: https://pypi.org/simple/\n"
        when = "    collected_at: 2026-05-02\n"
        approval = "      by: scoring team\n"
        for old, new, expected in (
                (url, "", "fail"),
                (url, "    url: https://mirror.example.org/simple/\n", "fail"),
                (url, "    url: https://user@pypi.org/simple/\n", "fail"),
                (url, "    url: https://pypi.org/simple/../elsewhere/\n", "fail"),
                (when, "", "fail"),
                (approval, "", "fail"),  # nobody answers for the approval
                (approval, approval + "      expires: 2026-01-01\n", "fail"),
                (approval, approval + "  scan:\n    deny:\n      - url: https://pypi.org/\n        reason: mirrored\n"
                                      "        by: scoring team\n", "fail"),
                ("  sources:\n    - prefix: https://pypi.org/simple/\n      reason: the index of Python packages; "
                 "versions are pinned\n" + approval, "", "not_checked")):
            self.edit(old, new)
            control = self.control("assess")
            self.assertEqual(self.uses(control)["code/requirements"][0], expected, repr(new))
            self.assertEqual(control["verdict"], "not_met" if expected == "fail" else "partly", control["reasons"])
            shutil.copy(os.path.join(SOURCE, "examples", "credit-scoring", "tutela.yaml"), self.here)

    def test_an_approval_that_ends_ends_the_evidence(self):
        self.put_in_order("credit-scoring")
        soon = subprocess.run(["date", "-d", "+3 days", "+%Y-%m-%d"], capture_output=True, text=True).stdout.strip()
        self.edit("      by: scoring team\n", f"      by: scoring team\n      expires: {soon}\n")
        self.shell("tutela assess")
        self.shell("tutela bom --output bom.cdx.json")
        self.assertEqual(self.control()["verdict"], "met")
        control = self.control(ago="+4d")
        self.assertEqual(control["verdict"], "partly", control["reasons"])
        self.assertEqual(self.uses(control)["code/requirements"][1], "stale")

    def test_indexes_that_a_requirements_file_names_are_sources_too(self):
        self.put_in_order("credit-scoring")
        path = os.path.join(self.here, "requirements.txt")
        with open(path) as file:
            text = file.read()
        for line, expected in (("--extra-index-url https://evil.example.org/simple\n", "fail"),
                               ("-i https://pypi.org/simple/\n", "pass")):
            with open(path, "w") as file:
                file.write(line + text)
            self.shell("tutela init . --accept code/requirements")
            control = self.control("assess")
            self.assertEqual(self.uses(control)["code/requirements"][0], expected, line)

    def test_a_signature_of_a_registered_person_stands_for_the_time(self):
        self.enter("credit-scoring")
        self.edit("    collected_at: 2026-05-02\n", "")
        self.shell("tutela people enrol Ada --generate --no-passphrase --role developer --root")
        self.shell("tutela sign --by Ada requirements.txt")
        control = self.control("assess")
        self.assertEqual(self.uses(control)["code/requirements"][0], "pass", control["reasons"])
        self.shell("tutela people enrol Bob --generate --no-passphrase --role developer --root --by Ada")
        self.shell("tutela people revoke Ada --reason 'the laptop was stolen' --by Bob")
        self.assertNotEqual(self.uses(self.control())["code/requirements"], ("pass", "counts"), "it falls with the key")


if __name__ == "__main__":
    unittest.main()
