"""What the guard proves about itself moves the provisions that it stands for, and falls back when that is old, missing,
wrong, or about another description: guard check, stop --drill, status --record, approvals review, ledger verify."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.environ.get("TUTELA_SOURCE", os.getcwd()), "tests", "guard"))
from live import TUTELA, Guard, said  # noqa: E402

KEY = subprocess.run([TUTELA, "guard", "key", "shop", "--quiet"], capture_output=True, text=True, check=True, cwd=tempfile.gettempdir()).stdout.strip()
HELD = [{"id": "call_1", "type": "function", "function": {"name": "refund", "arguments": json.dumps({"order": "A-1"})}}]
READ = [{"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": json.dumps({"q": "x"})}}]
OTHER = [{"id": "call_1", "type": "function", "function": {"name": "wipe", "arguments": "{}"}}]
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("look_up", "refund")]
WORDS = [a + b + "ing" for a in "bcdfghklmn" for b in ("an", "end", "ill", "ost", "um", "ark", "elt", "irr", "olf", "uck")]
AUTH = {"Authorization": "Bearer " + KEY}

POLICY = """schema: tutela.system/1
system:
  name: proven
  version: 1.0.0
  purpose: tests
guard:
  listen: 127.0.0.1:{port}
  workers: 2
  quota:
    requests: 600/min
    tokens: 2000000/hour
    concurrent: 16
  tools:
    - name: look_up
      class: read
    - name: refund
      class: pay
      approval: hold
  routes:
    - id: chat
      path: /v1/chat/completions
      protocol: openai-chat
      upstream: {upstream}
      models: m
  clients:
    - id: shop
      keys:
        - sha256: """ + hashlib.sha256(KEY.encode()).hexdigest() + """
          expires: 2027-06-01
"""


POLICY_V2 = POLICY.replace("/v1/chat/completions", "/v2/models/{{model}}/infer").replace("openai-chat", "kserve-v2").replace(
    "      models: m\n", "      tensors:\n        - name: x\n          datatype: FP32\n          shape:\n            - 4\n          min: 0\n          max: 1\n")
PROMPT = "You answer questions about orders.\n"
DESCRIBED = POLICY.replace("guard:\n", """assets:
  - id: prompt/system
    path: system.md
    digest: sha256:%s
    origin: first-party
