// What a status of cuda.h's is to JavaScript: nothing, or an exception with a sentence that says what to do.
#pragma once

#include <stdexcept>
#include <string>

#include "cuda/cuda.h"

// Throws where the device failed. Any thread's, as long as it is the one that was answered.
inline void check_device(int32_t status) {
  const std::string said = focal_cuda_error();
  if (status == FOCAL_CUDA_LOST) throw std::runtime_error(said + "; this process has lost the GPU: start it anew");
  if (status == FOCAL_CUDA_WRONG_DEVICE)
    throw std::runtime_error("an array does not lie on the GPU that was asked for; expected all arrays of a call on one, and none of them freed");
  if (status == FOCAL_CUDA_FAILED) throw std::runtime_error(said);
}

// The same of a function that has no other statuses of its own.
inline void check(int32_t status) {
  check_device(status);
  if (status != FOCAL_OK) throw std::runtime_error("the GPU refused (status " + std::to_string(status) + ")");
}
