"""init and inventory through the real command: drafting, comparing, updating, accepting, bad input."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

TUTELA = os.environ["TUTELA"]
SOURCE = os.environ.get("TUTELA_SOURCE", os.getcwd())


def tutela(*args, cwd=None):
    return subprocess.run([TUTELA, *args], cwd=cwd, capture_output=True, text=True, timeout=60)


class System(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copytree(os.path.join(SOURCE, "examples", "credit-scoring"), os.path.join(self.root, "s"),
                        ignore=shutil.ignore_patterns("tutela.yaml", ".tutela"))
        self.dir = os.path.join(self.root, "s")
        self.yaml = os.path.join(self.dir, "tutela.yaml")

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def inventory(self):
        run = tutela("inventory", self.dir, "--format", "json")
        return run.returncode, json.loads(run.stdout)

    def states(self):
        _, doc = self.inventory()
        return {asset["id"]: asset["state"] for asset in doc["assets"]}

    def read(self):
        with open(self.yaml, "rb") as file:
            return file.read()

    def init(self):
        run = tutela("init", self.dir)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run

    def test_what_init_writes_is_declared_and_unchanged(self):
        out = self.init().stdout
        self.assertIn("Found", out)
        self.assertIn("TODO", self.read().decode())
        status, doc = self.inventory()
        self.assertEqual(status, 0)
        self.assertEqual(doc["schema"], "tutela.inventory/1")
        self.assertEqual({a["state"] for a in doc["assets"]}, {"declared"})
        kinds = {a["kind"] for a in doc["assets"]}
        self.assertLessEqual({"model", "dataset", "code", "document"}, kinds)
        for asset in doc["assets"]:
            for key in ("id", "kind", "name", "path", "digest", "size", "origin", "owner", "depends_on", "signature"):
                self.assertIn(key, asset)

    def test_init_never_overwrites_without_force(self):
        self.init()
        before = self.read()
        run = tutela("init", self.dir)
        self.assertEqual(run.returncode, 2)
        self.assertIn("--update", run.stderr)
        self.assertEqual(self.read(), before)
        self.assertEqual(tutela("init", self.dir, "--force").returncode, 0)

    def test_a_new_file_is_undeclared_until_update_inserts_it_and_nothing_else(self):
        self.init()
        with open(self.yaml, "a") as file:
            file.write("# a remark at the end, with   odd spacing\n")
        before = self.read()
        with open(self.path("data", "extra.csv"), "w") as file:
            file.write("a,b\n1,2\n3,4\n")
        status, doc = self.inventory()
        self.assertEqual(status, 1)
        self.assertEqual(self.states()["dataset/extra"], "undeclared")
        run = tutela("init", self.dir, "--update")
        self.assertEqual(run.returncode, 0, run.stderr)
        after = self.read()
        at = after.index(b"  - id: dataset/extra")
        inserted = len(after) - len(before)
        start = at - 1
        self.assertEqual(after[:start] + after[start + inserted:], before)
        self.assertEqual(self.states()["dataset/extra"], "declared")
        again = tutela("init", self.dir, "--update")
        self.assertIn("nothing was written", again.stdout)
        self.assertEqual(self.read(), after)

    def test_a_changed_asset_is_changed_until_it_is_accepted(self):
        self.init()
        with open(self.path("config.yaml"), "a") as file:
            file.write("threshold_high: 0.9\n")
        self.assertEqual(self.states()["config/config"], "changed")
        before = self.read().splitlines()
        run = tutela("init", self.dir, "--accept", "config/config")
        self.assertEqual(run.returncode, 0, run.stderr)
        after = self.read().splitlines()
        differing = [i for i, (a, b) in enumerate(zip(before, after)) if a != b]
        self.assertEqual((len(before), len(differing)), (len(after), 1))
        self.assertIn(b"digest: sha256:", after[differing[0]])
        self.assertEqual(self.states()["config/config"], "declared")

    def test_a_deleted_asset_is_missing(self):
        self.init()
        os.remove(self.path("models", "classifier.onnx"))
        status, _ = self.inventory()
        self.assertEqual(status, 1)
        self.assertIn("missing", self.states().values())

    def test_accepting_what_is_not_declared_is_one_line(self):
        self.init()
        before = self.read()
        run = tutela("init", self.dir, "--accept", "model/nowhere")
        self.assertEqual(run.returncode, 2)
        self.assertEqual(len(run.stderr.strip().splitlines()), 1)
        self.assertEqual(self.read(), before)

    def test_an_unknown_key_is_shown_with_place_and_suggestion(self):
        self.init()
        text = self.read().decode().replace("    origin: TODO", "    orign: TODO", 1)
        with open(self.yaml, "w") as file:
            file.write(text)
        run = tutela("inventory", self.dir)
        self.assertEqual(run.returncode, 2)
        line = text[:text.index("orign")].count("\n") + 1
        self.assertIn(f"tutela.yaml:{line}:5", run.stderr)
        self.assertIn('did you mean "origin"', run.stderr)
        self.assertIn("^", run.stderr)

    def test_broken_yaml_is_shown_with_its_place(self):
        for text in ("schema: tutela.system/1\nsystem: [\n", "a: &x 1\nb: *x\n", "a: 1\na: 2\n", "\t- x\n", ""):
            with open(self.yaml, "w") as file:
                file.write(text)
            run = tutela("inventory", self.dir)
            self.assertEqual(run.returncode, 2, text)
            self.assertIn("tutela.yaml", run.stderr)
            self.assertLess(len(run.stderr.splitlines()), 8)

    def test_the_graph_is_for_graphviz(self):
        self.init()
        run = tutela("inventory", self.dir, "--format", "dot")
        self.assertTrue(run.stdout.startswith("digraph "))
        self.assertIn('"model/classifier', run.stdout)

    def test_an_empty_directory_is_not_fine(self):
        empty = os.path.join(self.root, "empty")
        os.mkdir(empty)
        self.assertEqual(tutela("init", empty).returncode, 3)
        self.assertFalse(os.path.exists(os.path.join(empty, "tutela.yaml")))
        self.assertEqual(tutela("inventory", empty).returncode, 3)

    def test_a_name_that_is_not_utf8_stays_visible(self):
        os.rename(self.path("config.yaml").encode(), self.path("").encode() + b"conf\xffig.yaml")
        run = tutela("init", self.dir)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("\\xff", self.read().decode())
        status, doc = self.inventory()
        self.assertEqual(status, 1)
        self.assertEqual(doc["summary"]["undeclared"], 1)

    def test_a_link_out_of_the_tree_is_not_followed(self):
        secret = os.path.join(self.root, "outside.csv")
        with open(secret, "w") as file:
            file.write("a,b\n1,2\n")
        os.symlink(secret, self.path("data", "link.csv"))
        os.symlink("..", self.path("data", "loop"))
        self.init()
        self.assertNotIn("dataset/link", self.states())

    def test_a_read_only_directory_leaves_everything_as_it_was(self):
        if os.geteuid() == 0:
            self.skipTest("root writes everywhere")
        os.chmod(self.dir, 0o555)
        self.addCleanup(os.chmod, self.dir, 0o755)
        run = tutela("init", self.dir)
        self.assertEqual(run.returncode, 2)
        self.assertEqual(len(run.stderr.strip().splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
