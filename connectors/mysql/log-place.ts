import type { MySqlPosition } from './positions.ts';
import { ARTIFICIAL_FLAG, EventType, eventFlags, eventNextPosition, eventSize } from './protocol/binlog-event.ts';

const WRAP = 0x1_0000_0000;

/** An entry of the arena that came out of a compressed transaction; 2 for its last. */
export const INNER_EVENT = 1;
export const LAST_INNER_EVENT = 2;

/**
 * Where in the binlog the reader is. Positions in event headers have 32 bits and some servers leave them out inside of a
 * transaction (MariaDB without binlog_legacy_event_pos), so sizes are added up beside them.
 */
export class LogPlace {
  file: string;
  position: number;
  readonly epoch: number;

  constructor(from: MySqlPosition) {
    this.file = from.file;
    this.position = from.pos;
    this.epoch = from.epoch;
  }

  rotate(file: string, position: number): void {
    this.file = file;
    this.position = position;
  }

  /**
   * Moves past an event. `inner` and `outerNext` are the two numbers of its arena entry.
   * @returns the position at which the event starts; inside of a compressed transaction where that starts.
   */
  pass(bytes: Buffer, start: number, type: number, inner: number, outerNext: number): number {
    if (inner !== 0) {
      const from = this.position;
      if (inner === LAST_INNER_EVENT) this.position = this.#unwrapped(outerNext);
      return from;
    }
    const next = eventNextPosition(bytes, start);
    const size = eventSize(bytes, start);
    if (next === 0) {
      const from = this.position;
      if (!isOutsideOfFile(bytes, start, type)) this.position += size;
      return from;
    }
    if (type === EventType.heartbeat || (eventFlags(bytes, start) & ARTIFICIAL_FLAG) !== 0) {
      this.position = this.#unwrapped(next);
      return this.position;
    }
    const expected = this.position + size;
    this.position = expected % WRAP === next ? expected : this.#unwrapped(next);
    return this.position - size;
  }

  /** The first position from here on whose lower 32 bits are these. */
  #unwrapped(low: number): number {
    const candidate = this.position - (this.position % WRAP) + low;
    return candidate < this.position ? candidate + WRAP : candidate;
  }
}

/** Events that the server makes up for the stream have no place in the file. */
function isOutsideOfFile(bytes: Buffer, start: number, type: number): boolean {
  if ((eventFlags(bytes, start) & ARTIFICIAL_FLAG) !== 0) return true;
  return (
    type === EventType.rotate ||
    type === EventType.formatDescription ||
    type === EventType.heartbeat ||
    type === EventType.heartbeatV2 ||
    type === EventType.mariadbGtidList
  );
}
