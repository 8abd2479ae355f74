/* VERIFY.txt: for a person who was given a pack and has to find out what it is worth. */
#include "pack/derive.h"

/* clang-format off */
static const char how[] =
    "WHAT IT PROVES, AND WHAT NOT\n"
    "\n"
    "It proves what was claimed, by whom, and (with witnesses or time-stamps) by when; not that it\n"
    "was true. The verdict is what these records support by the rules of tutela; it is recomputed,\n"
    "not believed. The pack holds every entry of its owner's evidence log up to its checkpoint, so\n"
    "that nothing could be left out which the log holds; what was never logged cannot show.\n"
    "\n"
    "With only the keys in this pack it is of one piece, and anybody could have made it. Get the\n"
    "log's key (log/log.vkey here), or a policy of witnesses, or the roots of a time-stamp\n"
    "authority from somewhere else than from whoever gave you the pack.\n"
    "\n"
    "WITH TUTELA (no state, no network, no keys needed)\n"
    "\n"
    "  tutela pack verify PACK.tar                          of one piece? (exit status 3)\n"
    "  tutela pack verify PACK.tar --trust KEY              a vkey, or a file of it, or a PEM\n"
    "  tutela pack verify PACK.tar --trust witnesses.policy C2SP tlog-policy: log and witnesses\n"
    "  tutela pack verify PACK.tar --timestamp-ca ROOTS.pem RFC 3161 time-stamps\n"
    "\n"
    "WITHOUT TUTELA\n"
    "\n"
    "  tar xf PACK.tar; cd tutela-pack\n"
    "  sha256sum -c SHA256SUMS            every file but SHA256SUMS itself is as it was packed\n"
    "  log/checkpoint                     a signed note (c2sp.org/signed-note, tlog-checkpoint);\n"
    "                                     golang.org/x/mod/sumdb/note verifies it with log/log.vkey\n"
    "  log/tile                           the whole log (c2sp.org/tlog-tiles): 256 entries a bundle,\n"
    "                                     each u16 length and bytes; hash tiles beside them\n"
    "  evidence/N.json, N.tlog-proof      entry N that the verdict used, and the proof that it is in\n"
    "                                     the log (c2sp.org/tlog-proof, RFC 6962 hashes)\n"
    "  the newest entry pack.built        names the SHA-256 of pack.json, and pack.json those of\n"
    "                                     reports, bodies, keys and policies\n"
    "  DSSE envelopes in the entries      signed over \"DSSEv1 LEN TYPE LEN PAYLOAD\" by keys/ID.pem:\n"
    "                                     openssl pkeyutl -verify -pubin -inkey keys/ID.pem -rawin \\\n"
    "                                       -in PAE -sigfile SIGNATURE\n"
    "  log/timestamps/N.tsr               openssl ts -verify -in N.tsr -data N.checkpoint \\\n"
    "                                       -CAfile ROOTS.pem\n"
    "  log/witnessed/N-ROOT               cosigned checkpoints (c2sp.org/tlog-cosignature)\n"
    "\n"
    "WHAT IS WHERE\n"
    "\n"
    "  reports/        the assessment: report.html for people, report.json and others for machines\n"
    "  bodies/HEX      what records name by digest: scans, inventories, descriptions, documents\n"
    "  evidence/       the entries that the verdict used, each with its proof\n"
    "  keys/           public keys by id, and keys.json: whose they are, from which entry to which,\n"
    "                  as the log's own events say\n"
    "  policy/         whose word from outside its owner took for the log; judge by your own\n"
    "  log/            the evidence log, what witnesses and authorities said of it, key changes\n"
    "  pack.json       the manifest; SHA256SUMS every file\n";
/* clang-format on */

static void add_line(tut_buf *out, const char *label, tut_str text)
{
    tut_buf_printf(out, "%-12s", label);
    tut_buf_add_escaped(out, text, 400);
    tut_buf_add_z(out, "\n");
}

void tut_pack_text(const tut_pack_manifest *head, const tut_assessment *a, tut_buf *out)
{
    char at[TUT_TIME_TEXT];
    tut_time_people(head->evaluated_at, at);
    tut_buf_add_z(out, "EVIDENCE PACK (ETSI EN 304 223)\n\n");
    add_line(out, "System", head->system_name);
    add_line(out, "Version", head->system_version);
    add_line(out, "Judged at", tut_str_of(at));
    if (a->grade)
        tut_buf_printf(out, "%-12s%c: %s\n", "Grade", a->grade, a->grade_sentence);
    else
        tut_buf_printf(out, "%-12s%s\n", "Grade", a->grade_sentence);
    add_line(out, "Log", head->origin);
    tut_buf_printf(out, "%-12s%llu\n", "Entries", (unsigned long long)head->log_size);
    add_line(out, "Made by", head->tutela);
    tut_buf_add_z(out, "\n");
    tut_buf_add_z(out, how);
}
