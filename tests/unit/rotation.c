/* From one key of the log to the next: followed by who holds an earlier one, and by nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "ledger/proof.h"
#include "ledger/rotation.h"
#include "state/rotate.h"

static char dir[64], state_dir[80], evidence[128];
static tut_key *ada;
static tut_verifier first; /* the key that the log began with */

static void must(tut_status status, const tut_error *err)
{
    if (!tut_is_ok(status))
        fail_msg("%s: %s: %s", tut_code_name(status.code), err->path, err->text);
}

/* Of the log as it stands: the verifier that the store has. */
static tut_verifier of_store(void)
{
    tut_ledger *l = NULL;
    TUT_AUTO(tut_keystore) keys = NULL;
    TUT_AUTO(tut_pubkey) key = NULL;
    tut_verifier v;
    tut_error err = {0};
    must(tut_ledger_open(state_dir, false, &l, &err), &err);
    must(tut_keystore_open(tut_ledger_origin(l), false, &keys, &err), &err);
    must(tut_keystore_public(keys, "log", &key, &err), &err);
    must(tut_verifier_of(tut_ledger_log_origin(l), TUT_NOTE_ED25519, key, &v, &err), &err);
    tut_ledger_close(l);
    return v;
}

static void enrol_root(void)
{
    tut_ledger *l = NULL;
    tut_error err = {0};
    tut_arena arena;
    tut_record r = {.at = tut_time_now(), .actor = "Ada"};
    tut_people_change change = {.kind = TUT_PEOPLE_ROOT,
                                .name = TUT_LIT("Ada"),
                                .roles = TUT_PERSON_ROOT,
                                .keys = {tut_key_public(ada)},
                                .key_count = 1};
    tut_arena_init(&arena, 0);
    must(tut_ledger_open(state_dir, true, &l, &err), &err);
    must(tut_people_record(&change, &arena, &r, &err), &err);
    must(tut_ledger_append(l, &r, 1, &err), &err);
    tut_arena_done(&arena);
    tut_ledger_close(l);
}

static uint64_t rotate_log(void)
{
    TUT_AUTO(tut_pubkey) key = NULL;
    uint64_t index = 0;
    bool is_recorded = false;
    tut_error err = {0};
    tut_rotate how = {.state_dir = state_dir,
                      .is_log = true,
                      .signer = ada,
                      .who = {.at = tut_time_now(), .actor = "Ada"}};
    must(tut_rotate_machine(&how, &index, &key, &is_recorded, &err), &err);
    assert_true(is_recorded);
    return index;
}

static void read_kept(uint64_t size, tut_buf *out)
{
    char path[192];
    tut_error err = {0};
    (void)snprintf(path, sizeof(path), "%s/rotations/%llu", evidence, (unsigned long long)size);
    must(tut_fs_read(path, TUT_PROOF_BYTES_MAX, out, &err), &err);
}

static int make(void **state)
{
    (void)state;
    char keys[80];
    (void)snprintf(dir, sizeof(dir), "/tmp/tutela-test-rotation-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(keys, sizeof(keys), "%s/keys", dir);
    (void)snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
    (void)snprintf(evidence, sizeof(evidence), "%s/ledger/evidence", state_dir);
    if (setenv("XDG_DATA_HOME", keys, 1) != 0 || mkdir(state_dir, 0700) != 0)
        return -1;
    if (!tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &ada, NULL)))
        return -1;
    enrol_root();
    first = of_store();
    return 0;
}

static int drop(void **state)
{
    (void)state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf -- '%s'", dir);
    tut_key_free(ada);
    tut_verifier_done(&first);
    FILE *p = popen(command, "r");
    return p ? pclose(p) : -1;
}

static tut_log_keys follow(const tut_verifier *from)
{
    tut_log_keys keys;
    tut_error err = {0};
    tut_beside beside = tut_beside_dir(evidence);
    must(tut_log_keys_follow(&beside, from, &keys, &err), &err);
    return keys;
}

static void a_log_that_never_changed_its_key_has_one(void **state)
{
    (void)state;
    TUT_CLEAN(tut_log_keys) keys = follow(&first);
    assert_int_equal(keys.count, 1);
    assert_true(tut_pubkey_eq(tut_log_keys_last(&keys)->key, first.key));
    assert_true(tut_pubkey_eq(tut_log_keys_at(&keys, 0)->key, first.key));
}

static void each_key_leads_to_the_present_one(void **state)
{
    (void)state;
    uint64_t at[2];
    at[0] = rotate_log();
    TUT_CLEAN(tut_verifier) second = of_store();
    at[1] = rotate_log();
    TUT_CLEAN(tut_verifier) third = of_store();
    const tut_verifier *all[] = {&first, &second, &third};
    for (size_t i = 0; i < 3; i++) {
        TUT_CLEAN(tut_log_keys) keys = follow(all[i]);
        assert_int_equal(keys.count, 3 - i);
        assert_true(tut_pubkey_eq(tut_log_keys_last(&keys)->key, third.key));
        assert_int_equal(keys.items[0].from, i == 0 ? 0 : at[i - 1] + 1);
    }
    TUT_CLEAN(tut_log_keys) keys = follow(&first);
    assert_int_equal(keys.items[1].from, at[0] + 1);
    assert_true(tut_pubkey_eq(tut_log_keys_at(&keys, at[0])->key, first.key));
    assert_true(tut_pubkey_eq(tut_log_keys_at(&keys, at[0] + 1)->key, second.key));
    assert_true(tut_pubkey_eq(tut_log_keys_at(&keys, at[1])->key, second.key));
    assert_true(tut_pubkey_eq(tut_log_keys_at(&keys, at[1] + 1)->key, third.key));
}

