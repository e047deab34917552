import { COPY_DATA, HEADER_BYTES, MessageFramer, uint32 } from './message-framer.ts';
import { ProtocolError } from './protocol-error.ts';

/** Where the messages of the server go. Ranges are valid until the call returns, unless `isOwn`. */
export interface CopyStreamReceiver {
  /**
   * XLogData: `bytes[start, end)` is the payload, which begins at the LSN in the log.
   * @param isOwn `bytes` holds this message alone and is used by nobody else: it may be kept instead of copied.
   */
  walData(bytes: Buffer, start: number, end: number, lsnHigh: number, lsnLow: number, isOwn: boolean): void;
  /** Primary keepalive: the end of the log on the server. */
  keepalive(lsnHigh: number, lsnLow: number, wantsReply: boolean): void;
  /** A whole message that is not part of the copy stream, as it came. */
  other(message: Buffer): void;
}

const WAL_DATA = 0x77;
const KEEPALIVE = 0x6b;
/** 'w', start LSN, end LSN, send time; then the payload. */
const WAL_DATA_HEADER_BYTES = 25;
/** 'k', end LSN, send time, reply requested. */
const KEEPALIVE_BYTES = 18;

/** What a walsender sends: https://www.postgresql.org/docs/current/protocol-replication.html */
export class CopyStreamFramer extends MessageFramer {
  readonly #receiver: CopyStreamReceiver;

  constructor(receiver: CopyStreamReceiver, allocate: (bytes: number) => Buffer = Buffer.allocUnsafeSlow) {
    super(allocate);
    this.#receiver = receiver;
  }

  protected override deliver(bytes: Buffer, at: number, end: number, isOwn: boolean): void {
    if (bytes[at] !== COPY_DATA) {
      this.#receiver.other(bytes.subarray(at, end));
      return;
    }
    const start = at + HEADER_BYTES;
    const kind = bytes[start];
    if (kind === WAL_DATA && end - start >= WAL_DATA_HEADER_BYTES) {
      const payload = start + WAL_DATA_HEADER_BYTES;
      this.#receiver.walData(bytes, payload, end, uint32(bytes, start + 1), uint32(bytes, start + 5), isOwn);
    } else if (kind === KEEPALIVE && end - start >= KEEPALIVE_BYTES) {
      this.#receiver.keepalive(uint32(bytes, start + 1), uint32(bytes, start + 5), bytes[start + 17] !== 0);
    } else {
      throw new ProtocolError('the copy stream holds neither log data nor a keepalive');
    }
  }
}
