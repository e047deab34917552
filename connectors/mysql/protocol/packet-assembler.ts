import { ProtocolError } from './protocol-error.ts';

const HEADER_BYTES = 4;
/** A packet of this length is continued by the next. */
const LARGEST_PACKET = 0xff_ffff;
const SMALL_BYTES = 64 * 1024;
/** max_allowed_packet has no larger value. */
const LARGEST_MESSAGE = 1024 * 1024 * 1024;

/**
 * The content of one packet, or of several that continue each other, in `bytes[start, end)`. The bytes are valid only during
 * the call, unless `isOwn` says that nobody else uses them.
 */
export type OnPacket = (bytes: Buffer, start: number, end: number, isOwn: boolean) => void;

/**
 * Takes what a server answers apart into its packets.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */
export class PacketAssembler {
  readonly #onPacket: OnPacket;
  readonly #allocate: (bytes: number) => Buffer;
  /** Header of a packet of which only a part arrived. */
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerLength = 0;
  /** Bytes of the packet that are still to come; -1 while its header is. */
  #missing = -1;
  #isContinued = false;
  /** A message of which only a part arrived, in the first `length` bytes. */
  #message: Buffer = Buffer.allocUnsafeSlow(SMALL_BYTES);
  readonly #small = this.#message;
  #length = 0;

  constructor(onPacket: OnPacket, allocate: (bytes: number) => Buffer) {
    this.#onPacket = onPacket;
    this.#allocate = allocate;
  }

  /** @throws ProtocolError, and what `onPacket` throws. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#missing < 0) {
        at = this.#readHeader(chunk, at);
        continue;
      }
      const available = chunk.length - at;
      // The common case: the whole message lies in the chunk.
      if (this.#length === 0 && !this.#isContinued && available >= this.#missing) {
        const end = at + this.#missing;
        this.#missing = -1;
        this.#onPacket(chunk, at, end, false);
        at = end;
        continue;
      }
      const taken = Math.min(available, this.#missing);
      this.#append(chunk, at, at + taken);
      at += taken;
    }
  }

  #readHeader(chunk: Buffer, start: number): number {
    let at = start;
    while (this.#headerLength < HEADER_BYTES && at < chunk.length) {
      this.#header[this.#headerLength] = chunk[at] as number;
      this.#headerLength += 1;
      at += 1;
    }
    if (this.#headerLength < HEADER_BYTES) return at;
    this.#headerLength = 0;
    this.#missing = this.#header.readUIntLE(0, 3);
    this.#isContinued = this.#missing === LARGEST_PACKET;
    if (this.#missing === 0) this.#endOfPacket();
    return at;
  }

  #append(chunk: Buffer, start: number, end: number): void {
    const announced = this.#length + this.#missing;
    if (announced > this.#message.length) this.#grow(announced);
    chunk.copy(this.#message, this.#length, start, end);
    this.#length += end - start;
    this.#missing -= end - start;
    if (this.#missing === 0) this.#endOfPacket();
  }

  /** A message of several packets does not say how long it will be. */
  #grow(needed: number): void {
    if (needed > LARGEST_MESSAGE) throw new ProtocolError('a message is longer than the server sends any');
    const larger = this.#allocate(this.#isContinued ? needed * 2 : needed);
    this.#message.copy(larger, 0, 0, this.#length);
    this.#message = larger;
  }

  #endOfPacket(): void {
    this.#missing = -1;
    if (this.#isContinued) return;
    const message = this.#message;
    const length = this.#length;
    this.#message = this.#small;
    this.#length = 0;
    this.#onPacket(message, 0, length, message !== this.#small);
  }
}
