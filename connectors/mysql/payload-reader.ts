import { once } from 'node:events';
import { createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { ARENA_BYTES } from '../../src/core/message-arena.ts';
import type { MessageInbox } from '../../src/core/message-inbox.ts';
import type { UnnamedFile } from '../../src/core/unnamed-file.ts';
import { INNER_EVENT, LAST_INNER_EVENT } from './log-place.ts';
import { eventNextPosition, eventSize, HEADER_BYTES } from './protocol/binlog-event.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { MOST_FIELDS_BYTES, parseTransactionPayload } from './protocol/transaction-payload.ts';

/** What is decompressed at once, in the callback of the socket. */
const SMALL_BYTES = ARENA_BYTES;
/** Compressed bytes that are given to the decompressor at a time. */
const SLICE_BYTES = 64 * 1024;

/** Compressed bytes, wherever they are. */
interface PayloadContent {
  readonly length: number;
  /** At most `SLICE_BYTES` from `at` on. */
  slice(at: number): Buffer;
}

/**
 * Puts the events of compressed transactions into the inbox as if they had come one by one. A large transaction is
 * decompressed piece by piece, and only as fast as the inbox is emptied.
 */
export class PayloadReader {
  readonly #inbox: MessageInbox;
  readonly #onMore: () => void;
  #reading = false;
  #closed = false;
  #waiting: PromiseWithResolvers<void> | null = null;

  /** `onMore` is called when something was added to the inbox outside of a read of the socket. */
  constructor(inbox: MessageInbox, onMore: () => void) {
    this.#inbox = inbox;
    this.#onMore = onMore;
  }

  get isReading(): boolean {
    return this.#reading;
  }

  /**
   * Takes the payload event in `bytes[start, end)`.
   * @returns null where it is done; else what resolves once all its events are in the inbox.
   */
  read(bytes: Buffer, start: number, end: number, isOwn: boolean): Promise<void> | null {
    const payload = parseTransactionPayload(bytes, start, end);
    const outerNext = eventNextPosition(bytes, start);
    const { payloadStart, payloadEnd, uncompressedBytes } = payload;
    const content = bytes.subarray(payloadStart, payloadEnd);
    const splitter = new EventSplitter(this.#inbox, outerNext);
    if (payload.compression === 'none') {
      splitter.push(content);
      splitter.end();
      return null;
    }
    if (uncompressedBytes <= SMALL_BYTES) {
      splitter.push(decompress(content, uncompressedBytes));
      splitter.end();
      return null;
    }
    const kept = isOwn ? content : Buffer.from(content);
    return this.#whileReading(
      this.#decompress({ length: kept.length, slice: (at) => kept.subarray(at, at + SLICE_BYTES) }, splitter),
    );
  }

  /** Takes the payload event that `file` holds, without its checksum. Resolves once all its events are in the inbox. */
  readFile(file: UnnamedFile): Promise<void> {
    return this.#whileReading(this.#readFile(file).finally(() => file.close()));
  }

  async #readFile(file: UnnamedFile): Promise<void> {
    const head = Buffer.alloc(Math.min(MOST_FIELDS_BYTES, file.length));
    file.read(head, 0, head.length, 0);
    const { compression, payloadStart, payloadEnd } = parseTransactionPayload(head, 0, head.length, file.length);
    const splitter = new EventSplitter(this.#inbox, eventNextPosition(head, 0));
    const content: PayloadContent = {
      length: payloadEnd - payloadStart,
      slice(at) {
        const piece = Buffer.allocUnsafeSlow(Math.min(SLICE_BYTES, this.length - at));
        file.read(piece, 0, piece.length, payloadStart + at);
        return piece;
      },
    };
    if (compression === 'zstd') await this.#decompress(content, splitter);
    else await this.#copy(content, splitter);
  }

  #whileReading(reading: Promise<void>): Promise<void> {
    this.#reading = true;
    return reading.finally(() => {
      this.#reading = false;
    });
  }

  /** The inbox has room again. */
  wake(): void {
    this.#waiting?.resolve();
    this.#waiting = null;
  }

  close(): void {
    this.#closed = true;
    this.wake();
  }

  async #copy(content: PayloadContent, splitter: EventSplitter): Promise<void> {
    for (let at = 0; at < content.length && !this.#closed; at += SLICE_BYTES) {
      splitter.push(content.slice(at));
      await this.#pace();
    }
    if (!this.#closed) splitter.end();
  }

  async #decompress(content: PayloadContent, splitter: EventSplitter): Promise<void> {
    const decompressor = createZstdDecompress();
    decompressor.on('data', (piece: Buffer) => splitter.push(piece));
    const ended = once(decompressor, 'end');
    // A failure is met where it is awaited; before that it must not count as unheard.
    ended.catch(() => undefined);
    try {
      for (let at = 0; at < content.length && !this.#closed; at += SLICE_BYTES) {
        await written(decompressor, content.slice(at));
        await this.#pace();
      }
      decompressor.end();
      await ended;
    } catch (error) {
      throw new ProtocolError(`a compressed transaction cannot be decompressed (${codeOf(error)})`);
    } finally {
      decompressor.destroy();
    }
    if (!this.#closed) splitter.end();
  }

  async #pace(): Promise<void> {
    this.#onMore();
    if (!this.#inbox.isPaused || this.#closed) return;
    this.#waiting ??= Promise.withResolvers<void>();
    await this.#waiting.promise;
  }
}

/** Cuts what comes out of the decompressor into events. The last is held back until it is known to be the last. */
class EventSplitter {
  readonly #inbox: MessageInbox;
  readonly #outerNext: number;
  /** An event of which only a part arrived, or that may be the last. */
  #held: Buffer = Buffer.alloc(0);

  constructor(inbox: MessageInbox, outerNext: number) {
    this.#inbox = inbox;
    this.#outerNext = outerNext;
  }

  push(piece: Buffer): void {
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    let at = 0;
    for (;;) {
      const end = endOfEvent(bytes, at);
      // At the end of the bytes it may be the last.
      if (end === null || end >= bytes.length) break;
      this.#inbox.addMessage(bytes, at, end, INNER_EVENT, this.#outerNext);
      at = end;
    }
    this.#held = at === 0 ? bytes : Buffer.from(bytes.subarray(at));
  }

  end(): void {
    const bytes = this.#held;
    if (endOfEvent(bytes, 0) !== bytes.length)
      throw new ProtocolError('a compressed transaction ends inside of an event');
    this.#inbox.addMessage(bytes, 0, bytes.length, LAST_INNER_EVENT, this.#outerNext);
  }
}

/** Null where the header is not whole. */
function endOfEvent(bytes: Buffer, at: number): number | null {
  if (bytes.length - at < HEADER_BYTES) return null;
  const size = eventSize(bytes, at);
  if (size < HEADER_BYTES) throw new ProtocolError('an event of a compressed transaction is shorter than its header');
  return at + size;
}

function decompress(content: Buffer, uncompressedBytes: number): Buffer {
  try {
    const bytes = zstdDecompressSync(content, { maxOutputLength: SMALL_BYTES });
    if (bytes.length === uncompressedBytes) return bytes;
  } catch (error) {
    throw new ProtocolError(`a compressed transaction cannot be decompressed (${codeOf(error)})`);
  }
  throw new ProtocolError('a compressed transaction has not the size that it says');
}

function written(stream: ReturnType<typeof createZstdDecompress>, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'unknown error';
}
