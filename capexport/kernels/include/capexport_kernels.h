/* Sparse int8 products y = x W^T for a few rows of x: the C interface.
 *
 * Weights (int8, mostly zero) come dense or as a CKSB blob, are packed once into the layout of one
 * kernel, and are then used read-only by any number of threads at once.
 *
 * Memory belongs to the caller: every function that needs some has a size query, and nothing here
 * allocates, keeps a global or reads the environment. Buffers named `packed`, `work` and `scratch`
 * start at a multiple of CK_ALIGNMENT. A packed matrix holds offsets, no pointers: it may be moved.
 *
 *     ck_weights w;                              one weight matrix, checked
 *     ck_weights_blob(&w, blob, blob_size);      or ck_weights_dense
 *     int kernel = ck_choose(&request, NULL);    or any index below ck_kernel_count()
 *     ck_plan plan;
 *     ck_make_plan(&w, kernel, work, &plan);     work: ck_work_size(&w) bytes, free afterwards
 *     ck_pack(&w, &plan, scale, bias, work, packed);       packed: plan.packed_size bytes
 *     ck_run(packed, x, n, relu, y, scratch);    scratch: ck_scratch_size(packed, n) bytes
 */
#ifndef CAPEXPORT_KERNELS_H
#define CAPEXPORT_KERNELS_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An adapter that links the sources in may define CK_API empty to export none of them. */
#ifndef CK_API
#define CK_API __attribute__((visibility("default")))
#endif

enum {
  CK_ABI_VERSION = 3,
  CK_ALIGNMENT = 64,
  CK_MAX_COLS = 65535,   /* also what keeps every int32 sum from overflowing */
  CK_MAX_ROWS = 1 << 24,
  CK_DECLINE = -1        /* ck_choose: leave this layer to the dense runtime */
};

/* Every reason of refusal, with its text. */
#define CK_STATUS_LIST(STATUS)                                                     \
  STATUS(OK, "ok")                                                                 \
  STATUS(BLOB_TRUNCATED, "the blob is shorter than its header says")               \
  STATUS(BLOB_TOO_LONG, "the blob is longer than its header says")                 \
  STATUS(BLOB_MAGIC, "the blob does not start with CKSB")                          \
  STATUS(BLOB_VERSION, "the blob is of an unknown version")                        \
  STATUS(BLOB_RESERVED, "a reserved field of the blob is not zero")                \
  STATUS(BLOB_PADDING, "the padding of a blob section is not zero")                \
  STATUS(BLOB_COUNTS, "the entries per row do not add up to the blob's entries")   \
  STATUS(BLOB_COLUMN, "a column of the blob is out of range")                      \
  STATUS(BLOB_GAP, "a gap of 0 inside a row of the blob")                          \
  STATUS(BLOB_ESCAPE, "a zero value of the blob that is not an escape")            \
  STATUS(BLOB_NNZ, "the blob holds another number of non-zeros than it says")      \
  STATUS(SHAPE, "rows or columns are out of range")                                \
  STATUS(VALUE, "a weight of -128; weights are -127..127")                         \
  STATUS(TOO_LARGE, "more entries than the layout can address")                    \
  STATUS(KERNEL_UNKNOWN, "no kernel has this number")                              \
  STATUS(KERNEL_UNSUPPORTED, "this CPU lacks the instructions of the kernel")      \
  STATUS(MISALIGNED, "a buffer does not start at a multiple of 64 bytes")           \
  STATUS(NOT_PACKED, "the buffer holds no matrix packed by this library")          \
  STATUS(ARGUMENT, "an argument is out of range")                                  \
  STATUS(BLOB_STREAM, "the rows do not end where the stream of the blob ends")     \
  STATUS(BLOB_CODE, "a number of the blob has a shorter code")                     \
  STATUS(BLOB_ZERO, "a weight of 0 is stored in the blob")                         \
  STATUS(BLOB_LIVE, "the blob has another number of rows with weights than it says") \
  STATUS(CSR_ROWS, "the compressed rows do not follow each other up to the last entry") \
  STATUS(CSR_COLUMN, "the columns of a compressed row are out of range or out of order") \
  STATUS(BLOB_SCALE, "the scales of the blob are out of range or do not add up")   \
  STATUS(BLOB_BIAS, "the biases of the blob are out of range")                     \
  STATUS(TWO_FLOATS, "a scale or bias is given, but the blob has its own")

