/* The rule of taking: our own operators always; TFLite's own where their zeros make them faster.
 *
 * Two things go together. A DENSIFY and all who read it are taken or all are left: the runtime may
 * run it in another partition than its readers, and what we take of it is never unpacked. And
 * compressed rows without a DENSIFY are taken however few their zeros: stock runtimes read them as
 * if they were dense, silently and past their end. Where they cannot be taken the graph is refused. */
#include "claims.h"

#include <stdlib.h>
#include <string.h>

#include "tensors.h"

enum { NONE = -1 };

/* Fields that a runtime of the known layout cannot have otherwise. */
static int layout_is_known(const tfl_node* node, const tfl_registration* r) {
  return r->builtin_code >= 0 && r->builtin_code <= TFL_LAST_BUILTIN && r->version >= 0 &&
         node->inputs && node->outputs && node->inputs->size >= 0 && node->outputs->size >= 0 &&
         node->custom_size >= 0;
}

static tfl_status look_up(tfl_context* c, int number, tfl_node** node, tfl_registration** r) {
  if (c->GetNodeAndRegistration(c, number, node, r) != TFL_OK) return TFL_ERROR;
  if (layout_is_known(*node, *r)) return TFL_OK;
  c->ReportError(c,
                 "capexport: this runtime lays out its nodes in an unknown way; "
                 "is it newer than the library?");
  return TFL_ERROR;
}

const op_kind* custom_kind(const tfl_registration* r) {
  static const op_kind* const KINDS[] = {&SPARSE_LINEAR, &SPARSE_EMBEDDING};
  if (r->builtin_code != TFL_CUSTOM || !r->custom_name) return NULL;
  for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
    if (strcmp(r->custom_name, KINDS[i]->name) == 0) return KINDS[i];
  return NULL;
}

/* What can be said of a node without looking at another one. */
static claim sort(const tfl_context* c, int number, const tfl_node* node,
                  const tfl_registration* r) {
  claim found = {.node = number, .sparse = NONE, .dense = NONE, .weights = NONE};
  if (r->builtin_code == TFL_DENSIFY && node->inputs->size == 1 && node->outputs->size == 1) {
    found.sparse = node->inputs->data[0];
    found.dense = node->outputs->data[0];
  } else if (is_stock_layer(c, node, r)) {
    found.kind = r->builtin_code == TFL_CONV_2D ? &CONV_2D : &FULLY_CONNECTED;
    found.weights = node->inputs->data[1];
  } else {
    found.kind = custom_kind(r);
    found.taken = found.kind != NULL;
  }
  return found;
}

static int sparse_input_of(const claims* all, int dense) {
  for (int i = 0; i < all->count; i++)
    if (all->items[i].dense == dense && dense != NONE) return all->items[i].sparse;
  return NONE;
}

/* Those that the rule decides for: there is none for no rows at all. */
static int rows_asked_for(const settings* s, const stock_layer* l) {
  const int rows = s->rows_of_x ? s->rows_of_x : l->rows_of_x;
  return rows > 0 ? rows : 1;
}

/* NULL where the layer is taken. */
static const char* judge(const settings* s, const stock_layer* l) {
  const ck_weights* w = &l->weights;
  const int required = s->take == TAKE_ALL || strcmp(l->stored, "csr") == 0;
  const int batch = rows_asked_for(s, l);
  const ck_request request = {s->isa, w->rows, w->cols, w->nnz, batch, required};
  if (s->take == TAKE_PACKED) return "only packed layers were asked for";
  return ck_choose(&request, NULL) == CK_DECLINE ? "dense is faster with so few zeros" : NULL;
}

static tfl_status read_layers(tfl_context* c, const settings* s, claims* all) {
  for (int i = 0; i < all->count; i++) {
    claim* one = &all->items[i];
    tfl_node* node;
    tfl_registration* r;
    if (one->weights == NONE) continue;
    if (look_up(c, one->node, &node, &r) != TFL_OK) return TFL_ERROR;
    const int sparse = sparse_input_of(all, one->weights);
    one->reason = stock_layer_read(c, node, r, sparse, &one->layer);
    if (!one->reason) one->reason = judge(s, &one->layer);
    one->taken = !one->reason;
  }
  return TFL_OK;
}

