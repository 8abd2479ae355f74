"""What scripts rely on: JSON wherever a command offers it, places that are named, one message a fault."""
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]


class Contract(unittest.TestCase):
    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="tutela-contract-"))
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)
        self.sys = self.tmp / "sys"
        self.sys.mkdir()
        (self.sys / "m.pkl").write_bytes(pickle.dumps({"a": 1}, 4))

    def run_it(self, *args, cwd=None, expect=None):
        p = subprocess.run([TUTELA, *map(str, args)], cwd=cwd or self.tmp, capture_output=True,
                           text=True, timeout=60)
        if expect is not None:
            self.assertEqual(p.returncode, expect, (args, p.stdout[-2000:], p.stderr))
        return p

    def document(self, *args, expect, schema, cwd=None):
        d = json.loads(self.run_it(*args, "--format", "json", cwd=cwd, expect=expect).stdout)
        self.assertEqual(d["schema"], schema)
        for key in ("tutela", "generated", "summary"):
            self.assertIn(key, d)
        return d

    def test_a_directory_without_description_is_assessed_as_json_too(self):
        d = self.document("assess", self.sys, expect=3, schema="tutela.assessment/1")
        self.assertEqual(len(d["controls"]), 72)
        self.assertEqual({c["verdict"] for c in d["controls"]}, {"not_checked"})
        self.assertIsNone(d["summary"]["grade"])
        self.assertFalse((self.sys / ".tutela").exists())

    def test_init_says_as_json_what_it_did(self):
        (self.tmp / "empty").mkdir()
        self.assertEqual(self.document("init", "empty", expect=3, schema="tutela.init/1")["assets"], [])
        d = self.document("init", "sys", expect=0, schema="tutela.init/1")
        self.assertEqual(d["summary"]["action"], "described")
        self.assertEqual([a["id"] for a in d["assets"]], ["model/m"])
        (self.sys / "n.pkl").write_bytes(pickle.dumps([1], 4))
        d = self.document("init", "sys", "--update", expect=0, schema="tutela.init/1")
        self.assertEqual((d["summary"]["action"], [a["id"] for a in d["assets"]]), ("updated", ["model/n"]))
        d = self.document("init", "sys", "--update", expect=0, schema="tutela.init/1")
        self.assertEqual((d["summary"]["action"], d["assets"]), ("unchanged", []))
        (self.sys / "n.pkl").write_bytes(pickle.dumps([2], 4))
        d = self.document("init", "sys", "--accept", "model/n", expect=0, schema="tutela.init/1")
        self.assertEqual((d["summary"]["action"], [a["id"] for a in d["assets"]]), ("accepted", ["model/n"]))
        self.run_it("inventory", "sys", expect=0)

    def test_a_clause_is_explained_as_json(self):
        d = self.document("explain", "5.2.1-1", expect=0, schema="tutela.clauses/1")
        self.assertEqual([c["verdict"] for c in d["controls"]], ["not_checked"])
        self.run_it("init", "sys", expect=0)
        self.run_it("assess", "sys")
        d = self.document("explain", "5.2.1-1", cwd=self.sys, expect=0, schema="tutela.clauses/1")
        self.assertEqual([(c["id"], c["verdict"]) for c in d["controls"]], [("5.2.1-1", "met")])

    def one_line(self, p, *parts):
        self.assertEqual(p.returncode, 2, p.stdout)
        self.assertEqual(p.stdout, "")
        for part in parts:
            self.assertIn(part, p.stderr)

    def test_places_that_cannot_be_are_refused_and_nothing_is_written(self):
        self.run_it("init", "sys", expect=0)
        self.run_it("assess", "sys")
        before = sorted(self.tmp.iterdir())
        self.one_line(self.run_it("assess", "sys", "--state", ""), "--state")
        self.one_line(self.run_it("report", "sys", "--state", "sys/m.pkl"), "--state")
        self.one_line(self.run_it("report", "--system", "sys"), "--system")
        self.one_line(self.run_it("assess", "--system", "sys/nope.yaml"), "nope.yaml")
        (self.tmp / "other").mkdir()
        self.one_line(self.run_it("assess", "other", "--system", "sys/tutela.yaml"), "leave other out")
        (self.tmp / "other").rmdir()
        self.assertEqual(sorted(self.tmp.iterdir()), before)
        self.run_it("report", "sys/.", "--system", "sys/tutela.yaml")

    def test_records_that_are_no_directory_are_not_called_none(self):
        self.run_it("init", "sys", expect=0)
        shutil.rmtree(self.sys / ".tutela")
        (self.sys / ".tutela").write_text("x")
        self.one_line(self.run_it("report", "sys"), ".tutela", "Not a directory")

    def test_a_fault_of_the_description_is_told_once(self):
        (self.sys / "tutela.yaml").write_text("a: [b\n")
        for command in ("assess", "inventory"):
            p = self.run_it(command, "sys")
            self.one_line(p, "sys/tutela.yaml:2:1:")
            self.assertEqual(p.stderr.count("the closing ']' is missing"), 1, p.stderr)

    def test_an_exclusion_of_no_provision_is_no_silence(self):
        self.run_it("init", "sys", expect=0)
        path = self.sys / "tutela.yaml"
        path.write_text(path.read_text() + "\nnot_applicable:\n  - clause: 5.9.9-1\n    reason: x\n"
                                           "    by: J\n    expires: 2099-01-01\n")
        self.one_line(self.run_it("assess", "sys"), "sys/tutela.yaml:", '"5.9.9-1"')

    def test_a_description_of_another_name_is_no_asset_and_commands_name_it(self):
        self.run_it("init", "sys", expect=0)
        (self.sys / "tutela.yaml").rename(self.sys / "app.yaml")
        shutil.rmtree(self.sys / ".tutela")
        self.run_it("inventory", "--system", "sys/app.yaml", expect=0)
        (self.sys / "n.pkl").write_bytes(pickle.dumps([1], 4))
        p = self.run_it("inventory", "--system", "sys/app.yaml", expect=1)
        self.assertIn("tutela init --system sys/app.yaml --update", p.stdout)
        p = self.run_it("assess", "--system", "sys/app.yaml", "--state", "elsewhere", "--format", "json")
        d = json.loads(p.stdout)
        commands = [step["command"] for step in d["next"]]
        self.assertIn("tutela init --update --system sys/app.yaml --state elsewhere", commands)
        for command in commands:
            self.assertIn("--system sys/app.yaml --state elsewhere", command)
        self.assertEqual([a["id"] for a in d["assets"]], ["model/m", "model/n"])

    def test_what_cannot_be_read_is_neither_missing_nor_changed_to_the_verdict(self):
        (self.sys / "data").mkdir()
        (self.sys / "data" / "d.csv").write_text("a,b\n1,2\n3,4\n")
        (self.sys / "hidden").mkdir()
        (self.sys / "hidden" / "h.pkl").write_bytes(pickle.dumps([5], 4))
        self.run_it("init", "sys", expect=0)
        if os.geteuid() == 0:
            os.chmod(self.tmp, 0o755)
            who = dict(user=65534, group=65534, extra_groups=[])
        else:
            who = {}
        (self.sys / "m.pkl").chmod(0)
        (self.sys / "hidden").chmod(0)
        state = self.tmp / "state"
        state.mkdir()
        state.chmod(0o777)
        program = self.tmp / "tutela"
        shutil.copy(TUTELA, program)
        program.chmod(0o755)
        p = subprocess.run([program, "assess", self.sys, "--state", state, "--format", "json"],
                           capture_output=True, text=True, timeout=60, **who,
                           env={**os.environ, "XDG_DATA_HOME": str(state / "keys")})
        (self.sys / "hidden").chmod(0o755)
        d = json.loads(p.stdout)
        inventory = [c for c in d["controls"] if c["id"] == "5.2.1-1"][0]
        self.assertEqual(inventory["verdict"], "not_checked", inventory)
        self.assertEqual({u["what"] for u in d["unchecked"]}, {"m.pkl", "hidden"})
        self.assertNotIn("inventory.changed", [f["rule"] for f in d["findings"]])
        self.assertNotIn("inventory.missing", [f["rule"] for f in d["findings"]])

    def test_unread_paths_are_below_the_system_wherever_the_command_ran(self):
        (self.sys / "cut.npy").write_bytes(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f8'")
        self.run_it("init", "sys", expect=0)
        self.run_it("assess", "sys")
        d = json.loads(self.run_it("report", "sys", "--format", "json").stdout)
        self.assertEqual([u["what"] for u in d["unchecked"]], ["cut.npy"])
        run = json.loads(self.run_it("report", "sys", "--format", "sarif").stdout)["runs"][0]
        notes = run["invocations"][0]["toolExecutionNotifications"]
        self.assertEqual([n["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for n in notes],
                         ["cut.npy"])

    def test_a_directory_with_an_escape_in_its_name_does_not_reach_the_terminal_raw(self):
        odd = self.tmp / "e \x1b[31m"
        self.sys.rename(odd)
        for args in (["init", odd.name], ["init", odd.name, "--update"], ["inventory", odd.name],
                     ["assess", odd.name], ["report", odd.name]):
            p = self.run_it(*args)
            self.assertNotIn("\x1b", p.stdout + p.stderr, args)

    def test_untrusted_names_are_text_in_the_html_report(self):
        (self.sys / "\u202eltr.pkl").write_bytes(pickle.dumps([1], 4))
        self.run_it("init", "sys", expect=0)
        path = self.sys / "tutela.yaml"
        path.write_text(path.read_text().replace(
            "name: sys", 'name: "<img src=x onerror=alert(1)>\\u202E\\u2066 &amp; \\"q\\""', 1))
        self.run_it("assess", "sys")
        page = (self.sys / ".tutela/reports/latest/report.html").read_text(encoding="utf-8")
        self.assertNotIn("<img", page)
        self.assertIn("&lt;img src=x onerror=alert(1)&gt;\\u{202e}\\u{2066} &amp;amp; &quot;q&quot;", page)
        self.assertEqual([c for c in page if c in "\u202e\u2066\u200f"], [])

    def test_a_description_saved_with_a_byte_order_mark_is_read(self):
        self.run_it("init", "sys", expect=0)
        path = self.sys / "tutela.yaml"
        text = path.read_bytes()
        path.write_bytes(b"\xef\xbb\xbf" + text[text.index(b"schema:"):])
        self.run_it("inventory", "sys", expect=0)
        (self.sys / "n.pkl").write_bytes(pickle.dumps([1], 4))
        before = path.read_bytes()
        self.run_it("init", "sys", "--update", expect=0)
        after = path.read_bytes()
        self.assertTrue(after.startswith(b"\xef\xbb\xbf") and len(after) > len(before))
        self.run_it("inventory", "sys", expect=0)

    def test_help_fits_eighty_columns(self):
        for args in (["--help"], *([name, "--help"] for name in ("init", "inventory", "scan", "assess",
                                                                  "report", "explain", "record", "version"))):
            for line in self.run_it(*args, expect=0).stdout.splitlines():
                self.assertLessEqual(len(line), 80, (args, line))


if __name__ == "__main__":
    unittest.main(verbosity=2)
