/* messages: of tutela.yaml, and the file of addresses that it names (docs/notices.md). */
#include "assets/schema.h"
#include "base/fs.h"
#include "crypto/private_file.h"
#include "govern/message_channel.h"

enum { ADDRESSES_BYTES = 1 << 20, TIMEOUT_MAX = 300, ATTEMPTS_MAX = 10, RETRY_MAX = 600 };

const char *const tut_channel_kinds[] = {"smtp", "webhook", "file"};

static const tut_field policy_fields[] = {
    TUT_FIELD(TEXT, tut_message_policy, addresses, false, NULL),
    TUT_FIELD(TEXTS, tut_message_policy, users, false, NULL),
    {"channels", TUT_FIELD_OTHER, 0, 0, false, NULL},
};

static const tut_field channel_fields[] = {
    TUT_FIELD(TEXT, tut_channel, id, true, NULL),
    {"kind", TUT_FIELD_WORD, offsetof(tut_channel, kind_word), 0, true, "smtp webhook file"},
    TUT_FIELD(WORD, tut_channel, reaches, false, "staff users everyone"),
    TUT_FIELD(TEXT, tut_channel, server, false, NULL),
    TUT_FIELD(COUNT, tut_channel, port, false, NULL),
    TUT_FIELD(WORD, tut_channel, tls, false, "starttls tls none"),
    TUT_FIELD(TEXT, tut_channel, from, false, NULL),
    TUT_FIELD(TEXT, tut_channel, user, false, NULL),
    TUT_FIELD(TEXT, tut_channel, password_file, false, NULL),
    TUT_FIELD(TEXT, tut_channel, url, false, NULL),
    TUT_FIELD(TEXT, tut_channel, url_file, false, NULL),
    TUT_FIELD(TEXT, tut_channel, secret_file, false, NULL),
    TUT_FIELD(TEXT, tut_channel, folder, false, NULL),
    TUT_FIELD(TEXT, tut_channel, ca_file, false, NULL),
    TUT_FIELD(COUNT, tut_channel, timeout_seconds, false, NULL),
    TUT_FIELD(COUNT, tut_channel, attempts, false, NULL),
    TUT_FIELD(COUNT, tut_channel, retry_seconds, false, NULL),
};

static bool is_made_of(tut_str text, const char *others)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && (!c || !strchr(others, c)))
            return false;
    }
    return text.len > 0;
}

bool tut_message_is_address(tut_str address)
{
    size_t at;
    if (address.len > TUT_MESSAGE_ADDRESS || !tut_str_find(address, TUT_LIT("@"), &at))
        return false;
    tut_str local = {address.data, at}, domain = {address.data + at + 1, address.len - at - 1};
    /* RFC 5322's atext and dots; no quoted strings, no literals */
    return local.len <= 64 && is_made_of(local, "!#$%&'*+-/=?^_`{|}~.") &&
           is_made_of(domain, ".-") && domain.data[0] != '-' && domain.data[0] != '.';
}

static bool is_loopback(tut_str host)
{
    return tut_str_eq_z(host, "localhost") || tut_str_eq_z(host, "::1") ||
           tut_str_eq_z(host, "[::1]") ||
           (tut_str_starts(host, TUT_LIT("127.")) && is_made_of(host, ".") && host.len <= 15);
}

/* Up to the first of these characters. */
static tut_str until(tut_str text, const char *ends)
{
    size_t len = 0;
    while (len < text.len && !strchr(ends, text.data[len]))
        len++;
    return (tut_str){text.data, len};
}

/* user:password@host:port */
static tut_str authority_of(tut_str url)
{
    size_t at = 0;
    if (!tut_str_find(url, TUT_LIT("://"), &at))
        return (tut_str){url.data, 0};
    return until((tut_str){url.data + at + 3, url.len - at - 3}, "/?#\\");
}

/* What is wrong with an address of a webhook, or NULL. In the clear only on this machine; a name
 * before '@' would be a password that shows. */
