#define FOCAL_NAMESPACE double_fallback
#define FOCAL_LIBM

#include "double_fallback.h"

#include <math.h>

#include "cpu/targets/numbers.h"
#include "losses/anywhere.h"
#include "losses/list.h"
#include "losses/softmax_focal.h"

namespace focal {

ElementTerms terms_of(const Plan &plan, int64_t k) {
  const FocalProblem &p = plan.problem;
  const int64_t line = k / plan.inner, outer = line / plan.classes, cls = line - outer * plan.classes;
  const int64_t row = outer * plan.inner + (k - line * plan.inner);
  const bool by_index = p.targets_kind == FOCAL_CLASS_INDEX;
  const double target = number_at(p.targets, p.targets_dtype, by_index ? row : k), index = static_cast<double>(cls);
  const double label = by_index ? target == index && index != p.background : target;
  const double y = label * plan.target_scale + plan.target_shift, rest = (1 - label) * plan.target_scale + plan.target_shift;
  const double weight = p.weights_per == FOCAL_ABSENT ? 1 : weight_or_nan(number_at(p.weights, p.weights_dtype, p.weights_per == FOCAL_PER_ROW ? row : k));
  return {y, rest, weight * (p.class_positive ? p.class_positive[cls] : p.positive_weight),
          weight * (p.class_positive ? p.class_negative[cls] : p.negative_weight), cls};
}

namespace {

// A label that is so right at a logit beyond this that the exponential is 0 in double too. It is the common outlier: what is padded, or switched
// off. Of most losses nothing is left then. A weight that is no number makes NaN of that.
constexpr double sure = 800;
bool can_cost_nothing(const FocalProblem &p) { return p.loss != FOCAL_STAR && p.loss != FOCAL_SIGMOID_GENERAL; }

bool costs_nothing(const FocalProblem &p, const ElementTerms &terms, double logit) {
  if (!can_cost_nothing(p) || terms.positive * 0 != 0 || terms.negative * 0 != 0) return false;
  return (terms.y == 0 && logit < -sure) || (terms.rest == 0 && logit > sure);
}

// The same where labels have nothing beside them: it takes a look at no more than the label.
bool plainly_costs_nothing(const Plan &plan, int64_t k, double logit) {
  const FocalProblem &p = plan.problem;
  if (!(::fabs(logit) > sure) || p.targets_kind != FOCAL_DENSE || p.weights_per != FOCAL_ABSENT || p.class_positive || plan.target_scale != 1) return false;
  const double label = p.targets_dtype == FOCAL_UINT8 ? static_cast<const uint8_t *>(p.targets)[k] : number_at(p.targets, p.targets_dtype, k);
  return label == (logit > 0) && can_cost_nothing(p) && p.positive_weight * 0 + p.negative_weight * 0 == 0;
}

}  // namespace

DoubleElement double_fallback_element(const Plan &plan, int64_t k, double logit) {
  if (plainly_costs_nothing(plan, k, logit)) return {0, 0, 0};
  const FocalProblem &p = plan.problem;
  const ElementTerms terms = terms_of(plan, k);
  if (costs_nothing(p, terms, logit)) return {0, 0, 0};
  DoubleElement result;
  double_fallback::with_kernels(p.loss, [&](auto kernels) {
    const auto of = [&](const FocalProblem &problem) {
      return double_fallback::element_anywhere<decltype(kernels)>(problem, logit, terms.y, terms.rest, terms.positive, terms.negative);
    };
    double_fallback::Element<double> e;
    if constexpr (decltype(kernels)::gamma_per_class) {
      FocalProblem of_class = p;
      of_class.gamma = gamma_of_class(p, terms.cls);
      e = of(of_class);
    } else {
      e = of(p);
    }
    result = {e.value, e.grad, e.hess};
  });
  return result;
}

template <class T>
double double_fallback_softmax_row(const FocalProblem &p, const T *x, const double *amount, int64_t classes, double *work,
                           double *grad, double *hess, const double *gamma, int64_t target) {
  double *const e = work, *const pull = work + classes, *const bend = pull + classes;
  int64_t top = 0;
  bool unordered = false;
  for (int64_t c = 0; c < classes; c++) {
    if (x[c] != x[c]) unordered = true;
    if (x[c] > x[top]) top = c;
  }
  const double max = static_cast<double>(x[top]);
  double rest = 0;
  for (int64_t c = 0; c < classes; c++) {
    if (c == top) continue;
    e[c] = x[c] == x[top] ? 1 : exp(static_cast<double>(x[c]) - max);
    // several infinities share the row in no way that can be known
    if (x[c] == x[top] && isinf(max)) unordered = true;
    rest += e[c];
  }
  e[top] = 1;
  const double whole = 1 + rest, log_whole = log1p(rest);

  // Of the others the sums of pulls and bends lose nothing to the top's, however large these are
  double value = 0, pulls_below = 0, bends_below = 0;
  for (int64_t c = 0; c < classes; c++) {
    const double a = amount[c];
    pull[c] = bend[c] = 0;
    if (a == 0) continue;
    const double q = (c == top ? rest : whole - e[c]) / whole;
    const double nll = c == top ? log_whole : max - static_cast<double>(x[c]) + log_whole;
    const auto term = target < 0 || c == target ? double_fallback::double_fallback_term(gamma[c], e[c] / whole, q, nll, a)
                                                : double_fallback::double_fallback_term_of_other(p.gamma_negative, q, nll, a);
    value += term.value;
    pull[c] = term.pull;
    bend[c] = q > 0 ? term.bend / q : 0;
    if (c == top) continue;
    pulls_below += pull[c];
    bends_below += bend[c];
  }
  if (unordered) value = NAN;
  for (int64_t c = 0; c < classes; c++) {
    const double q = (c == top ? rest : whole - e[c]) / whole;
    const double pulls = c == top ? pulls_below : pulls_below - pull[c] + pull[top];
    grad[c] = unordered ? NAN : e[c] / whole * pulls - q * pull[c];
    if (!hess) continue;
    const double bends = c == top ? bends_below : bends_below - bend[c] + bend[top];
    hess[c] = unordered ? NAN : double_fallback::hess_of_class(e[c] / whole, q, q * bend[c], bends, pulls + pull[c]);
  }
  return value;
}

template double double_fallback_softmax_row(const FocalProblem &, const float *, const double *, int64_t, double *, double *, double *, const double *, int64_t);
template double double_fallback_softmax_row(const FocalProblem &, const double *, const double *, int64_t, double *, double *, double *, const double *, int64_t);

}  // namespace focal
