import { crc32 } from 'node:zlib';
import { UnnamedFile } from '../../src/core/unnamed-file.ts';
import { CHECKSUM_BYTES } from './protocol/format-description.ts';
import type { EventSpill } from './protocol/packet-framer.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { SPILL_ADVICE } from './spill-advice.ts';

/** An event as it arrives, kept in a file until all of it is there and its checksum is that of its bytes. */
export class PayloadSpill implements EventSpill {
  readonly #file = new UnnamedFile(SPILL_ADVICE);
  readonly #contentBytes: number;
  readonly #checksum = Buffer.alloc(CHECKSUM_BYTES);
  readonly #checksumBytes: number;
  readonly #onWhole: (file: UnnamedFile) => boolean;
  #crc = 0;
  #arrived = 0;

  /**
   * @param size of the event with its checksum, if it has one
   * @param onWhole gets the event without its checksum, and the file with it; what it returns is what `end` returns
   */
  constructor(size: number, hasChecksum: boolean, onWhole: (file: UnnamedFile) => boolean) {
    this.#checksumBytes = hasChecksum ? CHECKSUM_BYTES : 0;
    this.#contentBytes = size - this.#checksumBytes;
    this.#onWhole = onWhole;
  }

  append(bytes: Buffer, start: number, end: number): void {
    const contentEnd = Math.min(end, start + Math.max(0, this.#contentBytes - this.#arrived));
    if (contentEnd > start) {
      this.#file.append(bytes, start, contentEnd);
      if (this.#checksumBytes > 0) this.#crc = crc32(bytes.subarray(start, contentEnd), this.#crc);
    }
    if (end > contentEnd) {
      const at = this.#arrived + (contentEnd - start) - this.#contentBytes;
      if (at + end - contentEnd > this.#checksumBytes)
        throw new ProtocolError('an event is longer than its header says');
      bytes.copy(this.#checksum, at, contentEnd, end);
    }
    this.#arrived += end - start;
  }

  end(): boolean {
    if (this.#arrived !== this.#contentBytes + this.#checksumBytes) {
      throw new ProtocolError('an event is not as long as its header says');
    }
    if (this.#checksumBytes > 0 && this.#crc !== this.#checksum.readUInt32LE(0)) {
      throw new ProtocolError('the checksum of an event is not that of its bytes');
    }
    return this.#onWhole(this.#file);
  }

  discard(): void {
    this.#file.close();
  }
}
