/* The execution provider of one session. */
#ifndef CK_EP_PROVIDER_H
#define CK_EP_PROVIDER_H
#include "ep_abi.h"

extern const char PROVIDER_NAME[];

/* Reads its options from those of the session. */
OrtStatus* create_provider(const OrtApi* api, const OrtSessionOptions* options,
                           const OrtLogger* logger, OrtEp** out);
void release_provider(OrtEp* ep);
#endif
