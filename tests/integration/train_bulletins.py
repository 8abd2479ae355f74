"""Bulletins go to people over real channels, are read by them, and move 5.1.1-2 and 5.1.1-2.1; concerns move 5.1.2-5.1."""
import email
import email.policy
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import message_world as mw  # noqa: E402
import train_world  # noqa: E402

TEXT = """---
id: poisoned-captions
title: Poisoned captions in a public image set
version: %d
for: %s
threats: [data_poisoning]
atlas: [AML.T0020]
---
## What happens
Somebody put captions into a public set of images – with a trigger word – so that models trained on it answer wrongly.

.A line that begins with a dot. And one that is long: %s

## Who is affected
Whoever trained on the set since October.

## Countermeasures
Vet the set anew: tutela vet data/captions.csv %s
"""
GOOD = TEXT % (1, "[developer, operator]", "word " * 60, "")


class Bulletins(train_world.World):
    def setUp(self):
        super().setUp()
        self.servers = []
        self.addCleanup(lambda: [s.stop() for s in self.servers])
        self.private("addresses.yaml", "Ada: ada@example.org\nBob: bob@example.org\nEve: eve@example.org\nCustomers: users@example.net\n")
        self.private("hook.key", "a secret that both sides know\n")
        (self.root / "outbox").mkdir()
        (self.root / "bulletin.md").write_text(GOOD)

    def private(self, name, text):
        path = self.root.parent / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def serve(self, server):
        self.servers.append(server)
        return server

    def smtp(self, server, more="tls: none"):
        port = server if isinstance(server, int) else server.port
        return "    - {id: mail, kind: smtp, server: 127.0.0.1, port: %d, from: tutela@example.org, retry_seconds: 0, %s}\n" % (port, more)

    def hook(self, server, more="secret_file: ../hook.key"):
        return "    - {id: chat, kind: webhook, url: \"http://127.0.0.1:%d/hook\", retry_seconds: 0, %s}\n" % (server.port, more)

    FOLDER = "    - {id: page, kind: file, folder: outbox}\n"

    def channels(self, *lines, training="  read_days: 7\n", messages=""):
        self.describe(training=self.TRAINING + training, more="messages:\n  addresses: ../addresses.yaml\n" + messages + "  channels:\n" + "".join(lines))

    def staff(self):
        self.enrol("Ada", "trainer", "operator", root=True, ago="-12d")
        self.enrol("Bob", "developer")

    def send(self, code=0, by="Ada", **how):
        return self.tutela("train", "bulletin", "send", "bulletin.md", "--by", by, code=code, **how)

    def read(self, *names, code=0, **how):
        for name in names:
            self.tutela("train", "read", "poisoned-captions", "--by", name, code=code, **how)

    def assess(self, ago=None):
        self.assertIn(self.tutela("assess", ".", ago=ago).returncode, (1, 3))

    def two(self):
        mail, hook = self.serve(mw.Mail()), self.serve(mw.Hook())
        self.channels(self.smtp(mail), self.hook(hook))
        self.staff()
        return mail, hook

    def soon(self, count, wanted):
        """A server's threads may count a little later than the command ends."""
        for _ in range(200):
            if count() >= wanted:
                break
            time.sleep(0.1)
        return count()

    # --- what arrives ---

    def test_mail_webhook_and_folder_get_it(self):
        mail, hook = self.serve(mw.Mail()), self.serve(mw.Hook())
        self.channels(self.smtp(mail), self.hook(hook), self.FOLDER)
        self.staff()
        out = self.send().stdout
        self.assertIn("mail (smtp): delivered 2 of 2", out)
        self.assertIn("chat (webhook): delivered 1 of 1", out)
        self.assertEqual(sorted(to for _, to, *_ in mail.letters), [["ada@example.org"], ["bob@example.org"]])
        for sender, to, text, _, helo in mail.letters:
            letter = email.message_from_string(text, policy=email.policy.default)
            self.assertEqual((sender, helo), ("tutela@example.org", "example.org"))
            self.assertEqual(letter["Subject"], "Poisoned captions in a public image set")
            self.assertEqual([a.addr_spec for a in letter["To"].addresses], to)
            self.assertEqual(letter["Auto-Submitted"], "auto-generated")
            self.assertRegex(letter["Message-ID"], r"^<tutela\.[0-9a-f]{32}@example\.org>$")
            body = letter.get_content().replace("\r\n", "\n")
            self.assertIn("a public set of images – with a trigger word – so", body)
            self.assertIn("\n.A line that begins with a dot. And one that is long: " + "word " * 60, body)
            self.assertIn("tutela train read poisoned-captions", body)
            self.assertTrue(all(len(line) <= 78 for line in text.split("\r\n")), text)
            self.assertNotIn("version:", body)  # the front matter stays at home
        (headers, body, path), = hook.posts
        self.assertEqual(path, "/hook")
        self.assertTrue(mw.signature_holds(headers, body, b"a secret that both sides know"))
        doc = json.loads(body)
        self.assertEqual(doc["id"], "bulletin/poisoned-captions@1")
        self.assertEqual(doc["digest"]["sha256"], hashlib.sha256(GOOD.encode()).hexdigest())
        self.assertIn("Vet the set anew", doc["text"])
        page, = (self.root / "outbox").iterdir()
        self.assertIn("# Poisoned captions", page.read_text())

    def test_titles_beyond_ascii_arrive_whole(self):
        title = "Vergiftete Bildunterschriften: größer als gedacht, älter als gemeldet – 毒 " + "é" * 40
        (self.root / "bulletin.md").write_text(GOOD.replace("Poisoned captions in a public image set", "\"%s\"" % title))
        mail, _ = self.two()
        self.send()
        letter = email.message_from_string(mail.letters[0][2], policy=email.policy.default)
        self.assertEqual(letter["Subject"], title)

    def test_no_address_and_no_secret_is_in_the_log(self):
        self.two()
        self.private("mail.password", "hunter22 is no password\n")
        self.send()
        self.read("Ada", "Bob")
        self.assess()
        kept = b"".join(p.read_bytes() for p in (self.root / ".tutela").rglob("*") if p.is_file())
        for word in (b"ada@example.org", b"bob@example.org", b"a secret that both sides"):
            self.assertNotIn(word, kept)
        bodies = [json.loads(p.read_text()) for p in (self.root / ".tutela/bodies").iterdir() if p.read_bytes()[:1] == b"{"]
        delivery = next(b for b in bodies if b.get("schema") == "tutela.delivery/1" and b["channel"] == "mail")
        self.assertEqual(len({d["address"]["sha256"] for d in delivery["deliveries"]}), 2)
        self.assertNotIn(hashlib.sha256(b"ada@example.org").hexdigest(), json.dumps(delivery))  # nobody guesses it

    def test_starttls_and_login(self):
        context = mw.certificate(self.root.parent)
        self.private("mail.password", "open sesame\n")
        mail = self.serve(mw.Mail(tls=context, password="open sesame"))
        line = "    - {id: mail, kind: smtp, server: localhost, port: %d, from: t@example.org, user: tutela, password_file: ../mail.password, ca_file: %s, retry_seconds: 0}\n"
        self.channels(line % (mail.port, "../cert.pem"), self.FOLDER)
        self.staff()
        self.assertIn("mail (smtp): delivered 2 of 2", self.send().stdout)
        self.assertTrue(all(with_tls for *_, with_tls, _ in mail.letters))
        # a certificate that nobody vouches for, a password that is wrong, a file that others may read
        for text, change, why in (("2", lambda: self.channels((line % (mail.port, "x")).replace("ca_file: x, ", ""), self.FOLDER), "certificate is not to be believed"),
                                  ("3", lambda: (self.channels(line % (mail.port, "../cert.pem"), self.FOLDER), self.private("mail.password", "guessed\n")), "did not take user and password"),
                                  ("4", lambda: (self.root.parent / "mail.password").chmod(0o644), "mail.password")):
            with self.subTest(why):
                change()
                (self.root / "bulletin.md").write_text(GOOD.replace("version: 1", "version: " + text))
                run = self.send(code=1)
                self.assertIn("mail (smtp): delivered 0 of 2", run.stdout)
                if text != "4":
                    self.assertIn(why, run.stdout)
                self.assertIn("page (file): delivered 1 of 1", run.stdout)
                for secret in ("open sesame", "guessed"):
                    self.assertNotIn(secret, run.stdout + run.stderr)

    def test_tls_from_the_first_byte(self):
        context = mw.certificate(self.root.parent)
        mail = self.serve(mw.Mail(tls=context, implicit_tls=True))
        self.channels("    - {id: mail, kind: smtp, server: localhost, port: %d, tls: tls, from: t@example.org, ca_file: ../cert.pem, retry_seconds: 0}\n" % mail.port)
        self.staff()
        self.assertIn("delivered 2 of 2", self.send().stdout)

    def test_without_tls_nothing_leaves(self):
        mail = self.serve(mw.Mail())
        self.channels(self.smtp(mail, "tls: starttls"), self.FOLDER)
        self.staff()
        self.assertIn("offers no TLS", self.send(code=1).stdout)
        self.assertEqual(mail.letters, [])
        self.channels("    - {id: mail, kind: smtp, server: mail.example.org, from: t@example.org, tls: none}\n")
        run = self.send(code=2)
        self.assertIn("for a server on this machine only", run.stderr)
        self.channels("    - {id: chat, kind: webhook, url: \"http://chat.example.org/x\"}\n")
        self.assertIn("only this machine itself", self.send(code=2).stderr)

    # --- what goes wrong ---

    def test_a_refusal_is_told_and_the_others_get_it(self):
        mail = self.serve(mw.Mail(answers={"ada@example.org": ["550 5.1.1 <ada@example.org> unknown"] * 9}))
        hook = self.serve(mw.Hook())
        self.channels(self.smtp(mail), self.hook(hook))
        self.staff()
        run = self.send(code=1)
        self.assertIn("mail (smtp): delivered 1 of 2", run.stdout)
        self.assertIn("not delivered to Ada: the server refused it (550)", run.stdout)
        self.assertEqual([to for _, to, *_ in mail.letters], [["bob@example.org"]])
        self.assertEqual(mail.tried.count("ada@example.org"), 1)  # what is refused is not tried again
        self.assess()
        self.assertEqual(self.control("5.1.1-2.1")["verdict"], "not_met")
        # sent again it goes to whom it did not reach, and to nobody else
        mail.answers.clear()
        run = self.send()
        self.assertIn("mail (smtp): delivered 2 of 2", run.stdout)
        self.assertEqual([to for _, to, *_ in mail.letters], [["bob@example.org"], ["ada@example.org"]])
        self.assertEqual(len(hook.posts), 1)
        self.assertIn("over every channel before", self.send().stdout)

    def test_greylisting_is_waited_for(self):
        mail = self.serve(mw.Mail(answers={"ada@example.org": ["451 4.7.1 greylisted"], "bob@example.org": ["451 4.7.1 greylisted"] * 9}))
        self.channels(self.smtp(mail), self.FOLDER)
        self.staff()
        run = self.send(code=1)
        self.assertIn("delivered 1 of 2", run.stdout)
        self.assertIn("not delivered to Bob: the server asked to try again later (451)", run.stdout)
        self.assertEqual((mail.tried.count("ada@example.org"), mail.tried.count("bob@example.org")), (2, 3))

    def test_servers_that_hang_die_or_are_not_there(self):
        silent = self.serve(mw.Script(None))
        dying = self.serve(mw.Script(["220 here", "250 hello", "250 sender", "250 reader", "354 go on"]))
        closing = self.serve(mw.Script(["421 too busy"]))
        with mw.socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            gone = free.getsockname()[1]
        self.channels(self.FOLDER)
        self.staff()
        for n, (server, more, why, tries) in enumerate(((silent, "tls: none, timeout_seconds: 1, attempts: 2", "did not answer in time", 2),
                                                         (dying, "tls: none, attempts: 2", "broken off", 4),
                                                         (closing, "tls: none, attempts: 1", "later (421)", 2),
                                                         (gone, "tls: none", "nobody answers at the server's port", None)), 1):
            with self.subTest(why):
                self.channels(self.smtp(server, more), self.FOLDER)
                (self.root / "bulletin.md").write_text(GOOD.replace("version: 1", "version: %d" % n))
                run = self.send(code=1)
                self.assertIn("mail (smtp): delivered 0 of 2", run.stdout)
                self.assertIn(why, run.stdout)
                self.assertIn("page (file): delivered 1 of 1", run.stdout)
                if tries:
                    self.assertEqual(self.soon(lambda: server.count, tries), tries)

    def test_webhooks_that_do_not_take_it(self):
        self.channels(self.FOLDER)
        self.staff()
        for n, (hook, more, why, posts) in enumerate(((mw.Hook(500), "attempts: 2", "answered 500", 2),
                                                      (mw.Hook(302), "attempts: 3", "points elsewhere", 1),
                                                      (mw.Hook(404), "attempts: 3", "answered 404", 1),
                                                      (mw.Hook(0), "attempts: 1, timeout_seconds: 1", "did not answer in time", 1),
                                                      (mw.Hook(429, 503, 200), "attempts: 3", None, 3),
                                                      (mw.Hook(200, answer=b"x" * 3000000), "attempts: 1", None, 1)), 1):
            with self.subTest(why or posts):
                self.serve(hook)
                self.channels(self.hook(hook, more), self.FOLDER)
                (self.root / "bulletin.md").write_text(GOOD.replace("version: 1", "version: %d" % n))
                run = self.send(code=1 if why else 0)
                self.assertIn("chat (webhook): delivered %d of 1" % (why is None), run.stdout)
                self.assertIn(why or "delivered 1 of 1", run.stdout)
                self.assertEqual(self.soon(lambda: len(hook.posts), posts), posts)

    def test_a_url_that_is_a_secret_stays_one(self):
        hook = self.serve(mw.Hook(500))
        self.private("hook.url", "http://127.0.0.1:%d/services/T0SECRET\n" % hook.port)
        self.channels("    - {id: chat, kind: webhook, url_file: ../hook.url, attempts: 1}\n")
        self.staff()
        run = self.send(code=1)
        self.assertEqual(hook.posts[0][2], "/services/T0SECRET")
        kept = b"".join(p.read_bytes() for p in (self.root / ".tutela").rglob("*") if p.is_file())
        self.assertNotIn("T0SECRET", run.stdout + run.stderr)
        self.assertNotIn(b"T0SECRET", kept)

    def test_whoever_interrupts_keeps_the_channels_that_were_done(self):
        silent = self.serve(mw.Script(None))
        self.channels(self.FOLDER, self.smtp(silent, "tls: none, timeout_seconds: 120"))
        self.staff()
        run = subprocess.Popen([train_world.TUTELA, "train", "bulletin", "send", "bulletin.md", "--by", "Ada"], cwd=self.root, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(600):  # until it waits for the silent server
            if silent.count or run.poll() is not None:
                break
            time.sleep(0.1)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=100)
        self.assertNotEqual(run.returncode, 0)
        self.assertEqual(len(list((self.root / "outbox").iterdir())), 1)
        shown = self.tutela("train", "bulletin", "show", "poisoned-captions", code=3).stdout
        self.assertIn("page (file): delivered", shown, err)
        self.assertNotIn("mail (smtp)", shown, err)
        self.channels(self.FOLDER, self.smtp(self.serve(mw.Mail())))
        self.assertIn("mail (smtp): delivered 2 of 2", self.send().stdout)
        self.assertEqual(len(list((self.root / "outbox").iterdir())), 1)

    def test_two_who_send_at_once(self):
        mail, hook = self.two()
        runs = [subprocess.Popen([train_world.TUTELA, "train", "bulletin", "send", "bulletin.md", "--by", "Ada"], cwd=self.root, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
        told = [r.communicate(timeout=200)[0] for r in runs]
        self.assertEqual([r.returncode for r in runs], [0, 0], told)
        self.read("Ada", "Bob")
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "met")
        self.assertEqual(self.tutela("ledger", "verify").returncode, 0)

    def test_who_has_no_address_is_named(self):
        self.two()
        self.enrol("Zoe", "developer")
        run = self.send(code=1)
        self.assertIn("not delivered to Zoe: no address is known", run.stdout)

    def test_bulletins_that_are_none(self):
        self.two()
        for text, why in ((GOOD.replace("## Countermeasures", "## Other"), "Countermeasures"),
                          (GOOD[:GOOD.index("Vet the set")], "Countermeasures"),
                          (GOOD.replace("for: [developer, operator]", "for: [king]"), "\"king\" is no role"),
                          (GOOD.replace("version: 1", "version: 0"), "version is a whole number"),
                          (GOOD.replace("[data_poisoning]", "[weather]"), "\"weather\" is no threat"),
                          (GOOD.replace("id: poisoned-captions", "id: ../x"), "id is a name"),
                          (GOOD.replace("title: P", "tilte: P"), "tilte"),
                          (GOOD.replace("title: P", "title: \"a\\nBcc: x@y.z\"\nx: P"), ""),
                          ("no front matter", "does not begin with front matter"),
                          (GOOD.replace("for: [developer, operator]", "for: [auditor]"), "nobody is enrolled")):
            with self.subTest(why):
                (self.root / "bulletin.md").write_text(text)
                self.assertIn(why, self.send(code=2).stderr)
        (self.root / "bulletin.md").write_text(GOOD)
        self.send()
        (self.root / "bulletin.md").write_text(GOOD + "\nOne more word.\n")
        self.assertIn("raise \"version\"", self.send(code=2).stderr)
        (self.root / "bulletin.md").write_text(GOOD.replace("version: 1", "version: 3"))
        self.send()
        (self.root / "bulletin.md").write_text(GOOD.replace("version: 1", "version: 2"))
        self.assertIn("version 3 of this bulletin", self.send(code=2).stderr)
        self.assertIn("is replaced", self.tutela("train", "read", "poisoned-captions@1", "--by", "Bob", code=2).stderr)
        self.assertIn("Vet the set anew", self.tutela("train", "bulletin", "show", "poisoned-captions@1").stdout)
        items = {i["id"]: i["state"] for i in self.json("train", "bulletin", "list")["items"]}
        self.assertEqual(items, {"poisoned-captions@1": "replaced", "poisoned-captions@3": "open"})
        (self.root / "bulletin.md").write_text(GOOD.replace("Vet the set anew", "None known. Watch").replace("version: 1", "version: 4"))
        self.send()

    def test_addresses_that_are_none(self):
        self.two()
        for text, why in (("Ada: ada@example.org\nBob: not an address\n", "line 2 has no mail address"),
                          ("Ada: \"ada@example.org\\r\\nRCPT TO:<x@y.z>\"\n", "line 1 has no mail address"), ("[]\n", "NAME: ADDRESS")):
            with self.subTest(why):
                self.private("addresses.yaml", text)
                self.assertIn(why, self.send(code=2).stderr)
        (self.root.parent / "addresses.yaml").chmod(0o644)
        self.assertIn("addresses.yaml", self.send(code=2).stderr)

    # --- the clauses ---

    def test_bulletins_move_5_1_1_2_and_fall_back(self):
        mail, hook = self.two()
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "not_checked")
        self.send()
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "not_checked")
        self.assertIn("waits for 2 readers", json.dumps(self.control("5.1.1-2")))
        self.read("Ada")
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "not_checked")
        self.read("Bob")
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "met")
        self.assertEqual(self.tutela("train", "bulletin", "list", code=0).stdout.count("2 of 2"), 1)
        self.assertEqual(self.control("5.1.1-2", ago="+89d")["verdict"], "met")
        self.assertEqual(self.control("5.1.1-2", ago="+91d")["verdict"], "not_checked")  # aged
        # read again: no second receipt
        self.assertIn("Read before by Bob", self.tutela("train", "read", "poisoned-captions", "--by", "Bob", code=0).stdout)
        # a new version has to be read anew; while there is time nothing else holds
        (self.root / "bulletin.md").write_text(GOOD.replace("version: 1", "version: 2"))
        self.send()
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "not_checked")
        self.read("Ada", "Bob")
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "met")
        # the text is missing
        body = self.root / ".tutela/bodies" / hashlib.sha256((self.root / "bulletin.md").read_bytes()).hexdigest()
        kept = next(p for p in (self.root / ".tutela/bodies").rglob(body.name + "*"))
        kept.rename(self.root / "away")
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "not_met")
        self.assertIn("is missing", self.tutela("train", "read", "poisoned-captions", "--by", "Bob", code=2).stderr)
        (self.root / "away").rename(kept)
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "met")

    def test_who_does_not_read_in_time_is_named(self):
        self.two()
        self.send(ago="-10d")
        self.read("Ada", ago="-9d")
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "not_checked")  # enrolled 3 days ago: there is time
        self.enrol("Old", "developer", ago="-9d")
        self.assess()
        control = self.control("5.1.1-2")
        self.assertEqual(control["verdict"], "not_met")
        self.assertIn("not read in time by Old", json.dumps(control))
        self.assertEqual(self.tutela("train", "bulletin", "list").returncode, 1)
        self.read("Old", "Bob")
        self.assess()
        self.assertEqual(self.control("5.1.1-2")["verdict"], "met")

    def test_a_receipt_needs_the_readers_own_key_and_this_very_text(self):
        self.two()
        self.send()
        keys = list(pathlib.Path(self.env["XDG_DATA_HOME"]).rglob("*Ada*"))
        self.assertTrue(keys)
        run = self.tutela("train", "read", "poisoned-captions", "--by", "Bob", "--signing-key", str(next(k for k in keys if k.is_file())))
        self.assertEqual(run.returncode, 2, run.stdout)
        self.assertIn("that of Ada, not of Bob", run.stderr)
        entry = json.dumps({"kind": "message.received", "what": "forged"})
        self.tutela("ledger", "append", given=entry + "\n")
        self.read("Ada")
        self.assess()
        self.assertIn("waits for 1 reader", json.dumps(self.control("5.1.1-2")))

    def test_channels_move_5_1_1_2_1_and_fall_back(self):
        self.two()
        (self.root / "channels.md").write_text("Threat updates reach staff by mail and in the chat of the team.\n")
        self.send()
        self.assess()
        self.assertEqual(self.uses("5.1.1-2.1", "train.channels"), {"counts"})
        self.tutela("record", "5.1.1-2.1", "--statement", "Mail and chat", "--by", "Ada", "--evidence", "channels.md", "--expires", "2099-01-01")
        self.assess()
        self.assertEqual(self.control("5.1.1-2.1")["verdict"], "met")
        self.assertNotEqual(self.control("5.1.1-2.1", ago="+181d")["verdict"], "met")
        for p in (self.root / ".tutela/bodies").rglob("*"):
            if p.is_file() and b"tutela.delivery/1" in p.read_bytes() and b'"webhook"' in p.read_bytes():
                p.unlink()
        self.assess()
        self.assertEqual(self.control("5.1.1-2.1")["verdict"], "not_met")
        self.assertIn("delivered over 1 channel", json.dumps(self.control("5.1.1-2.1")))


