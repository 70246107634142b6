/* frames_bench: what it costs to get the frames out of four seconds of capture, as a video and as a burst, and that
 * memory does not grow with the clip. The pictures are drawn; noise in the JPEGs makes them as dear as they get. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/frames.h"
#include "support/videos.h"

#define RATE 15
#define RUNS 5
#define LONGER 10        /* times as long is the clip whose memory is compared */
#define BURST_LONGER 200 /* frames */
#define MEMORY_SPARE_KIB 1024
#define MEMORY_RATIO_MAX 1.15 /* of the longer clip's peak to the shorter's */
#define VIDEO_MS_PER_FRAME_MAX 10.0
#define BURST_MS_PER_FRAME_MAX 20.0

static double processor_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* Reads every frame that is `gap_ms` after the one before; how many, -1 on failure. */
static int read_clip(const bf_bytes *clip, double gap_ms)
{
    bf_frames *frames = NULL;
    bf_frame frame = {0};
    bool more = true;
    int count = 0;
    bf_status status = bf_frames_open(clip->data, clip->size, NULL, &frames, NULL);
    for (double from = 0.0; status == BF_OK && more; from = frame.ms + gap_ms) {
        status = bf_frames_next(frames, from, &frame, &more, NULL);
        count += status == BF_OK && more;
    }
    bf_frames_free(&frames);
    return status == BF_OK ? count : -1;
}

/* The least processor time of a few runs, ms. */
static double time_clip(const bf_bytes *clip, double gap_ms)
{
    double least = 1e9;
    for (int i = 0; i < RUNS; i++) {
        double began = processor_ms();
        if (read_clip(clip, gap_ms) <= 0)
            return -1.0;
        double took = processor_ms() - began;
        least = took < least ? took : least;
    }
    return least;
}

/* The memory, KiB, by which reading the clip makes a process of its own grow; -1 on failure. */
static long grow_by(const bf_bytes *clip)
{
    int ends[2];
    long grown = -1;
    if (pipe(ends) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        struct rusage before = {0}, after = {0};
        (void)getrusage(RUSAGE_SELF, &before);
        bool good = read_clip(clip, 0.0) > 0;
        (void)getrusage(RUSAGE_SELF, &after);
        grown = good ? after.ru_maxrss - before.ru_maxrss : -1;
        _exit(write(ends[1], &grown, sizeof grown) == sizeof grown ? 0 : 1);
    }
    if (pid < 0 || read(ends[0], &grown, sizeof grown) != sizeof grown)
        grown = -1;
    (void)waitpid(pid, NULL, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return grown;
}

static bf_bytes burst_of(int count)
{
    static bf_capture_frame frame[BURST_LONGER];
    bf_bytes bytes = {0};
    bf_image noise = test_noise(640, 480, 1);
    bf_bytes jpeg = test_jpeg(&noise, &(test_jpeg_options){.quality = 75, .h = 2, .v = 2});
    for (int i = 0; i < count; i++)
        frame[i] = (bf_capture_frame){jpeg.data, jpeg.size, 1000.0 * i / RATE};
    const bf_capture_file file = {.frame = frame, .frame_count = count};
    (void)bf_capture_file_write(&file, &bytes, NULL);
    bf_bytes_done(&jpeg);
    bf_image_done(&noise);
    return bytes;
}

static bf_bytes clip_of(const char *encoder, int count)
{
    return test_video(&(test_video_options){.encoder = encoder,
                                            .container = strcmp(encoder, "libx264") == 0 ? "mp4" : "webm",
                                            .width = 640,
                                            .height = 480,
                                            .frames = count});
}

static int measure(const char *name, bf_bytes *clip, bf_bytes *longer, int count, double ms_per_frame_max)
{
    if (clip->size == 0 || longer->size == 0) {
        (void)printf("%-22s no encoder here\n", name);
        return 0;
    }
    double all = time_clip(clip, 0.0), some = time_clip(clip, 200.0);
    long short_kib = grow_by(clip), long_kib = grow_by(longer);
    bool good = all > 0.0 && all / count <= ms_per_frame_max && some > 0.0 && short_kib >= 0 && long_kib >= 0 &&
                (double)long_kib <= (double)short_kib * MEMORY_RATIO_MAX + MEMORY_SPARE_KIB;
    (void)printf("%-16s %7.0f ms %7.0f ms %8.2f ms %8ld KiB %8ld KiB%s\n", name, all, some, all / count, short_kib,
                 long_kib, good ? "" : "  TOO MUCH");
    bf_bytes_done(clip);
    bf_bytes_done(longer);
    return good ? 0 : 1;
}

int main(void)
{
    const int count = 4 * RATE;
    int failed = 0;
    (void)printf(
        "4 s, 640 x 480, %d frames; limits: %.0f ms a frame of a video, %.0f of a burst, %.2f times the memory\n",
        count, VIDEO_MS_PER_FRAME_MAX, BURST_MS_PER_FRAME_MAX, MEMORY_RATIO_MAX);
    (void)printf("%-16s %10s %10s %11s %12s %12s\n", "", "all frames", "each 200ms", "a frame", "memory", "longer");
    static const char *const encoders[] = {"libx264", "libvpx", "libvpx-vp9"};
    static const char *const names[] = {"H.264 in MP4", "VP8 in WebM", "VP9 in WebM"};
    for (int i = 0; i < 3; i++) {
        bf_bytes clip = clip_of(encoders[i], count), longer = clip_of(encoders[i], LONGER * count);
        failed += measure(names[i], &clip, &longer, count, VIDEO_MS_PER_FRAME_MAX);
    }
    bf_bytes burst = burst_of(count), longer = burst_of(BURST_LONGER);
    failed += measure("burst of JPEGs", &burst, &longer, count, BURST_MS_PER_FRAME_MAX);
    return failed ? 1 : 0;
}
