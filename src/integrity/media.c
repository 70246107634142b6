/* What the files themselves say: programs that edited, made or encoded them, and encoders that a page does not have. */
#include <string.h>

#include "integrity/look.h"

/* Names that programs leave in EXIF's Software and in the headers of videos. */
static const struct {
    const char *pattern;
    bf_kind kind;
} PROGRAMS[] = {
    {"midjourney", BF_KIND_GENERATED_MEDIA},
    {"stable diffusion", BF_KIND_GENERATED_MEDIA},
    {"dall e", BF_KIND_GENERATED_MEDIA},
    {"firefly", BF_KIND_GENERATED_MEDIA},
    {"comfyui", BF_KIND_GENERATED_MEDIA},
    {"novelai", BF_KIND_GENERATED_MEDIA},
    {"deepfacelab", BF_KIND_GENERATED_MEDIA},
    {"deepfacelive", BF_KIND_GENERATED_MEDIA},
    {"facefusion", BF_KIND_GENERATED_MEDIA},
    {"faceswap", BF_KIND_GENERATED_MEDIA},
    {"heygen", BF_KIND_GENERATED_MEDIA},
    {"synthesia", BF_KIND_GENERATED_MEDIA},
    {"photoshop", BF_KIND_EDITED_MEDIA},
    {"lightroom", BF_KIND_EDITED_MEDIA},
    {" adobe ", BF_KIND_EDITED_MEDIA},
    {" gimp ", BF_KIND_EDITED_MEDIA},
    {"affinity photo", BF_KIND_EDITED_MEDIA},
    {"pixelmator", BF_KIND_EDITED_MEDIA},
    {"paint net", BF_KIND_EDITED_MEDIA},
    {"snapseed", BF_KIND_EDITED_MEDIA},
    {"picsart", BF_KIND_EDITED_MEDIA},
    {"faceapp", BF_KIND_EDITED_MEDIA},
    {"facetune", BF_KIND_EDITED_MEDIA},
    {"beautyplus", BF_KIND_EDITED_MEDIA},
    {"capcut", BF_KIND_EDITED_MEDIA},
    {"after effects", BF_KIND_EDITED_MEDIA},
    {"premiere", BF_KIND_EDITED_MEDIA},
    {"davinci", BF_KIND_EDITED_MEDIA},
    {"final cut", BF_KIND_EDITED_MEDIA},
    {"kdenlive", BF_KIND_EDITED_MEDIA},
    {"shotcut", BF_KIND_EDITED_MEDIA},
    {"imagemagick", BF_KIND_REENCODED_MEDIA},
    {"graphicsmagick", BF_KIND_REENCODED_MEDIA},
    {" lavf", BF_KIND_REENCODED_MEDIA},
    {" lavc", BF_KIND_REENCODED_MEDIA},
    {"ffmpeg", BF_KIND_REENCODED_MEDIA},
    {"handbrake", BF_KIND_REENCODED_MEDIA},
    {"gstreamer", BF_KIND_REENCODED_MEDIA},
    {"mkvmerge", BF_KIND_REENCODED_MEDIA},
    {"obs studio", BF_KIND_REENCODED_MEDIA},
    {"youtube", BF_KIND_REENCODED_MEDIA},
};

static void look_for_programs(const char *name, bf_findings *findings)
{
    char words[BF_FACT_TEXT_SIZE + 2];
    bf_words_of(name, words, sizeof words);
    for (size_t i = 0; i < sizeof PROGRAMS / sizeof *PROGRAMS; i++) {
        if (!strstr(words, PROGRAMS[i].pattern))
            continue;
        bf_find(findings, PROGRAMS[i].kind, "%.60s", name);
        return; /* the gravest stand first */
    }
}

/* What a canvas cannot have written into a JPEG, whatever the browser; "" when nothing is wrong. */
static const char *foreign_to_a_page(const bf_media_facts *media)
{
    if (media->container != BF_CONTAINER_JPEG)
        return "no JPEG";
    if (media->exif_present)
        return "EXIF";
    if (media->progressive)
        return "progressive";
    if (media->cmyk)
        return "CMYK";
    if (media->orientation != 1)
        return "an orientation";
    return "";
}

/* Chromium and Firefox encode with libjpeg-turbo, whose tables are the scaled example tables of ITU-T T.81 at every
 * quality, in 4:2:0 or (at high quality) 4:4:4. WebKit's tables are its platform's own, so nothing is expected of
 * them. */
static bool is_another_encoder(const bf_report *report, const bf_media_facts *media)
{
    bf_engine_claim engine = bf_engine_of(report->user_agent);
    if (engine != BF_ENGINE_CLAIM_CHROMIUM && engine != BF_ENGINE_CLAIM_GECKO)
        return false;
    bool sampling = strcmp(media->subsampling, "4:2:0") == 0 || strcmp(media->subsampling, "4:4:4") == 0;
    return !media->jpeg_tables_standard || !sampling;
}

void bf_look_at_media(const bf_integrity_input *input, const bf_report *report, bf_findings *findings)
{
    if (input->media)
        look_for_programs(input->media->exif_software, findings);
    if (input->facts)
        look_for_programs(input->facts->encoder, findings);
    if (!input->media || !input->file || !bf_report_is_web(report))
        return;
    const char *foreign = foreign_to_a_page(input->media);
    if (foreign[0])
        bf_find(findings, BF_KIND_FRAMES_NOT_FROM_PAGE, "%s", foreign);
    else if (is_another_encoder(report, input->media))
        bf_find(findings, BF_KIND_ENCODER_MISMATCH, "tables near quality %d%s, %s", input->media->jpeg_quality,
                input->media->jpeg_tables_standard ? "" : " but not its own", input->media->subsampling);
}
