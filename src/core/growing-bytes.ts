import { copyBytes } from './copy-bytes.ts';
import { freeBuffer } from './free-buffer.ts';

/** A buffer that bytes are appended to; `bytes` changes identity when it grows. */
export class GrowingBytes {
  bytes: Buffer;
  length = 0;

  constructor(capacity = 4096) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  append(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size);
    if (size > 32) copyBytes(source, start, end, this.bytes, this.length);
    else for (let i = 0; i < size; i++) this.bytes[this.length + i] = source[start + i]!;
    this.length += size;
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const replaced = this.bytes;
    this.bytes = Buffer.allocUnsafeSlow(Math.max(needed, replaced.length * 2));
    replaced.copy(this.bytes, 0, 0, this.length);
    freeBuffer(replaced);
  }
}