guard:
""" % hashlib.sha256(PROMPT.encode()).hexdigest(), 1)
SHOWN = {"5.1.2-3": "The running system writes every request", "5.1.2-6": "Granted permissions are the ones that are used",
         "5.1.4-1": "The stop switch was thrown", "5.1.4-3": "An action that needs approval",
         "5.2.2-2": "Identity, limits and abuse detection", "5.4.2-1": "Actions of system and users"}


def states(g, *args):
    g.run("assess", *args, check=False)
    report = json.loads(g.run("report", "--format", "json", *args, check=False).stdout)
    return {c["id"]: (c["verdict"], " ".join(c["reasons"])) for c in report["controls"]}


def enrol(g, name="ada", role="approver"):
    g.run("people", "enrol", name, "--root", "--generate", "--no-passphrase", "--by", name, "--role", role)


class Check(unittest.TestCase):
    def check(self, g, *args, status=None):
        run = g.run("guard", "check", "--format", "json", *args, check=False)
        if status is not None:
            self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return json.loads(run.stdout)

    def items(self, doc, name, state=None):
        return [i for i in doc["items"] if i["id"] == name and state in (None, i["state"])]

    def test_what_holds_is_evidence(self):
        with Guard(policy=POLICY, unix=True) as g:
            os.chmod(g.dir / "model.sock", 0o600)
            doc = self.check(g, "--bypass", status=0)
            evidence = {e["check"]: e for e in doc["summary"]["evidence"]}
            self.assertEqual({e["state"] for e in evidence.values()}, {"pass"})
            self.assertIn("cannot be asked without it", evidence["guard.limits"]["statement"])
            self.assertGreater(doc["summary"]["answers"], 2000)
            for name in ("identity", "quotas", "abuse", "mode", "in-force", "tls", "strangers", "input", "fail-closed", "block-test", "bypass"):
                self.assertTrue(self.items(doc, name, "pass"), name)
            self.assertEqual(len(self.items(doc, "quotas")), 3)
            self.assertEqual([e["path"] for e in g.arrived()], [], "strangers reached the model server")
            self.assertIn("Recorded as entry", g.run("guard", "check").stdout)

    def test_ways_around_the_guard_are_found(self):
        with Guard(policy=POLICY, unix=True) as g:
            for folder in (g.dir, g.dir.parent):
                self.assertTrue(folder.exists())
            os.chmod(g.dir, 0o755)
            os.chmod(g.dir / "model.sock", 0o666)
            doc = self.check(g, "--bypass", status=1)
            self.assertIn("every user", self.items(doc, "bypass", "fail")[0]["reason"])
            self.assertEqual(doc["summary"]["evidence"][0]["state"], "fail")
            os.chmod(g.dir, 0o700)  # nobody comes through to it
            self.check(g, "--bypass", status=0)
        with Guard(policy=POLICY) as g:  # a port of this machine, without a key
            doc = self.check(g, "--bypass", status=1)
            self.assertIn("without the guard", self.items(doc, "bypass", "fail")[0]["reason"])
            g.upstream.kill()
            g.upstream.wait()
            self.assertEqual(self.items(self.check(g, "--bypass", status=3), "bypass")[0]["state"], "not_checked")

    def test_an_upstream_that_wants_a_key_cannot_be_bypassed(self):
        import http.server

        class Locked(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.headers.get("Authorization") == "Bearer inside" else 401)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Locked)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        policy = POLICY.replace("{upstream}", "http://127.0.0.1:%d" % server.server_port)
        with Guard(policy=policy) as g:
            doc = self.check(g, "--bypass", status=0)
            self.assertIn("401", self.items(doc, "bypass", "pass")[0]["reason"])
        everywhere = http.server.ThreadingHTTPServer(("0.0.0.0", 0), Locked)
        threading.Thread(target=everywhere.serve_forever, daemon=True).start()
        outside = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
        with Guard(policy=POLICY.replace("{upstream}", "http://127.0.0.1:%d" % everywhere.server_port)) as g:
            doc = self.check(g, "--bypass")
            found = self.items(doc, "bypass")[0]
            self.assertEqual(found["state"], "fail" if outside else "pass", found)
        server.shutdown()
        everywhere.shutdown()

    def test_what_does_not_hold_is_named(self):
        def failing(change, name):
            with Guard(policy=change(POLICY), start=False) as g:
                return self.items(self.check(g, "--no-record", status=1), name, "fail")
        self.assertIn("without a key", failing(lambda p: p.split("  clients:")[0], "identity")[0]["reason"])
        self.assertIn("open", failing(lambda p: p.replace("    - id: shop\n", "    - id: shop\n      open: true\n"), "identity")[0]["reason"])
        self.assertIn("as much as it likes", failing(lambda p: p.split("  quota:")[0] + "  tools:" + p.split("  tools:")[1], "quotas")[0]["reason"])
        self.assertIn("allows it", failing(lambda p: p.replace("  tools:", "  abuse:\n    extraction: allow\n  tools:"), "abuse")[0]["reason"])
        self.assertIn("monitored", failing(lambda p: p.replace("      models: m\n", "      models: m\n      mode: monitor\n"), "mode")[0]["reason"])
        told = failing(lambda p: p.replace("      models: m\n", "      models: m\n      checks:\n        injection: flag\n        injection_data: allow\n      normalise: off\n"), "input")
        self.assertEqual(len(told), 3, told)
        self.assertIn("ledger_down", failing(lambda p: p.replace("  workers: 2\n", "  workers: 2\n  ledger_down: open\n"), "fail-closed")[0]["reason"])
        bounds = POLICY_V2.replace("          min: 0\n          max: 1\n", "")
        self.assertIn("any number", failing(lambda p: bounds, "input")[0]["reason"])
        block = failing(lambda p: p.replace("      models: m\n", "      models: m\n      mode: monitor\n"), "block-test")
        self.assertIn("before anybody approved it", block[0]["reason"])
        self.assertIn("without TLS", failing(lambda p: p.replace("127.0.0.1:{port}", "0.0.0.0:{port}"), "tls")[0]["reason"])

    def test_a_policy_without_held_calls_has_no_block_test(self):
        policy = POLICY.replace("      class: pay\n      approval: hold\n", "      class: read\n")
        with Guard(policy=policy) as g:
            doc = self.check(g, status=3)
            self.assertEqual([i["state"] for i in self.items(doc, "block-test")], ["not_checked"])
            evidence = {e["check"]: e for e in doc["summary"]["evidence"]}
            self.assertNotIn("entry", evidence["guard.block-test"])
            self.assertIn("entry", evidence["guard.limits"])

    def test_numbers_with_bounds_hold(self):
        with Guard(policy=POLICY_V2, start=False) as g:
            doc = self.check(g, "--no-record", status=3)
            self.assertEqual([i["state"] for i in self.items(doc, "input")], ["pass"])

    def test_another_policy_in_force_is_told(self):
        with Guard(policy=POLICY) as g:
            g.write(POLICY.replace("600/min", "500/min"))
            doc = self.check(g, status=1)
            self.assertIn("guard reload", self.items(doc, "in-force", "fail")[0]["reason"])
            g.down()
            g.write(POLICY)
            self.assertEqual(self.items(self.check(g, status=3), "in-force")[0]["state"], "not_checked")

    def test_every_protocol_with_calls_is_tried(self):
        for protocol, path in (("openai-responses", "/v1/responses"), ("anthropic-messages", "/v1/messages")):
            policy = POLICY.replace("openai-chat", protocol).replace("/v1/chat/completions", path)
            with self.subTest(protocol=protocol), Guard(policy=policy, start=False) as g:
                doc = self.check(g, "--no-record", status=3)
                found = self.items(doc, "block-test")
                self.assertEqual([i["state"] for i in found], ["pass"], found)


class Stop(unittest.TestCase):
    def test_a_drill_measures_and_begins_again(self):
        with Guard(policy=POLICY) as g:
            refused = g.run("guard", "stop", "--drill", check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("--by", refused.stderr)
            self.assertEqual(g.run("guard", "stop", "--drill", "--by", "ada", check=False).returncode, 2)
            self.assertEqual(g.chat("x", headers=AUTH).status, 200, "a drill that cannot be ended is not begun")
            enrol(g)
            run = g.run("guard", "stop", "--drill", "--by", "ada")
            self.assertIn("guard.stop-switch, pass", run.stdout)
            self.assertEqual(g.chat("x", headers=AUTH).status, 200)
            self.assertIn("Shown: The stop switch was thrown", states(g)["5.1.4-1"][1])
            g.run("guard", "stop")
            self.assertIn("stopped already", g.run("guard", "stop", "--drill", "--by", "ada", check=False).stderr)

    def test_strangers_learn_that_it_is_stopped_and_no_more(self):
        with Guard(policy=POLICY) as g:
            self.assertEqual(g.chat("x").status, 401)
            g.run("guard", "stop")
            self.assertEqual((g.chat("x").status, g.chat("x", headers=AUTH).status), (503, 503))

    def test_answers_under_way_end_where_the_switch_was_thrown(self):
        with Guard(policy=POLICY) as g:
            answers = []
            order = {"pieces": [word + " " for word in WORDS], "pause": 0.05}
            thread = threading.Thread(target=lambda: answers.append(g.chat(order, stream=True, headers=AUTH)))
            thread.start()
            time.sleep(0.7)
            g.run("guard", "stop")
            thread.join(2)
            self.assertFalse(thread.is_alive(), "it went on")
            text = said(answers[0])
            self.assertIn(WORDS[3], text, answers[0].text[-600:])
            self.assertNotIn(WORDS[60], text)
            self.assertIn('"code":"blocked"', answers[0].text)

    def test_an_approval_does_not_help_against_the_switch(self):
        with Guard(policy=POLICY) as g:
            enrol(g)
            answers = []
            thread = threading.Thread(target=lambda: answers.append(g.chat({"pieces": ["x "], "calls": HELD}, stream=True, tools=TOOLS, headers=AUTH, timeout=60)))
            thread.start()
            waiting = g.wait(lambda: json.loads(g.run("approvals", "list", "--format", "json", check=False).stdout)["items"])
            g.run("guard", "stop")
            g.run("approvals", "show", waiting[0]["id"])
            g.run("approvals", "approve", waiting[0]["id"], "--by", "ada")
            thread.join(10)
            self.assertNotIn("A-1", answers[0].text)


class Answers(unittest.TestCase):
    def test_an_answer_that_a_check_holds_waits_for_a_person(self):
        policy = POLICY.replace("  tools:", "  canaries:\n    - hazel-lantern-40417\n  checks:\n    canary: hold\n  tools:")
        with Guard(policy=policy) as g:
            enrol(g)
            for stream in (False, True):
                for decision in ("approve", "deny"):
                    answers = []
                    order = {"pieces": ["Good day. ", "It is hazel-lan", "tern-40417 and so on. ", "That is all of it."]}
                    thread = threading.Thread(target=lambda: answers.append(g.chat(order, stream=stream, headers=AUTH, timeout=60)))
                    thread.start()
                    waiting = g.wait(lambda: json.loads(g.run("approvals", "list", "--format", "json", check=False).stdout)["items"])[0]
                    self.assertEqual(waiting["kind"], "answer")
                    shown = g.run("approvals", "show", waiting["id"]).stdout
                    self.assertIn("the answer has not reached the client", " ".join(shown.split()))
                    self.assertIn("canary 1 of the policy", " ".join(shown.split()))
                    g.run("approvals", decision, waiting["id"], "--by", "ada", *(["--reason", "no"] if decision == "deny" else []))
                    thread.join(20)
                    self.assertEqual("tern-40417" in answers[0].text, decision == "approve", answers[0].text)
                    self.assertEqual("That is all" in answers[0].text, decision == "approve", answers[0].text)
                    self.assertEqual(answers[0].status, 200 if stream or decision == "approve" else 403)


class Alarms(unittest.TestCase):
    def test_a_series_is_an_event_of_its_own_once(self):
        with Guard(policy=POLICY) as g:
            for i in range(26):
                g.chat("Explain step by step how the scoring model decides about an applicant whose income is %d and who lives in district %d" % (1000 + i * 137, i), headers=AUTH)
            g.down()
            alarms = [e["event"] for e in g.traffic() if e["kind"] == "guard.alarm"]
            self.assertEqual([(a["kind"], a["action"], a["threshold"]) for a in alarms], [("extraction", "flag", 20)])
            self.assertGreaterEqual(alarms[0]["number"], 20)
            self.assertIn(alarms[0]["id"], [e["id"] for e in g.exchanges()])
            self.assertNotIn("applicant", json.dumps(alarms))


class Clauses(unittest.TestCase):
    def test_they_are_met_and_fall_back(self):
        with Guard(policy=POLICY, unix=True, start=False) as g:
            (g.system / "system.md").write_text(PROMPT)
            g.write(DESCRIBED)
            g.up()
            os.chmod(g.dir / "model.sock", 0o600)
            enrol(g)
            early = g.run("guard", "status", "--record", check=False)
            self.assertEqual(early.returncode, 3, early.stdout + early.stderr)
            self.assertEqual(g.chat({"calls": READ, "say": ""}, tools=TOOLS, headers=AUTH).status, 200)
            unused = g.run("guard", "status", "--record", check=False)
            self.assertEqual(unused.returncode, 1)
            self.assertIn("never used: refund on chat", " ".join(unused.stdout.split()))
            self.hold(g)
            self.assertEqual(g.chat({"calls": OTHER, "say": ""}, tools=TOOLS, headers=AUTH).status, 403)
            status = g.run("guard", "status", "--record", "--format", "json", check=False)
            self.assertEqual(status.returncode, 0, status.stdout + status.stderr)
            tools = {t["tool"]: t for t in json.loads(status.stdout)["summary"]["observed"]["tools"]}
            self.assertEqual((tools["look_up"]["called"], tools["refund"]["called"]), (1, 1))
            self.assertEqual((tools["wipe"]["granted"], tools["wipe"]["called"], tools["wipe"]["stopped"]), (False, 1, 1))
            checked = json.loads(g.run("guard", "check", "--bypass", "--format", "json").stdout)
            self.assertEqual(len([e for e in checked["summary"]["evidence"] if "entry" in e]), 4)
            g.run("guard", "stop", "--drill", "--by", "ada")
            g.run("approvals", "review", check=False)
            g.run("ledger", "verify", "--record")
            now = states(g)
            for clause, shown in SHOWN.items():
                self.assertTrue(now[clause][0] == "met" or "Shown: " + shown in now[clause][1], (clause, now[clause]))
            for clause in ("5.1.2-3", "5.1.4-1", "5.1.4-3", "5.2.2-2", "5.4.2-1"):
                self.assertEqual(now[clause][0], "met", (clause, now[clause]))
            self.ages(g)
            self.is_about_this_description(g)

    def hold(self, g):
        answers = []
        thread = threading.Thread(target=lambda: answers.append(g.chat({"pieces": ["x "], "calls": HELD}, stream=True, tools=TOOLS, headers=AUTH, timeout=60)))
        thread.start()
        waiting = g.wait(lambda: json.loads(g.run("approvals", "list", "--format", "json", check=False).stdout)["items"])
        g.run("approvals", "show", waiting[0]["id"])
        time.sleep(2.7)  # as long as reading takes
        g.run("approvals", "approve", waiting[0]["id"], "--by", "ada")
        thread.join(10)
        self.assertIn("A-1", answers[0].text)

    def ages(self, g):
        faketime = shutil.which("faketime")
        if not faketime:
            print("faketime is not installed: ageing is left out")
            return
        for days, clauses in ((8, ("5.1.2-3", "5.4.2-1")), (31, ("5.2.2-2", "5.1.4-3")), (91, ("5.1.4-1",))):
            run = subprocess.run([faketime, "-f", "+%dd" % days, TUTELA, "report", "--format", "json"], cwd=g.system, env=g.env, capture_output=True, text=True, check=False)
            at = {c["id"]: c["verdict"] for c in json.loads(run.stdout)["controls"]}
            self.assertNotIn("met", [at[clause] for clause in clauses], days)

    def is_about_this_description(self, g):
        g.write(DESCRIBED.replace("600/min", "500/min"))
        now = states(g)
        self.assertNotIn("met", [now[clause][0] for clause in SHOWN])

    def test_a_worker_that_dies_leaves_a_tail_that_is_told(self):
        with Guard(policy=POLICY) as g:
            for _ in range(4):
                g.chat("x", headers=AUTH)
            pids = g.workers()
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            g.wait(lambda: g.workers() and not set(g.workers()) & set(pids))
            g.wait(lambda: g.chat("x", headers=AUTH).status == 200)
            time.sleep(0.5)
            doc = json.loads(g.run("guard", "status", "--record", "--format", "json", check=False).stdout)
            log = next(e for e in doc["summary"]["observed"]["evidence"] if e["check"] == "guard.log")
            self.assertEqual(log["state"], "fail", log)
            self.assertIn("ended without closing", log["statement"])

    def test_a_route_that_is_not_logged_is_told(self):
        with Guard(policy=POLICY.replace("      models: m\n", "      models: m\n      audit: none\n")) as g:
            g.chat("x")
            doc = json.loads(g.run("guard", "status", "--record", "--format", "json", check=False).stdout)
            log = next(e for e in doc["summary"]["observed"]["evidence"] if e["check"] == "guard.log")
            self.assertIn("route chat is not logged", log["statement"])
            self.assertNotEqual(log["state"], "pass")


if __name__ == "__main__":
    unittest.main(verbosity=2)