/* A stranger's key, and the same key under another name, lead nowhere. */
static void nobody_else_is_led(void **state)
{
    (void)state;
    TUT_AUTO(tut_key) stranger = NULL;
    (void)rotate_log();
    assert_true(tut_is_ok(tut_key_generate(TUT_KEY_ED25519, &stranger, NULL)));
    TUT_CLEAN(tut_verifier) other = {.id = 0};
    TUT_CLEAN(tut_verifier) renamed = {.id = 0};
    assert_true(tut_is_ok(
        tut_verifier_of(first.name, TUT_NOTE_ED25519, tut_key_public(stranger), &other, NULL)));
    assert_true(
        tut_is_ok(tut_verifier_of("another/log", TUT_NOTE_ED25519, first.key, &renamed, NULL)));
    TUT_CLEAN(tut_log_keys) a = follow(&other);
    TUT_CLEAN(tut_log_keys) b = follow(&renamed);
    assert_int_equal(a.count, 1);
    assert_int_equal(b.count, 1);
}

/* Any file cut short at any byte, or with any bit turned, leads nowhere, or to the same key: what
 * is left when only the signature that was not asked for is damaged, or the end of the line. */
static void damage_never_leads_to_another_key(void **state)
{
    (void)state;
    uint64_t index = rotate_log();
    TUT_CLEAN(tut_verifier) second = of_store();
    TUT_CLEAN(tut_buf) good = TUT_BUF_INIT;
    unsigned same = 0;
    read_kept(index + 1, &good);
    for (size_t len = 0; len < good.len; len++) {
        tut_rotation r;
        tut_str bytes = {(const char *)good.data, len};
        assert_false(tut_is_ok(tut_rotation_read(bytes, &first, &r, NULL)));
    }
    for (size_t i = 0; i < good.len; i++) {
        tut_rotation r;
        uint8_t bit = (uint8_t)(1u << i % 8);
        good.data[i] ^= bit;
        if (tut_is_ok(tut_rotation_read(tut_buf_str(&good), &first, &r, NULL))) {
            assert_true(tut_pubkey_eq(r.next.key, second.key));
            assert_int_equal(r.size, index + 1);
            same++;
            tut_rotation_done(&r);
        }
        good.data[i] ^= bit;
    }
    assert_int_equal(same, 0);
}

static void the_old_signature_is_what_counts(void **state)
{
    (void)state;
    uint64_t index = rotate_log();
    TUT_CLEAN(tut_verifier) second = of_store();
    TUT_CLEAN(tut_buf) good = TUT_BUF_INIT;
    tut_rotation r;
    read_kept(index + 1, &good);
    assert_true(tut_is_ok(tut_rotation_read(tut_buf_str(&good), &first, &r, NULL)));
    tut_rotation_done(&r);
    /* The signature lines are the last two: the old key's first. */
    tut_str text = tut_buf_str(&good);
    size_t last = text.len - 1;
    while (text.data[last - 1] != '\n')
        last--;
    size_t before = last - 1;
    while (text.data[before - 1] != '\n')
        before--;
    /* Without the new key's: it may be anybody's. Without the old key's: nobody vouches for it. */
    assert_false(tut_is_ok(tut_rotation_read((tut_str){text.data, last}, &first, &r, NULL)));
    TUT_CLEAN(tut_buf) alone = TUT_BUF_INIT;
    tut_buf_add(&alone, text.data, before);
    tut_buf_add(&alone, text.data + last, text.len - last);
    assert_false(tut_is_ok(tut_rotation_read(tut_buf_str(&alone), &first, &r, NULL)));
    assert_true(tut_is_ok(tut_rotation_read(tut_buf_str(&alone), &second, &r, NULL)));
    tut_rotation_done(&r);
}

static void running_out_of_memory_is_an_ordinary_error(void **state)
{
    (void)state;
    (void)rotate_log();
    (void)rotate_log();
    uint64_t n = 1;
    tut_beside beside = tut_beside_dir(evidence);
    for (bool is_done = false; !is_done; n++) {
        tut_log_keys keys = {.items = NULL};
        tut_alloc_fail_after(n);
        tut_status status = tut_log_keys_follow(&beside, &first, &keys, NULL);
        tut_alloc_fail_after(0);
        is_done = tut_is_ok(status);
        if (is_done)
            assert_int_equal(keys.count, 3);
        else
            assert_int_equal(status.code, TUT_NOMEM);
        tut_log_keys_done(&keys);
    }
    assert_true(n > 30);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_log_that_never_changed_its_key_has_one),
        CASE(each_key_leads_to_the_present_one),
        CASE(nobody_else_is_led),
        CASE(damage_never_leads_to_another_key),
        CASE(the_old_signature_is_what_counts),
        CASE(running_out_of_memory_is_an_ordinary_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
