/** The examples with the largest loss: a heap of fixed size, with the smallest of them on top. */

interface Entry<T> {
  readonly loss: number
  /** The place in the order of arrival: of equal losses the first stays. */
  readonly order: number
  readonly what: T
}

export class Hardest<T> {
  /** Only a loss above this is kept. */
  floor: number
  readonly #size: number
  readonly #heap: Entry<T>[] = []
  #arrived = 0

  constructor(size: number) {
    this.#size = size
    this.floor = size === 0 ? Infinity : 0
  }

  /** `loss` must be above `floor`. */
  add(loss: number, what: T): void {
    const heap = this.#heap
    const entry = { loss, order: this.#arrived++, what }
    if (heap.length < this.#size) {
      heap.push(entry)
      this.#rise(heap.length - 1)
    } else {
      heap[0] = entry
      this.#sink()
    }
    if (heap.length === this.#size) this.floor = heap[0].loss
  }

  /** The greatest first. */
  sorted(): { readonly loss: number; readonly what: T }[] {
    return [...this.#heap].sort((a, b) => (isLess(a, b) ? 1 : -1))
  }

  #rise(at: number): void {
    const heap = this.#heap
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isLess(heap[at], heap[parent])) return
      swap(heap, at, parent)
      at = parent
    }
  }

  #sink(): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isLess(heap[child], heap[least])) least = child
      }
      if (least === at) return
      swap(heap, at, least)
      at = least
    }
  }
}

function isLess<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.loss < b.loss || (a.loss === b.loss && a.order > b.order)
}

function swap(heap: unknown[], a: number, b: number): void {
  const held = heap[a]
  heap[a] = heap[b]
  heap[b] = held
}

/** The largest number, found by halving, at which a rising function is no more than `value`. */
export function lastUpTo(rising: (z: number) => number, value: number): number {
  if (value === 0) return -Infinity
  let [low, high] = [-1000, 1e300]
  if (!(rising(high) > value)) return Infinity
  for (;;) {
    // Great ones by their size
    const middle = high > 1000 ? Math.sqrt(Math.max(low, 1)) * Math.sqrt(high) : low / 2 + high / 2
    if (middle <= low || middle >= high) return low
    if (rising(middle) > value) high = middle
    else low = middle
  }
}
