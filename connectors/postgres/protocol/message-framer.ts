import { ProtocolError } from './protocol-error.ts';

/** Type byte and length, which counts itself. */
export const HEADER_BYTES = 5;
export const COPY_DATA = 0x64;
/** A larger error or notice is not believed: the stream is not where we think it is. */
const MAX_OTHER_BYTES = 1024 * 1024;
/** MaxAllocSize: Postgres has no larger message. */
const MAX_COPY_DATA_BYTES = 0x3fffffff + HEADER_BYTES;

/**
 * Cuts what a server sends into messages, without copying those that lie whole in one read. A message that spans reads is
 * put together in one buffer of its own. Must be fed from a message boundary on.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export abstract class MessageFramer {
  readonly #allocate: (bytes: number) => Buffer;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerLength = 0;
  /** The message whose end has not arrived, with its header. */
  #partial: Buffer | null = null;
  #partialLength = 0;
  #partialBytes = 0;

  /** `allocate` makes the buffers of messages that span reads: memory of their own, of at least that size. */
  constructor(allocate: (bytes: number) => Buffer) {
    this.#allocate = allocate;
  }

  /**
   * Takes the message `bytes[at, end)`, header included, which is valid until the call returns.
   * @param isOwn `bytes` holds this message alone and is used by nobody else: it may be kept instead of copied.
   */
  protected abstract deliver(bytes: Buffer, at: number, end: number, isOwn: boolean): void;

  /** @throws ProtocolError for what no server sends, and whatever `deliver` throws. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#partial !== null || this.#headerLength > 0 || chunk.length - at < HEADER_BYTES) {
        at = this.#continue(chunk, at);
        continue;
      }
      const end = at + messageBytes(chunk, at);
      if (end > chunk.length) at = this.#continue(chunk, at);
      else {
        this.deliver(chunk, at, end, false);
        at = end;
      }
    }
  }

  /** Takes what the unfinished message still lacks, and delivers it when it is whole. @returns the first byte after. */
  #continue(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#partial === null) {
      const taken = chunk.copy(this.#header, this.#headerLength, at, at + HEADER_BYTES - this.#headerLength);
      this.#headerLength += taken;
      at += taken;
      if (this.#headerLength < HEADER_BYTES) return at;
      this.#headerLength = 0;
      this.#partialBytes = messageBytes(this.#header, 0);
      this.#partial = this.#allocate(this.#partialBytes);
      this.#partialLength = this.#header.copy(this.#partial);
    }
    const message = this.#partial;
    const taken = chunk.copy(message, this.#partialLength, at, at + this.#partialBytes - this.#partialLength);
    this.#partialLength += taken;
    if (this.#partialLength === this.#partialBytes) {
      this.#partial = null;
      this.deliver(message, 0, this.#partialBytes, true);
    }
    return at + taken;
  }
}

/** Of the message at `at`, header included. */
function messageBytes(bytes: Buffer, at: number): number {
  const code = bytes[at]!;
  const size = 1 + uint32(bytes, at + 1);
  const limit = code === COPY_DATA ? MAX_COPY_DATA_BYTES : MAX_OTHER_BYTES;
  if (size < HEADER_BYTES || size > limit) {
    throw new ProtocolError(`the server sends a message 0x${code.toString(16)} of impossible length`);
  }
  return size;
}

export function uint32(bytes: Buffer, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
