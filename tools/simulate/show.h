/* Writing sequences for people and for browsers. */
#ifndef SIM_SHOW_H
#define SIM_SHOW_H

#include "simulate/simulate.h"

/* Each returns IO_ERROR when it cannot write. */

/* Raw video, as a browser's fake camera reads it. */
bf_status sim_write_y4m(sim_sequence *sequence, double rate_fps, const char *path, bf_error *err);
/* JPEG frames, one behind the other; a browser's fake camera plays them at its own rate. */
bf_status sim_write_mjpeg(sim_sequence *sequence, int quality, const char *path, bf_error *err);
/* FOLDER/0000.jpg and so on; the folder exists or is made. */
bf_status sim_write_frames(sim_sequence *sequence, int quality, const char *folder, bf_error *err);
/* A contact sheet (PNG) of at most columns x rows frames, evenly chosen, each 1/shrink of its size. */
bf_status sim_write_sheet(sim_sequence *sequence, int columns, int rows, int shrink, const char *path, bf_error *err);
/* What is known of each frame: a JSON array. */
bf_status sim_write_truth(const sim_truth *truth, int count, const char *path, bf_error *err);

#endif
