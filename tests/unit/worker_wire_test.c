/* Shared memory that is handed to a worker, and the form of what is said to and by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "worker/region.h"
#include "worker/wire.h"

#define MOST ((size_t)20 << 20)

/* ---- regions ---- */

static void a_region_grows_and_keeps_what_it_has(void **state)
{
    (void)state;
    bf_region region = BF_REGION_NONE;
    uint8_t piece[1000];
    for (int i = 0; i < 500; i++) {
        memset(piece, i, sizeof piece);
        assert_int_equal(bf_region_append(&region, piece, sizeof piece, MOST, NULL), BF_OK);
    }
    assert_int_equal(region.size, 500000);
    for (int i = 0; i < 500; i++)
        assert_int_equal(region.data[i * 1000 + 999], i & 0xff);
    uint8_t read_back[4];
    assert_int_equal(pread(region.fd, read_back, 4, 299000), 4);
    assert_int_equal(read_back[0], 299 & 0xff);
    bf_region_done(&region);
    assert_int_equal(region.fd, -1);
    assert_null(region.data);
    bf_region_done(&region);
}

static void a_region_has_a_ceiling(void **state)
{
    (void)state;
    bf_region region = BF_REGION_NONE;
    bf_error err = {0};
    assert_int_equal(bf_region_append(&region, "", 0, 10, &err), BF_OK);
    assert_int_equal(region.fd, -1);
    assert_int_equal(bf_region_append(&region, "0123456789", 10, 10, &err), BF_OK);
    assert_int_equal(bf_region_append(&region, "x", 1, 10, &err), BF_BODY_TOO_LARGE);
    assert_int_equal(err.status, BF_BODY_TOO_LARGE);
    assert_int_equal(bf_region_append(&region, "x", 1, 3, &err), BF_BODY_TOO_LARGE);
    assert_int_equal(bf_region_append(&region, "x", SIZE_MAX, MOST, &err), BF_BODY_TOO_LARGE);
    assert_null(bf_region_reserve(&region, 11, 20, NULL));
    assert_int_equal(region.size, 10);
    assert_memory_equal(region.data, "0123456789", 10);
    uint8_t *room = bf_region_reserve(&region, 100000, MOST, &err);
    assert_non_null(room);
    assert_memory_equal(region.data, "0123456789", 10);
    memset(room, 7, 100000);
    region.size += 100000;
    bf_region_done(&region);
}

static void descriptors_close_themselves_on_exec(void **state)
{
    (void)state;
    bf_region region = BF_REGION_NONE;
    assert_int_equal(bf_region_append(&region, "x", 1, 10, NULL), BF_OK);
    assert_true((fcntl(region.fd, F_GETFD) & FD_CLOEXEC) != 0);
    bf_region_done(&region);
}

