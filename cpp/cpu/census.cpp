#include "census.h"

#include "numbers.h"

namespace focal {

namespace {

constexpr int64_t nowhere = INT64_MAX;

// What was found in a part of the targets.
struct Count {
  int64_t elements = 0, rows = 0, positives = 0;
  int64_t error = nowhere;  // the first target that is not allowed
  bool hard = true;         // is every label exactly 0 or 1?
};

// What was found in all of them. Integers: the order in which the parts come in makes no difference.
class Total {
 public:
  void add(const Count &part) {
    elements_.fetch_add(part.elements, std::memory_order_relaxed);
    rows_.fetch_add(part.rows, std::memory_order_relaxed);
    positives_.fetch_add(part.positives, std::memory_order_relaxed);
    int64_t first = error_.load(std::memory_order_relaxed);
    while (part.error < first && !error_.compare_exchange_weak(first, part.error, std::memory_order_relaxed)) {
    }
    if (!part.hard) hard_.store(false, std::memory_order_relaxed);
  }
  Count get() const { return {elements_, rows_, positives_, error_, hard_}; }

 private:
  std::atomic<int64_t> elements_{0}, rows_{0}, positives_{0}, error_{nowhere};
  std::atomic<bool> hard_{true};
};

class Census {
 public:
  explicit Census(const Plan &plan) : plan_(plan), p_(plan.problem) {}

  Count take(Team *team) const {
    const bool by_index = p_.targets_kind == FOCAL_CLASS_INDEX;
    if (by_index && p_.mask_per == FOCAL_ABSENT) return each_part(team, plan_.rows, chunk, &Census::indices);
    if (!by_index && !plan_.skips()) return each_part(team, plan_.elements, chunk, &Census::labels);
    const int64_t rows = chunk / plan_.classes;
    return each_part(team, plan_.rows, rows < 1 ? 1 : rows, by_index ? &Census::rows_of_indices : &Census::rows_of_labels);
  }

  double target(int64_t index) const { return number_at(p_.targets, p_.targets_dtype, index); }

 private:
  static constexpr int64_t chunk = 16384;  // numbers: as much work as a block is to a kernel

  const Plan &plan_;
  const FocalProblem &p_;

  // Adds up what `look(begin, end)` finds in chunks of the range 0..size-1.
  Count each_part(Team *team, int64_t size, int64_t part, Count (Census::*look)(int64_t, int64_t) const) const {
    if (size <= part) return (this->*look)(0, size);
    Total total;
    team->run((size + part - 1) / part, [&](Turns &turns) {
      for (int64_t first, last; turns.next(&first, &last);)
        for (int64_t begin = first * part; begin < last * part && begin < size; begin += part)
          total.add((this->*look)(begin, begin + part < size ? begin + part : size));
    });
    return total.get();
  }

  bool is_class(double index) const { return index >= 0 && index < static_cast<double>(plan_.classes); }
  bool is_bad_index(double index) const {
    return index != p_.ignore_index && !is_class(index) && index != p_.background;
  }

  // Nothing is masked: loops that vectorise.
  Count indices(int64_t begin, int64_t end) const {
    const Indices found = look_at_indices(plan_, begin, end - begin);
    Count count{found.rows * plan_.classes, found.rows, found.positives};
    if (found.bad)
      for (count.error = begin; !is_bad_index(target(count.error));) count.error++;
    return count;
  }
  Count labels(int64_t begin, int64_t end) const {
    const Labels found = look_at_labels(p_.targets, p_.targets_dtype, begin, end - begin, p_.positive_from);
    Count count{end - begin, 0, found.positives};
    count.hard = found.hard;
    if (found.bad)
      for (count.error = begin; !is_bad_label(target(count.error));) count.error++;
    return count;
  }
  static bool is_bad_label(double y) { return y < 0 || y > 1; }

  bool lets_row_in(int64_t row) const {
    return p_.mask_per != FOCAL_PER_ROW || number_at(p_.mask, p_.mask_dtype, row) != 0;
  }
  bool lets_element_in(int64_t at) const {
    return p_.mask_per != FOCAL_PER_ELEMENT || number_at(p_.mask, p_.mask_dtype, at) != 0;
  }
  int64_t element(int64_t row, int64_t c) const {
    const int64_t outer = row / plan_.inner;
    return (outer * plan_.classes + c) * plan_.inner + (row - outer * plan_.inner);
  }