typedef enum {
#define CK_STATUS_CODE(name, text) CK_##name,
  CK_STATUS_LIST(CK_STATUS_CODE)
#undef CK_STATUS_CODE
  CK_STATUS_COUNT
} ck_status;

/* Instruction sets beyond the portable one, as bits. */
enum {
  CK_ISA_PORTABLE = 0,
  CK_ISA_AVX2 = 1,       /* with FMA */
  CK_ISA_AVX512VNNI = 2, /* with VBMI: Ice Lake, Zen 4 and later */
  CK_ISA_NEON = 4,       /* Armv8.0 */
  CK_ISA_NEON_DOTPROD = 8
};

typedef enum { CK_LAYOUT_CSR, CK_LAYOUT_WELL } ck_layout;

typedef struct {
  const char* name; /* "well128_avx512vnni": layout, window, instruction set */
  uint32_t isa;     /* bits that the CPU must have */
  ck_layout layout;
  int32_t window;   /* columns that one step of WELL covers, 0 for CSR */
} ck_kernel_info;

/* A checked weight matrix [rows][cols]. It refers to the caller's bytes; treat as read-only. */
typedef struct {
  const uint8_t* blob;  /* NULL when dense or CSR */
  const int8_t* dense;  /* NULL when a blob or CSR */
  const int32_t* start; /* CSR, else NULL: int32[rows + 1], first entry of each row */
  const int32_t* column;
  const int8_t* value;
  int32_t rows, cols;
  int64_t nnz;
  int64_t entries;      /* of the blob: non-zeros, and the escapes of version 1 */
  int32_t live_rows;    /* rows with at least one non-zero */
  int32_t has_scale;    /* the blob holds the scale of each row with weights */
  int32_t has_bias;     /* the blob holds the bias of each row */
} ck_weights;

/* What one matrix will take in the layout of one kernel. */
typedef struct {
  int32_t kernel;
  int64_t slots;        /* stored weights, padding included */
  uint64_t packed_size; /* bytes */
} ck_plan;

/* The int8 results of a matrix packed by ck_pack_int8. */
typedef struct {
  int32_t zero;      /* zero point */
  int32_t low, high; /* -128..127, or what a relu leaves of it */
} ck_int8_range;

/* What ck_choose decides from. */
typedef struct {
  uint32_t isa;     /* ck_isa(), or fewer bits to pretend an older CPU */
  int32_t rows, cols;
  int64_t nnz;
  int32_t batch;    /* rows of x */
  int32_t required; /* not 0: never decline, the dense runtime cannot run this layer */
} ck_request;

typedef struct ck_packed ck_packed;

/// CK_ABI_VERSION of the library, to compare with the header's.
CK_API int32_t ck_abi_version(void);

/// English text of a status, NULL for a number that is none.
CK_API const char* ck_status_text(int32_t status);

/// Instruction sets of the CPU this runs on, as CK_ISA bits.
CK_API uint32_t ck_isa(void);

/// Number of kernels compiled in; not all of them need be supported by the CPU.
CK_API int32_t ck_kernel_count(void);

/// Description of one kernel, NULL when `kernel` is out of range.
CK_API const ck_kernel_info* ck_kernel(int32_t kernel);

/// The kernel to use, or CK_DECLINE where the dense runtime is faster or the request makes no
/// sense. `least_sparsity`, when not NULL, receives the fraction of zeros from which the layer is
/// taken (above 1: never).
CK_API int32_t ck_choose(const ck_request* request, double* least_sparsity);

/// Checks all of a CKSB blob. The bytes must stay as they are while `weights` is in use.
CK_API ck_status ck_weights_blob(ck_weights* weights, const void* blob, size_t size);

/// Checks a dense row-major matrix and counts its non-zeros.
CK_API ck_status ck_weights_dense(ck_weights* weights, const int8_t* dense, int32_t rows,
                                  int32_t cols);

/// Checks compressed rows of `entries` values: `start` int32[rows + 1] from 0 to `entries`, `column`
/// int32[entries] ascending within a row. A value may be 0. The caller's arrays stay in use.
CK_API ck_status ck_weights_csr(ck_weights* weights, const int32_t* start, const int32_t* column,
                                const int8_t* value, int32_t entries, int32_t rows, int32_t cols);

