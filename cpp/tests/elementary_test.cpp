// The functions of elementary.h against long double, over their stated ranges: largest error in units of the
// last place. The bounds are what the header states.
#include "elementary.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

using namespace focal::scalar;

namespace {

template <class T> double ulps(T got, long double want) {
  const T rounded = static_cast<T>(want);
  const T next = std::nextafter(std::fabs(rounded), std::numeric_limits<T>::infinity());
  return static_cast<double>(std::fabs(static_cast<long double>(got) - want) / (next - std::fabs(rounded)));
}

// The largest error of f against g on `count` points of [low, high].
template <class T, class F, class G> double worst(T low, T high, F f, G g) {
  constexpr int count = 400000;
  double largest = 0;
  for (int i = 0; i <= count; i++) {
    const T x = low + (high - low) * (static_cast<T>(i) / static_cast<T>(count));
    largest = std::fmax(largest, ulps(f(x), g(static_cast<long double>(x))));
  }
  return largest;
}

long double softplus(long double z) { return (z > 0 ? z : 0) + log1pl(expl(-fabsl(z))); }
long double sigmoid(long double z) { return z > 0 ? 1 / (1 + expl(-z)) : expl(z) / (1 + expl(z)); }

template <class T> struct Bounds;
// One constant of ln 2 costs exp more where multiply-add rounds once (elementary.h).
template <> struct Bounds<float> { static constexpr double range = 87, exp = fused_muladd ? 4.6 : 1.2, log1p = 1.2, softplus = 6.2, sigmoid = fused_muladd ? 5.4 : 2.6, power = 4.2; };
template <> struct Bounds<double> { static constexpr double range = 700, exp = 1.2, log1p = 1.2, softplus = 2.8, sigmoid = 2.8, power = 3.9; };

}  // namespace

TEST_CASE_TEMPLATE("elementary functions keep their stated errors", T, float, double) {
  using B = Bounds<T>;
  const T range = static_cast<T>(B::range);
  for (const T span : {T(1), T(20), range}) {
    const double exp_error = worst<T>(-span, span, [](T x) { return exponential(x); }, [](long double x) { return expl(x); });
    const double softplus_error = worst<T>(-span, span, [](T x) { return logistic(x).softplus; }, softplus);
    const double sigmoid_error = worst<T>(-span, span, [](T x) { return logistic(x).s; }, sigmoid);
    const double rest_error = worst<T>(-span, span, [](T x) { return logistic(x).c; }, [](long double x) { return sigmoid(-x); });
    MESSAGE("ulp on +-", double(span), ": exp ", exp_error, ", softplus ", softplus_error, ", sigmoid ", sigmoid_error);
    CHECK(exp_error < B::exp);
    CHECK(softplus_error < B::softplus);
    CHECK(sigmoid_error < B::sigmoid);
    CHECK(rest_error < B::sigmoid);
  }
  double log1p_error = 0;
  for (int k = -60; k < 60; k++) {
    const T low = std::ldexp(T(1), k);
    for (int i = 0; i < 4000; i++) {
      const T r = low * (1 + static_cast<T>(i) / 4000);
      log1p_error = std::fmax(log1p_error, ulps(log_one_plus(r), log1pl(static_cast<long double>(r))));
    }
  }
  MESSAGE("ulp: log1p ", log1p_error);
  CHECK(log1p_error < B::log1p);
  CHECK(log_one_plus(T(0)) == T(0));
}

TEST_CASE_TEMPLATE("power is accurate for any gamma to 5, and exact where it must be", T, float, double) {
  double largest = 0;
  for (const double gamma : {0.1, 0.25, 0.5, 1.0, 1.3, 2.0, 2.7, 3.7, 4.999, 5.0}) {
    const PowerAny<T> power(gamma);
    const long double exact_gamma = static_cast<long double>(gamma);
    for (int k = -80; k <= 0; k++)
      for (int i = 0; i < 2000; i++) {
        const T q = std::ldexp(T(1) - static_cast<T>(i) / 4000, k);
        const long double want = powl(static_cast<long double>(q), exact_gamma);
        if (want < static_cast<long double>(std::numeric_limits<T>::min()) * 4) continue;
        largest = std::fmax(largest, ulps(power(q), want));
      }
    CHECK(power(T(1)) == T(1));
  }
  MESSAGE("ulp: power ", largest);
  CHECK(largest < Bounds<T>::power);
  CHECK(PowerAny<T>(0)(T(0.3)) == T(1));
  CHECK(PowerAny<T>(1000)(T(0.01)) == T(0));
}

TEST_CASE_TEMPLATE("NaN comes through, whatever its payload", T, float, double) {
  using Int = typename Bits<T>::Int;
  for (const Int payload : {Int(0), Int(1), Int(77), Int(0x155)}) {
    const T nan = as_float(static_cast<Int>(as_int(std::numeric_limits<T>::quiet_NaN()) | payload));
    CHECK(std::isnan(exponential(nan)));
    CHECK(std::isnan(logistic(nan).softplus));
    CHECK(std::isnan(logistic(nan).softplus_minus));
  }
}
