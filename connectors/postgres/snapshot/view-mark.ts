import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import { FatalError } from '../../../src/core/errors.ts';
import type { ViewMark } from '../../../src/core/snapshot.ts';
import type { PgChangeBatch } from '../pg-change-batch.ts';
import type { PgPosition } from '../positions.ts';
import { compareLsn, formatLsn, type Lsn, parseLsn } from '../protocol/lsn.ts';
import { isVisible, type MvccSnapshot, mvccSnapshotText, parseMvccSnapshot, widenXid } from './mvcc-snapshot.ts';

/** What is certainly visible in a view: of a primary by its snapshot, of a standby by what was replayed before. */
export type ViewContents = { readonly snapshot: MvccSnapshot } | { readonly replayed: Lsn };

/** Where a view of Postgres stands. Its text: `0/16B3748 seen 10:20:10,14`, of a standby `0/16B3748 replayed 0/16B3000`. */
export class PgViewMark implements ViewMark<PgPosition> {
  readonly #high: Lsn;
  readonly #contents: ViewContents;

  /** @param high everything that is visible lies before */
  constructor(high: Lsn, contents: ViewContents) {
    this.#high = high;
    this.#contents = contents;
  }

  /** @throws FatalError for what `toString` never gives */
  static parse(text: string): PgViewMark {
    const [high = '', kind, contents = ''] = text.split(' ');
    const lsn = parseLsn(high);
    if (lsn !== null && kind === 'seen') return new PgViewMark(lsn, { snapshot: parseMvccSnapshot(contents) });
    const replayed = parseLsn(contents);
    if (lsn !== null && replayed !== null && kind === 'replayed') return new PgViewMark(lsn, { replayed });
    throw new FatalError(`"${text}" is not the place of a view of Postgres.`, {
      code: 'POSTGRES_VIEW_MARK_MALFORMED',
      remedy: 'What is stored of the snapshot is damaged or of another kind of server: resync the source.',
    });
  }

  toString(): string {
    const contents = this.#contents;
    const text =
      'snapshot' in contents
        ? `seen ${mvccSnapshotText(contents.snapshot)}`
        : `replayed ${formatLsn(contents.replayed)}`;
    return `${formatLsn(this.#high)} ${text}`;
  }

  contains(batch: ChangeBatch<PgPosition>, index: number): boolean {
    const contents = this.#contents;
    if ('replayed' in contents) return compareLsn(commitOf(batch, index), contents.replayed) < 0;
    const xid = xidOf(batch, index);
    return xid !== null && isVisible(contents.snapshot, widenXid(xid, contents.snapshot.xmax));
  }

  isPassed({ lsn }: PgPosition): boolean {
    return compareLsn(lsn, this.#high) >= 0;
  }
}

/** Low 32 bits; null for a message outside of transactions. */
export function xidOf(batch: ChangeBatch<unknown>, index: number): number | null {
  return (batch as PgChangeBatch).transactions[index]?.xid ?? null;
}

/** Start of the commit record: it was replayed where this lies below what was. */
function commitOf(batch: ChangeBatch<unknown>, index: number): Lsn {
  return (batch as PgChangeBatch).transactions[index]!.finalLsn;
}
