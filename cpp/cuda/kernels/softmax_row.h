// A row of a softmax loss, computed by the lanes that share it: value, gradient and the Hessian's diagonal.
//
// `Group` is who shares a row (some lanes of a warp, or a block) and how they add up; `Row` is which classes a lane has,
// and whether it keeps their logits. Every lane reads its logits before it writes to their positions, so that the gradient may be
// the logits.
#pragma once

#include "losses/softmax_focal.h"
#include "position.h"

namespace focal {
namespace FOCAL_NAMESPACE {

// What the lanes of a row know of it.
struct RowFacts {
  int64_t row, base, stride;  // class c is element base + c * stride
  int64_t classes;
  int64_t target;  // class index: the row's class; -1 where it has none, or is not valid
  double weight;   // of the row; 0 where it is not valid
  double shift;    // what label smoothing gives each class
  bool valid;      // neither masked nor ignored, with a class left; of class indices: and of a class
};

FOCAL_ON_DEVICE RowFacts facts_of(const Plan &plan, int64_t row) {
  const FocalProblem &p = plan.problem;
  RowFacts facts;
  const int64_t outer = divided(row, plan.inner);
  facts.row = row;
  facts.base = outer * plan.classes * plan.inner + (row - outer * plan.inner);
  facts.stride = plan.inner;
  facts.classes = plan.classes;
  facts.target = -1;
  facts.shift = plan.target_shift;
  bool valid = p.mask_per != FOCAL_PER_ROW || !is_masked(p, 0, row);
  if (p.targets_kind == FOCAL_CLASS_INDEX) {
    const double index = number_at<double>(p.targets, p.targets_dtype, row);
    valid = valid && index >= 0 && index < static_cast<double>(plan.classes) && !is_ignored_target(p, index) && index != p.background;
    if (valid) facts.target = static_cast<int64_t>(index);
  } else if (valid && ignores_nan(p)) {  // labels of a row are NaN together, but for those of classes that are masked
    int64_t k = facts.base;
    for (int64_t c = 1; c < plan.classes && is_masked(p, k, row); c++) k += facts.stride;
    const double label = number_at<double>(p.targets, p.targets_dtype, k);
    valid = label == label;
  }
  facts.valid = valid;
  facts.weight = !valid ? 0 : p.weights_per == FOCAL_ABSENT ? 1 : weight_or_nan(number_at<double>(p.weights, p.weights_dtype, row));
  return facts;
}

// Does the mask leave class c to the row?
FOCAL_ON_DEVICE bool has_class(const FocalProblem &p, const RowFacts &facts, int64_t c) {
  return p.mask_per != FOCAL_PER_ELEMENT || !is_masked(p, facts.base + c * facts.stride, facts.row);
}
// Calls f for the row's classes, but for those that its mask takes out.
template <class Group, class F> FOCAL_ON_DEVICE void each_class(const FocalProblem &p, const RowFacts &facts, const Group &group, F f) {
  group.each(facts.classes, [&](int64_t c) {
    if (has_class(p, facts, c)) f(c);
  });
}
FOCAL_ON_DEVICE bool is_hard(const FocalProblem &p) { return p.targets_kind == FOCAL_CLASS_INDEX && p.label_smoothing == 0; }

// Class c's weight times its (smoothed) target.
template <class T> FOCAL_ON_DEVICE T amount_of(const Plan &plan, const RowFacts &facts, int64_t c) {
  const FocalProblem &p = plan.problem;
  T target;
  if (p.targets_kind == FOCAL_DENSE) target = label_of(p, number_at<T>(p.targets, p.targets_dtype, facts.base + c * facts.stride));
  else target = c == facts.target ? T(1) : T(0);
  if (!is_hard(p)) target = target * static_cast<T>(plan.target_scale) + static_cast<T>(facts.shift);
  return target * static_cast<T>((p.class_positive ? p.class_positive[c] : p.positive_weight) * facts.weight);
}

FOCAL_ON_DEVICE void put_grad(const FocalProblem &p, const RowFacts &facts, int64_t c, double grad) {
  put_number(p.grad, p.grad_dtype, facts.base + c * facts.stride, grad);
}
FOCAL_ON_DEVICE void put_hess(const FocalProblem &p, const RowFacts &facts, int64_t c, double hess) {
  put_number(p.hess, p.hess_dtype, facts.base + c * facts.stride, larger(p.least_hess, hess));
}
FOCAL_ON_DEVICE void put_nothing(const FocalProblem &p, const RowFacts &facts, int64_t c) {
  const int64_t at = facts.base + c * facts.stride;
  if (p.grad) put_number(p.grad, p.grad_dtype, at, 0.0);
  if (p.hess) put_number(p.hess, p.hess_dtype, at, 0.0);
}
FOCAL_ON_DEVICE double logit_of(const FocalProblem &p, const RowFacts &facts, int64_t c) {
  return number_at<double>(p.logits, p.dtype, facts.base + c * facts.stride);
}

// Of a row whose mask takes classes out: these have no gradient, the others share the smoothing, and without others there is nothing.
template <class Group> FOCAL_ON_DEVICE void take_classes_out(const FocalProblem &p, RowFacts &facts, const Group &group) {
  double left = 0;
  each_class(p, facts, group, [&](int64_t) { left++; });
  left = group.sum(left);
  facts.valid = facts.valid && left > 0;
  facts.shift = p.label_smoothing / left;
  if (facts.valid)
    group.each(facts.classes, [&](int64_t c) {
      if (!has_class(p, facts, c)) put_nothing(p, facts, c);
    });
}

// A row of any size, read again each time. Only this one knows of masks.
template <class Group> struct ReadRow {
  static constexpr bool keeps = false;
  const FocalProblem &p;
  const RowFacts &facts;

  FOCAL_ON_DEVICE ReadRow(const FocalProblem &problem, const RowFacts &of_row, bool) : p(problem), facts(of_row) {}

  template <class F> FOCAL_ON_DEVICE void each(F f) const {
    for (int64_t c = Group::index(); c < facts.classes; c += Group::size) {
      if (!has_class(p, facts, c)) continue;
      float x = number_at<float>(p.logits, p.dtype, facts.base + c * facts.stride);
      f(c, x);
    }
  }
  static FOCAL_ON_DEVICE void keep(float &, float) {}
  template <class F> FOCAL_ON_DEVICE void write(const FocalProblem &, F f) const {
    each([&](int64_t c, float &x) { put_number(p.grad, p.grad_dtype, facts.base + c * facts.stride, f(c, x)); });
  }
};

// The row in double through the C library: double logits, enormous ones, weights and scales. Returns its value.
template <class Group> FOCAL_ON_DEVICE_APART double double_fallback_row(const Plan &plan, double grad_divisor, RowFacts facts) {
  const FocalProblem &p = plan.problem;
  const Group group;
  double max = -HUGE_VAL;
  bool unordered = false;
  each_class(p, facts, group, [&](int64_t c) {
    const double x = logit_of(p, facts, c);
    unordered |= x != x;
    max = x > max ? x : max;
  });
  max = group.largest(max);
  int64_t top = INT64_MAX;
  each_class(p, facts, group, [&](int64_t c) { top = logit_of(p, facts, c) == max && c < top ? c : top; });
  top = group.least(top);
  double rest = 0;
  each_class(p, facts, group, [&](int64_t c) {
    const double x = logit_of(p, facts, c);
    // several infinities share the row in no way that can be known
    unordered |= c != top && x == max && ::isinf(max);
    if (c != top) rest += x == max ? 1 : ::exp(x - max);
  });
  rest = group.sum(rest);
  unordered = group.sum(unordered ? 1.0 : 0.0) > 0;
  const double whole = 1 + rest, log_whole = ::log1p(rest);
  const auto term = [&](int64_t c, double &share, double &q) {
    const double x = logit_of(p, facts, c), e = c == top || x == max ? 1 : ::exp(x - max);
    share = e / whole;
    q = (c == top ? rest : whole - e) / whole;
    const double a = amount_of<double>(plan, facts, c);
    if (a == 0) return SoftmaxTerm<double>{0, 0, 0};
    const double nll = c == top ? log_whole : max - x + log_whole;
    if (has_asymmetric_rows(p) && c != facts.target) return double_fallback_term_of_other(p.gamma_negative, q, nll, a);
    return double_fallback_term(gamma_of_class(p, c), share, q, nll, a);
  };
  // Of the others the sums of pulls and bends lose nothing to the top's, however large these are
  double value = 0, pulls_below = 0, pull_of_top = 0, bends_below = 0, bend_of_top = 0, share, q;
  each_class(p, facts, group, [&](int64_t c) {
    const SoftmaxTerm<double> own = term(c, share, q);
    value += own.value;
    (c == top ? pull_of_top : pulls_below) += own.pull;
    (c == top ? bend_of_top : bends_below) += over_or_zero(own.bend, q);
  });
  value = group.sum(value);
  pulls_below = group.sum(pulls_below);
  pull_of_top = group.sum(pull_of_top);
  bends_below = group.sum(bends_below);
  bend_of_top = group.sum(bend_of_top);
  if (p.grad || p.hess)
    each_class(p, facts, group, [&](int64_t c) {
      const SoftmaxTerm<double> own = term(c, share, q);
      const double pulls = c == top ? pulls_below : pulls_below - own.pull + pull_of_top;
      if (p.hess) {
        const double bends = c == top ? bends_below : bends_below - over_or_zero(own.bend, q) + bend_of_top;
        put_hess(p, facts, c, unordered ? NAN : hess_of_class(share, q, own.bend, bends, pulls + own.pull) / grad_divisor);
      }
      if (p.grad) put_grad(p, facts, c, unordered ? NAN : (share * pulls - q * own.pull) / grad_divisor);
    });
  return unordered ? NAN : value;
}

// Each class by itself, of a row of probabilities.
template <class Group> FOCAL_ON_DEVICE_APART double probability_row(const Plan &plan, double grad_divisor, RowFacts facts) {
  const FocalProblem &p = plan.problem;
  const Group group;
  const NumberRange range = range_of(p.grad_dtype), of_hess = range_of(p.hess_dtype);
  double value = 0, whole = 1, pull = 0;
  const auto probability = [&](int64_t c) {
    const double x = logit_of(p, facts, c);
    return (x < 0 ? 0 : x > 1 ? 1 : x);
  };
  if (renormalizes(p)) {
    whole = 0;
    each_class(p, facts, group, [&](int64_t c) { whole += probability(c); });
    whole = group.sum(whole);
    each_class(p, facts, group, [&](int64_t c) {
      const double share = probability(c) / whole;
      pull += term_of_probability(p, gamma_of_class(p, c), share, amount_of<double>(plan, facts, c)).grad * share;
    });
    pull = group.sum(pull);  // of p / whole every class has a part in the whole
  }
  // Of the second derivative every class has a part too, but in its own: cpu/softmax/kernel.h. The largest class's sums leave it out.
  const auto part = [](const Element<double> &e, double u) { return (e.hess * u + 2 * e.grad) * u; };
  double largest = 0, u_below = 0, below = 0, of_top = 0;
  int64_t top = INT64_MAX;
  if (p.hess && renormalizes(p)) {
    each_class(p, facts, group, [&](int64_t c) { largest = larger(largest, probability(c)); });
    largest = group.largest(largest);
    each_class(p, facts, group, [&](int64_t c) { top = probability(c) == largest && c < top ? c : top; });
    top = group.least(top);
    each_class(p, facts, group, [&](int64_t c) {
      const double u = probability(c) / whole, own = part(term_of_probability(p, gamma_of_class(p, c), u, amount_of<double>(plan, facts, c)), u);
      if (c != top) u_below += u;
      (c == top ? of_top : below) += own;
    });
    u_below = group.sum(u_below);
    below = group.sum(below);
    of_top = group.sum(of_top);
  }
  each_class(p, facts, group, [&](int64_t c) {
    const double u = probability(c) / whole;
    const Element<double> e = term_of_probability(p, gamma_of_class(p, c), u, amount_of<double>(plan, facts, c));
    value += e.value;
    if (p.hess) {
      double hess = e.hess;
      if (renormalizes(p)) {
        const double rest = c == top ? u_below : 1 - u, others = c == top ? below : below - part(e, u) + of_top;
        hess = ((e.hess * rest - 2 * e.grad) * rest + others) / (whole * whole);
      }
      put_hess(p, facts, c, within(of_hess, hess / grad_divisor));
    }
    if (p.grad) put_grad(p, facts, c, within(range, (e.grad - pull) / (whole * grad_divisor)));
  });
  return group.sum(value);
}

// A row whose class is known: one exponential a logit, and the other numbers once a row.
template <class Group, class Row>
FOCAL_ON_DEVICE double indexed_row_of(const Plan &plan, float grad_scale, const RowFacts &facts, const Group &group, Row &row, float max) {
  const FocalProblem &p = plan.problem;
  const RowShift<float> shift(max);
  float e_target = 0, x_target = 0, others = 0, largest = 0, beside = 0;
  row.each([&](int64_t c, float &x) {
    const float e = exponential_over(larger(shift.floor, x - shift.subtracted), shift.exponent);
    if (c == facts.target) {
      e_target = e, x_target = x;
    } else {
      others += e;
      if (p.hess) beside += e < largest ? e : largest, largest = larger(largest, e);
    }
    row.keep(x, e);
  });
  others = group.sum(others);
  e_target = group.sum(e_target);
  const float gap = max - group.sum(x_target), below_top = gap > 0 ? shift.top - e_target : 0;
  const float amount = amount_of<float>(plan, facts, facts.target);
  IndexedRow<float> result;
  with_common_power<float>(p.gamma, [&](auto power) {
    result = IndexedRow<float>(SoftmaxFocal<decltype(power)>{power}, e_target, others, gap, below_top, amount, grad_scale);
  });
  const auto exponential_of = [&](float kept) {
    return row.keeps ? kept : exponential_over(larger(shift.floor, kept - shift.subtracted), shift.exponent);
  };
  if (p.hess) {
    // The largest exponential beside the row's own class, and the sum of the others
    const float own_largest = largest, inverse = over_or_zero(1.0f, others);
    largest = group.largest(largest);
    const int first = group.least(own_largest == largest ? group.index() : INT32_MAX);
    beside = e_target + group.sum(group.index() == first ? beside : beside + own_largest);
    row.each([&](int64_t c, float &x) {
      const float e = exponential_of(x), rest = largest > e ? e_target + (others - e) : beside;
      const double hess = static_cast<double>(c == facts.target ? result.hess : hess_beside(e, rest, result.share, inverse, result.pull, result.bend));
      put_hess(p, facts, c, hess);
    });
  }
  if (p.grad)
    row.write(p, [&](int64_t c, float kept) {
      return muladd((c == facts.target ? -others : exponential_of(kept)) * result.share, result.pull, 0.0f);  // no negative zeros
    });
  return static_cast<double>(result.value);
}

// A row with an amount for every class. What the largest leaves to the others is added up, never a difference; what any other
// one does is a difference of doubles.
template <class Group> FOCAL_ON_DEVICE_APART double dense_row(const Plan &plan, float grad_scale, RowFacts facts, float max) {
  const FocalProblem &p = plan.problem;
  const Group group;
  const ReadRow<Group> row(p, facts, false);
  const RowShift<float> shift(max);
  const auto exponential = [&](float x) { return exponential_over(larger(shift.floor, x - shift.subtracted), shift.exponent); };
  double below = 0, tops = 0;
  row.each([&](int64_t, float &x) {
    const float e = exponential(x);
    below += shift.top > e ? static_cast<double>(e) : 0;
    tops += shift.top > e ? 0 : 1;
    if (e != e) below = NAN;
  });
  const double top = static_cast<double>(shift.top), beside = group.sum(below) + (group.sum(tops) - 1) * top, whole = beside + top;
  const float inverse = static_cast<float>(1 / whole), log_whole = log_one_plus(static_cast<float>(beside / top));
  double value = 0;
  with_common_power<float>(p.gamma, [&](auto power) {
    const SoftmaxFocal<decltype(power)> loss{power};
    const auto term = [&](int64_t c, float x, float &share, float &q) {
      const float e = exponential(x);
      share = e * inverse;
      q = static_cast<float>(shift.top > e ? whole - static_cast<double>(e) : beside) * inverse;
      return loss(share, q, max - x + log_whole, amount_of<float>(plan, facts, c));
    };
    float share, q;
    double pull = 0, bends_below = 0, bends_of_tops = 0;
    row.each([&](int64_t c, float &x) {
      const SoftmaxTerm<float> own = term(c, x, share, q);
      value += static_cast<double>(own.value);
      pull += static_cast<double>(own.pull);
      (x < max ? bends_below : bends_of_tops) += static_cast<double>(over_or_zero(own.bend, q));
    });
    value = group.sum(value);
    pull = group.sum(pull);
    if (p.hess) {
      bends_below = group.sum(bends_below);
      bends_of_tops = group.sum(bends_of_tops);
      row.each([&](int64_t c, float &x) {
        const SoftmaxTerm<float> own = term(c, x, share, q);
        const double bend = static_cast<double>(over_or_zero(own.bend, q));
        const double bends = x < max ? bends_below - bend + bends_of_tops : bends_below + (bends_of_tops - bend);
        put_hess(p, facts, c, hess_of_class(static_cast<double>(share), static_cast<double>(q), static_cast<double>(own.bend), bends, pull) * static_cast<double>(grad_scale));
      });
    }
    if (p.grad)
      row.write(p, [&](int64_t c, float x) {
        const float own = term(c, x, share, q).pull;
        return grad_scale * (share * static_cast<float>(pull - static_cast<double>(own)) - q * own);
      });
  });
  return value;
}

// The class of a row of labels that are one 1 and zeros, which is computed as a class index is; -1 of another. Takes the largest
// amount of the lane's classes as well.
template <class Group, class Row>
FOCAL_ON_DEVICE int64_t class_of_labels(const Plan &plan, const RowFacts &facts, const Group &group, Row &row, float &amount) {
  const FocalProblem &p = plan.problem;
  const bool may_be = p.targets_kind == FOCAL_DENSE && p.label_smoothing == 0;
  int64_t of_one = INT64_MAX;
  double some = 0;  // how many are not 0
  row.each([&](int64_t c, float &) {
    const float own = absolute(amount_of<float>(plan, facts, c));
    amount = larger(own == own ? own : HUGE_VALF, amount);  // what is none as a float may be a number in double
    if (!may_be) return;
    const float label = label_of(p, number_at<float>(p.targets, p.targets_dtype, facts.base + c * facts.stride));
    some += label != 0;
    if (label == 1) of_one = c;
  });
  if (!may_be) return -1;
  of_one = group.least(of_one);
  return group.sum(some) == 1 && of_one != INT64_MAX ? of_one : -1;
}

// The value of a row; its gradient goes where it belongs.
template <class Group, class Row>
FOCAL_ON_DEVICE double run_row(const Plan &plan, const Divisors &divisors, const RowFacts &facts, const Group &group, Row &row) {
  const FocalProblem &p = plan.problem;
  if (!facts.valid) {
    group.each(facts.classes, [&](int64_t c) { put_nothing(p, facts, c); });
    return 0;
  }
  if (p.inputs == FOCAL_PROBABILITIES) return probability_row<Group>(plan, divisors.grad_divisor, facts);
  if (p.dtype == FOCAL_FLOAT64 || has_factors_of_classes(p)) return double_fallback_row<Group>(plan, divisors.grad_divisor, facts);
  float max = -HUGE_VALF, magnitude = 0;
  row.each([&](int64_t, float &x) {
    max = larger(x, max);
    magnitude = larger(absolute(x), magnitude);
  });
  max = group.largest(max);
  magnitude = group.largest(magnitude);
  float amount = 0;
  RowFacts own = facts;
  if (is_hard(p)) amount = absolute(amount_of<float>(plan, facts, facts.target));
  else own.target = class_of_labels(plan, facts, group, row, amount);
  amount = group.largest(amount);
  // Rows are shifted, and a weight must not lift what has underflowed back among the normal numbers: see cpu/softmax.h
  const float most = magnitude > Limits<float>::softmax_long ? (p.gamma < 0.5 ? 16.0f : 1000.0f) : Limits<float>::weight;
  if (divisors.extreme_scale || !(magnitude <= Limits<float>::shifted) || !(amount <= most)) return double_fallback_row<Group>(plan, divisors.grad_divisor, facts);
  const float grad_scale = static_cast<float>(divisors.grad_scale);
  return own.target >= 0 ? indexed_row_of(plan, grad_scale, own, group, row, max) : dense_row<Group>(plan, grad_scale, facts, max);
}

}  // namespace FOCAL_NAMESPACE
}  // namespace focal
