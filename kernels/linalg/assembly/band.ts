/** @file Upper band to upper bidiagonal form by chasing bulges; values only, the reflectors are not kept. */
import { reflector } from "./panels";
import { axpy, dot } from "./vector";

// Element (i, j) of an n × n matrix with b diagonals over the main one, with room for b below it and
// 2 b over it, is at a + 8 (3 b i + j + b). d [n] and e [n − 1] become its bidiagonal form.
// work: 4 b. For each row s, a reflector from the right empties it beyond its first element over the
// diagonal; that fills a b × b block under the diagonal, whose first column a reflector from the left
// empties; that fills the next b columns of the block's rows, of which the first is emptied from the
// right, and so on to the end of the band. What else was filled waits for later rows.
export function bandToBidiagonal(
  n: usize,
  b: usize,
  a: usize,
  d: usize,
  e: usize,
  work: usize,
): void {
  const base = a + (b << 3);
  const row = (3 * b) << 3;
  const v = work;
  const y = work + (b << 3);
  const tauAt = y + ((2 * b) << 3);
  store<f64>(d, load<f64>(base));
  for (let s: usize = 0; s + 1 < n; s++) {
    let r = s;
    let first = s + 1;
    for (;;) {
      const last = min(n, first + b);
      const count = last - first;
      if (count > 1) {
        // From the right: columns [first, last) of the rows from r on.
        const head = base + r * row + (first << 3);
        memory.copy(v, head, count << 3);
        const beta = reflector(count, v, tauAt);
        const tau = load<f64>(tauAt);
        memory.fill(head, 0, count << 3);
        store<f64>(head, beta);
        if (tau != 0)
          for (let i = r + 1; i < last; i++) {
            const segment = base + i * row + (first << 3);
            axpy(count, -tau * dot(count, segment, v), v, segment);
          }
        // From the left: rows [first, last) of the columns from `first` on.
        const corner = base + first * row + (first << 3);
        for (let i: usize = 0; i < count; i++) {
          store<f64>(v + (i << 3), load<f64>(corner + i * row));
          store<f64>(corner + i * row, 0);
        }
        store<f64>(corner, reflector(count, v, tauAt));
        const factor = load<f64>(tauAt);
        const columns = min(n, last + b) - first - 1;
        if (factor != 0 && columns > 0) {
          memory.fill(y, 0, columns << 3);
          for (let i: usize = 0; i < count; i++)
            axpy(columns, factor * load<f64>(v + (i << 3)), corner + 8 + i * row, y);
          for (let i: usize = 0; i < count; i++)
            axpy(columns, -load<f64>(v + (i << 3)), y, corner + 8 + i * row);
        }
      }
      if (last == n) break;
      r = first;
      first = last;
    }
    store<f64>(e + (s << 3), load<f64>(base + s * row + ((s + 1) << 3)));
    store<f64>(d + ((s + 1) << 3), load<f64>(base + (s + 1) * row + ((s + 1) << 3)));
  }
}