/* What a subverted worker could try with the descriptor that it is given. */
static void a_sealed_region_cannot_be_changed_by_others(void **state)
{
    (void)state;
    bf_region region = BF_REGION_NONE;
    bf_error err = {0};
    assert_int_equal(bf_region_append(&region, "face", 4, MOST, NULL), BF_OK);
    assert_int_equal(bf_region_seal(&region, NULL), BF_OK);
    assert_int_equal(bf_region_seal(&region, NULL), BF_OK);
    assert_int_not_equal(ftruncate(region.fd, 0), 0);
    assert_int_not_equal(ftruncate(region.fd, (off_t)region.capacity * 2), 0);
    assert_int_not_equal(pwrite(region.fd, "evil", 4, 0), 4);
    assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, region.fd, 0) == MAP_FAILED);
    void *look = mmap(NULL, 4096, PROT_READ, MAP_SHARED, region.fd, 0);
    assert_true(look != MAP_FAILED);
    assert_int_not_equal(mprotect(look, 4096, PROT_READ | PROT_WRITE), 0);
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", region.fd);
    int again = open(path, O_RDWR | O_CLOEXEC);
    assert_true(again < 0 || pwrite(again, "evil", 4, 0) != 4);
    if (again >= 0)
        (void)close(again);
    assert_int_equal(fcntl(region.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    /* We still can, and can wipe it. */
    assert_memory_equal(region.data, "face", 4);
    region.data[0] = 'F';
    assert_memory_equal(look, "Face", 4);
    assert_null(bf_region_reserve(&region, region.capacity, MOST, &err));
    assert_int_equal(err.status, BF_INTERNAL);
    uint8_t zero[4] = {0};
    bf_region_done(&region);
    assert_memory_equal(look, zero, 4);
    (void)munmap(look, 4096);
}

static void what_is_no_memory_is_not_sealed(void **state)
{
    (void)state;
    bf_error err = {0};
    bf_region region = {.fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};
    assert_int_equal(bf_region_seal(&region, &err), BF_INTERNAL);
    assert_true(err.detail[0]);
    bf_region_done(&region);
}

/* ---- jobs ---- */

static bool read_job(const bf_bytes *frame, bf_wire_job *ret)
{
    bf_wire_job_header header;
    size_t size = 0;
    if (frame->size < sizeof header)
        return false;
    memcpy(&header, frame->data, sizeof header);
    return bf_wire_job_expect(&header, &size) && size == frame->size - sizeof header &&
           bf_wire_job_read(&header, (const char *)frame->data + sizeof header, ret);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void jobs_arrive_as_they_were_sent(void **state)
{
    (void)state;
    const bf_wire_job jobs[] = {
        {.request_id = "a", .media_size = 5},
        {.request_id = "b", .flow = "login", .channel = "kiosk", .context = "{}", .kill_switch = true},
        {.request_id = "c", .has_reference = true, .reference_size = 9, .match_only = true, .context = ""},
        {.request_id = "d", .has_reference = true},
    };
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        bf_bytes frame = {0};
        bf_wire_job got = {.request_id = ""};
        assert_int_equal(bf_wire_job_write(&jobs[i], &frame, NULL), BF_OK);
        assert_true(read_job(&frame, &got));
        assert_string_equal(got.request_id, jobs[i].request_id);
        assert_true(same_text(got.flow, jobs[i].flow));
        assert_true(same_text(got.channel, jobs[i].channel));
        assert_true(same_text(got.context, jobs[i].context));
        assert_int_equal(got.media_size, jobs[i].media_size);
        assert_int_equal(got.reference_size, jobs[i].reference_size);
        assert_int_equal(got.has_reference, jobs[i].has_reference);
        assert_int_equal(got.match_only, jobs[i].match_only);
        assert_int_equal(got.kill_switch, jobs[i].kill_switch);
        bf_bytes_done(&frame);
    }
}

static void jobs_that_are_too_large_are_refused(void **state)
{
    (void)state;
    static char text[BF_WIRE_CONTEXT_MAX + 1];
    memset(text, ' ', BF_WIRE_CONTEXT_MAX);
    const bf_wire_job jobs[] = {
        {.request_id = "a", .context = text},
        {.request_id = "a", .flow = text},
        {.request_id = "a", .media_size = BF_WIRE_MEDIA_MAX + 1},
        {.request_id = "a", .has_reference = true, .reference_size = SIZE_MAX},
    };
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        bf_bytes frame = {0};
        bf_error err = {0};
        assert_int_equal(bf_wire_job_write(&jobs[i], &frame, &err), BF_INVALID_ARGUMENT);
        assert_null(frame.data);
        assert_true(err.message[0]);
    }
}

static void spoilt_jobs_are_not_read(void **state)
{
    (void)state;
    const bf_wire_job job = {.request_id = "abc", .flow = "login", .media_size = 5};
    bf_bytes frame = {0};
    bf_wire_job got;
    assert_int_equal(bf_wire_job_write(&job, &frame, NULL), BF_OK);
    static const struct {
        size_t offset;
        uint8_t value;
    } spoilt[] = {
        {0, 0},   /* magic */
        {4, 8},   /* a flag that is none */
        {15, 1},  /* media of more bytes than there may be */
        {16, 1},  /* a reference's size without a reference */
        {24, 0},  /* no request id */
        {24, 3},  /* a request id without its NUL */
        {26, 1},  /* a length beyond the ceiling */
        {44, 1},  /* something where nothing belongs */
        {49, 0},  /* a NUL inside a text */
        {51, 'x'} /* no NUL at its end */
    };
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
        uint8_t kept = frame.data[spoilt[i].offset];
        frame.data[spoilt[i].offset] = spoilt[i].value;
        assert_false(read_job(&frame, &got));
        frame.data[spoilt[i].offset] = kept;
    }
    assert_true(read_job(&frame, &got));
    bf_bytes_done(&frame);
}

/* ---- answers ---- */

