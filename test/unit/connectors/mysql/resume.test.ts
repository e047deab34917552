import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assessResume, type ResumeFacts } from '../../../../connectors/mysql/resume.ts';
import type { Checkpoint } from '../../../../src/core/checkpoint.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const MYSQL: ResumeFacts = {
  dialect: 'mysql',
  identity: A,
  hasGtids: true,
  executed: `${A}:1-100`,
  purged: `${A}:1-40`,
  files: [
    { name: 'binlog.000007', bytes: 5000 },
    { name: 'binlog.000008', bytes: 900 },
  ],
  gtidsAtCheckpoint: null,
};
const NO_GTIDS: ResumeFacts = { ...MYSQL, hasGtids: false, executed: '', purged: '' };
const MARIADB: ResumeFacts = {
  ...MYSQL,
  dialect: 'mariadb',
  identity: '1',
  executed: '0-1-100,0-2-70,5-1-9',
  purged: '[0-2-70,0-1-40]',
  gtidsAtCheckpoint: '0-1-77',
};

function checkpoint(position: string | null, serverIdentity = A, phase = 'streaming'): Checkpoint {
  return { phase, position, serverIdentity } as unknown as Checkpoint;
}

describe('the verdict on a checkpoint', () => {
  const cases: readonly [name: string, facts: ResumeFacts, given: Checkpoint | null, expected: string][] = [
    ['none: fresh', MYSQL, null, 'fresh'],
    ['begun and not finished: fresh', MYSQL, checkpoint(null, A, 'initialising'), 'fresh'],
    ['everything is there', MYSQL, checkpoint(`binlog.000007:120;0;${A}:1-60`), 'resume binlog.000007:120 epoch 0'],
    [
      'exactly what was purged is done',
      MYSQL,
      checkpoint(`binlog.000007:4;0;${A}:1-40`),
      'resume binlog.000007:4 epoch 0',
    ],
    ['something undone was purged', MYSQL, checkpoint(`binlog.000006:4;0;${A}:1-39`), 'MYSQL_BINLOG_PURGED'],
    ['a hole was purged', MYSQL, checkpoint(`binlog.000007:4;0;${A}:1-10:12-60`), 'MYSQL_BINLOG_PURGED'],
    [
      'the server lacks what was published',
      MYSQL,
      checkpoint(`binlog.000008:4;0;${A}:1-101`),
      'MYSQL_GTID_NOT_EXECUTED',
    ],
    [
      'a failover to a server that has it all',
      MYSQL,
      checkpoint(`log.000003:9;0;${A}:1-90`, 'other'),
      'resume :0 epoch 1',
    ],
    [
      'without GTIDs, the file is there',
      NO_GTIDS,
      checkpoint('binlog.000007:4321;0'),
      'resume binlog.000007:4321 epoch 0',
    ],
    ['without GTIDs, the file was purged', NO_GTIDS, checkpoint('binlog.000006:4;0'), 'MYSQL_BINLOG_PURGED'],
    ['without GTIDs, the file is shorter', NO_GTIDS, checkpoint('binlog.000008:901;0'), 'MYSQL_BINLOG_SHORTER'],
    ['without GTIDs, another server', NO_GTIDS, checkpoint('binlog.000007:4;0', 'other'), 'MYSQL_OTHER_SERVER'],
    [
      'GTIDs were turned off since',
      NO_GTIDS,
      checkpoint(`binlog.000008:300;0;${A}:1-60`),
      'resume binlog.000008:300 epoch 0',
    ],
    ['GTIDs were turned on since', MYSQL, checkpoint('binlog.000008:300;2'), 'resume binlog.000008:300 epoch 2'],
    ['MariaDB', MARIADB, checkpoint('binlog.000007:300;0;0-1-77', '1'), 'resume binlog.000007:300 epoch 0'],
    [
      'MariaDB, exactly what was purged is done',
      { ...MARIADB, gtidsAtCheckpoint: '0-1-40' },
      checkpoint('binlog.000007:4;0;0-1-40', '1'),
      'resume binlog.000007:4 epoch 0',
    ],
    [
      'MariaDB, something undone was purged',
      MARIADB,
      checkpoint('binlog.000006:4;0;0-1-39', '1'),
      'MYSQL_BINLOG_PURGED',
    ],
    [
      'MariaDB lacks what was published',
      MARIADB,
      checkpoint('binlog.000008:4;0;0-1-101', '1'),
      'MYSQL_GTID_NOT_EXECUTED',
    ],
    [
      'MariaDB lacks what was published in one domain',
      MARIADB,
      checkpoint('a.1:4;0;0-1-90,5-1-10', '1'),
      'MYSQL_GTID_NOT_EXECUTED',
    ],
    [
      'MariaDB, a server that it does not know: the dump will tell',
      MARIADB,
      checkpoint('a.1:4;0;0-9-500', '1'),
      'resume a.1:4 epoch 0',
    ],
    ['the binlog was reset', MYSQL, checkpoint(`binlog.000009:4;0;${A}:1-60`), 'MYSQL_BINLOG_SHORTER'],
    [
      'the binlog was reset, in the same file',
      MYSQL,
      checkpoint(`binlog.000008:901;0;${A}:1-60`),
      'MYSQL_BINLOG_SHORTER',
    ],
    [
      'the file was purged, and everything in it is done',
      MYSQL,
      checkpoint(`binlog.000005:4;0;${A}:1-60`),
      'resume binlog.000005:4 epoch 0',
    ],
    [
      'the binlogs have another name since',
      MYSQL,
      checkpoint(`log.000900:4;0;${A}:1-60`),
      'resume log.000900:4 epoch 0',
    ],
    [
      'MariaDB, domains in another order',
      { ...MARIADB, gtidsAtCheckpoint: '5-1-9,0-1-77' },
      checkpoint('binlog.000007:300;0;0-1-77,5-1-9', '1'),
      'resume binlog.000007:300 epoch 0',
    ],
    [
      'MariaDB, other transactions at this place',
      { ...MARIADB, gtidsAtCheckpoint: '0-1-76' },
      checkpoint('binlog.000007:300;0;0-1-77', '1'),
      'MYSQL_BINLOG_SHORTER',
    ],
    [
      'MariaDB, no transaction ends at this place',
      { ...MARIADB, gtidsAtCheckpoint: null },
      checkpoint('binlog.000007:300;0;0-1-77', '1'),
      'MYSQL_BINLOG_SHORTER',
    ],
    ['MariaDB after a failover', MARIADB, checkpoint('binlog.000007:300;3;0-1-77', '2'), 'resume :0 epoch 4'],
  ];
  for (const [name, facts, given, expected] of cases) {
    it(name, () => {
      const verdict = assessResume(facts, given);
      if (verdict.kind === 'resume') {
        const { file, pos, epoch } = verdict.from;
        assert.equal(`resume ${file}:${pos} epoch ${epoch}`, expected);
      } else if (verdict.kind === 'resync-required') {
        assert.equal(verdict.code, expected);
        assert.match(verdict.remedy, /tailrace resync/);
      } else assert.equal(verdict.kind, expected);
    });
  }
});
