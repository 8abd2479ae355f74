"""tutela train: modules, exams, standings, and who is to blame for a commit."""
import hashlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from train_world import FAKETIME, TUTELA, World, day, module  # noqa: E402


class Modules(World):
    def test_lists_and_shows_own_and_shipped_modules(self):
        doc = self.json("train", "list", code=0)
        self.assertEqual(doc["schema"], "tutela.train/1")
        items = {i["id"]: i for i in doc["items"]}
        self.assertEqual(items["coding"]["for"], ["developer"])
        self.assertEqual(items["coding"]["file"], "own/coding.md")
        self.assertFalse(items["coding"]["shipped"])
        self.assertEqual(items["coding"]["state"], "current")
        body = (self.root / "own" / "coding.md").read_bytes()
        self.assertEqual(items["coding"]["content"]["sha256"], hashlib.sha256(body.split(b"\n---\n", 1)[1]).hexdigest())
        self.assertIn("The module coding", self.tutela("train", "show", "coding", code=0).stdout)
        self.assertNotIn("right one", self.tutela("train", "show", "coding").stdout, "the text is not the exam")
        run = self.tutela("train", "show", "codin", code=2)
        self.assertEqual(run.stderr, "tutela: no module is called \"codin\"; did you mean coding?\n")
        (self.root / "tutela.yaml").unlink()
        shipped = self.json("train", "list", code=0)["items"]
        self.assertTrue(all(i["shipped"] for i in shipped))
        source = pathlib.Path(os.environ["TUTELA_SOURCE"]) / "training"
        self.assertEqual({i["id"] for i in shipped}, {p.stem for p in source.glob("*.md")})

    @unittest.skipUnless(FAKETIME, "faketime is not installed")
    def test_the_shipped_modules_are_a_curriculum(self):
        """With "training: {}" alone: all threats and roles are taught, and nothing lacks but two signatures."""
        self.describe("  {}\n")
        doc = self.json("train", "review", ago="@2026-12-15 00:00:00", code=3)
        self.assertEqual(doc["items"][0]["curriculum"]["problems"], [])
        self.assertEqual(doc["summary"]["modules"], 12)
        for item in self.json("train", "list")["items"]:
            with self.subTest(item["id"]):
                self.assertGreaterEqual(item["questions"], 8)
                self.assertGreater(item["words"], 1000)

    def test_old_reviews_and_old_catalogues_are_due(self):
        self.put("coding", reviewed="2025-01-01")
        self.put("running", roles="[operator]", atlas="AML.T0015")
        states = {i["id"]: i["state"] for i in self.json("train", "list")["items"]}
        self.assertEqual((states["coding"], states["running"]), ("due", "current"))
        self.describe(self.TRAINING + "  threat_catalogue: 5.7.0\n")
        states = {i["id"]: i["state"] for i in self.json("train", "list")["items"]}
        self.assertEqual((states["coding"], states["running"]), ("due", "due"))
        self.describe(self.TRAINING + "  threat_catalogue: 1.0.0\n")
        states = {i["id"]: i["state"] for i in self.json("train", "list")["items"]}
        self.assertEqual(states["running"], "current", "nobody turns the catalogue back")

    def test_bad_modules_are_told_in_one_line(self):
        text = module("bad")
        for piece, by, where, what in (
                ("version: 1\n", "version: one\n", "own/bad.md:4:10", "whole number"),
                ("- [x] right one 1", "- [ ] right one 1", "own/bad.md:20", "right answer"),
                ("## Questions", "## Fragen", "own/bad.md", "no section"),
                ("for: [developer]", "for: &a [developer]", "own/bad.md", "anchor"),
                ("id: bad", "id: coding", "tutela", "two modules are called \"coding\": own/bad.md and own/coding.md")):
            with self.subTest(by):
                self.assertIn(piece, text)
                (self.root / "own" / "bad.md").write_text(text.replace(piece, by, 1))
                run = self.tutela("train", "list", code=2)
                self.assertEqual(run.stdout, "")
                self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
                self.assertTrue(run.stderr.startswith(where), run.stderr)
                self.assertIn(what, run.stderr.lower())
        (self.root / "own" / "bad.md").write_bytes(b"---\nid: \xff\xfe\n---\n" + os.urandom(4096))
        self.assertIn("own/bad.md:1: is no text", self.tutela("train", "list", code=2).stderr)
        (self.root / "own" / "bad.md").unlink()
        os.symlink("/etc/passwd", self.root / "own" / "out.md")
        self.tutela("train", "list", code=2)

    def test_bad_sections_are_told_with_their_place(self):
        for text, what in (("  modules: ../elsewhere\n", "below the folder"), ("  modules: nowhere\n", "is no folder"),
                           ("  valid_days: 0\n", "valid_days"), ("  assign: {developers: [x]}\n", "is no role"),
                           ("  modules: own\n  assign: {developer: [nothing]}\n", "no module is called \"nothing\""),
                           ("  asign: {}\n", "did you mean \"assign\""), ("  authors: {a@b: [x]}\n", "which enrolled person")):
            with self.subTest(text):
                self.describe(text)
                run = self.tutela("train", "list", code=2)
                self.assertIn(what, run.stderr)
                self.assertEqual(run.stdout, "")


