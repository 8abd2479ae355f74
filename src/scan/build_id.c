#include "scan/build_id.h"

#include <elf.h>
#include <link.h>

#include "base/reader.h"

enum { LEAST_BYTES = 16 };

static bool holds_us(const struct dl_phdr_info *info)
{
    uintptr_t here = (uintptr_t)&tut_build_id;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD && here >= start && here - start < p->p_memsz)
            return true;
    }
    return false;
}

/* note = namesz descsz type (u32) name, desc: each filled up to four bytes */
static bool find_note(tut_span notes, tut_buf *out)
{
    tut_reader r = tut_reader_of(notes);
    uint32_t name_len, len, type;
    tut_span name, content;
    while (tut_is_ok(tut_reader_u32le(&r, &name_len)) && tut_is_ok(tut_reader_u32le(&r, &len)) &&
           tut_is_ok(tut_reader_u32le(&r, &type)) && name_len < notes.len && len < notes.len &&
           tut_is_ok(tut_reader_bytes(&r, (name_len + 3u) & ~3u, &name)) &&
           tut_is_ok(tut_reader_bytes(&r, (len + 3u) & ~3u, &content))) {
        if (type == NT_GNU_BUILD_ID && len >= LEAST_BYTES && name_len == sizeof(ELF_NOTE_GNU) &&
            memcmp(name.data, ELF_NOTE_GNU, name_len) == 0) {
            tut_buf_add(out, content.data, len);
            return true;
        }
    }
    return false;
}

static int visit(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size;
    if (!holds_us(info))
        return 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        const void *notes = (const void *)(info->dlpi_addr + p->p_vaddr);
        if (p->p_type == PT_NOTE && find_note(tut_span_of(notes, p->p_memsz), ctx))
            return 1;
    }
    return -1;
}

bool tut_build_id(tut_buf *out)
{
    return dl_iterate_phdr(visit, out) == 1 && tut_is_ok(tut_buf_check(out, NULL));
}
