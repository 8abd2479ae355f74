"""tutela oversight: what is due, what ran, what was missed; the guard that runs takes its tests by itself."""
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "guard"))
sys.dont_write_bytecode = True
from live import TUTELA, Guard  # noqa: E402

FAKETIME = shutil.which("faketime")
EVERY = "oversight:\n  every: {guard.block-test: 7, guard.stop-switch: 30, guard.approvals: 30}\n"
TESTS = ["guard.block-test", "guard.approvals", "guard.stop-switch"]


class Oversight(unittest.TestCase):
    def guard(self, extra=EVERY, start=True):
        g = Guard(extra=extra, start=False)
        self.addCleanup(g.__exit__)
        g.run("people", "enrol", "Ada", "--root", "--role", "operator", "--generate", "--no-passphrase")
        g.run("people", "enrol", "Bob", "--role", "approver", "--generate", "--no-passphrase", "--by", "Ada")
        if start:
            g.up()
        return g

    def run_it(self, g, *args, late=None):
        env = {**g.env, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        before = [FAKETIME, "-f", late] if late else []
        return subprocess.run([*before, TUTELA, *args], cwd=g.system, env=env, capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL)

    def status(self, g, code, *args, **how):
        p = self.run_it(g, "oversight", *args, "--format", "json", **how)
        self.assertEqual(p.returncode, code, p.stdout + p.stderr)
        doc = json.loads(p.stdout)
        self.assertEqual(doc["schema"], "tutela.oversight/1")
        self.assertEqual([i["id"] for i in doc["items"]], TESTS)
        return {i["id"]: i for i in doc["items"]}

    def states(self, g, code, *args, **how):
        return [i["state"] for i in self.status(g, code, *args, **how).values()]

    def events(self, g, kind):
        return json.loads(g.run("ledger", "search", "--kind", kind, "--format", "json", check=False).stdout)["entries"]

    def test_what_is_run_is_current_until_its_time_is_over(self):
        g = self.guard()
        self.assertEqual(self.states(g, 3), ["never"] * 3)
        self.assertEqual(self.states(g, 3, "run"), ["current", "empty", "never"])  # nobody had to approve anything
        self.assertEqual(len(self.events(g, "oversight.empty")), 1)
        p = self.run_it(g, "oversight", "run", "guard.stop-switch")
        self.assertEqual((p.returncode, p.stderr.count("\n")), (2, 1), p.stderr)
        self.assertIn("--by PERSON", p.stderr)
        items = self.status(g, 0, "run", "--due", "--by", "Ada")
        self.assertEqual([i["state"] for i in items.values()], ["current", "empty", "current"])
        self.assertEqual(items["guard.stop-switch"]["actors"], ["Ada"])
        self.assertEqual(items["guard.block-test"]["actors"], ["tool"])
        self.assertTrue(all(len(i["evidence"]) == 1 and i["since"] and i["due"] for i in items.values()))
        self.assertEqual(self.run_it(g, "oversight", "run", "--due", "--quiet").stdout, "")
        text = self.run_it(g, "oversight", "status").stdout
        self.assertIn("Nothing is due.", text)
        # nothing is due: nothing is run
        before = self.status(g, 0)
        self.assertEqual(self.status(g, 0, "run", "--due", "--by", "Ada"), before)
        if not FAKETIME:
            self.skipTest("faketime is not installed")
        self.assertEqual(self.states(g, 0, late="+6d"), ["current", "empty", "current"])
        self.assertEqual(self.states(g, 3, late="+8d"), ["overdue", "empty", "current"])
        self.assertEqual(self.states(g, 3, late="+31d"), ["overdue"] * 3)
        self.assertEqual(self.events(g, "oversight.missed"), [])

    def test_what_was_missed_stays_in_the_log(self):
        if not FAKETIME:
            self.skipTest("faketime is not installed")
        g = self.guard(start=False)
        self.states(g, 3, "run", late="-9d")
        self.assertEqual(self.states(g, 3), ["overdue", "empty", "never"])
        for _ in range(2):  # told once
            g.run("assess", check=False)
            missed = self.events(g, "oversight.missed")
            self.assertEqual(len(missed), 1, missed)
        self.assertEqual(self.states(g, 3, "run", "--due"), ["current", "empty", "never"])
        self.assertEqual(len(self.events(g, "oversight.missed")), 1)

    def test_the_run_that_ends_a_gap_tells_of_it(self):
        if not FAKETIME:
            self.skipTest("faketime is not installed")
        g = self.guard(start=False)
        self.states(g, 3, "run", late="-9d")
        self.states(g, 3, "run", "--due")
        self.assertEqual(len(self.events(g, "oversight.missed")), 1)

    def test_another_description_and_a_lost_body(self):
        g = self.guard(start=False)
        self.states(g, 3, "run")
        text = (g.system / "tutela.yaml").read_text()
        (g.system / "tutela.yaml").write_text(text + "# another\n")
        self.assertEqual(self.states(g, 3), ["changed", "changed", "never"])
        (g.system / "tutela.yaml").write_text(text)
        self.assertEqual(self.states(g, 3), ["current", "empty", "never"])
        for body in (g.system / ".tutela" / "bodies").iterdir():
            if b'"tutela.guard-check/1"' in body.read_bytes():
                body.unlink()
        self.assertEqual(self.states(g, 3), ["never", "empty", "never"])

    def test_what_failed_is_told_as_such(self):
        """Approvals that nobody read: the review fails, and the schedule says so."""
        g = self.guard()
        refund = [{"id": "c1", "type": "function", "function": {"name": "refund", "arguments": json.dumps({"amount": 100})}}]
        self.decide(g, refund)
        p = self.run_it(g, "approvals", "review")
        self.assertEqual(p.returncode, 1, p.stdout)
        self.assertRegex(p.stdout, r"pay +1 +1 +0 +0 +0 +\d+ s +\d+ s +1\n")
        self.assertRegex(p.stdout, r"entry \d+: Bob approved [0-9a-f]{8} \(pay\) without looking at it; reading takes at least \d")
        doc = json.loads(self.run_it(g, "approvals", "review", "--no-record", "--format", "json").stdout)
        self.assertEqual([(c["class"], c["held"], c["approved"], c["denied"], c["hasty"]) for c in doc["classes"]], [("pay", 1, 1, 0, 1)])
        hasty = doc["hasty_decisions"][0]
        self.assertEqual((hasty["person"], hasty["class"], hasty["read_ms"], hasty["decision"]), ("Bob", "pay", None, "approve"))
        self.assertGreaterEqual(hasty["least_ms"], 2000)
        self.assertEqual(self.status(g, 1)["guard.approvals"]["state"], "failed")

    def decide(self, g, calls):
        tools = [{"type": "function", "function": {"name": "refund", "parameters": {"type": "object"}}}]
        answer = []
        asking = threading.Thread(target=lambda: answer.append(g.chat({"calls": calls}, timeout=60, tools=tools)), daemon=True)
        asking.start()
        hold = g.wait(lambda: json.loads(g.run("approvals", "list", "--format", "json", check=False).stdout)["items"], 30)[0]
        g.run("approvals", "approve", hold["id"], "--by", "Bob")
        asking.join()
        self.assertEqual(answer[0].status, 200)

    def test_the_guard_runs_it_by_itself(self):
        g = self.guard(EVERY + "  unattended: [guard.block-test, guard.approvals]\n")
        for _ in range(600):  # its first look comes some seconds after it began
            items = self.status(g, 3)
            if items["guard.block-test"]["state"] != "never" and items["guard.approvals"]["state"] != "never":
                break
            time.sleep(0.2)
        self.assertEqual([i["state"] for i in items.values()], ["current", "empty", "never"])
        self.assertTrue(items["guard.block-test"]["unattended"])
        self.assertEqual(g.chat("hello").status, 200)
        self.assertNotIn("tending", (g.guard_dir / "keeper.log").read_text())

    def test_bad_sections_are_told_with_their_place(self):
        g = Guard(start=False)
        self.addCleanup(g.__exit__)
        for section, what in (("  every: {guard.blocktest: 7}\n", "no test of oversight"), ("  every: {guard.block-test: 0}\n", "from 1 to 366"),
                              ("  every: {guard.block-test: soon}\n", "from 1 to 366"), ("  every: [guard.block-test]\n", "every"),
                              ("  unattended: [guard.stop-switch]\n", "never run unattended"), ("  unattended: [x]\n", "no test of oversight"),
                              ("  evry: {}\n", "every")):
            with self.subTest(section):
                g.write(extra="oversight:\n" + section)
                p = self.run_it(g, "oversight")
                self.assertEqual(p.returncode, 2, p.stdout)
                self.assertIn(what, p.stderr)
                self.assertIn("tutela.yaml:", p.stderr)
        p = self.run_it(g, "oversight", "run", "guard.bypass")
        self.assertEqual(p.returncode, 2)


if __name__ == "__main__":
    unittest.main()
