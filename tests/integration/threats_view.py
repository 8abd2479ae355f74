"""The threat model as picture, page and section of the report: the same each time, of then with --at, and without Graphviz."""
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree as xml

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from threats_world import FAKETIME, TUTELA, World  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "g", "a", "title", "style", "rect", "path", "ellipse", "text"}
FLOWS = {"ask", "checked", "told", "kept"}


def texts(root):
    return [t.text for t in root.iter(SVG + "text")]


class Pages(World):
    def page(self, env):
        """The report as of now, made at a fixed time."""
        env = {**env, "SOURCE_DATE_EPOCH": str(int(self.now.timestamp()))}
        at = self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        return subprocess.run([TUTELA, "report", "--format", "html", "--at", at], cwd=self.root, env=env, capture_output=True, text=True,
                              timeout=120).stdout

    def assess(self, ago=None):
        super().assess(ago)
        self.now = datetime.datetime.now(datetime.timezone.utc)


class Picture(Pages):
    def svg(self, *options, env=None):
        file = self.root.parent / "model.svg"
        run = subprocess.run([TUTELA, "threats", "--svg", file, *options], cwd=self.root, env=env or self.env, capture_output=True, text=True, timeout=120)
        self.assertIn(run.returncode, (0, 1, 3), run.stderr)
        return file.read_bytes()

    @unittest.skipUnless(shutil.which("dot"), "Graphviz is not installed")
    def test_components_lie_in_boundaries_and_say_their_risk(self):
        self.assess()
        data = self.svg()
        root = xml.fromstring(data)
        self.assertEqual({e.tag.removeprefix(SVG) for e in root.iter()} - DRAWN, set())
        words = texts(root)
        for name in ("user", "gateway", "scorer", "sink", "outside", "inside", *FLOWS):
            self.assertIn(name, words)
        titles = [t.text for t in root.iter(SVG + "title")]
        self.assertTrue(any(t.startswith("flow ask from user to gateway, crosses a trust boundary") for t in titles), titles)
        self.assertFalse(any("flow checked" in t and "crosses" in t for t in titles))
        self.assertIn("auth key, tls", words)
        self.assertIn("auth none, plain", words)
        worst = {}
        order = ["low", "medium", "elevated", "high", "critical"]
        for risk in self.risks().values():
            if risk["element"] in ("scorer", "model/m"):
                worst["scorer"] = max(worst.get("scorer", 0), order.index(risk["residual"]["level"]))
        scorer = next(t for t in titles if t.startswith("component scorer:"))
        self.assertIn("residual risk " + order[worst["scorer"]], scorer)
        self.assertTrue(any(w.startswith(order[worst["scorer"]] + ",") or w == order[worst["scorer"]] for w in words))
        # Each component lies within the frame of its boundary, and no other one.
        boxes = {}
        for group in root.iter(SVG + "g"):
            title = group.find(SVG + "title")
            rect = group.find(SVG + "rect")
            if title is not None and rect is not None and title.text.split()[0] in ("component", "boundary"):
                boxes[title.text.split(":")[0]] = [float(rect.get(k)) for k in ("x", "y", "width", "height")]
        for boundary, member, is_in in (("outside", "user", True), ("inside", "scorer", True), ("outside", "scorer", False)):
            b, m = boxes["boundary " + boundary], boxes["component " + member]
            inside = b[0] <= m[0] and b[1] <= m[1] and m[0] + m[2] <= b[0] + b[2] and m[1] + m[3] <= b[1] + b[3]
            self.assertEqual(inside, is_in, (boundary, member))

    @unittest.skipUnless(shutil.which("dot"), "Graphviz is not installed")
    def test_the_same_model_gives_the_same_bytes_and_nothing_from_outside(self):
        self.assess()
        one = self.svg()
        self.assertEqual(one, self.svg())
        self.assertEqual(one.decode(), self.tutela("threats", "--format", "svg").stdout)
        for word in (b"<script", b"<!DOCTYPE", b"href", b"<image", b"url("):
            self.assertNotIn(word, one)
        self.assertEqual(re.findall(rb"https?://[^\"]*", one), [b"http://www.w3.org/2000/svg"])
        dot = self.tutela("threats", "--format", "dot").stdout
        self.assertEqual(dot, self.tutela("threats", "--format", "dot").stdout)
        run = subprocess.run(["dot", "-Tsvg"], input=dot, capture_output=True, text=True, timeout=60, check=True)
        self.assertIn("trust: public", run.stdout)

    @unittest.skipUnless(shutil.which("dot"), "Graphviz is not installed")
    def test_names_are_no_markup(self):
        self.describe(self.text.replace("id: user,", "id: '<b>&\"', ").replace("from: user", "from: '<b>&\"'").replace("[user]", "['<b>&\"']"))
        root = xml.fromstring(self.svg())
        self.assertIn('<b>&"', texts(root))
        page = self.root.parent / "p.html"
        self.tutela("threats", "--html", str(page))
        self.assertNotIn("<b>&\"", page.read_text())

    def test_without_graphviz(self):
        bare = {**self.env, "PATH": "/nonexistent"}
        run = subprocess.run([TUTELA, "threats", "--svg", "x.svg"], cwd=self.root, env=bare, capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, 2)
        self.assertEqual(run.stderr.count("\n"), 1)
        self.assertIn("Graphviz is not installed", run.stderr)
        self.assertFalse((self.root / "x.svg").exists())
        page = self.root.parent / "page.html"
        run = subprocess.run([TUTELA, "threats", "--html", page], cwd=self.root, env=bare, capture_output=True, text=True, timeout=120)
        self.assertIn(run.returncode, (0, 1, 3), run.stderr)
        text = page.read_text()
        self.assertIn("The diagram is missing: Graphviz is not installed", text)
        for flow in FLOWS:
            self.assertIn(f'<th scope="row">{flow}</th>', text)

    @unittest.skipUnless(shutil.which("dot"), "Graphviz is not installed")
    def test_where_things_stand_is_recorded(self):
        """A report of the same records is the same on a machine without Graphviz."""
        self.assess()
        bare = {**self.env, "PATH": "/nonexistent"}
        self.assertEqual(self.svg(), self.svg(env=bare))
        pages = [self.page(env) for env in (self.env, bare)]
        self.assertEqual(*pages)
        self.assertIn('<svg class="tm"', pages[0])
        # Assessed where there is none, the same graph keeps its places; another one says that its picture is missing.
        subprocess.run([TUTELA, "assess", "."], cwd=self.root, env=bare, capture_output=True, timeout=120)
        self.assertIn('<svg class="tm"', (self.root / ".tutela/reports/latest/report.html").read_text())
        self.describe(self.text.replace("id: sink", "id: drain").replace("to: sink", "to: drain").replace("scorer, sink", "scorer, drain"))
        subprocess.run([TUTELA, "assess", "."], cwd=self.root, env=bare, capture_output=True, timeout=120)
        self.assertIn("The diagram is missing: Graphviz is not installed", (self.root / ".tutela/reports/latest/report.html").read_text())

    def test_a_dot_that_lies_dies_or_floods(self):
        for body, says in (("cat >/dev/null; echo '{}'", "wrote no layout"),
                           ("cat >/dev/null; echo nonsense", ""),
                           ("exit 3", "status 3"),
                           ("kill -9 $$", "signal 9"),
                           ("exec cat /dev/zero", ""),
                           ("cat >/dev/null; echo \"<svg><script>alert(1)</script></svg>\"", "")):
            run = self.with_dot(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n", "--svg", "x.svg")
            self.assertEqual(run.returncode, 2, body)
            self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
            self.assertIn(says, run.stderr)
            self.assertFalse((self.root / "x.svg").exists())

    def with_dot(self, text, *args):
        bin_dir = self.root.parent / "bin"
        bin_dir.mkdir(exist_ok=True)
        (bin_dir / "dot").write_text(text)
        (bin_dir / "dot").chmod(0o755)
        env = {**self.env, "PATH": f"{bin_dir}:{os.environ['PATH']}", "SECRET": "x"}
        return subprocess.run([TUTELA, "threats", *args], cwd=self.root, env=env, capture_output=True, text=True, timeout=120)

    def test_the_child_is_given_nothing_of_ours(self):
        """It ends with 7 unless environment, descriptors and folder are its own."""
        spy = """#!/usr/bin/python3 -I
import os
fine = set(os.environ) <= {"LC_ALL", "HOME", "LC_CTYPE"} and len(os.listdir("/proc/self/fd")) <= 5 and os.getcwd() == "/"
os._exit(8 if fine else 7)
"""
        self.assertIn("status 8", self.with_dot(spy, "--svg", "x.svg").stderr)

    def test_a_dot_that_hangs_is_ended(self):
        run = self.with_dot("#!/bin/sh\nexec /bin/sleep 100\n", "--svg", "x.svg")
        self.assertEqual(run.returncode, 2)
        self.assertIn("takes longer than 20 s", run.stderr)


class Report(Pages):
    def reports(self):
        return self.root / ".tutela" / "reports" / "latest"

    def test_the_report_shows_what_is_recorded(self):
        self.describe(self.text + "  claims:\n    - {control: due-diligence, on: model/m, note: the contract}\n")
        run = self.tutela("assess", ".")
        self.assertRegex(run.stdout, r"(?m)^Threats +\d+ risks?, \d+ open")
        html = (self.reports() / "report.html").read_text()
        report = json.loads((self.reports() / "report.json").read_text())
        risks = self.risks()
        self.assertEqual({r["id"] for r in report["threats"]["risks"]}, set(risks))
        self.assertEqual(report["threats"]["open"], sum(r["state"] == "open" for r in risks.values()))
        for risk in risks:
            self.assertIn(f"<code>{risk}</code>", html)
        self.assertIn("Claimed, not counted", html)
        self.assertIn("nobody owns this component", html)
        self.assertIn({"what": "scorer", "why": "nobody owns this component"}, report["threats"]["failures"])
        # The matrix counts every risk, once inherent and once residual.
        for kind in "ir":
            cells = re.findall(rf'<a href="#t-{kind}-\d-\d"><b>(\d+)</b>', html)
            self.assertEqual(sum(map(int, cells)), len(risks))
        for target in set(re.findall(r'href="#(t-[^"]*)"', html)):
            self.assertIn(f'id="{target}"', html)
        if shutil.which("dot"):
            self.assertIn('<svg class="tm"', html)

    def test_the_report_gives_the_same_bytes_for_the_same_records(self):
        self.assess()
        pages = [self.page(self.env) for _ in range(2)]
        self.assertIn("Risk matrix", pages[0])
        self.assertEqual(*pages)

    @unittest.skipUnless(FAKETIME, "faketime is not installed")
    def test_the_report_of_then_shows_the_model_of_then(self):
        self.assess(ago="-40d")
        self.describe(self.text.replace("kind: log", "kind: human-review").replace("auth: key, encryption: tls", "auth: none, encryption: none"))
        self.assess()
        then = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=30)).strftime("%Y-%m-%d")
        old = json.loads(self.tutela("report", "--format", "json", "--at", then).stdout)["threats"]
        new = json.loads(self.tutela("report", "--format", "json").stdout)["threats"]
        self.assertNotEqual({r["id"] for r in old["risks"]}, {r["id"] for r in new["risks"]})
        page = self.tutela("report", "--format", "html", "--at", then).stdout
        self.assertIn("component, log", page)
        self.assertNotIn("component, human-review", page)
        self.assertIn("component, human-review", self.tutela("report", "--format", "html").stdout)

    def test_without_a_model_the_report_says_so(self):
        self.describe(self.text.split("threats:")[0])
        self.assess()
        self.assertIn("No threat model of this description is recorded", (self.reports() / "report.html").read_text())
        self.assertIsNone(json.loads((self.reports() / "report.json").read_text())["threats"])

    def test_acceptances_are_shown_with_their_end(self):
        self.describe(self.text.replace("review_days: 60", "review_days: 60\n  tolerance: {level: low}"))
        self.assess()
        self.enrol()
        self.accept_all()
        self.assess()
        html = (self.reports() / "report.html").read_text()
        rows = re.search(r"Table of acceptances.*?</table>", html, re.S).group(0)
        accepted = [r for r in self.risks().values() if r["state"] == "accepted"]
        self.assertTrue(accepted)
        self.assertEqual(rows.count(accepted[0]["acceptance"]["expires"][:10]), len(accepted))
        self.assertIn("in force", rows)
        self.assertNotIn("lapsed", rows)


if __name__ == "__main__":
    unittest.main()
