import { ProtocolError } from './protocol-error.ts';

const HEADER_BYTES = 4;
/** A packet of this length is continued by the next. */
const LARGEST_PACKET = 0xff_ffff;
/** What is larger gets a buffer of its own. */
const LARGE_BYTES = 256 * 1024;
/** Status byte of the packet, then the first bytes of the event's header, up to the size of the event. */
const SIZE_AT = 1 + 9;

export interface PacketHandler {
  /**
   * The event in `bytes[start, end)`, with its checksum. The bytes are valid only during the call, unless `isOwn` says that
   * nobody else uses them. @returns false to hear nothing more until `resume`.
   */
  event(bytes: Buffer, start: number, end: number, isOwn: boolean): boolean;
  /**
   * Asked when a large event begins. @param head the first bytes of its header, @param size its bytes with the checksum.
   * @returns where it goes instead of into memory, or null.
   */
  spill(head: Buffer, size: number): EventSpill | null;
  error(number: number, message: string): void;
  /** The server ends the dump. */
  endOfFile(): void;
}

/** Takes an event piece by piece. */
export interface EventSpill {
  append(bytes: Buffer, start: number, end: number): void;
  /** Everything was appended. @returns as `event` does. */
  end(): boolean;
  /** It will never be whole. */
  discard(): void;
}

/**
 * Takes a dump apart into its events. Each comes in a packet with a status byte in front; the largest in several packets.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */
export class PacketFramer {
  readonly #handler: PacketHandler;
  readonly #allocate: (bytes: number) => Buffer;
  /** Header of a packet of which only a part arrived. */
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerLength = 0;
  /** Bytes of the packet that are still to come; -1 while its header is. */
  #missing = -1;
  #isContinued = false;
  /** A message of which only a part arrived, in the first `length` bytes. */
  #message: Buffer = Buffer.allocUnsafe(LARGE_BYTES);
  readonly #small = this.#message;
  #length = 0;
  /** Where the message goes that is not collected. */
  #spill: EventSpill | null = null;
  #isPaused = false;
  #held: Buffer[] = [];

  constructor(handler: PacketHandler, allocate: (bytes: number) => Buffer) {
    this.#handler = handler;
    this.#allocate = allocate;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** @throws ProtocolError, and what the handler throws. @returns whether `chunk` is of no more use. */
  push(chunk: Buffer): boolean {
    if (this.#isPaused) {
      this.#held.push(chunk);
      return false;
    }
    return this.#read(chunk);
  }

  /** Goes on with what arrived since the handler asked for silence. */
  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused) {
      const chunk = this.#held.shift();
      if (chunk === undefined) return;
      this.#read(chunk);
    }
  }

  #read(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#isPaused) {
        this.#held.unshift(chunk.subarray(at));
        return false;
      }
      if (this.#missing < 0) {
        at = this.#readHeader(chunk, at);
        continue;
      }
      const available = chunk.length - at;
      // The common case: the whole message lies in the chunk.
      if (this.#length === 0 && !this.#isContinued && available >= this.#missing) {
        const end = at + this.#missing;
        this.#missing = -1;
        this.#tell(chunk, at, end, false);
        at = end;
        continue;
      }
      const taken = Math.min(available, this.#missing);
      this.#append(chunk, at, at + taken);
      this.#missing -= taken;
      at += taken;
      if (this.#missing === 0) this.#endOfPacket();
    }
    return true;
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
    const length = this.#header.readUIntLE(0, 3);
    this.#isContinued = length === LARGEST_PACKET;
    this.#missing = length;
    if (length === 0) this.#endOfPacket();
    return at;
  }

  #append(chunk: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (this.#spill === null && length > this.#message.length) this.#grow(length, chunk, start);
    if (this.#spill === null) chunk.copy(this.#message, this.#length, start, end);
    else this.#spill.append(chunk, this.#length === 0 ? start + 1 : start, end);
    this.#length = length;
  }

  /** Nothing more will be pushed. */
  close(): void {
    this.#spill?.discard();
    this.#spill = null;
  }

  /** The event says how large it is going to be. */
  #grow(needed: number, chunk: Buffer, start: number): void {
    const head = Buffer.alloc(SIZE_AT + 4);
    const known = this.#message.copy(head, 0, 0, Math.min(this.#length, head.length));
    if (known < head.length) chunk.copy(head, known, start, start + head.length - known);
    const announced = head.readUInt32LE(SIZE_AT) + 1;
    if (announced < needed) throw new ProtocolError('an event is longer than its header says');
    const spill = head[0] === 0 ? this.#handler.spill(head.subarray(1), announced - 1) : null;
    if (spill !== null) {
      if (this.#length > 0) spill.append(this.#message, 1, this.#length);
      this.#spill = spill;
      return;
    }
    const larger = this.#allocate(announced);
    this.#message.copy(larger, 0, 0, this.#length);
    this.#message = larger;
  }

  #endOfPacket(): void {
    this.#missing = -1;
    if (this.#isContinued) return;
    const spill = this.#spill;
    if (spill !== null) {
      this.#isPaused = !spill.end();
      this.#spill = null;
      this.#length = 0;
      return;
    }
    const message = this.#message;
    const length = this.#length;
    this.#message = this.#small;
    this.#length = 0;
    this.#tell(message, 0, length, message !== this.#small);
  }

  #tell(bytes: Buffer, start: number, end: number, isOwn: boolean): void {
    if (start === end) throw new ProtocolError('a packet is empty');
    const status = bytes[start] as number;
    if (status === 0) {
      this.#isPaused = !this.#handler.event(bytes, start + 1, end, isOwn);
    } else if (status === 0xff) {
      if (end - start < 3) throw new ProtocolError('an error packet ends before its number');
      const number = bytes.readUInt16LE(start + 1);
      // `#` and five characters of SQLSTATE stand in front of the text.
      const textStart = bytes[start + 3] === 0x23 ? start + 9 : start + 3;
      this.#handler.error(number, bytes.toString('utf8', Math.min(textStart, end), end));
    } else if (status === 0xfe && end - start <= 9) this.#handler.endOfFile();
    else throw new ProtocolError(`a packet of the dump has the status 0x${status.toString(16)}`);
  }
}
