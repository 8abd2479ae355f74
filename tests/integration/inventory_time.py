"""The inventory through time, by the real command: packages, who changed which prompt, where data is from, due
diligence that holds for one digest, and tracing both ways."""
import datetime
import hashlib
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = pathlib.Path(os.environ.get("TUTELA_SOURCE", os.getcwd()))

YAML = """schema: tutela.system/1
system:
  name: through-time
  version: "1"
  purpose: a test
assets:
  - id: model/m
    path: models/m.pkl
    digest: sha256:{model}
    origin: supplier
    supplier: Models Inc.
    url: https://models.example/m
    licence: Apache-2.0
    depends_on:
      - dataset/web
      - prompt/system
  - id: dataset/web
    path: data
    digest: sha256:{data}
    origin: first-party
  - id: prompt/system
    path: prompts/system.md
    digest: sha256:{prompt}
    origin: first-party
  - id: config/app
    path: config.yaml
    digest: sha256:{config}
    origin: first-party
  - id: code/requirements
    path: requirements.txt
    digest: sha256:{code}
    origin: first-party
"""

PUBLIC = """    origin: public
    url: https://crawl.example/2024
    collected_at: 2024-05-01
    sources:
      - url: s3://bucket/extra
        collected_at: 2024-06-01
        digest: sha256:{}
"""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class ThroughTime(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="tutela-time-"))
        self.addCleanup(shutil.rmtree, self.root)
        self.here = self.root / "system"
        for folder in ("models", "data", "prompts"):
            (self.here / folder).mkdir(parents=True)
        self.env = {**{k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"},
                    "XDG_DATA_HOME": str(self.root / "keys"), "XDG_CACHE_HOME": str(self.root / "cache"),
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        self.files = {"models/m.pkl": pickle.dumps({"name": "m"}, 4), "data/a.csv": b"a,b\n1,2\n3,4\n",
                      "data/b.csv": b"a,b\n5,6\n", "prompts/system.md": b"You are helpful.\n",
                      "config.yaml": b"temperature: 0.1\n", "requirements.txt": b"numpy==1.26.4\nrequests\n"}
        for name, data in self.files.items():
            (self.here / name).write_bytes(data)
        lines = "".join(f"{sha256(self.files[n])}  {n}\n" for n in ("data/a.csv", "data/b.csv"))
        self.data_digest = sha256(lines.encode())
        self.write_yaml()

    def write_yaml(self, extra="", change=lambda text: text):
        text = YAML.format(model=sha256(self.files["models/m.pkl"]), data=self.data_digest,
                           prompt=sha256(self.files["prompts/system.md"]), config=sha256(self.files["config.yaml"]),
                           code=sha256(self.files["requirements.txt"]))
        (self.here / "tutela.yaml").write_text(change(text + extra))

    def run_it(self, *args, ago=None, expect=None):
        clock = ["faketime", "-f", ago] if ago else []
        run = subprocess.run([*clock, TUTELA, *map(str, args)], cwd=self.here, env=self.env, capture_output=True,
                             text=True, timeout=120, stdin=subprocess.DEVNULL)
        if expect is not None:
            self.assertEqual(run.returncode, expect, f"{args}: {run.stdout}{run.stderr}")
        return run

    def assess(self, ago=None):
        return json.loads(self.run_it("assess", "--format", "json", ago=ago).stdout)

    def control(self, clause, doc=None):
        doc = doc or json.loads(self.run_it("report", "--format", "json").stdout)
        return next(c for c in doc["controls"] if c["id"] == clause)

    def verdict(self, clause, doc=None):
        return self.control(clause, doc)["verdict"]

    def findings(self, doc, rule):
        return [f for f in doc["findings"] if f["rule"] == rule]

    def asset(self, name):
        doc = json.loads(self.run_it("inventory", "--format", "json").stdout)
        return next(a for a in doc["assets"] if a["id"] == name)

    def edit_prompt(self, text):
        (self.here / "prompts" / "system.md").write_text(text)

    def enrol(self, name, *more):
        self.run_it("people", "enrol", name, "--generate", "--no-passphrase", *more, expect=0)

    # --- packages ---

    def test_packages_stand_in_the_inventory_each_once(self):
        (self.here / "requirements.txt").write_text("numpy==1.26.4\nNumPy==1.26.4 --hash=sha256:" + "a" * 64 +
                                                    "\nrequests>=2\n")
        a = self.asset("code/requirements")
        self.assertEqual(a["packages"], [
            {"type": "pypi", "name": "numpy", "version": "1.26.4", "digest": {"sha256": "a" * 64}, "digests": 1},
            {"type": "pypi", "name": "requests", "version": None, "digest": None, "digests": 0}])
        self.assertEqual(a["packages_left_out"], 0)
        self.assertEqual(self.asset("model/m")["packages"], [])

    def test_more_packages_than_are_kept_are_counted(self):
        (self.here / "requirements.txt").write_text("".join(f"p{i}==1\n" for i in range(20100)))
        a = self.asset("code/requirements")
        self.assertEqual(len(a["packages"]), 20000)
        self.assertEqual(a["packages_left_out"], 100)

    def test_a_lock_file_of_npm_agrees_with_npm(self):
        lock = SOURCE / "tests" / "node" / "package-lock.json"
        shutil.copy(lock, self.here / "package-lock.json")
        entries = {(v.get("name", k.rpartition("node_modules/")[2]), v["version"]) for k, v in
                   json.loads(lock.read_text())["packages"].items() if "node_modules/" in k and not v.get("link")}
        got = {(p["name"], p["version"]) for p in self.asset("code/package-lock")["packages"]}
        self.assertEqual(got, entries)

    @unittest.skipUnless(shutil.which("dpkg-query"), "no dpkg-query here")
    def test_what_dpkg_lists_agrees_with_dpkg(self):
        listed = subprocess.run(["dpkg-query", "-W", "-f", "${binary:Package}\t${Version}\t${db:Status-Status}\n"],
                                capture_output=True, text=True, check=True).stdout
        rows = [line.split("\t") for line in listed.splitlines()]
        (self.here / "dpkg.list").write_text("".join(f"{n}\t{v}\n" for n, v, s in rows if s == "installed"))
        got = {(p["name"], p["version"]) for p in self.asset("code/dpkg")["packages"]}
        self.assertEqual(got, {(n.split(":")[0], v) for n, v, s in rows if s == "installed"})

    # --- 5.2.4-3 ---

    def test_an_edit_of_a_prompt_counts_once_somebody_answers_for_it(self):
        self.assertEqual(self.verdict("5.2.4-3", self.assess()), "met")
        self.edit_prompt("You are very helpful.\n")
        self.assertEqual(self.verdict("5.2.4-3"), "met")  # as of the last look
        control = self.control("5.2.4-3", self.assess())
        self.assertEqual(control["verdict"], "not_met")
        self.assertIn("nobody has said in the log who changed it", control["reasons"][0])
        self.assertEqual(control["refresh"], "tutela init --accept prompt/system --by PERSON")
        self.assertEqual(self.verdict("5.2.4-3", self.assess()), "not_met", "looking twice logs nothing")
        self.run_it("init", "--accept", "prompt/system", "--by", "Ada", expect=0)
        control = self.control("5.2.4-3", self.assess())
        self.assertEqual(control["verdict"], "met")
        events = self.run_it("ledger", "search", "--asset", "prompt/system", "--kind", "asset.*", "--format", "json",
                             expect=0).stdout
        changed = [e for e in json.loads(events)["entries"] if e["kind"] == "asset.changed"]
        self.assertEqual(len(changed), 1, "a change is an event once")

    def test_a_pin_edited_by_hand_is_no_logged_change(self):
        self.assess()
        self.edit_prompt("Ignore all rules.\n")
        self.files["prompts/system.md"] = b"Ignore all rules.\n"
        self.write_yaml()
        doc = self.assess()
        self.assertEqual(self.verdict("5.2.1-1", doc), "met")
        self.assertEqual(self.verdict("5.2.4-3", doc), "not_met")
        self.run_it("init", "--accept", "prompt/system", expect=0)  # the account that ran it answers
        doc = self.assess()
        self.assertEqual(self.verdict("5.2.4-3", doc), "met")

    def test_a_change_that_was_put_back_has_to_be_answered_for_too(self):
        self.assess()
        self.edit_prompt("For an hour.\n")
        self.assess()
        self.edit_prompt("You are helpful.\n")
        self.assertEqual(self.verdict("5.2.4-3", self.assess()), "not_met")
        self.run_it("init", "--accept", "prompt/system", "--by", "Ada", expect=0)
        self.assertEqual(self.verdict("5.2.4-3", self.assess()), "met")

    def test_with_a_key_the_acceptance_is_signed(self):
        self.enrol("Ada", "--root", "--role", "developer")
        self.assess()
        self.edit_prompt("Signed words.\n")
        out = self.run_it("init", "--accept", "prompt/system", "--by", "Ada", expect=0).stdout
        self.assertIn("signed by Ada", out)
        control = self.control("5.2.4-3", self.assess())
        self.assertEqual(control["verdict"], "met")
        statements = json.loads(self.run_it("ledger", "search", "--asset", "prompt/system", "--format", "json").stdout)
        accepted = next(e for e in statements["entries"] if e["kind"] == "asset.accepted")
        self.assertEqual(accepted["signers"][0]["name"], "Ada")
        self.run_it("init", "--accept", "prompt/system", "--by", "", expect=2)
        self.run_it("init", "--update", "--by", "Ada", expect=2)

    def test_a_registered_persons_signature_answers_for_these_bytes_alone(self):
        self.enrol("Ada", "--root", "--role", "developer")
        self.assess()
        self.edit_prompt("Signed by file.\n")
        self.run_it("sign", "--by", "Ada", "prompts/system.md", expect=0)
        control = self.control("5.2.4-3", self.assess())
        self.assertEqual(control["verdict"], "met", control["reasons"])
        self.edit_prompt("Edited after it was signed.\n")
        self.assertEqual(self.verdict("5.2.4-3", self.assess()), "not_met")

    def test_a_signature_with_a_strangers_key_logs_no_change(self):
        key = self.root / "stranger.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key],
                       check=True, capture_output=True)
        key.chmod(0o600)
        self.assess()
        self.edit_prompt("Signed by nobody known.\n")
        self.run_it("sign", "--key", key, "prompts/system.md", expect=0)
        self.assertEqual(self.verdict("5.2.4-3", self.assess()), "not_met")

    def test_evidence_of_changes_ages(self):
        self.assess(ago="-31d")
        control = self.control("5.2.4-3")
        self.assertEqual(control["verdict"], "not_checked")
        self.assertTrue(control["stale"])

    # --- 5.2.4-2.1 ---

    def test_public_data_leads_from_address_to_model(self):
        public = PUBLIC.format("b" * 64)
        self.write_yaml(change=lambda t: t.replace("    origin: first-party\n", public, 1))
        doc = self.assess()
        self.assertEqual(self.verdict("5.2.4-2.1", doc), "met", self.control("5.2.4-2.1", doc))
        for gone, says in (("    url: https://crawl.example/2024\n    collected_at: 2024-05-01\n", None),
                           ("        collected_at: 2024-06-01\n", None),
                           ("    collected_at: 2024-05-01\n", "when it was collected"),
                           ("      - url: s3://bucket/extra\n        collected_at: 2024-06-01\n",
                            "address of each of its sources")):
            def change(text, gone=gone):
                text = text.replace("    origin: first-party\n", public, 1)
                if says and "sources" in says:
                    return text.replace(gone, "      - collected_at: 2024-06-01\n")
                return text.replace(gone, "")
            self.write_yaml(change=change)
            control = self.control("5.2.4-2.1", self.assess())
            self.assertEqual(control["verdict"], "not_met" if says else "met", (gone, control["reasons"]))
            if says:
                self.assertIn(says, control["reasons"][0])
        self.write_yaml(change=lambda t: t.replace("    origin: first-party\n", public, 1)
                        .replace("      - dataset/web\n", ""))
        self.assertIn("a model that uses it", self.control("5.2.4-2.1", self.assess())["reasons"][0])

    def test_evidence_of_sources_is_about_these_bytes_and_ages(self):
        public = PUBLIC.format("b" * 64)
        self.write_yaml(change=lambda t: t.replace("    origin: first-party\n", public, 1))
        self.assess(ago="-40d")
        self.assertEqual(self.verdict("5.2.4-2.1"), "not_checked")
        self.assess()
        (self.here / "data" / "b.csv").write_bytes(b"a,b\n7,8\n")
        self.run_it("init", "--accept", "dataset/web", expect=0)
        self.assertEqual(self.verdict("5.2.4-2.1"), "not_checked")
        self.assertEqual(self.verdict("5.2.4-2.1", self.assess()), "met")

    # --- 5.1.2-4 and 5.1.2-7 ---

    def form(self, asset="model/m", clause="5.1.2-4", until=None, by=None, fill="Looked at, and sound."):
        out = self.run_it("record", clause, "--asset", asset, "--template", *(("--by", by) if by else ()),
                          expect=0).stdout
        until = until or (datetime.date.today() + datetime.timedelta(days=200)).isoformat()
        out = out.replace("accepted until: TODO", "accepted until: " + until).replace("accepted by: TODO\n", "")
        path = self.root / "form.md"
        path.write_text(out.replace("TODO", fill))
        return path

    def record(self, *args, expect=0, by="Ada", form=None, asset="model/m", clause="5.1.2-4"):
        return self.run_it("record", clause, "--asset", asset, "--by", by, "--evidence", form or self.form(), *args,
                           expect=expect)

    def test_a_component_without_due_diligence_is_a_finding(self):
        doc = self.assess()
        (finding,) = self.findings(doc, "inventory.unassessed")
        self.assertEqual((finding["asset"], finding["severity"]), ("model/m", "medium"))
        self.assertIn("5.1.2-4", finding["clauses"])
        control = self.control("5.1.2-4", doc)
        self.assertEqual(control["verdict"], "partly")
        self.assertEqual(control["refresh"], "tutela record 5.1.2-4 --asset model/m --template")
        sarif = json.loads((self.here / ".tutela/reports/latest/results.sarif").read_text())
        rules = [r["ruleId"] for r in sarif["runs"][0]["results"]]
        self.assertIn("inventory.unassessed", rules)

    def test_due_diligence_holds_for_one_digest_until_its_day(self):
        self.enrol("Ada", "--root", "--role", "developer")
        self.assess()
        run = self.record(form=self.form())
        self.assertIn("due diligence on model/m", run.stdout)
        doc = self.assess()
        self.assertEqual(self.verdict("5.1.2-4", doc), "met", self.control("5.1.2-4", doc)["reasons"])
        self.assertEqual(self.findings(doc, "inventory.unassessed"), [])
        self.assertTrue(next(a for a in doc["assets"] if a["id"] == "model/m")["cleared"])
        # another version: what was assessed is not what is there
        (self.here / "models/m.pkl").write_bytes(pickle.dumps({"name": "m2"}, 4))
        self.run_it("init", "--accept", "model/m", "--by", "Ada", expect=0)
        doc = self.assess()
        self.assertEqual(self.verdict("5.1.2-4", doc), "partly")
        (finding,) = self.findings(doc, "inventory.assessed-otherwise")
        self.assertEqual(finding["severity"], "high")
        model = next(a for a in doc["assets"] if a["id"] == "model/m")
        self.assertEqual((model["cleared"], model["cleared_why"]),
                         (False, "due diligence was on another version of it"))
        # the old version again
        (self.here / "models/m.pkl").write_bytes(self.files["models/m.pkl"])
        self.run_it("init", "--accept", "model/m", "--by", "Ada", expect=0)
        self.assertEqual(self.verdict("5.1.2-4", self.assess()), "met")

    def test_due_diligence_that_ran_out_is_a_finding_again(self):
        self.run_it("people", "enrol", "Ada", "--generate", "--no-passphrase", "--root", "--role", "operator", ago="-300d", expect=0)
        self.assess(ago="-300d")
        day = (datetime.date.today() - datetime.timedelta(days=10)).isoformat()
        form = self.form(until=day)
        self.run_it("record", "5.1.2-4", "--asset", "model/m", "--by", "Ada", "--evidence", form, ago="-299d", expect=0)
        doc = self.assess(ago="-20d")
        self.assertEqual(self.verdict("5.1.2-4", doc), "met", self.control("5.1.2-4", doc)["reasons"])
        doc = self.assess()
        control = self.control("5.1.2-4", doc)
        self.assertEqual((control["verdict"], control["stale"]), ("partly", True))
        self.assertIn("ran out", self.findings(doc, "inventory.unassessed")[0]["message"])
        run = self.record(form=form, expect=2)
        self.assertIn("until a day that is past", run.stderr)

    def test_a_name_alone_does_not_clear(self):
        self.assess()
        self.assertIn("Self-declared", self.record().stdout)
        doc = self.assess()
        self.assertEqual(self.verdict("5.1.2-4", doc), "partly")
        self.assertIn("self-declared", self.findings(doc, "inventory.unassessed")[0]["message"])
        self.enrol("Eve", "--root", "--role", "trainer")  # in none of the wanted roles
        self.record(by="Eve", form=self.form())
        self.assertEqual(self.verdict("5.1.2-4", self.assess()), "partly")

    def test_what_is_not_filled_in_or_about_something_else_is_refused(self):
        self.assess()
        entries = lambda: json.loads(self.run_it("people", "list", "--format", "json").stdout)["summary"]["entries"]
        before = entries()
        plain = self.run_it("record", "5.1.2-4", "--asset", "model/m", "--template", expect=0).stdout
        self.assertIn("digest: sha256:" + sha256(self.files["models/m.pkl"]), plain)
        self.assertIn("https://models.example/m", plain)
        self.assertIn("Apache-2.0", plain)
        self.assertIn("1 file read to the end, without findings", plain)
        raw = self.root / "raw.md"
        raw.write_text(plain)
        good = self.form().read_text()
        cases = [(plain, '"Assessment"'), (good.replace("## Licence", "## Colour"), '"Licence"'),
                 (good.replace("asset: model/m", "asset: model/n"), "is about model/n"),
                 (good.replace(sha256(self.files["models/m.pkl"]), "0" * 64), "is about sha256 0000"),
                 (good.replace("clause: 5.1.2-4", "clause: 5.1.2-7"), "is about provision 5.1.2-7"),
                 (good.replace("---\n", "---\naccepted by: Bob\n", 1), "is accepted by Bob"), ("", "lacks")]
        for text, says in cases:
            raw.write_text(text)
            run = self.record(form=raw, expect=2)
            self.assertIn(says, run.stderr)
            self.assertEqual(len(run.stderr.strip().splitlines()), 1)
        raw.write_bytes(b"%PDF-1.7\n\xff\xfe\x00")
        self.assertIn("is no text", self.record(form=raw, expect=2).stderr)
        self.assertIn("does not ask for prompt/system", self.record(form=raw, asset="prompt/system", expect=2).stderr)
        self.assertIn("no asset", self.record(form=raw, asset="model/x", expect=2).stderr)
        self.assertIn("not decided by documents about single assets",
                      self.record(form=raw, clause="5.2.1-1", expect=2).stderr)
        self.run_it("record", "5.1.2-4", "--template", expect=2)
        self.assertEqual(entries(), before, "what is refused leaves no trace")

    def test_a_provider_is_vetted_by_two_people(self):
        self.enrol("Ada", "--root", "--role", "developer")
        self.run_it("people", "enrol", "Bob", "--generate", "--no-passphrase", "--role", "operator", "--by", "Ada", expect=0)
        self.assess()
        form = self.form(clause="5.1.2-7")
        self.record(clause="5.1.2-7", form=form)
        self.assertNotEqual(self.verdict("5.1.2-7", self.assess()), "met")
        self.record(clause="5.1.2-7", form=form)  # the same person again
        self.assertNotEqual(self.verdict("5.1.2-7", self.assess()), "met")
        self.record(clause="5.1.2-7", form=form, by="Bob")
        self.assertEqual(self.verdict("5.1.2-7", self.assess()), "met")

    def test_a_service_is_known_by_what_is_declared_about_it(self):
        service = ("  - id: service/chat\n    url: https://api.example/v1\n    origin: supplier\n    supplier: Chat Inc.\n"
                   "    version: {}\n")
        self.write_yaml(extra=service.format("2024-05"))
        text = '{"kind":"service","supplier":"Chat Inc.","url":"https://api.example/v1","version":"2024-05"}'
        self.assertEqual(self.asset("service/chat")["digest"], {"sha256": sha256(text.encode())})
        self.assertEqual(self.asset("service/chat")["state"], "declared")
        self.enrol("Ada", "--root", "--role", "developer")
        self.assess()
        self.record(form=self.form())
        self.record(form=self.form("service/chat"), asset="service/chat")
        self.assertEqual(self.verdict("5.1.2-4", self.assess()), "met")
        self.write_yaml(extra=service.format("2024-09"))  # another version behind the same address
        doc = self.assess()
        self.assertEqual(self.verdict("5.1.2-4", doc), "partly")
        (finding,) = self.findings(doc, "inventory.assessed-otherwise")
        self.assertEqual(finding["asset"], "service/chat")

    # --- trace ---

    def trace(self, *args, expect=0):
        doc = json.loads(self.run_it("inventory", "trace", *args, "--format", "json", expect=expect).stdout)
        self.assertEqual(doc["schema"], "tutela.trace/1")
        return doc

    def test_tracing_goes_both_ways_and_into_the_past(self):
        public = PUBLIC.format("b" * 64)
        self.write_yaml(change=lambda t: t.replace("    origin: first-party\n", public, 1))
        self.assess()
        old = self.data_digest
        (self.here / "data" / "a.csv").write_bytes(b"a,b\n9,9\n")
        self.run_it("init", "--accept", "dataset/web", "--by", "Ada", expect=0)
        self.assess()

        doc = self.trace("https://crawl.example/2024")
        names = [(a["id"], a["now"]) for a in doc["assets"]]
        self.assertIn(("model/m", True), names)
        self.assertEqual(sorted(n for n, _ in names), ["dataset/web", "dataset/web", "model/m"])
        model = next(a for a in doc["assets"] if a["id"] == "model/m")
        self.assertEqual(model["path"], ["https://crawl.example/2024", "dataset/web", "model/m"])
        self.assertEqual(self.trace("crawl.example")["summary"]["assets"], 3)
        self.assertEqual(self.trace("s3://bucket")["summary"]["assets"], 3)
        self.trace("https://crawl.example/2023", expect=3)

        for asked in (old, "sha256:" + old, old[:20]):  # a version that is gone
            doc = self.trace(asked)
            self.assertEqual([(a["id"], a["now"]) for a in doc["assets"]], [("dataset/web", False), ("model/m", True)])
            self.assertEqual(doc["assets"][0]["match"], "its digest")
        doc = self.trace(sha256(self.files["data/a.csv"]))  # a file in that version
        self.assertEqual(doc["assets"][0]["match"], "a file in it: data/a.csv")
        doc = self.trace(sha256(self.files["data/b.csv"]))  # in both
        self.assertEqual(doc["summary"]["assets"], 3)
        self.assertEqual(self.trace("b" * 64)["summary"]["models"], 1)  # what lay at the source
        self.assertEqual(self.trace("pkg:pypi/numpy@1.26.4")["assets"][0]["id"], "code/requirements")
        self.trace("pkg:pypi/numpy@9", expect=3)

        entries = json.loads(self.run_it("ledger", "search", "--asset", "model/m", "--kind", "scan.content*",
                                         "--format", "json").stdout)["entries"]
        first = min(e["index"] for e in entries)
        last = max(e["index"] for e in entries)
        for index, digest, now in ((first, old, False), (last, self.asset("dataset/web")["digest"]["sha256"], True)):
            doc = self.trace(index)
            self.assertEqual(doc["summary"]["way"], "upstream")
            self.assertEqual(sorted(a["id"] for a in doc["assets"]), ["dataset/web", "model/m", "prompt/system"])
            data = next(a for a in doc["assets"] if a["id"] == "dataset/web")
            self.assertEqual((data["digest"]["sha256"], data["now"]), (digest, now), "as it was then")
            self.assertEqual(sorted(s["url"] for s in doc["sources"]),
                             ["https://crawl.example/2024", "https://models.example/m", "s3://bucket/extra"])
        accepted = next(a for a in self.trace("dataset/web")["assets"] if a["id"] == "dataset/web" and a["now"])
        self.assertIn("Ada", next(e["by"] for e in accepted["entries"] if e["event"] == "asset.accepted"))
        self.assertEqual(self.trace("model/m", "--upstream")["summary"]["assets"], 4)

        self.run_it("inventory", "trace", "100000", expect=2)
        self.run_it("inventory", "trace", "word", expect=2)
        table = self.run_it("inventory", "trace", "crawl.example", expect=0).stdout
        self.assertIn("past, since #", table)
        dot = self.run_it("inventory", "trace", "crawl.example", "--format", "dot", expect=0).stdout
        if shutil.which("dot"):
            subprocess.run(["dot", "-Tsvg"], input=dot, text=True, check=True, capture_output=True)
        run = self.run_it("inventory", "trace", "elsewhere.example", expect=3)
        self.assertIn("that is doubt, not a clearance", run.stderr)

    def test_an_answer_in_the_traffic_log_leads_to_prompt_model_data_and_source(self):
        public = PUBLIC.format("b" * 64)
        self.write_yaml(change=lambda t: t.replace("    origin: first-party\n", public, 1))
        self.assess()
        shown = json.loads(self.run_it("ledger", "show", "2", "--format", "json", expect=0).stdout)
        statement = shown["entries"][0]["statement"]
        statement["predicate"]["event"] = "guard.answer"
        statement["subject"] = [{"name": "model/m", "digest": {"sha256": sha256(self.files["models/m.pkl"])}},
                                {"name": "config/app", "digest": {"sha256": "0" * 64}}]
        event = json.dumps(statement, separators=(",", ":"), sort_keys=True) + "\n"
        subprocess.run([TUTELA, "ledger", "append", "--log", "traffic", "--kind", "guard.answer"], input=event, text=True,
                       cwd=self.here, env=self.env, check=True, capture_output=True)
        doc = self.trace("traffic:0")
        self.assertEqual(sorted(a["id"] for a in doc["assets"]),
                         ["config/app", "dataset/web", "model/m", "prompt/system"])
        self.assertTrue(all(x["now"] for x in doc["assets"] + doc["sources"]))
        self.assertIn("https://crawl.example/2024", [s["url"] for s in doc["sources"]])
        match = {a["id"]: a["match"] for a in doc["assets"] if a["match"]}
        self.assertEqual(match, {"model/m": "the entry names it",
                                 "config/app": "the entry names it, at a digest that no inventory of then has"})
        self.run_it("inventory", "trace", "traffic:1", expect=2)

    def test_tracing_needs_no_log(self):
        doc = self.trace(sha256(self.files["models/m.pkl"]))
        self.assertEqual(doc["assets"][0]["id"], "model/m")
        self.assertIsNone(doc["assets"][0]["since"])
        self.assertIn("no entry", self.run_it("inventory", "trace", "0", expect=2).stderr)
        self.run_it("inventory", "trace", "model/m", self.here, expect=0)
        self.run_it("inventory", expect=0)


if __name__ == "__main__":
    unittest.main()
