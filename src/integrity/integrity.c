#include "integrity/integrity.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "integrity/look.h"

void bf_find(bf_findings *findings, bf_kind kind, const char *format, ...)
{
    if (findings->found[kind])
        return;
    findings->found[kind] = true;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(findings->detail[kind], sizeof findings->detail[kind], format, args);
    va_end(args);
}

void bf_words_of(const char *text, char *ret, size_t size)
{
    size_t used = 0;
    ret[used++] = ' ';
    for (; *text && used + 2 < size; text++) {
        unsigned char c = (unsigned char)*text;
        ret[used++] = (char)(isalnum(c) ? tolower(c) : ' ');
    }
    ret[used++] = ' ';
    ret[used] = 0;
}

/* A page of ours always reports; a folder of frames that somebody made into a capture file has nothing to report. */
static void look_at_report(const bf_integrity_input *input, const bf_report *report, bf_findings *findings)
{
    if (input->file && input->plan && !report->given)
        bf_find(findings, BF_KIND_NO_CLIENT_REPORT, "%s", "");
    if (report->malformed[0])
        bf_find(findings, BF_KIND_MALFORMED_REPORT, "%s", report->malformed);
    if (report->given && strncmp(report->sdk, "bonafide-", 9) != 0)
        bf_find(findings, BF_KIND_FOREIGN_CLIENT, "%s", report->sdk);
}

/* The gravest first; among equals in the order of the table. */
static void take_in_order(const bf_findings *findings, bf_signals *ret)
{
    int count = 0;
    const bf_signal_kind *kinds = bf_signal_kinds(&count);
    *ret = (bf_signals){0};
    for (int severity = BF_SIGNAL_SEVERE; severity >= BF_SIGNAL_NOTE; severity--) {
        for (int i = 0; i < count && ret->count < BF_SIGNALS_MAX; i++) {
            if (!findings->found[i] || (int)kinds[i].severity != severity)
                continue;
            bf_signal *signal = &ret->signal[ret->count++];
            *signal = (bf_signal){.name = kinds[i].name, .severity = kinds[i].severity, .source = kinds[i].source};
            memcpy(signal->detail, findings->detail[i], sizeof signal->detail);
        }
    }
}

void bf_integrity_look(const bf_integrity_input *input, bf_signals *ret)
{
    bf_report report;
    bf_findings findings = {0};
    bf_report_read(input->file ? input->file->client : NULL, &report);
    look_at_report(input, &report, &findings);
    bf_look_at_camera(input, &report, &findings);
    bf_look_at_client(input, &report, &findings);
    bf_look_at_media(input, &report, &findings);
    bf_look_at_timing(input, &report, &findings);
    take_in_order(&findings, ret);
}