class Exams(World):
    def setUp(self):
        super().setUp()
        self.enrol("Ada", "developer", root=True)
        self.enrol("Bob", "operator")
        self.enrol("Tina", "trainer")

    def short(self):
        """A text that takes no time."""
        text = module("coding")
        head, rest = text.split("# The module", 1)
        (self.root / "own" / "coding.md").write_text(head + "# Short\n\n## Questions" + rest.split("## Questions", 1)[1])

    def start(self, *args, stdin=subprocess.PIPE):
        run = subprocess.Popen([TUTELA, "train", "take", "coding", "--by", "Ada", *args], cwd=self.root, env=self.env, stdin=stdin,
                               stdout=subprocess.PIPE, bufsize=0)
        for end in (run.wait, run.stdout.close, run.kill):  # in the order from the last
            self.addCleanup(end)
        return run

    def read(self, run, prompts=1):
        """What is printed up to the n-th prompt of a question from here."""
        text = ""
        while not text.endswith(("Answer: ", "Answers: ")) or text.count("Answer: ") + text.count("Answers: ") < prompts:
            c = run.stdout.read(1)
            self.assertTrue(c, text)
            text += c.decode("latin-1")
        return text

    def right(self, text):
        numbers = [line.split(")")[0].strip() for line in text.splitlines() if ") right" in line]
        self.assertTrue(numbers, text)
        return (" ".join(numbers) + "\n").encode()

    def test_taken_over_a_pipe(self):
        self.short()
        run = self.start()
        for _ in range(3):
            run.stdin.write(self.right(self.read(run)))
        run.stdin.close()
        out = run.stdout.read().decode()
        self.assertEqual(run.wait(60), 0, out)
        self.assertIn("3 of 3 right", out)
        self.assertIn("It holds until", out)
        self.assertEqual(self.standing("Ada", "coding")["state"], "current")

    def test_a_terminal_is_asked_again(self):
        self.short()
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        run = self.start("--no-text", stdin=theirs)
        os.close(theirs)
        os.write(ours, b"\n99\n%%\n\n")
        text = self.read(run, prompts=4)
        self.assertIn("is no answer", text)
        self.assertIn("name at least one", text)
        for i in range(3):
            os.write(ours, self.right(text))
            if i < 2:
                text = self.read(run)
        out = run.stdout.read().decode()
        self.assertEqual(run.wait(60), 0, out)

    def test_json_goes_to_stdout_alone(self):
        self.short()
        run = subprocess.Popen([TUTELA, "train", "take", "coding", "--by", "Ada", "--format", "json"], cwd=self.root, env=self.env,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, asked = run.communicate("1\n1\n1\n", timeout=60)
        doc = json.loads(out)
        self.assertEqual((doc["schema"], run.returncode), ("tutela.train/1", 0 if doc["items"][0]["state"] == "completed" else 1))
        self.assertIn("3 of 3. ", asked)

    def test_who_comes_back_has_time_again(self):
        self.tutela("people", "revoke", "Bob", "--reason", "left", "--by", "Ada", code=0)
        self.assertIn("nobody called", self.tutela("train", "status", "Bob", code=2).stderr)
        self.assertIn("nobody called", self.tutela("train", "page", "running", "--by", "Bob", code=2).stderr)
        self.enrol("Bob", "operator", ago=None)
        self.assertEqual(self.standing("Bob", "running")["state"], "due")

    def test_assess_tells_of_a_module_that_is_none(self):
        (self.root / "own" / "bad.md").write_text("# No front matter\n")
        run = self.tutela("assess", ".", code=2)
        self.assertIn("own/bad.md:1: begins with no line", run.stderr)

    def test_what_is_broken_off_is_nothing(self):
        self.short()
        run = self.tutela("train", "take", "coding", "--by", "Ada", given="1\n1\n", code=2)
        self.assertIn("the answers ended at question 3 of 3; nothing was recorded", run.stderr)
        run = self.tutela("train", "take", "coding", "--by", "Ada", given="1\nfour\n", code=2)
        self.assertIn("nothing was recorded", run.stderr)
        killed = self.start()
        self.read(killed)
        killed.send_signal(signal.SIGKILL)
        killed.stdin.close()
        killed.wait(60)
        self.assertEqual(self.standing("Ada", "coding")["state"], "due")
        self.assertEqual(self.standing("Ada", "coding")["evidence"], [])
        self.tutela("ledger", "verify", code=0)

    def test_a_page_comes_back_as_a_completion(self):
        page, head, right = self.page("coding", "Ada", ago="-2d")
        self.assertNotIn("because of", page, "it tells what is right")
        self.assertIn("default-src 'none'", page)
        self.assertNotIn("http://", page)
        sheet = self.root.parent / "sheet.txt"
        sheet.write_text(head + "answers " + "\n".join(right) + "\n")
        doc = self.json("train", "submit", str(sheet), "--by", "Ada", code=0)
        item = doc["items"][0]
        self.assertEqual((item["id"], item["state"], item["right"], item["score"]), ("Ada/coding", "completed", 3, 1))
        self.assertGreater(item["seconds"], 86400)
        self.assertEqual(self.standing("Ada", "coding")["evidence"], item["evidence"])
        run = self.tutela("train", "submit", str(sheet), "--by", "Ada", code=2)
        self.assertIn("were answered before", run.stderr)

    @unittest.skipUnless(shutil.which("chromium"), "chromium is not installed")
    def test_a_browser_writes_the_sheet(self):
        """Everything but the last question is ticked by a second script, which the page's own policy would not let run."""
        page, _, right = self.page("coding", "Ada", ago="-2d")
        ticked = "".join("document.querySelector('[name=q%d][value=%s]').click();" % (at, letter)
                         for at, word in enumerate(right[:2], 1) for letter in word[1:])
        self.assertEqual(page.count("Content-Security-Policy"), 1)
        page = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
        page = page.replace("</main>", "<script>%sdocument.title = document.getElementById('sheet').value + "
                                       "document.getElementById('told').textContent</script></main>" % ticked)
        (self.root.parent / "ticked.html").write_text(page)
        run = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + self.tmp.name + "/chromium", "--dump-dom",
                              "file://" + str(self.root.parent / "ticked.html")], env={**self.env, "HOME": self.tmp.name}, capture_output=True,
                             text=True, timeout=200)
        title = re.search("<title>(.*?)</title>", run.stdout, re.S).group(1)
        self.assertIn("answers %s\nStill open: 3." % " ".join(right[:2]), title)

    def test_nobody_completes_for_somebody_else(self):
        _, head, right = self.page("coding", "Ada", ago="-2d")
        sheet = head + "answers " + " ".join(right) + "\n"
        self.assertIn("not drawn for this person", self.tutela("train", "submit", "-", "--by", "Bob", given=sheet, code=2).stderr)
        keys = list(pathlib.Path(self.env["XDG_DATA_HOME"]).rglob("Bob.key"))
        self.assertEqual(len(keys), 1)
        run = self.tutela("train", "submit", "-", "--by", "Ada", "--signing-key", str(keys[0]), given=sheet, code=2)
        self.assertIn("is that of Bob, not of Ada", run.stderr)
        self.assertIn("nobody called", self.tutela("train", "submit", "-", "--by", "Eve", given=sheet, code=2).stderr)
        forged = sheet.split("seed ")[0] + "seed 0123456789abcdef\nanswers 1a 2a 3a\n"
        self.assertIn("not drawn for this person", self.tutela("train", "submit", "-", "--by", "Ada", given=forged, code=2).stderr)
        self.assertEqual(self.standing("Ada", "coding")["state"], "due")

    def test_what_the_learner_did_not_sign_counts_for_nothing(self):
        """A copy of Ada's entry in Dora's name, which anybody with access to the log can append."""
        self.completed("coding", "Ada")
        index = self.standing("Ada", "coding")["evidence"][0]
        self.enrol("Dora", "developer")
        entry = json.loads(self.tutela("ledger", "show", str(index), "--format", "json", code=0).stdout)
        self.assertEqual(entry["entries"][0]["kind"], "train.completed")
        forged = json.dumps(entry["entries"][0]["statement"]).replace("Ada", "Dora") + "\n"
        self.tutela("ledger", "append", "--kind", "train.completed", given=forged, code=0)
        self.assertEqual(self.standing("Dora", "coding")["state"], "due")
        self.assertEqual(self.standing("Ada", "coding")["state"], "current")

    def test_a_score_below_the_line_is_an_attempt(self):
        run = self.take("coding", "Ada", ago="-2d", wrong=1, code=1)
        self.assertIn("not passed", run.stdout)
        self.assertIn("right", run.stdout)
        self.assertEqual(self.standing("Ada", "coding")["state"], "due")

    def test_haste_waits_for_a_trainer(self):
        run = self.take("coding", "Ada", code=3)
        self.assertIn("counts once a trainer has signed", run.stdout)
        standing = self.standing("Ada", "coding")
        self.assertEqual(standing["state"], "unconfirmed")
        for who, why in (("Bob", "is no trainer"), ("Ada", "is no trainer")):
            self.assertIn(why, self.tutela("train", "confirm", "Ada", "coding", "--by", who, code=2).stderr)
        self.assertIn("no exam of Bob", self.tutela("train", "confirm", "Bob", "running", "--by", "Tina", code=2).stderr)
        item = self.json("train", "confirm", "Ada", "coding", "--by", "Tina", code=0)["items"][0]
        self.assertEqual((item["id"], item["state"], item["trainer"], [item["exam"]]), ("Ada/coding", "confirmed", "Tina", standing["evidence"]))
        self.assertEqual(self.standing("Ada", "coding")["state"], "current")
        self.assertIn("no exam of Ada", self.tutela("train", "confirm", "Ada", "coding", "--by", "Tina", code=2).stderr)

    def test_nobody_confirms_himself(self):
        self.put("teaching", roles="[trainer]")
        self.describe(self.TRAINING.replace("trainer: []", "trainer: [teaching]"))
        self.take("teaching", "Tina", code=3)
        self.assertIn("himself", self.tutela("train", "confirm", "Tina", "teaching", "--by", "Tina", code=2).stderr)

    def test_a_crash_anywhere_leaves_all_or_nothing(self):
        """Killed at each change that handing in makes to the disk (kill_at.c): it counts whole, or not at all, and the log is sound."""
        library, counter = self.root.parent / "kill_at.so", self.root.parent / "counter"
        here = pathlib.Path(__file__).resolve().parent
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, here / "kill_at.c"], check=True)
        _, head, right = self.page("coding", "Ada", ago="-2d")
        sheet = self.root.parent / "sheet.txt"
        sheet.write_text(head + "answers " + " ".join(right) + "\n")
        kept = [(self.root / ".tutela", self.root.parent / "kept-state"), (pathlib.Path(self.env["XDG_DATA_HOME"]), self.root.parent / "kept-keys")]
        for path, copy in kept:
            shutil.copytree(path, copy)
        seen, at = set(), 0
        while True:
            at += 1
            for path, copy in kept:
                shutil.rmtree(path)
                shutil.copytree(copy, path)
            counter.write_bytes(bytes(8))
            run = subprocess.run([TUTELA, "train", "submit", str(sheet), "--by", "Ada"], cwd=self.root, start_new_session=True,
                                 capture_output=True, text=True, timeout=120,
                                 env={**self.env, "LD_PRELOAD": str(library), "KILL_AT": str(at), "KILL_COUNTER": str(counter)})
            if counter.read_bytes()[4:] == bytes(4):  # nobody died
                self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
                break
            state = self.standing("Ada", "coding")["state"]
            seen.add(state)
            self.tutela("ledger", "verify")  # an index that was being written is made anew, and says so once
            self.tutela("ledger", "verify", code=0)
            self.tutela("train", "submit", str(sheet), "--by", "Ada", code=2 if state == "current" else 0)
            self.assertEqual(self.standing("Ada", "coding")["state"], "current")
        self.assertGreater(at, 5)
        self.assertEqual(seen, {"due", "current"}, "it happened or it did not, and both came up")

    def test_everyone_is_not_the_auditor(self):
        self.put("all", roles="[everyone]")
        self.describe(self.TRAINING.replace("everyone: [], ", ""))
        self.enrol("Otto", "auditor")
        who = {i["person"] for i in self.json("train", "status")["items"] if i["module"] == "all"}
        self.assertEqual(who, {"Ada", "Bob", "Tina"})

    def test_two_at_once_are_both_recorded(self):
        sheets = {}
        for who, what in (("Ada", "coding"), ("Bob", "running")):
            _, head, right = self.page(what, who, ago="-2d")
            sheets[who] = self.root.parent / (who + ".txt")
            sheets[who].write_text(head + "answers " + " ".join(right) + "\n")
        runs = [subprocess.Popen([TUTELA, "train", "submit", str(sheet), "--by", who], cwd=self.root, env=self.env, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE) for who, sheet in sheets.items()]
        for run in runs:
            out, err = run.communicate(timeout=120)
            self.assertEqual(run.returncode, 0, out + err)
        self.tutela("train", "status", code=0)


