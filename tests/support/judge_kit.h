/* Judging with the real models, in tests. */
#ifndef TEST_SUPPORT_JUDGE_KIT_H
#define TEST_SUPPORT_JUDGE_KIT_H

#include "base/bytes.h"
#include "bonafide/engine.h"

/* The engine over the source folder's files. MODEL_UNAVAILABLE where models are not at hand. */
bf_status judge_kit_engine(bf_engine **ret, bf_error *err);

/* Reads the sample photo of that name. MODEL_UNAVAILABLE where it is not at hand. */
bf_status judge_kit_photo(const char *name, bf_bytes *ret);

/* Asks for the media and nothing else. */
bf_request judge_kit_request(const bf_bytes *media);

/* Judges with a judge of its own; fails the test when there is no record. The caller frees the record. */
bf_record *judge_kit_judge(const bf_engine *engine, const bf_request *request);

/* The record without times; the caller frees the text. */
char *judge_kit_text(const bf_record *record);

/* Under ThreadSanitizer, which is slow, runs only the cases named "..._on_any_thread" from now on: the others start no
 * thread of their own. */
void judge_kit_choose_cases(void);

/* Fails the test unless replaying the record over its media reproduces it. */
void judge_kit_replay(const bf_engine *engine, const bf_record *record, const bf_bytes *media);

#endif
