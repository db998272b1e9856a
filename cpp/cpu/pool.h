// Threads for the blocks of one call.
#pragma once

#include <stdint.h>

namespace focal {

int32_t hardware_threads();

// Calls work(context, worker, block) for every block in 0..blocks-1, on up to `threads` threads, the caller's
// among them; `worker` is below `threads`. Blocks are handed out in runs, so who does which one is left open:
// results may depend on the block alone.
void for_each_run(int64_t blocks, int64_t run, int32_t threads, void *context,
                  void (*work)(void *context, int32_t worker, int64_t first, int64_t last));

}  // namespace focal
