/* Which nodes are taken, and what becomes of them. */
#include "provider.h"

#include <stdio.h>
#include <stdlib.h>

#include "integer_product.h"

const char PROVIDER_NAME[] = "CapexportSparse";

#define BATCH_OPTION "ep.capexportsparse.batch"
#define ALWAYS_OPTION "ep.capexportsparse.always"
enum { DEFAULT_BATCH = 3, MOST_BATCH = 1 << 20, OPTION_BYTES = 16, MESSAGE_BYTES = 400 };

typedef struct {
  OrtEp ep; /* first: what ONNX Runtime has of it */
  const OrtApi* api;
  const OrtLogger* logger;
  uint32_t isa;
  int32_t batch;  /* rows of A for which the rule decides and weights are packed */
  int32_t always; /* take what can be taken, whatever the rule says */
} provider;

static const char* name(const OrtEp* ep) { return (void)ep, PROVIDER_NAME; }

/* ---- what is taken ---- */

/* Left to itself, ONNX Runtime makes one operator of the product and of the Cast and Mul around it;
 * taken from it, they are four. That costs by the numbers of the result, so that short columns and
 * small weights lose by it (benchmarks/kernels/README.md has the table). */
static int outweighs_the_fusion(const provider* p, const ck_request* q, double least) {
  enum { LEAST_COLS = 512, LEAST_WEIGHTS = 2000000, LEAST_WEIGHTS_OF_ONE_ROW = 1000000, FEW = 5 };
  const int64_t weights = (int64_t)q->rows * q->cols;
  const double margin = p->batch > 1 && p->batch <= FEW ? .06 : 0;
  return q->cols >= LEAST_COLS &&
         weights >= (p->batch == 1 ? LEAST_WEIGHTS_OF_ONE_ROW : LEAST_WEIGHTS) &&
         1. - (double)q->nnz / (double)weights >= least + margin;
}

static int32_t kernel_for(const provider* p, const integer_weight* w) {
  const int32_t rows = (int32_t)w->b.dims[1], cols = (int32_t)w->b.dims[0];
  const ck_request request = {p->isa, rows, cols, w->nnz, p->batch, p->always};
  double least;
  const int32_t kernel = ck_choose(&request, &least);
  return p->always || outweighs_the_fusion(p, &request, least) ? kernel : CK_DECLINE;
}

/* One line of the session's log per MatMulInteger; a session shows it at severity 1. */
static OrtStatus* log_decision(const provider* p, const OrtNode* graph_node,
                               const integer_weight* w, int32_t kernel, const char* refused) {
  char message[MESSAGE_BYTES];
  const char* node_name;
  OrtStatus* status = p->api->Node_GetName(graph_node, &node_name);
  if (status) return status;
  if (refused)
    snprintf(message, sizeof message, "capexport: node %.200s is left alone: %s", node_name,
             refused);
  else
    snprintf(message, sizeof message, "capexport: node %.200s, %lld x %lld with %lld non-zeros: %s",
             node_name, (long long)w->b.dims[1], (long long)w->b.dims[0], (long long)w->nnz,
             kernel == CK_DECLINE ? "left alone, dense is faster" : ck_kernel(kernel)->name);
  return p->api->Logger_LogMessage(p->logger, ORT_LOG_INFO, message, __FILE__, __LINE__, __func__);
}

static OrtStatus* take(const provider* p, const OrtNode* graph_node, OrtEpGraphSupportInfo* info) {
  const OrtNodeFusionOptions options = {EP_API_LEVEL, true};
  return p->api->GetEpApi()->EpGraphSupportInfo_AddNodesToFuse(info, &graph_node, 1, &options);
}

static OrtStatus* consider(const provider* p, const OrtNode* graph_node,
                           OrtEpGraphSupportInfo* info) {
  integer_weight w;
  const char* refused;
  bool is_ours;
  OrtStatus* status = read_integer_weight(p->api, graph_node, &w, &is_ours, &refused);
  if (status || !is_ours) return status;
  const int32_t kernel = refused ? CK_DECLINE : kernel_for(p, &w);
  status = log_decision(p, graph_node, &w, kernel, refused);
  return status || kernel == CK_DECLINE ? status : take(p, graph_node, info);
}

/* All nodes of a graph, for free(). */
static OrtStatus* nodes_of(const OrtApi* api, const OrtGraph* graph, const OrtNode*** nodes,
                           size_t* count) {
  *nodes = NULL;
  OrtStatus* status = api->Graph_GetNumNodes(graph, count);
  if (status) return status;
  *nodes = malloc((*count + 1) * sizeof **nodes);
  if (!*nodes) return api->CreateStatus(ORT_FAIL, "capexport: out of memory");
  return api->Graph_GetNodes(graph, *nodes, *count);
}