@unittest.skipUnless(FAKETIME, "faketime is not installed")
class Time(World):
    def setUp(self):
        super().setUp()
        self.enrol("Ada", "developer", root=True)
        self.enrol("Bob", "operator")
        self.tutela("assess", ".", ago="-3d")

    def test_due_lapsed_and_current(self):
        self.assertEqual(self.standing("Ada", "coding")["state"], "due")
        self.tutela("train", "status", code=3)
        self.assertEqual(self.standing("Ada", "coding", ago="+29d")["state"], "lapsed", "the time of grace is over")
        self.tutela("train", "status", ago="+29d", code=1)
        self.completed("coding", "Ada")
        self.completed("running", "Bob")
        self.tutela("train", "status", code=0)
        self.assertEqual(self.standing("Ada", "coding", ago="+363d")["state"], "current")
        self.assertEqual(self.standing("Ada", "coding", ago="+366d")["state"], "lapsed")
        self.describe(self.TRAINING + "  valid_days: 30\n")
        self.assertEqual(self.standing("Ada", "coding", ago="+31d")["state"], "lapsed")

    def test_a_new_version_is_to_be_taken_in_time(self):
        self.completed("coding", "Ada")
        self.put("coding", version=2, text="And more.")
        self.tutela("assess", ".")
        standing = self.standing("Ada", "coding")
        self.assertEqual((standing["state"], standing["why"]), ("due", "there is a newer version of it"))
        self.assertEqual(self.standing("Ada", "coding", ago="+31d")["state"], "lapsed")
        self.completed("coding", "Ada", ago=None, later="+1d")
        self.assertEqual(self.standing("Ada", "coding", ago="+31d")["state"], "current")

    def test_content_that_changed_under_its_version_is_refused(self):
        self.completed("coding", "Ada")
        self.put("coding", text="And more.")
        run = self.tutela("train", "page", "coding", "--by", "Ada", code=2)
        self.assertIn("own/coding.md: its content is not what it was, and its version is", run.stderr)
        self.assertNotEqual(self.standing("Ada", "coding")["state"], "current")
        self.assertEqual({i["id"]: i["state"] for i in self.json("train", "list")["items"]}["coding"], "changed")
        self.tutela("assess", ".")
        self.put("coding")
        self.assertEqual(self.standing("Ada", "coding")["state"], "current", "it went back to what it was")
        self.put("coding", reviewed=day(-10))
        self.assertEqual(self.standing("Ada", "coding")["state"], "current", "a review without a change changes nothing")

    def test_who_left_is_asked_for_nothing(self):
        self.completed("coding", "Ada")
        self.tutela("train", "status", code=3)
        self.tutela("people", "revoke", "Bob", "--reason", "left", "--by", "Ada", code=0)
        self.tutela("train", "status", code=0)

    def test_keys_that_end(self):
        self.tutela("people", "enrol", "Rosa", "--root", "--by", "Ada", "--generate", "--no-passphrase", ago="-3d", code=0)
        self.completed("coding", "Ada")
        self.tutela("people", "rotate", "Ada", "--generate", "--no-passphrase", "--by", "Ada", code=0)
        self.assertEqual(self.standing("Ada", "coding")["state"], "current", "what the old key signed stands")
        index = str(self.standing("Ada", "coding")["evidence"][0])
        self.tutela("people", "rotate", "Ada", "--from-index", index, "--generate", "--no-passphrase", "--by", "Rosa", code=0)
        self.assertEqual(self.standing("Ada", "coding")["state"], "due", "what a stolen key signed does not")

    def test_a_clock_that_steps(self):
        """Handed in by a clock that is a day ahead: it holds from then, and the log goes on."""
        self.completed("coding", "Ada", later="+1d")
        self.assertEqual(self.standing("Ada", "coding")["state"], "due")
        self.assertEqual(self.standing("Ada", "coding", ago="+2d")["state"], "current")
        self.tutela("train", "page", "coding", "--by", "Ada", code=0)
        # Handed in before it was handed out: no time to read
        _, head, right = self.page("running", "Bob")
        self.tutela("train", "submit", "-", "--by", "Bob", given=head + "answers " + " ".join(right), ago="-2h")
        self.assertNotEqual(self.standing("Bob", "running")["state"], "current")

    def test_questions_wait_so_long_and_no_longer(self):
        _, head, right = self.page("coding", "Ada", ago="-2d")
        run = self.tutela("train", "submit", "-", "--by", "Ada", given=head + "answers " + " ".join(right), ago="+29d", code=2)
        self.assertIn("more than 30 days ago", run.stderr)

    def test_an_exam_that_is_gone_does_not_count(self):
        self.completed("coding", "Ada")
        index = self.standing("Ada", "coding")["evidence"][0]
        shown = self.tutela("ledger", "show", str(index), "--format", "json", code=0).stdout
        bodies = [p for p in (self.root / ".tutela" / "bodies").iterdir() if p.name in shown and "tutela.exam/1" in p.read_text("utf-8", "replace")]
        self.assertEqual(len(bodies), 1)
        kept = bodies[0].read_bytes()
        bodies[0].chmod(0o600)
        bodies[0].write_bytes(kept.replace(b'"right":3', b'"right":2'))
        self.assertEqual(self.standing("Ada", "coding")["state"], "due")
        bodies[0].unlink()
        self.assertEqual(self.standing("Ada", "coding")["state"], "due")


