// What a switch in software has of its own: memory is no concern, and tables notice by themselves what is idle.

#ifndef L7LB_V1MODEL_SIZES_P4
#define L7LB_V1MODEL_SIZES_P4

#ifndef CONNECTIONS
#define CONNECTIONS 65536
#endif

#ifndef OVERRIDES
#define OVERRIDES 65536
#endif

#define AGEING support_timeout = true;

#include "sizes.p4"

#endif
