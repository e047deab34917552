/**
 * Sets of whole numbers as sorted pairs of a first and a last number, flat in one array: 1–5 and 7 are `[1, 5, 7, 7]`.
 * Pairs neither overlap nor touch. None of the functions changes its arguments.
 */
export type Intervals = readonly number[];

/** Appends a pair that begins not before the last one of `to`, merging the two where they touch. */
function append(to: number[], first: number, last: number): void {
  const end = to.length - 1;
  if (end > 0 && first <= (to[end] as number) + 1) {
    if (last > (to[end] as number)) to[end] = last;
    return;
  }
  to.push(first, last);
}

export function unionOf(a: Intervals, b: Intervals): Intervals {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const union: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (j >= b.length || (i < a.length && (a[i] as number) <= (b[j] as number))) {
      append(union, a[i] as number, a[i + 1] as number);
      i += 2;
    } else {
      append(union, b[j] as number, b[j + 1] as number);
      j += 2;
    }
  }
  return union;
}

export function differenceOf(a: Intervals, b: Intervals): Intervals {
  const difference: number[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let first = a[i] as number;
    const last = a[i + 1] as number;
    while (j < b.length && (b[j + 1] as number) < first) j += 2;
    for (let k = j; k < b.length && (b[k] as number) <= last; k += 2) {
      if ((b[k] as number) > first) difference.push(first, (b[k] as number) - 1);
      first = (b[k + 1] as number) + 1;
    }
    if (first <= last) difference.push(first, last);
  }
  return difference;
}

export function areDisjoint(a: Intervals, b: Intervals): boolean {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if ((a[i + 1] as number) < (b[j] as number)) i += 2;
    else if ((b[j + 1] as number) < (a[i] as number)) j += 2;
    else return false;
  }
  return true;
}

/** Brings pairs in any order, overlapping or not, into the form of this module. */
export function normalized(pairs: readonly number[]): Intervals {
  const sorted: [number, number][] = [];
  for (let i = 0; i < pairs.length; i += 2) sorted.push([pairs[i] as number, pairs[i + 1] as number]);
  sorted.sort((a, b) => a[0] - b[0]);
  const intervals: number[] = [];
  for (const [first, last] of sorted) append(intervals, first, last);
  return intervals;
}

export function intervalsText(intervals: Intervals): string {
  let text = '';
  for (let i = 0; i < intervals.length; i += 2) {
    const first = intervals[i] as number;
    const last = intervals[i + 1] as number;
    text += i === 0 ? '' : ':';
    text += first === last ? String(first) : `${first}-${last}`;
  }
  return text;
}
