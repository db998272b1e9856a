#include "careful.h"

#include <math.h>

#include "../losses/sigmoid_focal.h"

namespace focal {

namespace {

template <bool Mixture> CarefulElement sigmoid_focal(double gamma, double x, double y, double rest, double wp, double wn) {
  const scalar::SigmoidFocal<scalar::PowerAny<double>, Mixture> loss{scalar::PowerAny<double>(gamma)};
  const auto e = loss.template soft<true>(x, y, rest, wp, wn);
  return {e.value, e.grad, e.hess};
}

}  // namespace

CarefulElement careful_element(const FocalProblem &p, double x, double y, double rest, double wp, double wn) {
  constexpr double limit = Limits<double>::logistic;
  const double near = x > limit ? limit : x < -limit ? -limit : x;
  const CarefulElement e = p.soft_targets == FOCAL_MIXTURE ? sigmoid_focal<true>(p.gamma, near, y, rest, wp, wn)
                                                           : sigmoid_focal<false>(p.gamma, near, y, rest, wp, wn);
  if (near == x || x != x) return e;
  // Out here the loss is a straight line, which goes on along its tangent, or it has died out like e^-x. On a line
  // through the origin the value is `limit` times the slope; dying out it is no larger than the slope.
  if (fabs(e.value) < 100 * fabs(e.grad) || e.grad == 0) return {0, 0, 0};
  return {e.value + e.grad * (x - near), e.grad, 0};
}

template <class T>
double careful_softmax_row(const FocalProblem &p, const T *x, const T *amount, int64_t classes, double *work,
                           double *grad) {
  double *const e = work, *const pull = work + classes;
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

  double value = 0, total_pull = 0;
  for (int64_t c = 0; c < classes; c++) {
    const double a = static_cast<double>(amount[c]);
    pull[c] = 0;
    if (a == 0) continue;
    const double q = (c == top ? rest : whole - e[c]) / whole;
    const double nll = c == top ? log_whole : max - static_cast<double>(x[c]) + log_whole;
    const double share = e[c] / whole;
    const double m = a * pow(q, p.gamma);
    if (nll > 0) value += m * nll;
    pull[c] = m * (1 + (share > 0 && q > 0 ? p.gamma * share * (nll / q) : share > 0 ? p.gamma * share : 0));
    total_pull += pull[c];
  }
  if (unordered) value = NAN;
  if (grad)
    for (int64_t c = 0; c < classes; c++) {
      const double q = (c == top ? rest : whole - e[c]) / whole;
      grad[c] = unordered ? NAN : e[c] / whole * (total_pull - pull[c]) - q * pull[c];
    }
  return value;
}

template double careful_softmax_row(const FocalProblem &, const float *, const float *, int64_t, double *, double *);
template double careful_softmax_row(const FocalProblem &, const double *, const double *, int64_t, double *, double *);

}  // namespace focal