static OrtStatus* get_capability(OrtEp* ep, const OrtGraph* graph, OrtEpGraphSupportInfo* info) {
  const provider* p = (const provider*)ep;
  const OrtNode** nodes;
  size_t count;
  OrtStatus* status = nodes_of(p->api, graph, &nodes, &count);
  for (size_t i = 0; i < count && !status; i++) status = consider(p, nodes[i], info);
  free(nodes);
  return status;
}

/* ---- what becomes of it ---- */

static OrtStatus* compile_node(const provider* p, const OrtNode* graph_node, const OrtNode* fused,
                               OrtNodeComputeInfo** out) {
  integer_weight w;
  const char* refused;
  bool is_ours;
  OrtStatus* status = read_integer_weight(p->api, graph_node, &w, &is_ours, &refused);
  if (status) return status;
  const int32_t kernel = !is_ours || refused ? CK_DECLINE : kernel_for(p, &w);
  if (kernel == CK_DECLINE)
    return p->api->CreateStatus(ORT_FAIL, "capexport: a node has changed since it was taken");
  return create_product(p->api, graph_node, fused, &w, kernel, out);
}

static OrtStatus* compile_graph(const provider* p, const OrtGraph* graph, const OrtNode* fused,
                                OrtNodeComputeInfo** out) {
  const OrtNode** nodes;
  size_t count;
  OrtStatus* status = nodes_of(p->api, graph, &nodes, &count);
  if (!status && count != 1)
    status = p->api->CreateStatus(ORT_FAIL, "capexport: several nodes were made one");
  if (!status) status = compile_node(p, nodes[0], fused, out);
  free(nodes);
  return status;
}

static void release_infos(OrtEp* ep, OrtNodeComputeInfo** infos, size_t count) {
  (void)ep;
  for (size_t i = 0; i < count; i++) release_product(infos[i]);
}

static OrtStatus* compile(OrtEp* ep, const OrtGraph** graphs, const OrtNode** fused, size_t count,
                          OrtNodeComputeInfo** out, OrtNode** context_nodes) {
  (void)context_nodes;
  OrtStatus* status = NULL;
  for (size_t i = 0; i < count; i++) out[i] = NULL;
  for (size_t i = 0; i < count && !status; i++)
    status = compile_graph((const provider*)ep, graphs[i], fused[i], &out[i]);
  if (!status) return NULL;
  release_infos(ep, out, count);
  for (size_t i = 0; i < count; i++) out[i] = NULL;
  return status;
}

/* ---- options ---- */

/* *number is left as it is where the option is not given. */
static OrtStatus* read_option(const OrtApi* api, const OrtSessionOptions* options, const char* key,
                              long least, long most, int32_t* number) {
  char text[OPTION_BYTES], message[MESSAGE_BYTES];
  size_t size = sizeof text;
  int is_given;
  OrtStatus* status = api->HasSessionConfigEntry(options, key, &is_given);
  if (status || !is_given) return status;
  status = api->GetSessionConfigEntry(options, key, text, &size);
  if (status) return status;
  char* end;
  const long given = strtol(text, &end, 10);
  if (end != text && !*end && given >= least && given <= most)
    return *number = (int32_t)given, NULL;
  snprintf(message, sizeof message, "capexport: %s is no number from %ld to %ld", key, least, most);
  return api->CreateStatus(ORT_INVALID_ARGUMENT, message);
}

OrtStatus* create_provider(const OrtApi* api, const OrtSessionOptions* options,
                           const OrtLogger* logger, OrtEp** out) {
  int32_t batch = DEFAULT_BATCH, always = 0;
  OrtStatus* status = read_option(api, options, BATCH_OPTION, 1, MOST_BATCH, &batch);
  if (!status) status = read_option(api, options, ALWAYS_OPTION, 0, 1, &always);
  if (status) return status;
  provider* p = calloc(1, sizeof *p);
  if (!p) return api->CreateStatus(ORT_FAIL, "capexport: out of memory");
  *p = (provider){.ep = {.level = EP_API_LEVEL,
                         .GetName = name,
                         .GetCapability = get_capability,
                         .Compile = compile,
                         .ReleaseNodeComputeInfos = release_infos},
                  .api = api,
                  .logger = logger,
                  .isa = ck_isa(),
                  .batch = batch,
                  .always = always};
  *out = &p->ep;
  return NULL;
}

void release_provider(OrtEp* ep) { free(ep); }
