/** More than any answer to what we ask: a length beyond it means that the peer does not speak Kafka. */
const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;

/** Cuts a byte stream into the size-prefixed frames of Kafka's answers. A frame is valid until the callback returns. */
export class ResponseFramer {
  readonly #onFrame: (frame: Buffer) => void;
  /** Start of a frame whose end has not arrived. */
  #partial: Buffer[] = [];
  #partialBytes = 0;

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws RangeError for an impossible frame length. */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#partialBytes > 0) {
      this.#partial.push(chunk);
      this.#partialBytes += chunk.length;
      if (this.#partialBytes < this.#wanted()) return;
      bytes = Buffer.concat(this.#partial, this.#partialBytes);
      this.#partial = [];
      this.#partialBytes = 0;
    }
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + frameSize(bytes, at);
      if (end > bytes.length) break;
      this.#onFrame(bytes.subarray(at + 4, end));
      at = end;
    }
    if (at === bytes.length) return;
    this.#partial = [bytes.subarray(at)];
    this.#partialBytes = bytes.length - at;
  }

  /** Bytes needed before the partial frame is whole; joins short first chunks so that its length can be read. */
  #wanted(): number {
    if (this.#partialBytes < 4) return 4;
    let first = this.#partial[0]!;
    if (first.length < 4) {
      first = Buffer.concat(this.#partial, this.#partialBytes);
      this.#partial = [first];
    }
    return 4 + frameSize(first, 0);
  }
}

function frameSize(bytes: Buffer, at: number): number {
  const size = bytes.readInt32BE(at);
  if (size < 4 || size > MAX_RESPONSE_BYTES) throw new RangeError(`impossible frame of ${size} bytes`);
  return size;
}
