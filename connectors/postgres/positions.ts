import type { PositionCodec } from '../../src/core/connector.ts';
import { FatalError } from '../../src/core/errors.ts';
import { formatLsn, type Lsn, lsnSortKey, parseLsn } from './protocol/lsn.ts';

/** Where a stream starts again, with what `source` blocks need from before that point to be the same on a replay. */
export interface PgPosition {
  /** End of a commit record, or a point of the log at which no transaction was being sent. */
  readonly lsn: Lsn;
  /** End of the last commit that the stream had sent; null before the first. */
  readonly lastCommit: Lsn | null;
  /** When that commit happened, microseconds since 1970: the time of a message outside of transactions. */
  readonly lastCommitTimeUs: number | null;
}

/** Text form: `0/16B3748`, then the last commit and its time where there are any: `0/16B3748,0/16B3700,1795207804011215`. */
export const pgPositions: PositionCodec<PgPosition> = {
  encode(position) {
    const lastCommit = position.lastCommit === null ? '' : formatLsn(position.lastCommit);
    const time = position.lastCommitTimeUs === null ? '' : String(position.lastCommitTimeUs);
    return `${formatLsn(position.lsn)},${lastCommit},${time}`.replace(/,+$/, '');
  },
  decode(text) {
    const [lsnText = '', lastCommitText = '', timeText = '', ...rest] = text.split(',');
    const lsn = parseLsn(lsnText);
    const lastCommit = lastCommitText === '' ? null : parseLsn(lastCommitText);
    const isTime = timeText === '' || (/^\d{1,16}$/.test(timeText) && Number.isSafeInteger(Number(timeText)));
    if (lsn === null || (lastCommit === null && lastCommitText !== '') || !isTime || rest.length > 0) {
      throw new FatalError(`"${text}" is not a position of a Postgres source.`, {
        code: 'POSTGRES_POSITION_MALFORMED',
        remedy: 'Positions look like 0/16B3748; correct the checkpoint with `tailrace checkpoint set`.',
      });
    }
    return { lsn, lastCommit, lastCommitTimeUs: timeText === '' ? null : Number(timeText) };
  },
  sortKey: ({ lsn }) => lsnSortKey(lsn.high, lsn.low),
};