class Concerns(train_world.World):
    def setUp(self):
        super().setUp()
        self.describe(training=self.TRAINING + "  triage_days: 5\n  concerns: {triage: [operator]}\n")
        self.enrol("Ada", "trainer", root=True, ago="-9d")
        self.enrol("Olga", "operator", ago="-9d")
        self.enrol("Ben", "developer", ago="-9d")
        (self.root / "text.txt").write_text("The reranker loads a pickle from a shared drive that everybody writes to.\n")

    def concern(self, *more, code=0, ago=None, receipt=None):
        out = self.tutela("train", "concern", "--subject", "A pickle on the share", "--file", "text.txt", *more,
                          *(["--receipt", str(receipt)] if receipt else []), code=code, ago=ago)
        found = re.search(r"Raised as (C-\w{8})", out.stdout)
        return found.group(1) if found else out

    def triage(self, number, *more, by="Olga", outcome="accepted", code=0, ago=None):
        return self.tutela("train", "concern", "triage", number, "--outcome", outcome, "--note", "moved to safetensors", "--by", by, *more, code=code, ago=ago)

    def assess(self, ago=None):
        self.assertIn(self.tutela("assess", ".", ago=ago).returncode, (1, 3))

    def state(self):
        control = self.control("5.1.2-5.1")
        return control["verdict"], json.dumps(control)

    def test_a_concern_gets_a_receipt_that_can_be_verified(self):
        receipt = self.root.parent / "receipt.json"
        number = self.concern("--by", "Ben", receipt=receipt)
        self.assertEqual(receipt.stat().st_mode & 0o777, 0o600)
        doc = json.loads(receipt.read_text())
        self.assertEqual(doc["number"], number)
        plain = doc["salt"] + "\n" + doc["subject"] + "\n" + (self.root / "text.txt").read_text()
        self.assertEqual(doc["commitment"]["sha256"], hashlib.sha256(plain.encode()).hexdigest())
        out = self.tutela("train", "concern", "verify", str(receipt), "--file", "text.txt", code=0).stdout
        self.assertIn("has it, at the entry", out)
        self.assertIn("open", out)
        # the proof stands by itself
        (self.root / "p").write_text(doc["proof"])
        self.tutela("ledger", "show", str(doc["entry"]), "--format", "raw", code=0)
        raw = self.tutela("ledger", "show", str(doc["entry"]), "--format", "raw").stdout
        self.assertIn(number, raw)
        self.assertIn(doc["commitment"]["sha256"], raw)
        self.triage(number)
        self.assertIn("accepted", self.tutela("train", "concern", "verify", str(receipt), "--file", "text.txt", code=0).stdout)
        (self.root / "text.txt").write_text("something else\n")
        self.assertIn("another one", self.tutela("train", "concern", "verify", str(receipt), "--file", "text.txt", code=1).stdout)

    def test_nothing_of_it_is_in_the_clear(self):
        number = self.concern("--by", "Ben")
        self.triage(number)
        self.assess()
        kept = b"".join(p.read_bytes() for p in (self.root / ".tutela").rglob("*") if p.is_file())
        for word in (b"shared drive", b"A pickle on the share", b"moved to safetensors"):
            self.assertNotIn(word, kept)
        entries = self.tutela("ledger", "search", "--format", "json", "concern.*").stdout + self.tutela("train", "concern", "list", "--format", "json").stdout
        self.assertNotIn("Ben", entries)
        entry = next(i for i in self.json("train", "concern", "list")["items"])["evidence"][0]
        self.assertNotIn("Ben", self.tutela("ledger", "show", str(entry), "--format", "raw").stdout)

    def test_only_who_triages_reads_it_and_that_is_recorded(self):
        number = self.concern("--by", "Ben")
        self.assertIn("triages no concerns", self.tutela("train", "concern", "show", number, "--by", "Ben", code=2).stderr)
        out = self.tutela("train", "concern", "show", number, "--by", "Olga", code=0).stdout
        self.assertIn("shared drive", out)
        self.assertNotIn("Ben", out)
        self.assertIn("by Ben", self.tutela("train", "concern", "show", number, "--by", "Olga", "--reveal", code=0).stdout)
        last = self.tutela("ledger", "show", "last").stdout
        self.assertIn("body.read", last)
        self.assertIn("Olga", last)
        self.assertIn("nobody who is named", self.tutela("train", "concern", "show", self.concern("--anonymous"), "--by", "Olga", code=0).stdout)

    def test_concerns_move_5_1_2_5_1_and_fall_back(self):
        (self.root / "how.md").write_text("Whoever sees a risk says so with tutela train concern; nobody is punished for it.\n")
        self.tutela("record", "5.1.2-5.1", "--statement", "How to report", "--by", "Ada", "--evidence", "how.md", "--expires", "2099-01-01")
        self.assess()
        verdict, told = self.state()
        self.assertNotEqual(verdict, "met")
        self.assertIn("--drill tries it", told)
        number = self.concern("--anonymous", "--drill")
        self.assess()
        self.assertIn("waits to be triaged", self.state()[1])
        self.triage(number, outcome="rejected")
        self.assess()
        verdict, told = self.state()
        self.assertEqual(verdict, "met", told)
        self.assertIn("1 of them drills", told)
        self.assertNotEqual(self.control("5.1.2-5.1", ago="+181d")["verdict"], "met")
        # one that nobody triages
        self.concern("--by", "Ben", ago="-6d")
        self.assess()
        verdict, told = self.state()
        self.assertEqual(verdict, "not_met", told)
        self.assertEqual(self.tutela("train", "concern", "list").returncode, 1)
        late = next(i for i in self.json("train", "concern", "list")["items"] if i["state"] == "late")["id"]
        self.assertNotIn(late, (number,))
        self.triage(late)
        self.assess()
        verdict, told = self.state()
        # it was triaged late; a later one in time shows that it was mended
        again = self.concern("--anonymous")
        self.triage(again, outcome="duplicate")
        self.assess()
        self.assertEqual(self.state()[0], "met", self.state()[1])
        # the text of one is lost
        for p in (self.root / ".tutela/bodies").rglob("*"):
            if p.is_file() and p.read_bytes()[:7] == b"TUTBODY":
                p.unlink()
        self.assess()
        verdict, told = self.state()
        self.assertEqual(verdict, "not_met")
        self.assertIn("is missing from the ledger", told)

    def test_who_may_triage(self):
        number = self.concern("--by", "Olga")
        self.assertIn("somebody else triages", self.triage(number, code=2).stderr)
        self.assertIn("triages no concerns", self.triage(number, by="Ben", code=2).stderr)
        self.assertIn("nothing was raised", self.triage("C-AAAAAAAA", code=2).stderr)
        other = self.concern("--anonymous")
        self.triage(other)
        self.assertIn("already", self.triage(other, code=2).stderr)

    def test_bad_input(self):
        self.assertIn("say --by NAME, or --anonymous", self.concern(code=2).stderr)
        self.assertIn("--anonymous", self.concern("--by", "Nobody", code=2).stderr)
        (self.root / "text.txt").write_text("   \n")
        self.assertIn("text of a concern", self.concern("--anonymous", code=2).stderr)
        (self.root / "text.txt").write_bytes(b"\xff\xfe bytes")
        self.assertIn("text of a concern", self.concern("--anonymous", code=2).stderr)
        (self.root / "text.txt").write_text("x\n")
        self.assertIn("one line", self.tutela("train", "concern", "--subject", "a\nb", "--file", "text.txt", "--anonymous", code=2).stderr)


if __name__ == "__main__":
    unittest.main()