  Count rows_of_indices(int64_t begin, int64_t end) const {
    Count count;
    for (int64_t row = begin; row < end; row++) {
      const double index = target(row);
      if (index == p_.ignore_index || !lets_row_in(row)) continue;
      const int64_t first = element(row, 0);
      int64_t elements = plan_.classes;
      if (p_.mask_per == FOCAL_PER_ELEMENT) {
        elements = 0;
        for (int64_t c = 0; c < plan_.classes; c++) elements += lets_element_in(first + c * plan_.inner);
        if (elements == 0) continue;
      }
      if (is_bad_index(index) && count.error == nowhere) count.error = row;
      count.rows++;
      count.elements += elements;
      count.positives += is_class(index) && index != p_.background &&
                         lets_element_in(first + static_cast<int64_t>(index) * plan_.inner);
    }
    return count;
  }

  // A row counts if any of its elements does.
  Count rows_of_labels(int64_t begin, int64_t end) const {
    return plan_.inner == 1 ? labels_along_classes(begin, end) : labels_along_rows(begin, end);
  }
  Count labels_along_classes(int64_t begin, int64_t end) const {
    Count count;
    Line line;
    for (bool &in : line.lets_in) in = true;
    for (int64_t row = begin; row < end; row++) {
      if (!lets_row_in(row)) continue;
      const int64_t before = count.elements;
      for (int64_t c = 0; c < plan_.classes; c += Line::size)
        look(element(row, c), plan_.classes - c < Line::size ? plan_.classes - c : Line::size, &line, &count);
      count.rows += count.elements > before;
    }
    return count;
  }
  Count labels_along_rows(int64_t begin, int64_t end) const {
    Count count;
    Line line;
    for (int64_t row = begin, n; row < end; row += n) {
      n = plan_.inner - row % plan_.inner;
      n = n < Line::size ? n : Line::size;
      n = n < end - row ? n : end - row;
      bool any[Line::size] = {};
      for (int64_t k = 0; k < n; k++) line.lets_in[k] = lets_row_in(row + k);
      for (int64_t c = 0; c < plan_.classes; c++) {
        look(element(row, c), n, &line, &count);
        for (int64_t k = 0; k < n; k++) any[k] |= line.counts[k];
      }
      for (int64_t k = 0; k < n; k++) count.rows += any[k];
    }
    return count;
  }

  // Neighbours in memory.
  struct Line {
    static constexpr int64_t size = 512;
    bool lets_in[size];  // does the mask let its row in?
    bool counts[size];   // found by `look`
    double numbers[size];
  };
  void look(int64_t at, int64_t n, Line *line, Count *count) const {
    for (int64_t k = 0; k < n; k++) line->counts[k] = line->lets_in[k];
    if (p_.mask_per == FOCAL_PER_ELEMENT) {
      read_numbers(p_.mask, p_.mask_dtype, at, n, line->numbers);
      for (int64_t k = 0; k < n; k++) line->counts[k] &= line->numbers[k] != 0;
    }
    read_numbers(p_.targets, p_.targets_dtype, at, n, line->numbers);
    int32_t elements = 0, positives = 0, bad = 0;
    for (int64_t k = 0; k < n; k++) {
      const double y = line->numbers[k];
      const bool counts = line->counts[k] & (y != p_.ignore_index);
      line->counts[k] = counts;
      elements += counts;
      positives += counts & (y >= p_.positive_from);
      bad |= counts & ((y < 0) | (y > 1));
    }
    count->elements += elements;
    count->positives += positives;
    for (int64_t k = 0; bad && k < n; k++)
      if (line->counts[k] && is_bad_label(line->numbers[k]) && at + k < count->error) count->error = at + k;
  }
};

}  // namespace

FocalStatus take_census(Plan *plan, Team *team, FocalResult *result) {
  const Census census(*plan);
  Count count = census.take(team);
  const bool by_index = plan->problem.targets_kind == FOCAL_CLASS_INDEX;
  if (count.error != nowhere) {
    result->error_index = static_cast<double>(count.error);
    result->error_value = census.target(count.error);
    return by_index ? FOCAL_BAD_CLASS : FOCAL_BAD_TARGET;
  }
  const bool plain_labels = !by_index && !plan->skips();
  plan->hard_labels = plain_labels && count.hard && plan->problem.label_smoothing == 0;
  result->elements = static_cast<double>(count.elements);
  result->rows = static_cast<double>(plain_labels ? plan->rows : count.rows);
  result->positives = static_cast<double>(count.positives);
  return FOCAL_OK;
}

}  // namespace focal
