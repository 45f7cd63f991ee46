/* The work memory of packing, and what each layout has to offer to be packed. */
#ifndef CK_PACK_H
#define CK_PACK_H
#include "cursor.h"
#include "kernel.h"

/* Lives in the caller's work buffer. */
typedef struct {
  uint32_t* index; /* [rows + 1] as ck_index_rows fills it */
  int32_t* order;  /* [rows] the row of each lane */
  int32_t* spare;  /* [rows] for sorting, and free afterwards */
  int32_t* sum;    /* [rows] sum of the weights of each row */
  uint16_t* nnz;   /* [rows] non-zeros of each row */
} ck_work;

/* Chooses the order of the rows (work->order, rows in their own order before), and returns the
 * steps that they then need; and packing them. */
int64_t ck_order_well(const ck_weights* w, ck_work* work, const ck_kernel_entry* kernel);
void ck_pack_well(const ck_weights* w, const ck_work* work, ck_packed* p);

/* Entries with padding, and packing them. */
int64_t ck_csr_entries(const ck_weights* w, const ck_work* work);
void ck_pack_csr(const ck_weights* w, const ck_work* work, ck_packed* p);

/* A section that is still being written. */
#define CK_SECTION_OUT(type, packed, name) \
  ((type*)(void*)((char*)(packed) + (packed)->name))
#endif
