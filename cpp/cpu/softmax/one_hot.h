// Which rows of labels are of one class: they are computed as a class index is, bit for bit, and in less time.
#pragma once

#include "dense_rows.h"

namespace focal {
namespace FOCAL_NAMESPACE {

struct RowKinds { bool indexed, soft; };  // is there a row with a class at most, and one with an amount of several?

template <class R, class S, class T> struct SoftmaxOneHot : SoftmaxDenseRows<R, S, T> {
  using Base = SoftmaxDenseRows<R, S, T>;
  using V = typename Base::V;
  using Base::plan, Base::scratch, Base::C, Base::rows, Base::elements, Base::by_class, Base::problem, Base::first, Base::class_step, Base::position;

  SoftmaxOneHot(const Plan &of, void *memory) : Base(of, memory) {
    if (!can_be_one_hot()) return;
    for (int64_t c = 0; c < C; c++) scratch.class_code[c] = static_cast<T>(first_code + c);
  }

  static constexpr T soft_row = -2;

  // Gives rows of one label 1 and else 0 that class as their target, and others `soft_row`; those with target -1 keep it. Where
  // none has a class, targets stay as they are.
  FOCAL_NOINLINE RowKinds find_one_hot() {
    if (!can_be_one_hot()) return {false, true};
    const FocalProblem &p = problem();
    const bool in_place = p.targets_dtype == Stored<T>::dtype && plan.inner == 1 && !by_class;
    RowKinds found{false, false};
    const auto put = [&](int64_t r, int64_t cls) FOCAL_LAMBDA {  // -1: of several
      scratch.row_target[r] = cls < 0 ? soft_row : static_cast<T>(cls);
      (cls < 0 ? found.soft : found.indexed) = true;
    };
    if (p.targets_dtype == FOCAL_UINT8 && plan.inner == 1) {
      const uint8_t *row = static_cast<const uint8_t *>(p.targets) + first * C;
      for (int64_t r = 0; r < rows; r++, row += C)
        if (scratch.row_target[r] >= 0) put(r, place_of_one(row, C));
    } else {
      const T *labels = scratch.amount;
      if (in_place) labels = static_cast<const T *>(p.targets) + first * C;
      else this->gather(p.targets, p.targets_dtype, scratch.amount);
      by_class ? add_codes_across(labels) : add_codes_along(labels);
      for (int64_t r = 0; r < rows; r++) {
        if (scratch.row_target[r] < 0) continue;
        const T code = scratch.row_e[r] - static_cast<T>(first_code);
        const bool is_class = code >= 0 && code < static_cast<T>(C) && labels[position(r, static_cast<int64_t>(code))] == 1;
        put(r, is_class ? static_cast<int64_t>(code) : -1);
      }
    }
    T *const target = scratch.row_target;
    if (!found.indexed && found.soft)
      for (int64_t r = 0; r < rows; r++) target[r] = target[r] == soft_row ? T(0) : T(-1);
    if (!found.soft) found.indexed = true;
    return found;
  }

 private:
  // Exact in a float with any class added, and more than all of them: a row's codes of labels that are not 0 add up to
  // first_code and a class where there is one such label, to more where there are several.
  static constexpr int64_t first_code = 1 << 22;
  bool can_be_one_hot() const {
    return problem().targets_kind == FOCAL_DENSE && problem().label_smoothing == 0 && C < first_code && problem().inputs == FOCAL_LOGITS;
  }

  // Where the only one of n bytes that is not 0 is, if it is 1; else -1. By words, and no branch hangs on what they are.
  static FOCAL_INLINE int64_t place_of_one(const uint8_t *bytes, int64_t n) {
    constexpr int64_t step = sizeof(uint64_t);
    uint64_t any = 0;
    int64_t words = 0, place = 0;
    const auto look = [&](int64_t at, int64_t count) FOCAL_LAMBDA {
      uint64_t word = 0;
      memcpy(&word, bytes + at, static_cast<size_t>(count));
      const bool is_some = word != 0;
      any |= word;
      words += is_some;
      place += is_some ? at : 0;
    };
    int64_t at = 0;
    for (; at + step <= n; at += step) look(at, step);
    if (at < n) look(at, n - at);
    const bool is_one = words == 1 && (any & (any - 1)) == 0 && (any & UINT64_C(0x0101010101010101)) != 0;
    return is_one ? place + __builtin_ctzll(any) / 8 : -1;
  }

  template <class N> static FOCAL_INLINE N code_of(N label, N code) { return select(equal(label, N(0)), N(0), code); }
  void add_codes_across(const T *labels) const {
    for (int64_t r = 0; r < class_step; r += V::size) {
      V sum(0);
      for (int64_t c = 0; c < C; c++) sum = sum + code_of(V::load(labels + c * class_step + r), V(scratch.class_code[c]));
      sum.store(scratch.row_e + r);
    }
  }
  void add_codes_along(const T *labels) const {
    const T *const codes = scratch.class_code;
    for (int64_t r = 0; r < rows; r++) {
      const T *const row = labels + r * C;
      V sum(0);
      int64_t c = 0;
      for (; c + V::size <= C; c += V::size) sum = sum + code_of(V::load(row + c), V::load(codes + c));
      T rest = fold_lanes(sum, [](auto a, auto b) { return a + b; });
      for (; c < C; c++) rest += row[c] == 0 ? T(0) : scratch.class_code[c];
      scratch.row_e[r] = rest;
    }
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