static void answers_have_ceilings(void **state)
{
    (void)state;
    size_t size = 0;
    bf_wire_answer_header header = bf_wire_ready();
    assert_true(bf_wire_answer_expect(&header, &size) && size == 0);
    header.length[2] = 1;
    assert_false(bf_wire_answer_expect(&header, &size));
    header = bf_wire_taken();
    assert_true(bf_wire_answer_expect(&header, &size) && size == 0);
    header.length[0] = 1;
    assert_false(bf_wire_answer_expect(&header, &size));
    header = bf_wire_record(BF_WIRE_RECORD_MAX);
    assert_true(bf_wire_answer_expect(&header, &size) && size == BF_WIRE_RECORD_MAX);
    header = bf_wire_record(BF_WIRE_RECORD_MAX + 1);
    assert_false(bf_wire_answer_expect(&header, &size));
    header = bf_wire_record(0);
    assert_false(bf_wire_answer_expect(&header, &size));
    header = bf_wire_record(1);
    header.magic++;
    assert_false(bf_wire_answer_expect(&header, &size));
    header = bf_wire_record(1);
    header.kind = 9;
    assert_false(bf_wire_answer_expect(&header, &size));
    for (int i = 0; i < 3; i++) {
        header = bf_wire_failure(&(bf_error){.status = BF_OUT_OF_MEMORY, .message = "m"});
        assert_true(bf_wire_answer_expect(&header, &size) && size == 1);
        header.length[i] = BF_ERROR_TEXT_SIZE;
        assert_false(bf_wire_answer_expect(&header, &size));
    }
}

static void failures_arrive_clean(void **state)
{
    (void)state;
    bf_error got,
        sent = {.status = BF_INVALID_ARGUMENT, .message = "No\n\x1b[31m \xff flow.", .hint = "Try.", .detail = "d"};
    char texts[BF_WIRE_FAILURE_MAX];
    size_t size = bf_wire_failure_texts(&sent, texts), expected = 0;
    bf_wire_answer_header header = bf_wire_failure(&sent);
    assert_true(bf_wire_answer_expect(&header, &expected));
    assert_int_equal(size, expected);
    assert_true(bf_wire_failure_read(&header, texts, &got));
    assert_int_equal(got.status, BF_INVALID_ARGUMENT);
    assert_string_equal(got.message, "No??[31m ? flow.");
    assert_string_equal(got.hint, "Try.");
    assert_string_equal(got.detail, "d");
    memset(sent.message, 'm', BF_ERROR_TEXT_SIZE - 1);
    memset(sent.hint, 'h', BF_ERROR_TEXT_SIZE - 1);
    memset(sent.detail, 'd', BF_ERROR_TEXT_SIZE - 1);
    header = bf_wire_failure(&sent);
    assert_int_equal(bf_wire_failure_texts(&sent, texts), 3 * (BF_ERROR_TEXT_SIZE - 1));
    assert_true(bf_wire_failure_read(&header, texts, &got));
    assert_memory_equal(&got, &sent, sizeof got);
    /* A worker may not say that everything is fine, nor what only the server can know. */
    static const bf_status others[] = {BF_OK, BF_UNAUTHENTICATED, BF_OVERLOADED, (bf_status)9999};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        header.status = others[i];
        assert_false(bf_wire_failure_read(&header, texts, &got));
    }
}

static bf_status check_record(const char *json, const char *id)
{
    bf_error err = {0};
    bf_status status = bf_wire_record_check(json, strlen(json), id, &err);
    assert_int_equal(err.status, status);
    return status;
}

static void records_are_of_their_request(void **state)
{
    (void)state;
    assert_int_equal(check_record("{\"request_id\":\"a\",\"decision\":{\"decision\":\"review\"}}", "a"), BF_OK);
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"request_id\":\"b\",\"decision\":{\"decision\":\"review\"}}",
        "{\"request_id\":1,\"decision\":{\"decision\":\"review\"}}",
        "{\"request_id\":\"a\",\"decision\":\"approve\"}",
        "{\"request_id\":\"a\",\"decision\":{\"decision\":1}}",
        "{\"request_id\":\"a\",\"request_id\":\"a\",\"decision\":{\"decision\":\"review\"}}",
        "{\"request_id\":\"a\",\"decision\":{\"decision\":\"review\"}}{}",
        "{\"request_id\":\"a\",\"decision\":{\"decision\":\"review\"}",
        "{\"request_id\":\"a\\u0000\",\"decision\":{\"decision\":\"review\"}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(check_record(bad[i], "a"), BF_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_grows_and_keeps_what_it_has),
        cmocka_unit_test(a_region_has_a_ceiling),
        cmocka_unit_test(descriptors_close_themselves_on_exec),
        cmocka_unit_test(a_sealed_region_cannot_be_changed_by_others),
        cmocka_unit_test(what_is_no_memory_is_not_sealed),
        cmocka_unit_test(jobs_arrive_as_they_were_sent),
        cmocka_unit_test(jobs_that_are_too_large_are_refused),
        cmocka_unit_test(spoilt_jobs_are_not_read),
        cmocka_unit_test(answers_have_ceilings),
        cmocka_unit_test(failures_arrive_clean),
        cmocka_unit_test(records_are_of_their_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
