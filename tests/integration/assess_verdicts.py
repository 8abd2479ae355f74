"""assess, report and record through the real command: each shape of a verdict on a small system."""
import datetime
import json
import os
import pathlib
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TUTELA = os.environ["TUTELA"]
ENV = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}


def run(*args, cwd=None, env=None, expect=None):
    p = subprocess.run([TUTELA, *map(str, args)], cwd=cwd, env={**ENV, **(env or {})},
                       capture_output=True, text=True, timeout=120)
    if expect is not None:
        assert p.returncode == expect, (args, p.returncode, p.stdout, p.stderr)
    return p


class Bomb:
    def __reduce__(self):
        return (os.system, ("true",))


def make_system(root):
    """Two harmless models, one built on the other, described and accepted."""
    (root / "models").mkdir(parents=True)
    for name in ("base", "tuned"):
        (root / "models" / (name + ".pkl")).write_bytes(pickle.dumps({"name": name}, 4))
    run("init", root, expect=0)
    yaml = (root / "tutela.yaml").read_text()
    yaml = yaml.replace("  - id: model/tuned\n",
                        "  - id: model/tuned\n    depends_on:\n      - model/base\n")
    assert "depends_on" in yaml.split("components")[0]
    (root / "tutela.yaml").write_text(yaml)


def controls(root, *args, expect=None):
    p = run("report", root, "--format", "json", *args, expect=expect)
    d = json.loads(p.stdout)
    return d, {c["id"]: c for c in d["controls"]}


def log(root):
    """What the evidence log holds: its checkpoint and what is acknowledged beside the tiles."""
    where = root / ".tutela" / "ledger" / "evidence"
    return (where / "checkpoint").read_bytes(), (where / "journal").read_bytes()


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def an_empty_directory_is_doubt_and_leaves_no_trace(tmp):
    empty = tmp / "empty"
    empty.mkdir()
    p = run("assess", empty, expect=3)
    assert "no asset was recognised, so nothing was checked. No grade." in p.stdout
    assert "Next     tutela init" in p.stdout
    assert list(empty.iterdir()) == []


def assets_without_description_are_doubt(tmp):
    bare = tmp / "bare"
    bare.mkdir()
    (bare / "m.pkl").write_bytes(pickle.dumps({"a": 1}, 2))
    p = run("assess", bare, expect=3)
    assert "1 asset was found, but no tutela.yaml" in p.stdout and not (bare / ".tutela").exists()


def a_sound_system_meets_its_inventory_and_all_72_speak(tmp):
    root = tmp / "sound"
    make_system(root)
    p = run("assess", root, expect=3)
    assert "All 72" in p.stdout and "No grade" in p.stdout
    d, c = controls(root, expect=3)
    assert d["schema"] == "tutela.assessment/1" and d["summary"]["grade"] is None
    assert len(d["controls"]) == 72
    assert c["5.2.1-1"]["verdict"] == "met", c["5.2.1-1"]
    assert c["5.2.3-1"]["verdict"] == "partly", c["5.2.3-1"]
    assert c["5.1.2-4"]["verdict"] == "partly", c["5.1.2-4"]
    for control in d["controls"]:
        assert control["verdict"] == "met" or control["reasons"], control["id"]
        assert control["verdict"] == "met" or control["refresh"], control["id"]
    for name in ("report.html", "report.json", "results.sarif", "oscal/catalog.json",
                 "oscal/component-definition.json", "oscal/assessment-results.json",
                 "oscal/mapping-collection.json"):
        assert (root / ".tutela" / "reports" / "latest" / name).stat().st_size > 300, name
    assert (root / ".tutela" / ".gitignore").read_text() == "*\n"


