import { Buffer } from 'node:buffer';

// The global `Buffer` is a getter, which compiled code calls each time; a constant is free.
const { copy } = Buffer.prototype;

/** Copies `source[start, end)` to `target[at…]`, which has room for it. For less than some 32 bytes a loop is faster. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
  copy.call(source, target, at, start, end);
}