/// Bytes of work memory that ck_make_plan and ck_pack need.
CK_API size_t ck_work_size(const ck_weights* weights);

/// Fills `plan` for this kernel. Leaves in `work` what ck_pack wants to find there.
CK_API ck_status ck_make_plan(const ck_weights* weights, int32_t kernel, void* work, ck_plan* plan);

/// Packs into `packed` (plan->packed_size bytes). scale: float[rows], NULL means the blob's, or 1
/// where it has none; bias: float[rows], NULL means the blob's, or 0; both are copied. What the blob
/// has may not be given as well. `work` as ck_make_plan left it.
CK_API ck_status ck_pack(const ck_weights* weights, const ck_plan* plan, const float* scale,
                         const float* bias, void* work, ck_packed* packed);

/// The same for a scale that leaves out the rows without weights: float[weights->live_rows].
CK_API ck_status ck_pack_live(const ck_weights* weights, const ck_plan* plan,
                              const float* live_scale, const float* bias, void* work,
                              ck_packed* packed);

/// The same for int8 results: `bias` is int32[rows], added to the sums of products. The blob may
/// have no floats: they are of float results.
CK_API ck_status ck_pack_int8(const ck_weights* weights, const ck_plan* plan, const float* scale,
                              const int32_t* bias, void* work, ck_packed* packed);

/// Groups of rows into which the work on a packed matrix can be divided among threads.
CK_API int32_t ck_groups(const ck_packed* packed);

/// Bytes of scratch memory for n rows of x, 0 when `packed` holds no matrix or n < 1.
CK_API size_t ck_scratch_size(const ck_packed* packed, int32_t n);

/// y[n][rows] = quantized(x[n][cols]) W^T, scaled, plus bias, and relu where not 0.
/// Each row of x is quantized to int8 by its own range, see README.md; a row that holds a NaN or
/// an infinity gives a row of NaN.
CK_API ck_status ck_run(const ck_packed* packed, const float* x, int32_t n, int32_t relu, float* y,
                        void* scratch);

/// First half of ck_run: quantizes x into `scratch`.
CK_API ck_status ck_quantize(const ck_packed* packed, const float* x, int32_t n, void* scratch);

/// Second half of ck_run for the groups first..last-1. Threads may share one `scratch` here.
CK_API ck_status ck_run_groups(const ck_packed* packed, const void* scratch, int32_t n,
                               int32_t first, int32_t last, int32_t relu, float* y);

/// The two halves of y = zero + round(((x - x_zero) W^T + bias) * scale), int8[n][rows], kept in
/// low..high. The product is float32 and rounded to nearest even, as XNNPACK does it.
CK_API ck_status ck_load_int8(const ck_packed* packed, const int8_t* x, int32_t n, int32_t x_zero,
                              void* scratch);
CK_API ck_status ck_run_int8_groups(const ck_packed* packed, const void* scratch, int32_t n,
                                    int32_t first, int32_t last, const ck_int8_range* range,
                                    int8_t* y);

/// Integer product y[n][rows] = (x - zero) W^T, exact; scale and bias are not used.
/// x: 8-bit rows, `stride` bytes apart, signed or not; zero: int32[n], NULL means 0. Any zero point
/// that the type of x can hold.
CK_API ck_status ck_run_integer(const ck_packed* packed, const void* x, size_t stride,
                                int32_t is_unsigned, const int32_t* zero, int32_t n, int32_t* y,
                                void* scratch);

/// Fills index: uint32[rows + 1], where each row of a blob starts; all 0 when dense.
CK_API void ck_index_rows(const ck_weights* weights, uint32_t* index);

/// Fills scale: float[rows], from one that leaves out the rows without weights, or from the blob's
/// own where that is NULL; those rows get 1.
CK_API void ck_spread_scale(const ck_weights* weights, const uint32_t* index,
                            const float* live_scale, float* scale);

/// out: int8[cols], one row of the weights.
CK_API ck_status ck_read_row(const ck_weights* weights, const uint32_t* index, int64_t row,
                             int8_t* out);

/// out: float[cols], one row times `scale`: the lookup of an embedding that is stored sparse.
CK_API ck_status ck_embed_row(const ck_weights* weights, const uint32_t* index, int64_t row,
                              float scale, float* out);

#ifdef __cplusplus
}
#endif
#endif