const char *tut_channel_url_flaw(tut_str url)
{
    size_t at;
    tut_str authority = authority_of(url);
    bool is_literal = authority.len > 0 && authority.data[0] == '[';
    tut_str host = until(authority, is_literal ? "]" : ":");
    host.len += is_literal && host.len < authority.len;
    for (size_t i = 0; i < url.len; i++)
        if ((uint8_t)url.data[i] <= ' ' || (uint8_t)url.data[i] >= 0x7f)
            return "url is made of printable ASCII without blanks";
    if (!tut_str_starts(url, TUT_LIT("https://")) && !tut_str_starts(url, TUT_LIT("http://")))
        return "url begins with https://";
    if (host.len == 0 || tut_str_find(authority, TUT_LIT("@"), &at))
        return "url names a host, and nobody's password";
    if (tut_str_starts(url, TUT_LIT("http://")) && !is_loopback(host))
        return "url begins with https://: only this machine itself is told in the clear";
    return NULL;
}

static const char *flaw_of_smtp(const tut_channel *c)
{
    if (!is_made_of(c->server, ".-:"))
        return "server is the host name or address of the mail server";
    if (c->port == 0 || c->port > 65535)
        return "port is a number from 1 to 65535";
    if (!tut_message_is_address(c->from))
        return "from is the address that mail comes from, such as tutela@example.org";
    if ((c->user.len > 0) != (c->password_file.len > 0))
        return "user and password_file go together";
    if (tut_str_eq_z(c->tls, "none") && !is_loopback(c->server))
        return "tls: none is for a server on this machine only; use starttls or tls";
    return NULL;
}

static const char *flaw_of(const tut_channel *c)
{
    if (!is_made_of(c->id, "-_.") || c->id.len > 64)
        return "id is a name of letters, digits, '-', '_' and '.', of at most 64 characters";
    if (c->timeout_seconds < 1 || c->timeout_seconds > TIMEOUT_MAX)
        return "timeout_seconds is from 1 to 300";
    if (c->attempts < 1 || c->attempts > ATTEMPTS_MAX)
        return "attempts is from 1 to 10";
    if (c->retry_seconds > RETRY_MAX)
        return "retry_seconds is at most 600";
    switch (c->kind) {
    case TUT_CHANNEL_SMTP:
        return flaw_of_smtp(c);
    case TUT_CHANNEL_WEBHOOK:
        if ((c->url.len > 0) == (c->url_file.len > 0))
            return "a webhook has either url or url_file";
        return c->url.len ? tut_channel_url_flaw(c->url) : NULL;
    case TUT_CHANNEL_FILE:
        return c->folder.len ? NULL : "folder is where the file is put";
    }
    return NULL;
}

static void fill_in(tut_channel *c)
{
    if (!c->reaches.len)
        c->reaches = TUT_LIT("staff");
    if (!c->tls.len)
        c->tls = TUT_LIT("starttls");
    if (!c->port)
        c->port = tut_str_eq_z(c->tls, "tls") ? 465 : 587;
    for (int i = 0; i < 3; i++)
        if (tut_str_eq_z(c->kind_word, tut_channel_kinds[i]))
            c->kind = (tut_channel_kind)i;
}

static tut_status read_channels(tut_schema *s, const tut_yaml_node *list, tut_message_policy *p)
{
    const tut_yaml *y = s->system->yaml;
    if (tut_schema_is_absent(list))
        return TUT_SUCCESS;
    TUT_TRY(tut_schema_sequence(s, list, "channels"));
    if (list->count > TUT_MESSAGE_CHANNELS)
        return tut_schema_fail_node(s, list, "there are at most %d channels", TUT_MESSAGE_CHANNELS);
    p->channels = tut_arena_take(&s->system->arena, list->count + 1u, sizeof(*p->channels));
    if (!p->channels)
        return tut_fail(s->err, TUT_NOMEM, "memory ran out");
    for (const tut_yaml_node *n = tut_yaml_first(y, list); n; n = tut_yaml_next(y, n)) {
        tut_channel *c = &p->channels[p->channel_count];
        *c = (tut_channel){.timeout_seconds = 30, .attempts = 3, .retry_seconds = 5};
        TUT_TRY(tut_schema_read(s, n, channel_fields, TUT_COUNT(channel_fields), c, "a channel",
                                "messages.channels"));
        if (!c->kind_word.len)
            return tut_schema_fail_node(s, n, "a channel has a kind: smtp, webhook or file");
        fill_in(c);
        const char *flaw = flaw_of(c);
        if (flaw)
            return tut_schema_fail_node(s, n, "%s", flaw);
        for (size_t i = 0; i < p->channel_count; i++)
            if (tut_str_eq(p->channels[i].id, c->id))
                return tut_schema_fail_node(s, n, "two channels are called \"%.*s\"",
                                            (int)c->id.len, c->id.data);
        p->channel_count++;
    }
    return TUT_SUCCESS;
}