class Authors(World):
    def git(self, *args, **more):
        env = {"PATH": os.environ["PATH"], "HOME": self.tmp.name, "GIT_CONFIG_NOSYSTEM": "1", **more}
        return subprocess.run(["git", "-c", "init.defaultBranch=main", *args], cwd=self.root, env=env, check=True, capture_output=True, text=True).stdout

    def commit(self, name, mail, when="now", committer=None):
        seconds = subprocess.run(["date", "-d", when, "+%s"], check=True, capture_output=True, text=True).stdout.strip()
        other = committer or (name, mail)
        self.git("commit", "-q", "--allow-empty", "-m", "m", GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=mail, GIT_COMMITTER_NAME=other[0],
                 GIT_COMMITTER_EMAIL=other[1], GIT_AUTHOR_DATE=seconds + " +0000", GIT_COMMITTER_DATE=seconds + " +0000")

    def setUp(self):
        super().setUp()
        self.describe(self.TRAINING + "  authors: {ada@example.org: Ada, Bobby: Bob}\n  machines: [noreply@forge.example]\n")
        self.enrol("Ada", "developer", root=True)
        self.enrol("Bob", "developer")
        self.completed("coding", "Ada")
        self.completed("coding", "Bob")
        self.git("init", "-q")
        self.commit("Start", "start@example.org")
        self.git("tag", "start")

    def check(self, *args, code):
        return self.tutela("train", "check-author", *args, code=code)

    def test_those_who_were_trained_pass(self):
        self.commit("A. Lovelace", "ADA@example.org")
        self.commit("Bobby", "b@elsewhere.example", committer=("Forge", "noreply@forge.example"))
        self.commit("Ada", "whatever@example.org")
        run = self.check("--since", "start", code=0)
        self.assertIn("Everybody who made one of 3 commits", run.stdout)
        self.assertIn("Recorded as entry", run.stdout)
        self.assertIn("3", str(self.json("train", "check-author", "--range", "start..HEAD", "--no-record")["summary"]["commits"]))

    def test_strangers_and_the_untrained_are_found(self):
        self.commit("Mallory", "m@example.org")
        self.commit("Ada", "ada@example.org", when="2020-01-01")
        self.commit("Ada", "ada@example.org", committer=("Nobody", "n@example.org"))
        self.commit("Ada\x1b[31m", "ada@example.org", when="now + 3 days")
        doc = self.json("train", "check-author", "--since", "start", code=1)
        found = [(i["as"], i["state"], i["why"]) for i in doc["items"]]
        self.assertIn(("author", "unknown", "nobody enrolled is known by this name or address"), found)
        self.assertIn(("committer", "unknown", "nobody enrolled is known by this name or address"), found)
        self.assertIn(("author", "untrained", "had no current completion of the module when the commit was made"), found)
        self.assertIn(("author", "untrained", "the time of the commit lies in the future"), found)
        self.assertNotIn("\x1b", self.check("--since", "start", code=1).stdout)

    def test_who_had_left_is_found(self):
        self.commit("Bobby", "b@example.org", when="1 hour ago")
        self.tutela("people", "revoke", "Bob", "--reason", "left", "--by", "Ada", code=0)
        self.check("--since", "start", code=0)
        self.commit("Bobby", "b@example.org", when="now + 5 seconds")
        self.assertIn("had left", self.check("--since", "start", code=1).stdout)

    def test_names_are_not_taken_from_the_repository(self):
        (self.root / ".mailmap").write_text("Ada <ada@example.org> <m@example.org>\n")
        self.git("add", ".mailmap")
        self.commit("Mallory", "m@example.org")
        self.check("--since", "start", code=1)
        bad = self.git("rev-parse", "HEAD").strip()
        self.commit("Ada", "ada@example.org")
        good = self.git("rev-parse", "HEAD").strip()
        self.git("replace", bad, good)
        self.check("--since", "start", code=1)

    def test_nothing_of_its_configuration_is_run(self):
        self.commit("Ada", "ada@example.org")
        mark = self.root.parent / "ran"
        script = self.root.parent / "script"
        script.write_text("#!/bin/sh\ntouch %s\n" % mark)
        script.chmod(0o755)
        for key in ("core.fsmonitor", "core.pager", "gpg.program", "core.sshCommand", "diff.external", "core.editor", "pager.log"):
            self.git("config", key, str(script))
        self.git("config", "log.showSignature", "true")
        self.git("config", "core.hooksPath", str(self.root.parent))
        self.check("--since", "start", code=0)
        self.assertFalse(mark.exists())

    def test_ranges_that_are_none(self):
        for args, what in ((("--since", "nowhere"), "git says: fatal"), (("--range", "HEAD"), "takes A..B"), ((), "--since REV, or"),
                           (("--range", "--output=x..y"), "git says"), (("--since", "a", "--range", "b..c"), "--since REV, or")):
            run = self.check(*args, code=2)
            self.assertIn(what, run.stderr)
            self.assertEqual(run.stderr.count("\n"), 1)
        self.assertFalse((self.root / "x..y").exists())
        self.assertIn("There are no commits", self.check("--since", "HEAD", code=3).stdout)

    def test_a_shallow_clone_is_told(self):
        self.commit("Ada", "ada@example.org")
        self.commit("Ada", "ada@example.org")
        self.git("clone", "-q", "--depth", "2", "file://" + str(self.root), "../clone")
        clone = self.root.parent / "clone"
        for name in ("tutela.yaml", "system.txt"):
            shutil.copy(self.root / name, clone)
        for name in ("own", ".tutela"):
            shutil.copytree(self.root / name, clone / name)
        run = subprocess.run([TUTELA, "train", "check-author", "--since", "HEAD~1", "--no-record"], cwd=clone, env=self.env, capture_output=True, text=True)
        self.assertEqual(run.returncode, 3, run.stdout + run.stderr)
        self.assertIn("shallow", run.stdout)

    def test_no_git_is_told(self):
        empty = self.root.parent / "empty"
        empty.mkdir()
        env = {**self.env, "PATH": str(empty)}
        run = subprocess.run([TUTELA, "train", "check-author", "--since", "start"], cwd=self.root, env=env, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr.count("git is not installed here")), (2, 1))


if __name__ == "__main__":
    unittest.main()