def undeclared_missing_and_changed_are_not_met(tmp):
    root = tmp / "drifting"
    make_system(root)
    run("assess", root, expect=3)
    good = (root / "models" / "base.pkl").read_bytes()
    (root / "models" / "extra.pkl").write_bytes(pickle.dumps({"new": 1}, 2))
    p = run("assess", root, expect=1)
    _, c = controls(root)
    assert c["5.2.1-1"]["verdict"] == "not_met" and "undeclared" in c["5.2.1-1"]["reasons"][0]
    assert "init --update" in p.stdout
    (root / "models" / "extra.pkl").unlink()
    (root / "models" / "base.pkl").write_bytes(pickle.dumps({"other": 1}, 2))
    run("assess", root, expect=1)
    d, c = controls(root)
    assert c["5.2.1-1"]["verdict"] == "not_met" and "changed" in c["5.2.1-1"]["reasons"][0]
    assert any(f["rule"] == "inventory.changed" for f in d["findings"])
    (root / "models" / "base.pkl").unlink()
    run("assess", root, expect=1)
    _, c = controls(root)
    assert c["5.2.1-1"]["verdict"] == "not_met" and "missing" in c["5.2.1-1"]["reasons"][0]
    (root / "models" / "base.pkl").write_bytes(good)
    run("assess", root, expect=3)
    _, c = controls(root)
    assert c["5.2.1-1"]["verdict"] == "met"


def a_malicious_model_is_not_met_and_named(tmp):
    root = tmp / "attacked"
    make_system(root)
    (root / "models" / "base.pkl").write_bytes(pickle.dumps(Bomb(), 4))
    p = run("assess", root, expect=1)
    d, c = controls(root)
    for clause in ("5.2.3-1", "5.1.2-4", "5.2.1-4.1"):
        assert c[clause]["verdict"] == "not_met", (clause, c[clause])
    assert d["findings"][0]["severity"] == "critical" and d["findings"][0]["asset"] == "model/base"
    assert "critical  model/base" in p.stdout
    run("assess", root, "--fail-on", "info", expect=1)


def the_past_is_judged_by_the_records_of_then(tmp):
    root = tmp / "past"
    make_system(root)
    before = now()
    time.sleep(1.1)
    run("assess", root, expect=3)
    met = now()
    time.sleep(1.1)
    (root / "models" / "base.pkl").unlink()
    run("assess", root, expect=1)
    before_log = log(root)
    for command in ("assess", "report"):
        p = run(command, root, "--at", met, "--format", "json")
        verdicts = {c["id"]: c["verdict"] for c in json.loads(p.stdout)["controls"]}
        assert verdicts["5.2.1-1"] == "met", command
        assert json.loads(p.stdout)["evaluated_at"] == met
    _, c = controls(root, "--at", before)
    assert c["5.2.1-1"]["verdict"] == "not_checked"
    assert log(root) == before_log, "--at collects nothing"
    for command in ("assess", "report"):
        p = run(command, root, "--at", "2999-01-01", expect=2)
        assert "future" in p.stderr
    run("assess", root, "--at", "yesterday", expect=2)


def aged_evidence_falls_back_and_names_the_command(tmp):
    root = tmp / "aged"
    make_system(root)
    # 31 days ago by the clock of every process that took part
    late = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"  # faketime is loaded first
    p = subprocess.run(["faketime", "-f", "-31d", TUTELA, "assess", str(root)], env={**ENV, "ASAN_OPTIONS": late},
                       capture_output=True, text=True, timeout=120)
    assert p.returncode == 3, (p.returncode, p.stdout, p.stderr)
    _, c = controls(root, expect=3)
    assert c["5.2.1-1"]["verdict"] == "not_checked" and c["5.2.1-1"]["stale"]
    assert c["5.2.1-1"]["refresh"].startswith("tutela assess")
    assert c["5.2.1-1"]["evidence"][0]["use"] == "stale"
    run("assess", root, expect=3)
    _, c = controls(root)
    assert c["5.2.1-1"]["verdict"] == "met"


def evidence_about_another_description_does_not_count(tmp):
    root = tmp / "edited"
    make_system(root)
    run("assess", root, expect=3)
    with open(root / "tutela.yaml", "a") as f:
        f.write("# a remark\n")
    (root / "models" / "base.pkl").write_bytes(pickle.dumps({"v": 2}, 4))
    run("init", "--accept", "model/base", root, expect=0)
    _, c = controls(root)
    assert c["5.2.1-1"]["verdict"] == "not_checked", c["5.2.1-1"]
    assert c["5.2.1-1"]["evidence"][0]["use"] == "other_digest"
    run("assess", root, expect=3)
    _, c = controls(root)
    assert c["5.2.1-1"]["verdict"] == "met"


