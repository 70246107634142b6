#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/jpeg.h"

#define COEFFICIENTS 64

/* The example tables of ITU-T T.81, annex K.1, which the IJG's library scales by its quality 1..100. Row-major. */
static const uint8_t annex_k_luma[COEFFICIENTS] = {
    16, 11,  10,  16, 24, 40, 51, 61, 12,  12,  14,  19,  26, 58, 60, 55,  14,  13,  16,  24, 40, 57,
    69, 56,  14,  17, 22, 29, 51, 87, 80,  62,  18,  22,  37, 56, 68, 109, 103, 77,  24,  35, 55, 64,
    81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98,  112, 100, 103, 99,
};
static const uint8_t annex_k_chroma[COEFFICIENTS] = {
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99,
    99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
};

/* One entry of the IJG table at `quality`: jpeg_quality_scaling and jpeg_add_quant_table, limited to baseline. */
static int ijg_entry(uint8_t base, int quality)
{
    int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    int value = (base * scale + 50) / 100;
    return value < 1 ? 1 : value > 255 ? 255 : value;
}

static long table_distance(const uint16_t *table, const uint8_t *base, int quality)
{
    long distance = 0;
    for (int i = 0; i < COEFFICIENTS; i++)
        distance += labs((long)table[i] - ijg_entry(base[i], quality));
    return distance;
}

/* `chroma` may be NULL. Of two qualities that fit equally well the higher is given. */
static void estimate_quality(const uint16_t *luma, const uint16_t *chroma, bf_media_facts *facts)
{
    long best = LONG_MAX;
    for (int quality = 100; quality >= 1; quality--) {
        long distance = table_distance(luma, annex_k_luma, quality);
        if (chroma)
            distance += table_distance(chroma, annex_k_chroma, quality);
        if (distance < best) {
            best = distance;
            facts->jpeg_quality = quality;
        }
    }
    facts->jpeg_tables_standard = best == 0;
}

/* Luma against the first chroma component, as everybody writes it; empty where the two chroma components differ, or
 * for factors nobody uses. */
static void name_subsampling(const struct jpeg_decompress_struct *cinfo, char ret[8])
{
    static const struct {
        int across, down;
        const char *name;
    } known[] = {{1, 1, "4:4:4"}, {2, 1, "4:2:2"}, {2, 2, "4:2:0"}, {1, 2, "4:4:0"}, {4, 1, "4:1:1"}, {4, 2, "4:1:0"}};
    if (cinfo->num_components == 1)
        (void)snprintf(ret, 8, "grey");
    if (cinfo->num_components < 3)
        return;
    const jpeg_component_info *c = cinfo->comp_info;
    if (c[1].h_samp_factor != c[2].h_samp_factor || c[1].v_samp_factor != c[2].v_samp_factor)
        return;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (c[0].h_samp_factor == known[i].across * c[1].h_samp_factor &&
            c[0].v_samp_factor == known[i].down * c[1].v_samp_factor)
            (void)snprintf(ret, 8, "%s", known[i].name);
}

static const uint16_t *component_table(const struct jpeg_decompress_struct *cinfo, const bf_media_facts *facts, int i)
{
    if (i >= cinfo->num_components)
        return NULL;
    int number = cinfo->comp_info[i].quant_tbl_no;
    return number >= 0 && number < NUM_QUANT_TBLS && facts->jpeg_tables_present[number] ? facts->jpeg_tables[number]
                                                                                        : NULL;
}

static bool has_icc(const struct jpeg_decompress_struct *cinfo)
{
    for (const struct jpeg_marker_struct *marker = cinfo->marker_list; marker; marker = marker->next)
        if (marker->marker == JPEG_APP0 + 2 && marker->data_length >= 12 &&
            memcmp(marker->data, "ICC_PROFILE", 12) == 0)
            return true;
    return false;
}

void bf_jpeg_read_facts(const struct jpeg_decompress_struct *cinfo, bf_media_facts *facts)
{
    facts->bit_depth = cinfo->data_precision;
    facts->grey = cinfo->num_components == 1;
    facts->cmyk = cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK;
    facts->progressive = cinfo->progressive_mode;
    facts->has_icc_profile = has_icc(cinfo);
    name_subsampling(cinfo, facts->subsampling);
    for (int t = 0; t < NUM_QUANT_TBLS; t++) {
        const JQUANT_TBL *table = cinfo->quant_tbl_ptrs[t];
        facts->jpeg_tables_present[t] = table != NULL;
        for (int i = 0; table && i < COEFFICIENTS; i++)
            facts->jpeg_tables[t][i] = table->quantval[i];
    }
    const uint16_t *luma = component_table(cinfo, facts, 0);
    if (luma)
        estimate_quality(luma, component_table(cinfo, facts, 1), facts);
}
