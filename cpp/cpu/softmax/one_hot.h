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
    const T *labels = scratch.amount;
    if (in_place) labels = static_cast<const T *>(p.targets) + first * C;
    else this->gather(p.targets, p.targets_dtype, scratch.amount);
    by_class ? add_codes_across(labels) : add_codes_along(labels);

    RowKinds found{false, false};
    T *const target = scratch.row_target;
    for (int64_t r = 0; r < rows; r++) {
      if (target[r] < 0) continue;
      const T code = scratch.row_e[r] - static_cast<T>(first_code);
      if (code >= 0 && code < static_cast<T>(C) && labels[position(r, static_cast<int64_t>(code))] == 1) target[r] = code;
      else target[r] = soft_row;
      (target[r] == soft_row ? found.soft : found.indexed) = true;
    }
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

  template <class N> static FOCAL_INLINE N code_of(N label, N code) { return select(equal(label, N(0)), N(0), code); }
  void add_codes_across(const T *labels) const {
    for (int64_t r = 0; r < class_step; r += V::size) {
      V sum(0);
      for (int64_t c = 0; c < C; c++) sum = sum + code_of(V::load(labels + c * class_step + r), V(scratch.class_code[c]));
      sum.store(scratch.row_e + r);
    }
  }
  void add_codes_along(const T *labels) const {
    for (int64_t r = 0; r < rows; r++) {
      const T *const row = labels + r * C;
      V sum(0);
      int64_t c = 0;
      for (; c + V::size <= C; c += V::size) sum = sum + code_of(V::load(row + c), V::load(scratch.class_code + c));
      T rest = fold_lanes(sum, [](auto a, auto b) { return a + b; });
      for (; c < C; c++) rest += row[c] == 0 ? T(0) : scratch.class_code[c];
      scratch.row_e[r] = rest;
    }
  }
};

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
