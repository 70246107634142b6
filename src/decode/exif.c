#include "decode/exif.h"

#include <libexif/exif-data.h>
#include <string.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/limits.h"
#include "decode/memory.h"

static const uint8_t exif_prefix[6] = {'E', 'x', 'i', 'f', 0, 0};

/* Entries of a hostile block may overlap, so that together they unfold to far more memory than the block has bytes:
 * the ceiling of decode/memory.h holds for the unfolded block. */
static void *exif_alloc(ExifLong size)
{
    return bf_memory_calloc(1, size);
}

static void *exif_realloc(void *old, ExifLong size)
{
    return bf_memory_realloc(old, size);
}

static void free_data(ExifData **data)
{
    if (*data)
        exif_data_unref(*data);
    *data = NULL;
}

static void free_mem(ExifMem **mem)
{
    if (*mem)
        exif_mem_unref(*mem);
    *mem = NULL;
}

static const ExifEntry *find_entry(const ExifData *data, ExifIfd ifd, ExifTag tag, ExifFormat format)
{
    const ExifEntry *entry = data->ifd[ifd] ? exif_content_get_entry(data->ifd[ifd], tag) : NULL;
    return entry && entry->format == format && entry->data && entry->components > 0 ? entry : NULL;
}

/* Printable ASCII only, blanks at the end removed; the rest of the text is dropped. */
static void copy_text(const ExifData *data, ExifIfd ifd, ExifTag tag, char ret[BF_FACT_TEXT_SIZE])
{
    const ExifEntry *entry = find_entry(data, ifd, tag, EXIF_FORMAT_ASCII);
    if (!entry)
        return;
    size_t length = 0;
    for (unsigned i = 0; i < entry->size && entry->data[i] != 0 && length < BF_FACT_TEXT_SIZE - 1; i++)
        if (entry->data[i] >= 0x20 && entry->data[i] <= 0x7e)
            ret[length++] = (char)entry->data[i];
    while (length > 0 && ret[length - 1] == ' ')
        length--;
    ret[length] = 0;
}

static void read_facts(ExifData *data, bf_media_facts *facts)
{
    const ExifEntry *entry = find_entry(data, EXIF_IFD_0, EXIF_TAG_ORIENTATION, EXIF_FORMAT_SHORT);
    if (entry && entry->size >= 2) {
        int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data));
        if (orientation >= 1 && orientation <= 8)
            facts->orientation = orientation;
    }
    copy_text(data, EXIF_IFD_0, EXIF_TAG_MAKE, facts->exif_make);
    copy_text(data, EXIF_IFD_0, EXIF_TAG_MODEL, facts->exif_model);
    copy_text(data, EXIF_IFD_0, EXIF_TAG_SOFTWARE, facts->exif_software);
    copy_text(data, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL, facts->exif_time);
    if (facts->exif_time[0] == 0)
        copy_text(data, EXIF_IFD_0, EXIF_TAG_DATE_TIME, facts->exif_time);
}

/* libexif wants the prefix; returns an owned copy that has it. */
static uint8_t *with_prefix(const uint8_t *data, size_t size)
{
    uint8_t *copy = bf_malloc(size + sizeof exif_prefix);
    if (copy) {
        memcpy(copy, exif_prefix, sizeof exif_prefix);
        memcpy(copy + sizeof exif_prefix, data, size);
    }
    return copy;
}

static void free_copy(uint8_t **copy)
{
    bf_free(*copy);
    *copy = NULL;
}

static bf_status fail_budget(const bf_decode_job *job)
{
    bf_fail(job->err, BF_DECODER_LIMIT, "The EXIF block would take more memory than allowed.");
    bf_fail_hint(job->err, "Send the photo without its EXIF block, or take a new one.");
    return BF_DECODER_LIMIT;
}

bf_status bf_exif_read(const bf_decode_job *job, const uint8_t *data, size_t size)
{
    job->facts->exif_present = true;
    if (size > BF_EXIF_BYTES_MAX)
        return fail_budget(job);
    BF_CLEANUP(free_copy) uint8_t *copy = NULL;
    if (size < sizeof exif_prefix || memcmp(data, exif_prefix, sizeof exif_prefix) != 0) {
        copy = with_prefix(data, size);
        if (!copy)
            return bf_fail_memory(job->err);
        data = copy;
        size += sizeof exif_prefix;
    }
    bf_memory_begin(BF_EXIF_BYTES_MAX);
    BF_CLEANUP(free_mem) ExifMem *mem = exif_mem_new(exif_alloc, exif_realloc, bf_free);
    BF_CLEANUP(free_data) ExifData *exif = mem ? exif_data_new_mem(mem) : NULL;
    if (exif) {
        /* Only looking: nothing is to be corrected, and tags without a name are of no use. */
        exif_data_unset_option(exif, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
        exif_data_set_option(exif, EXIF_DATA_OPTION_IGNORE_UNKNOWN_TAGS);
        exif_data_load_data(exif, data, (unsigned)size);
    }
    if (bf_memory_verdict() == BF_DECODER_LIMIT)
        return fail_budget(job);
    if (!exif || bf_memory_verdict() != BF_OK)
        return bf_fail_memory(job->err);
    read_facts(exif, job->facts);
    return BF_OK;
}
