import type { SpillAdvice } from '../../src/core/unnamed-file.ts';

/** What is kept in temporary files here: transactions that may be larger than memory should be. */
export const SPILL_ADVICE: SpillAdvice = {
  code: 'MYSQL_SPILL',
  remedy:
    'Let TMPDIR name a directory with room that the daemon may write to: large compressed or prepared transactions wait there.',
};
