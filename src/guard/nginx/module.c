#include "guard/nginx/module.h"

#include <sys/prctl.h>

#include "base/fs.h"
#include "base/jail.h"

guard_worker tut_worker = {.link_fd = -1};

uint64_t tut_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- directives --- */
static void *create_main(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(guard_conf));
}

static void *create_place(ngx_conf_t *cf)
{
    guard_place *p = ngx_pcalloc(cf->pool, sizeof(*p));
    if (p) {
        p->is_on = NGX_CONF_UNSET;
        p->is_for_strangers = NGX_CONF_UNSET;
    }
    return p;
}

static char *merge_place(ngx_conf_t *cf, void *parent, void *child)
{
    const guard_place *above = parent;
    guard_place *p = child;
    (void)cf;
    ngx_conf_merge_value(p->is_on, above->is_on, 0);
    ngx_conf_merge_value(p->is_for_strangers, above->is_for_strangers, 0);
    return NGX_CONF_OK;
}

static char *set_handler(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t *core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    (void)conf;
    core->handler = cmd->post;
    return NGX_CONF_OK;
}

static ngx_command_t commands[] = {
    {ngx_string("tutela_guard"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE1, ngx_conf_set_str_slot,
     NGX_HTTP_MAIN_CONF_OFFSET, offsetof(guard_conf, dir), NULL},
    {ngx_string("tutela"),
     NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_CONF_FLAG,
     ngx_conf_set_flag_slot, NGX_HTTP_LOC_CONF_OFFSET, offsetof(guard_place, is_on), NULL},
    {ngx_string("tutela_strangers"), NGX_HTTP_LOC_CONF | NGX_CONF_FLAG, ngx_conf_set_flag_slot,
     NGX_HTTP_LOC_CONF_OFFSET, offsetof(guard_place, is_for_strangers), NULL},
    {ngx_string("tutela_metrics"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_handler,
     NGX_HTTP_LOC_CONF_OFFSET, 0, (void *)tut_metrics_handler},
    {ngx_string("tutela_notice"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, set_handler,
     NGX_HTTP_LOC_CONF_OFFSET, 0, (void *)tut_notice_handler},
    ngx_null_command};

static ngx_int_t add_phase(ngx_conf_t *cf, ngx_uint_t phase, ngx_http_handler_pt handler)
{
    ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_handler_pt *h = ngx_array_push(&core->phases[phase].handlers);
    if (!h)
        return NGX_ERROR;
    *h = handler;
    return NGX_OK;
}

static ngx_int_t after_configuration(ngx_conf_t *cf)
{
    if (add_phase(cf, NGX_HTTP_ACCESS_PHASE, tut_access_handler) != NGX_OK ||
        add_phase(cf, NGX_HTTP_LOG_PHASE, tut_log_handler) != NGX_OK)
        return NGX_ERROR;
    tut_limits_init();
    return tut_filter_init(cf);
}

static ngx_http_module_t module_context = {.preconfiguration = tut_add_variables,
                                           .postconfiguration = after_configuration,
                                           .create_main_conf = create_main,
                                           .create_loc_conf = create_place,
                                           .merge_loc_conf = merge_place};

/* --- a worker --- */

/* Everything that is there is readable by whoever runs us; capabilities are for binding alone. */
static void give_up_privileges(void)
{
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    tut_jail_keep_capabilities(0);
}

static tut_status read_secret(tut_error *err)
{
    TUT_CLEAN(tut_buf) bytes = TUT_BUF_INIT;
    TUT_AUTO_FREE char *path = tut_fs_join(tut_worker.dir, "secret");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_fs_read(path, TUT_EXCHANGE_SECRET, &bytes, err));
    if (bytes.len != TUT_EXCHANGE_SECRET)
        return tut_fail(err, TUT_STORE, "%s is not %d bytes", path, TUT_EXCHANGE_SECRET);
    return tut_exchange_keys_new(bytes.data, &tut_worker.keys, err);
}

static tut_status begin(const guard_conf *conf, tut_error *err)
{
    guard_worker *w = &tut_worker;
    TUT_AUTO_FREE char *path = NULL;
    if (conf->dir.len == 0 || conf->dir.len >= sizeof(w->dir))
        return tut_fail(err, TUT_USAGE, "tutela_guard names no directory");
    tut_str_copy(w->dir, sizeof(w->dir), tut_str_of_ngx(conf->dir));
    path = tut_fs_join(w->dir, "live");
    if (!path)
        return tut_fail(err, TUT_NOMEM, "memory ran out");
    TUT_TRY(tut_live_open(path, false, &w->live, NULL, err));
    TUT_TRY(tut_live_join(w->live, err));
    TUT_TRY(read_secret(err));
    tut_wait_begin();
    (void)tut_take_policy(ngx_cycle->log); /* else with the first request */
    return tut_audit_begin() ? TUT_SUCCESS : tut_fail(err, TUT_NOMEM, "memory ran out");
}

static ngx_int_t init_process(ngx_cycle_t *cycle)
{
    const guard_conf *conf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_tutela_module);
    tut_error err = {0};
    ngx_queue_init(&tut_worker.waiting);
    tut_slow_begin();
    if (!conf || conf->dir.len == 0 ||
        (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE))
        return NGX_OK;
    give_up_privileges();
    tut_worker.is_ready = tut_is_ok(begin(conf, &err));
    if (!tut_worker.is_ready) { /* the worker stays: it says no to everything, and why */
        tut_str_copy(tut_worker.why, sizeof(tut_worker.why), tut_str_of(err.text));
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0, "tutela: nothing is let through: %s %s", err.path,
                      err.text);
    }
    return NGX_OK;
}

static void exit_process(ngx_cycle_t *cycle)
{
    (void)cycle;
    if (!tut_worker.is_ready)
        return;
    tut_wait_end();
    tut_slow_end();
    tut_audit_end();
    tut_live_leave(tut_worker.live);
    tut_live_free(tut_worker.live);
    tut_inforce_free(tut_worker.inforce);
    tut_exchange_keys_free(tut_worker.keys);
    tut_worker.is_ready = false;
}

ngx_module_t ngx_http_tutela_module = {NGX_MODULE_V1, &module_context,
                                       commands,      NGX_HTTP_MODULE,
                                       NULL,                /* master */
                                       NULL,                /* module */
                                       init_process,  NULL, /* threads */
                                       NULL,          exit_process,
                                       NULL,          NGX_MODULE_V1_PADDING};

/* What nginx looks for in a module that it loads. The answer is looked at when all of it is in
 * memory, and before it is compressed. */
static char name[] = "ngx_http_tutela_module";
static char before[] = "ngx_http_copy_filter_module";
ngx_module_t *ngx_modules[] = {&ngx_http_tutela_module, NULL};
char *ngx_module_names[] = {name, NULL};
char *ngx_module_order[] = {name, before, NULL};
