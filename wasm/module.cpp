// What the WebAssembly module exports beside the functions of problem.h: room in its memory, and which contract it was built for.
#include "aligned_memory.h"
#include "problem.h"

extern "C" {

int32_t focal_abi() { return FOCAL_ABI; }

// Null where the memory cannot grow any further. Aligned for every array the kernel reads.
void *focal_malloc(size_t bytes) { return focal::allocate_aligned(bytes); }

void focal_free(void *memory) { focal::free_aligned(memory); }

}