static int reads(const tfl_node* node, int tensor) {
  for (int i = 0; i < node->inputs->size; i++)
    if (node->inputs->data[i] == tensor) return 1;
  return 0;
}

/* Whether every reader of a densified tensor is taken, with it as weights; *readers: how many. */
static tfl_status survey_readers(tfl_context* c, const claims* all, int dense, int* readers,
                                 int* taken) {
  *readers = *taken = 0;
  for (int i = 0; i < all->count; i++) {
    tfl_node* node;
    tfl_registration* r;
    if (look_up(c, all->items[i].node, &node, &r) != TFL_OK) return TFL_ERROR;
    if (!reads(node, dense)) continue;
    ++*readers;
    *taken += all->items[i].taken && all->items[i].weights == dense;
  }
  return TFL_OK;
}

static void give_back(claims* all, int dense) {
  for (int i = 0; i < all->count; i++) {
    claim* one = &all->items[i];
    if (!one->taken || one->weights != dense) continue;
    one->taken = 0;
    one->reason = "another reader of the same DENSIFY is left";
  }
}

static tfl_status join_densified(tfl_context* c, claims* all) {
  for (int i = 0; i < all->count; i++) {
    claim* one = &all->items[i];
    int readers, taken;
    if (one->dense == NONE) continue;
    if (survey_readers(c, all, one->dense, &readers, &taken) != TFL_OK) return TFL_ERROR;
    one->taken = readers > 0 && taken == readers;
    if (!one->taken) give_back(all, one->dense);
  }
  return TFL_OK;
}

static void report_left(tfl_context* c, const settings* s, const claims* all) {
  for (int i = 0; i < all->count; i++) {
    const claim* one = &all->items[i];
    const stock_layer* l = &one->layer;
    if (one->weights == NONE || one->taken) continue;
    const report_line line = {one->node,
                              one->kind->name,
                              tensor_name(c, l->stored_in),
                              l->weights.rows,
                              l->weights.cols,
                              l->weights.nnz,
                              l->stored,
                              one->reason,
                              rows_asked_for(s, l),
                              0};
    report_add(s->report, &line);
  }
}

/* After the report, which then has the reasons of all layers. */
static tfl_status refuse_misread(tfl_context* c, const claims* all) {
  for (int i = 0; i < all->count; i++) {
    const claim* one = &all->items[i];
    if (one->weights == NONE || one->taken || !one->layer.is_misread) continue;
    c->ReportError(c,
                   "capexport: node %d reads %s in compressed rows, which this runtime would take "
                   "for dense ones, and cannot be taken from it: %s",
                   one->node, tensor_name(c, one->layer.stored_in), one->reason);
    return TFL_ERROR;
  }
  return TFL_OK;
}

tfl_status claims_make(tfl_context* c, const settings* s, const tfl_ints* plan, claims* all) {
  *all = (claims){0, zeroed_memory(c, ((size_t)plan->size + 1) * sizeof *all->items)};
  if (!all->items) return TFL_ERROR;
  for (; all->count < plan->size; all->count++) {
    const int number = plan->data[all->count];
    tfl_node* node;
    tfl_registration* r;
    if (look_up(c, number, &node, &r) != TFL_OK) return TFL_ERROR;
    all->items[all->count] = sort(c, number, node, r);
  }
  if (read_layers(c, s, all) != TFL_OK || join_densified(c, all) != TFL_OK) return TFL_ERROR;
  report_left(c, s, all);
  return refuse_misread(c, all);
}

const claim* claims_find(const claims* all, int node) {
  for (int i = 0; i < all->count; i++)
    if (all->items[i].node == node) return &all->items[i];
  return NULL;
}

void claims_free(claims* all) { free(all->items); }