def what_people_say_never_stands_in_for_a_test(tmp):
    root = tmp / "declared"
    make_system(root)
    run("assess", root, expect=3)
    paper = tmp / "contract.txt"
    paper.write_text("clauses on isolation and audit\n")
    yaml = ("--system", root / "tutela.yaml")
    said = ("--statement", "the contract was checked", "--by", "Ada", "--evidence", paper)
    p = run("record", "5.2.1-2", *said, "--expires", "2999-01-01", *yaml, expect=0)
    assert "does not move" in p.stdout
    run("record", "5.2.2-6", *said, "--expires", "2999-01-01", *yaml, expect=0)
    _, c = controls(root)
    assert c["5.2.1-2"]["verdict"] == "not_checked"
    assert c["5.2.1-2"]["evidence"][0]["use"] == "not_enough"
    assert c["5.2.2-6"]["verdict"] == "partly"
    run("record", "5.2.2-6", *said, "--expires", "2001-01-01", *yaml, expect=2)
    run("record", "5.2.2-6", *said, *yaml, expect=2)
    run("record", "5.9.9-9", *said, "--expires", "2999-01-01", *yaml, expect=2)
    run("record", "5.2.2-6", "--statement", "x", "--by", "Ada", "--evidence", tmp / "none",
        "--expires", "2999-01-01", *yaml, expect=2)
    outside = tmp / "outside"
    outside.mkdir()
    p = run("record", "5.2.2-6", *said, "--expires", "2999-01-01", cwd=outside, expect=2)
    assert "nothing is recorded" in p.stderr and list(outside.iterdir()) == []


def a_contradicted_claim_is_refused_and_a_sound_one_taken(tmp):
    root = tmp / "claims"
    make_system(root)
    yaml = (root / "tutela.yaml").read_text().replace("origin: TODO", "origin: public", 1)
    yaml += ("not_applicable:\n"
             "  - clause: 5.1.2-4\n    reason: all is our own\n    by: Ada\n    expires: 2999-01-01\n"
             "  - clause: 5.2.4-1.2\n    reason: nothing is shared\n    by: Ada\n    expires: 2999-01-01\n")
    (root / "tutela.yaml").write_text(yaml)
    run("assess", root)
    _, c = controls(root)
    assert c["5.1.2-4"]["verdict"] != "not_applicable" and "refused" in c["5.1.2-4"]["reasons"][0]
    assert c["5.2.4-1.2"]["verdict"] == "not_applicable", c["5.2.4-1.2"]


def same_inputs_and_times_give_the_same_bytes(tmp):
    root = tmp / "twice"
    make_system(root)
    run("assess", root, expect=3)
    at = now()
    texts = []
    for _ in range(2):
        run("assess", root, "--at", at, env={"SOURCE_DATE_EPOCH": "1700000000"}, expect=3)
        latest = root / ".tutela" / "reports" / "latest"
        texts.append({str(p.relative_to(latest)): p.read_bytes() for p in latest.rglob("*") if p.is_file()})
        shutil.rmtree(latest.resolve())
        time.sleep(1.1)
    assert texts[0] == texts[1] and "oscal/assessment-results.json" in texts[0]
    assert json.loads(texts[0]["report.json"])["generated"] == "2023-11-14T22:13:20Z"


def errors_leave_the_last_report_as_it_was(tmp):
    root = tmp / "broken"
    make_system(root)
    run("assess", root, expect=3)
    before = os.readlink(root / ".tutela" / "reports" / "latest")
    before_log = log(root)
    good = (root / "tutela.yaml").read_text()
    (root / "tutela.yaml").write_text(good.replace("origin: TODO", "orign: TODO", 1))
    p = run("assess", root, expect=2)
    assert "Nothing was assessed; the last report is unchanged." in p.stderr and "orign" in p.stderr
    assert os.readlink(root / ".tutela" / "reports" / "latest") == before
    assert log(root) == before_log
    (root / "tutela.yaml").write_text(good)


