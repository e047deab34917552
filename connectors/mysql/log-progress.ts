import type { GtidProgress } from './gtid-progress.ts';
import { LogPlace } from './log-place.ts';
import type { Dialect } from './mysql-type.ts';
import { logPointKey, type MySqlPosition } from './positions.ts';
import type { Gtid } from './protocol/gtid.ts';
import { XaBranch, XaBranches } from './xa-branches.ts';

/**
 * How far the log was read, as a point to start again from: always between two transactions, and never behind a prepared
 * transaction that is not decided yet. A MySQL GTID set leaves out the GTIDs of those; elsewhere the point stays in front
 * of the oldest.
 */
export class LogProgress {
  readonly place: LogPlace;
  readonly branches = new XaBranches();
  readonly #dialect: Dialect;
  #gtids: GtidProgress | null;
  /** Of the open group; executed at its end. */
  #gtid: Gtid | null = null;
  /** Position in the file. */
  #groupStart: number;
  /** The newest point that was told; at first the one that was started from. */
  #last: MySqlPosition;
  #isTold = false;

  constructor(dialect: Dialect, from: MySqlPosition) {
    this.#dialect = dialect;
    this.place = new LogPlace(from);
    this.#gtids = from.gtids;
    this.#groupStart = from.pos;
    this.#last = from;
  }

  /** A group of events begins at `position`. */
  open(gtid: Gtid | null, position: number): void {
    this.#gtid = gtid;
    this.#groupStart = position;
  }

  /** The open group is done. @returns where to start again. */
  close(): MySqlPosition {
    if (this.#gtid !== null) this.#gtids = this.#gtids?.with(this.#gtid) ?? null;
    this.#gtid = null;
    return this.#told(this.#resumePoint(this.place.position));
  }

  /**
   * Where to start again, or null where that was told already. A dump by GTIDs begins with the name of an older file: a
   * point that is behind the last one is not new.
   */
  newResumePoint(): MySqlPosition | null {
    const point = this.#resumePoint(this.place.position);
    const [reached, told] = [keyOf(point), keyOf(this.#last)];
    return reached > told || (reached === told && !this.#isTold) ? this.#told(point) : null;
  }

  newBranch(): XaBranch {
    return new XaBranch(this.#resumePoint(this.#groupStart), this.#gtid);
  }

  /** The open group is a prepared transaction: done, but not executed. */
  prepared(xid: string, branch: XaBranch): void {
    this.branches.set(xid, branch);
    this.#gtid = null;
  }

  /** A prepared transaction is committed or rolled back: its GTID is executed with that of the open group. */
  decide(xid: string): XaBranch | undefined {
    const branch = this.branches.get(xid);
    if (branch === undefined) return undefined;
    this.branches.delete(xid);
    if (branch.gtid !== null) this.#gtids = this.#gtids?.with(branch.gtid) ?? null;
    return branch;
  }

  #resumePoint(position: number): MySqlPosition {
    const { file, epoch } = this.place;
    const oldest = this.branches.oldest;
    const canOmit = this.#dialect === 'mysql' && this.#gtids !== null;
    if (oldest !== null && !canOmit) return oldest.resumeAt;
    return { file, pos: position, gtids: this.#gtids, epoch };
  }

  #told(point: MySqlPosition): MySqlPosition {
    this.#last = point;
    this.#isTold = true;
    return point;
  }
}

function keyOf({ epoch, file, pos }: MySqlPosition): string {
  return logPointKey(epoch, file, pos);
}
