import { freeBuffer } from '../free-buffer.ts';
import { allocateBuffer } from '../large-buffer.ts';

/** More than this is not kept for the next value. */
const RETAINED_BYTES = 1024 * 1024;

/**
 * Reused memory for a value that has to be taken apart before it is written. It is valid until the next `begin` of the
 * same scratch; a writer copies what it is given, so nothing outlives the call.
 */
export class Scratch {
  bytes: Uint8Array = new Uint8Array(256);
  length = 0;

  begin(capacity: number): Uint8Array {
    if (this.bytes.length < capacity) this.bytes = allocate(capacity);
    this.length = 0;
    return this.bytes;
  }

  /** The value is written. Gives back what a large one took; nobody may have kept `bytes`. */
  end(): void {
    if (this.bytes.length <= RETAINED_BYTES) return;
    freeBuffer(this.bytes);
    this.bytes = new Uint8Array(256);
  }
}

function allocate(bytes: number): Uint8Array {
  return bytes > RETAINED_BYTES ? new Uint8Array(allocateBuffer(bytes).buffer) : new Uint8Array(bytes * 2);
}

const encoder = new TextEncoder();

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text);
}
