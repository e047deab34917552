import { COPY_DATA, HEADER_BYTES, MessageFramer } from './message-framer.ts';

/** Where the messages of the server go. Ranges are valid until the call returns, unless `isOwn`. */
export interface CopyRowReceiver {
  /**
   * `bytes[start, end)` is one row of `COPY … TO STDOUT`: the server sends each row as a message of its own.
   * @param isOwn `bytes` holds this message alone and is used by nobody else: it may be kept instead of copied.
   */
  row(bytes: Buffer, start: number, end: number, isOwn: boolean): void;
  /** A whole message that is no row, as it came. */
  other(message: Buffer): void;
}

/** What a backend sends that copies rows out: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY */
export class CopyRowFramer extends MessageFramer {
  readonly #receiver: CopyRowReceiver;

  constructor(receiver: CopyRowReceiver, allocate: (bytes: number) => Buffer = Buffer.allocUnsafeSlow) {
    super(allocate);
    this.#receiver = receiver;
  }

  protected override deliver(bytes: Buffer, at: number, end: number, isOwn: boolean): void {
    if (bytes[at] === COPY_DATA) this.#receiver.row(bytes, at + HEADER_BYTES, end, isOwn);
    else this.#receiver.other(bytes.subarray(at, end));
  }
}