tut_status tut_message_policy_read(tut_system *system, tut_message_policy *ret_policy,
                                   tut_buf *ret_shown, tut_error *err)
{
    tut_error local = {0};
    tut_message_policy p = {.node = NULL};
    tut_schema s = {
        .file = system->file, .system = system, .shown = ret_shown, .err = err ? err : &local};
    const tut_yaml_node *n = tut_yaml_get(system->yaml, tut_yaml_root(system->yaml), "messages");
    if (!tut_schema_is_absent(n)) {
        p.node = n;
        TUT_TRY(tut_schema_read(&s, n, policy_fields, TUT_COUNT(policy_fields), &p, "messages",
                                "messages"));
        TUT_TRY(read_channels(&s, tut_yaml_get(system->yaml, n, "channels"), &p));
    }
    *ret_policy = p;
    return TUT_SUCCESS;
}

bool tut_channel_reaches(const tut_channel *c, bool users)
{
    return tut_str_eq_z(c->reaches, "everyone") ||
           tut_str_eq_z(c->reaches, users ? "users" : "staff");
}

char *tut_message_place(const tut_system *system, tut_str path)
{
    TUT_AUTO_FREE char *word = tut_strndup(path.data, path.len);
    if (!word || word[0] == '/')
        return tut_move(&word);
    return tut_fs_join(system->dir, word);
}

/* --- addresses --- */

void tut_contacts_done(tut_contacts *c)
{
    tut_yaml_free(c->yaml);
    *c = (tut_contacts){.yaml = NULL};
}

/* Never with the address: what is told may be kept. */
static tut_status check_contacts(const tut_yaml *y, tut_error *err)
{
    const tut_yaml_node *root = tut_yaml_root(y);
    if (!root || root->type != TUT_YAML_MAPPING)
        return tut_fail(err, TUT_MALFORMED, "is no list of lines NAME: ADDRESS");
    if (root->count > TUT_MESSAGE_CONTACTS)
        return tut_fail(err, TUT_LIMIT, "has more than %d addresses", TUT_MESSAGE_CONTACTS);
    for (const tut_yaml_node *n = tut_yaml_first(y, root); n; n = tut_yaml_next(y, n))
        if (n->type != TUT_YAML_SCALAR || !tut_message_is_address(n->text))
            return tut_fail(err, TUT_MALFORMED,
                            "line %u has no mail address such as ada@example.org", n->key_line);
    return TUT_SUCCESS;
}

tut_status tut_contacts_read(const tut_system *system, const tut_message_policy *policy,
                             tut_contacts *ret_contacts, tut_error *err)
{
    TUT_CLEAN(tut_buf) text = TUT_BUF_INIT;
    TUT_AUTO(tut_yaml) y = NULL;
    *ret_contacts = (tut_contacts){.yaml = NULL};
    if (!policy->addresses.len)
        return TUT_SUCCESS;
    TUT_AUTO_FREE char *path = tut_message_place(system, policy->addresses);
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_private_file_read(path, "the file of addresses", ADDRESSES_BYTES, &text, err));
    tut_status status = tut_yaml_parse_caged(tut_buf_str(&text), &y, err);
    if (tut_is_ok(status))
        status = check_contacts(y, err);
    if (!tut_is_ok(status)) {
        tut_error_set_path(err, path);
        return status;
    }
    ret_contacts->yaml = tut_move(&y);
    return TUT_SUCCESS;
}

tut_str tut_contacts_address(const tut_contacts *c, tut_str name)
{
    const tut_yaml_node *root = c->yaml ? tut_yaml_root(c->yaml) : NULL;
    for (const tut_yaml_node *n = root ? tut_yaml_first(c->yaml, root) : NULL; n;
         n = tut_yaml_next(c->yaml, n))
        if (tut_str_ieq(n->key, name)) /* as people are found */
            return n->text;
    return (tut_str){"", 0};
}
