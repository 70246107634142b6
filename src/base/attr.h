/* Compiler attributes and scope-bound clean-up. The only file that uses compiler extensions. */
#ifndef BF_BASE_ATTR_H
#define BF_BASE_ATTR_H

/* Runs FN(&variable) when the variable leaves scope. FN takes a pointer to the variable. */
#define BF_CLEANUP(fn) __attribute__((cleanup(fn)))
#define BF_PRINTF(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))

/* Four floats that are added and multiplied at once. */
typedef float bf_float4 __attribute__((vector_size(16)));
typedef int bf_int4 __attribute__((vector_size(16)));
typedef short bf_short8 __attribute__((vector_size(16)));
typedef unsigned char bf_byte16 __attribute__((vector_size(16)));

/* The first four bytes as floats. Spelled as two interleavings with zeros, because compilers turn those into one
 * instruction each, unlike a conversion of bytes. */
static inline bf_float4 bf_float4_from_bytes(bf_byte16 bytes)
{
    const bf_byte16 zero = {0};
    bf_short8 shorts =
        (bf_short8)__builtin_shufflevector(bytes, zero, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    bf_int4 ints = (bf_int4)__builtin_shufflevector(shorts, (bf_short8)zero, 0, 8, 1, 9, 2, 10, 3, 11);
    return __builtin_convertvector(ints, bf_float4);
}

#endif
