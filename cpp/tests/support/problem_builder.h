// Problems for the tests, built like the facade builds them.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "problem.h"

template <class T> constexpr int32_t dtype_of();
template <> constexpr int32_t dtype_of<float>() { return FOCAL_FLOAT32; }
template <> constexpr int32_t dtype_of<double>() { return FOCAL_FLOAT64; }
template <> constexpr int32_t dtype_of<int8_t>() { return FOCAL_INT8; }
template <> constexpr int32_t dtype_of<uint8_t>() { return FOCAL_UINT8; }
template <> constexpr int32_t dtype_of<int16_t>() { return FOCAL_INT16; }
template <> constexpr int32_t dtype_of<uint16_t>() { return FOCAL_UINT16; }
template <> constexpr int32_t dtype_of<int32_t>() { return FOCAL_INT32; }
template <> constexpr int32_t dtype_of<uint32_t>() { return FOCAL_UINT32; }

inline FocalProblem blank_problem(int32_t loss, double outer, double classes, double inner) {
  FocalProblem p{};
  p.abi = FOCAL_ABI;
  p.loss = loss;
  p.outer = outer;
  p.classes = classes;
  p.inner = inner;
  p.gamma = 2;
  p.background = p.ignore_index = p.normalizer = std::nan("");
  p.positive_from = loss == FOCAL_HEATMAP ? 1 : 0.5;
  p.least_hess = -INFINITY;
  p.grad_scale = 1;
  p.positive_weight = p.negative_weight = 1;
  return p;
}

template <class T> void set_logits(FocalProblem &p, const std::vector<T> &logits) {
  p.dtype = p.grad_dtype = p.hess_dtype = dtype_of<T>();
  p.logits = logits.data();
}
template <class S> void set_targets(FocalProblem &p, int32_t kind, const std::vector<S> &targets) {
  p.targets_kind = kind;
  p.targets_dtype = dtype_of<S>();
  p.targets = targets.data();
}
// Buffers by address; nullptr where an output is not wanted.
template <class A, class B, class C> void set_outputs(FocalProblem &p, A values, B grad, C hess) {
  const auto address = [](auto buffer) -> void * {
    if constexpr (std::is_null_pointer_v<decltype(buffer)>) return nullptr;
    else return buffer ? buffer->data() : nullptr;
  };
  p.values = address(values);
  p.grad = address(grad);
  p.hess = address(hess);
}

// Index + 1 and name of every instruction set that runs here.
inline std::vector<std::pair<int32_t, std::string>> runnable_isas() {
  std::vector<std::pair<int32_t, std::string>> list;
  for (int32_t i = 0; const FocalIsa *isa = focal_isa(i); i++)
    if (isa->supported) list.emplace_back(i + 1, isa->name);
  return list;
}

// |got - want| / |want|, or 0 where the difference is below `floor`.
inline double relative_error(double got, double want, double floor) {
  if (std::isnan(got) != std::isnan(want)) return INFINITY;
  if (std::isnan(want) || got == want) return 0;
  const double difference = std::fabs(got - want);
  return difference < floor ? 0 : difference / std::fabs(want);
}
