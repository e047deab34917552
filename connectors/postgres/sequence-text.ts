import { Buffer } from 'node:buffer';
import { type Lsn, writeLsnDecimal } from './protocol/lsn.ts';
import type { TransactionContext } from './transaction-context.ts';

const ZERO = 0x30;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const QUOTE = 0x22;
const COMMA = 0x2c;
const NO_COMMIT = Buffer.from('[null,"', 'latin1');
const TAIL_DIGITS = 6;
const TAIL = 10 ** TAIL_DIGITS;
/** From here on a number no longer holds the LSN. */
const UNSAFE_HIGH = 0x20_0000;

/**
 * Text of the field `sequence`: `["…","…"]` with the LSN of the last commit and that of the row. The rows of a transaction
 * differ in the last digits, so only these are written again.
 */
export class SequenceText {
  /** Two numbers of at most 20 digits. */
  readonly bytes = Buffer.alloc(64);
  #transaction: TransactionContext | null = null;
  #prefixEnd = 0;
  #upper = 0;
  #digitsEnd = 0;

  /** Writes it from the start of `bytes` on. @returns where it ends. */
  write(transaction: TransactionContext, high: number, low: number): number {
    const lsn = high * 0x1_0000_0000 + low;
    const upper = Math.floor(lsn / TAIL);
    if (transaction === this.#transaction && upper === this.#upper && upper > 0 && high < UNSAFE_HIGH) {
      this.#writeTail((lsn - upper * TAIL) | 0);
    } else {
      this.#writeAll(transaction, high, low);
      this.#upper = upper;
    }
    return this.#digitsEnd + 2;
  }

  #writeTail(tail: number): void {
    const { bytes } = this;
    let rest = tail;
    for (let at = this.#digitsEnd - 1, first = this.#digitsEnd - TAIL_DIGITS; at >= first; at--) {
      const shorter = (rest / 10) | 0;
      bytes[at] = ZERO + rest - shorter * 10;
      rest = shorter;
    }
  }

  #writeAll(transaction: TransactionContext, high: number, low: number): void {
    const { bytes } = this;
    if (transaction !== this.#transaction) {
      this.#transaction = transaction;
      this.#prefixEnd = writePrefix(transaction.lastCommit, bytes);
    }
    const end = writeLsnDecimal(high, low, bytes, this.#prefixEnd);
    bytes[end] = QUOTE;
    bytes[end + 1] = CLOSE;
    this.#digitsEnd = end;
  }
}

/** Writes what stands before the row's own LSN. @returns where it ends. */
function writePrefix(lastCommit: Lsn | null, bytes: Uint8Array): number {
  if (lastCommit === null) {
    bytes.set(NO_COMMIT);
    return NO_COMMIT.length;
  }
  bytes[0] = OPEN;
  bytes[1] = QUOTE;
  const end = writeLsnDecimal(lastCommit.high, lastCommit.low, bytes, 2);
  bytes[end] = QUOTE;
  bytes[end + 1] = COMMA;
  bytes[end + 2] = QUOTE;
  return end + 3;
}