def a_damaged_log_is_grade_f_and_says_where(tmp):
    root = tmp / "cut"
    make_system(root)
    run("assess", root, expect=3)
    whole = log(root)[1]
    journal = root / ".tutela" / "ledger" / "evidence" / "journal"
    at = len(whole) // 2
    journal.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
    for command in ("report", "assess"):
        p = run(command, root, "--format", "json", expect=1)
        d = json.loads(p.stdout)
        assert d["summary"]["grade"] == "F", d["summary"]
        assert {c["verdict"] for c in d["controls"]} == {"not_checked"}
        assert "do not verify" in d["summary"]["caps"][-1]["reason"], d["summary"]["caps"]
        assert journal.read_bytes()[at] == whole[at] ^ 1, "nothing is put right in silence"
    p = run("report", root, expect=1)
    assert "grade is F" in p.stdout, p.stdout
    journal.write_bytes(whole)
    run("assess", root, expect=3)


def an_altered_body_is_a_tampered_log(tmp):
    root = tmp / "tampered"
    make_system(root)
    run("assess", root, expect=3)
    for body in (root / ".tutela" / "bodies").iterdir():
        if b"tutela.inventory/1" in body.read_bytes():
            os.chmod(body, 0o600)
            body.write_bytes(body.read_bytes().replace(b"declared", b"Declared"))
    d, c = controls(root, expect=1)
    assert d["summary"]["grade"] == "F" and c["5.2.1-1"]["verdict"] == "not_checked"


def a_state_that_cannot_be_written_is_one_clear_line(tmp):
    root = tmp / "blocked"
    make_system(root)
    shutil.rmtree(root / ".tutela", ignore_errors=True)
    (root / ".tutela").write_text("in the way")
    p = run("assess", root, expect=2)
    assert len([l for l in p.stderr.splitlines() if l]) == 2, p.stderr
    assert (root / ".tutela").read_text() == "in the way"


def a_full_disk_leaves_the_earlier_state_whole(tmp):
    root = tmp / "full"
    make_system(root)
    run("assess", root, expect=3)
    before = os.readlink(root / ".tutela" / "reports" / "latest")
    records = log(root)

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    p = subprocess.run([TUTELA, "assess", str(root)], capture_output=True, text=True, env=ENV,
                       preexec_fn=small_files, timeout=60)
    assert p.returncode == 2 and "the last report is unchanged" in p.stderr, (p.returncode, p.stderr)
    assert os.readlink(root / ".tutela" / "reports" / "latest") == before
    assert log(root) == records
    run("assess", root, expect=3)


def an_interrupted_run_records_nothing(tmp):
    root = tmp / "interrupted"
    make_system(root)
    run("assess", root, expect=3)
    before_log = log(root)
    head = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|u1', 'fortran_order': False, 'shape': (8589934592,), }"
    with open(root / "models" / "big.npy", "wb") as f:
        f.write(head.ljust(127) + b"\n")
        f.truncate(128 + 8589934592)
    p = subprocess.Popen([TUTELA, "assess", str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.5)
    if p.poll() is not None:
        print("not interrupted: the run ended first", p.communicate())
        return
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=30)
    assert p.returncode not in (0, 3)
    assert log(root) == before_log
    (root / "models" / "big.npy").unlink()
    run("assess", root, expect=3)


def main():
    failed = 0
    tests = [f for n, f in globals().items() if callable(f) and n.count("_") > 2]
    for test in tests:
        with tempfile.TemporaryDirectory(prefix="tutela-assess-") as tmp:
            try:
                test(pathlib.Path(tmp))
            except Exception as e:  # every claim is looked at
                failed += 1
                print("FAILED", test.__name__, type(e).__name__, str(e)[:1500])
    print(f"{len(tests) - failed} of {len(tests)} claims hold")
    assert len(tests) > 10
    return failed != 0


sys.exit(main())
