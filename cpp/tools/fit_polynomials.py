"""Minimax polynomials of cpp/elementary.h (Remez exchange, mpmath). Run it to print the coefficients again:

    python3 cpp/tools/fit_polynomials.py

Each fit minimises the relative error of the whole function, not of the polynomial.
"""
from mpmath import mp, mpf, exp, log, atanh, matrix, lu_solve, chebyt, cos, pi, sqrt

mp.dps = 50


def remez(target, weight, degree, low, high):
    """Coefficients c minimising max |sum(c_k x^k) - target(x)| * weight(x) on [low, high]."""
    low, high = mpf(low), mpf(high)
    count = degree + 2
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (count - 1 - i) / (count - 1)) for i in range(count)]
    for _ in range(12):
        system, right = matrix(count, count), matrix(count, 1)
        for i, x in enumerate(nodes):
            for k in range(degree + 1):
                system[i, k] = x**k
            system[i, degree + 1] = (-1) ** i / weight(x)
            right[i] = target(x)
        solution = lu_solve(system, right)
        coefficients = [solution[k] for k in range(degree + 1)]

        def error(x):
            return (sum(c * x**k for k, c in enumerate(coefficients)) - target(x)) * weight(x)

        samples = 60 * count
        grid = [low + (high - low) * i / samples for i in range(samples + 1)]
        errors = [error(x) for x in grid]
        extremes = []
        for x, e in zip(grid, errors):
            if extremes and (e > 0) == (extremes[-1][1] > 0):
                if abs(e) > abs(extremes[-1][1]):
                    extremes[-1] = (x, e)
            else:
                extremes.append((x, e))
        if len(extremes) < count:
            break
        while len(extremes) > count:
            extremes.pop(0 if abs(extremes[0][1]) < abs(extremes[-1][1]) else -1)
        nodes = [x for x, _ in extremes]
    return coefficients, max(abs(e) for e in errors)


def show(name, fit):
    coefficients, worst = fit
    print(f"// {name}: largest relative error {mp.nstr(worst, 3)}")
    print("  " + ", ".join(mp.nstr(c, 19) for c in coefficients))


half_ln2 = log(mpf(2)) / 2 * mpf("1.001")


def exp_weight(r):  # away from zero at r = 0, where the exchange would divide by it
    return max(r * r, mpf("1e-3")) / exp(r)


def atanh_weight(u):
    return max(u, mpf("1e-3")) / (1 + u * atanh_tail(u))


def exp_tail(r):  # (e^r - 1 - r) / r^2
    if abs(r) < mpf("1e-8"):
        return mpf(1) / 2 + r / 6 + r * r / 24
    return (exp(r) - 1 - r) / r**2


def softplus_tail(w):  # -log(1 - w) / w
    if abs(w) < mpf("1e-12"):
        return 1 + w / 2 + w * w / 3
    return -log(1 - w) / w


def atanh_tail(u):  # (atanh(s) / s - 1) / s^2 with u = s^2
    if u < mpf("1e-12"):
        return mpf(1) / 3 + u / 5
    s = sqrt(u)
    return (atanh(s) / s - 1) / u


if __name__ == "__main__":
    narrow = ((sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1)) ** 2 * mpf("1.01")
    show("float exp_tail", remez(exp_tail, exp_weight, 4, -half_ln2, half_ln2))
    show("double exp_tail", remez(exp_tail, exp_weight, 9, -half_ln2, half_ln2))
    show("float softplus_tail", remez(softplus_tail, lambda w: 1 / softplus_tail(w), 7, 0, "0.5"))
    root = sqrt(mpf(2)) * mpf("1.0003")
    show("float log_tail", remez(softplus_tail, lambda w: 1 / softplus_tail(w), 7, 1 - root, 1 - 1 / root))
    show("float atanh_tail", remez(atanh_tail, atanh_weight, 2, 0, narrow))
    show("double atanh_tail", remez(atanh_tail, atanh_weight, 6, 0, narrow))
    show("double atanh_tail_wide", remez(atanh_tail, atanh_weight, 10, 0, mpf(1) / 9))
