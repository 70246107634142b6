/* Compiler attributes and scope-bound clean-up. The only file that uses compiler extensions. */
#ifndef BF_BASE_ATTR_H
#define BF_BASE_ATTR_H

/* Runs FN(&variable) when the variable leaves scope. FN takes a pointer to the variable. */
#define BF_CLEANUP(fn) __attribute__((cleanup(fn)))
#define BF_PRINTF(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))
#define BF_UNUSED __attribute__((unused))
#define BF_NODISCARD __attribute__((warn_unused_result))

/* One portable and one AVX2 body of a hot kernel, chosen once at load time. Sanitizer builds
 * use the portable body, because their runtimes are not ready when the choice is made. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BF_NO_CLONES
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define BF_NO_CLONES
#endif
#endif
#if defined(__x86_64__) && !defined(BF_NO_CLONES)
#define BF_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define BF_CLONES
#endif

#endif
