import type { Checkpoint } from '../../src/core/checkpoint.ts';
import type { ResumeVerdict } from '../../src/core/connector.ts';
import type { Dialect } from './mysql-type.ts';
import { type MySqlPosition, mysqlPositions } from './positions.ts';
import { GtidSet } from './protocol/gtid-set.ts';
import type { BinlogFile } from './server-facts.ts';

/** What the server is like at the moment of the verdict. */
export interface ResumeFacts {
  readonly dialect: Dialect;
  readonly identity: string;
  readonly hasGtids: boolean;
  /** MySQL: gtid_executed; MariaDB: gtid_binlog_state; empty where GTIDs are off. */
  readonly executed: string;
  /** MySQL: gtid_purged; MariaDB: the GTID list that the oldest binlog begins with; empty where that is not known. */
  readonly purged: string;
  readonly files: readonly BinlogFile[];
  /** MariaDB: the GTIDs that the server's log has at the checkpoint's place; null where it has no such place. */
  readonly gtidsAtCheckpoint: string | null;
}

const RESYNC = 'Run `tailrace resync` to take a new snapshot and a new position.';

/** Decides whether a stream may go on from a checkpoint. Pure: everything it looks at is in its arguments. */
export function assessResume(facts: ResumeFacts, checkpoint: Checkpoint | null): ResumeVerdict<MySqlPosition> {
  if (checkpoint === null || checkpoint.phase === 'initialising' || checkpoint.position === null) {
    return { kind: 'fresh' };
  }
  const position = mysqlPositions(facts.dialect).decode(checkpoint.position);
  const isSameServer = checkpoint.serverIdentity === facts.identity;
  if (position.gtids === null || !facts.hasGtids) return assessFile(facts, position, checkpoint.serverIdentity);
  const problem = facts.dialect === 'mysql' ? assessSets(facts, position) : assessDomains(facts, position);
  if (problem !== null) return problem;
  if (isSameServer && !isSameLog(facts, position)) {
    return resync(
      'MYSQL_BINLOG_SHORTER',
      `The binlog is not the one that was read up to ${position.file}:${position.pos}, although its numbers go further.`,
      `The binlog was reset, the server restored, or another one has its server id. ${RESYNC}`,
    );
  }
  if (isSameServer) return { kind: 'resume', from: position };
  // Its files are not those of the server before.
  return { kind: 'resume', from: { ...position, file: '', pos: 0, epoch: position.epoch + 1 } };
}

/** The log must still have everything that the checkpoint lacks, and nothing less than the checkpoint has. */
function assessSets(facts: ResumeFacts, position: MySqlPosition): ResumeVerdict<MySqlPosition> | null {
  const done = GtidSet.parse(String(position.gtids));
  const executed = GtidSet.parse(facts.executed);
  const purged = GtidSet.parse(facts.purged);
  if (!executed.contains(done)) {
    return resync(
      'MYSQL_GTID_NOT_EXECUTED',
      `Transactions were published that this server does not have: ${done.subtract(executed)}.`,
      `Connect to the server that has them. After a restore, or a failover that lost them: ${RESYNC}`,
    );
  }
  if (!done.contains(purged)) {
    return resync(
      'MYSQL_BINLOG_PURGED',
      `The server removed transactions that were not published: ${purged.subtract(done)}.`,
      `Keep binlogs for longer (binlog_expire_logs_seconds) than the daemon may be away. ${RESYNC}`,
    );
  }
  return null;
}

/**
 * A log that was reset begins again at its first file and its first GTID, and so does a server of MariaDB that was made anew
 * under the id of the one before: once it has come further than the checkpoint, GTIDs alone would let the stream skip what
 * came before that. Files that were purged say nothing.
 */
function isSameLog({ dialect, files, gtidsAtCheckpoint }: ResumeFacts, { file, pos, gtids }: MySqlPosition): boolean {
  const [base, number] = nameParts(file);
  const [newestBase, newestNumber] = nameParts(files.at(-1)?.name ?? '');
  if (file === '' || base !== newestBase) return true;
  if (newestNumber < number) return false;
  const found = files.find(({ name }) => name === file);
  if (found === undefined) return true;
  if (found.bytes < pos) return false;
  return dialect === 'mysql' || sorted(gtidsAtCheckpoint ?? '') === sorted(String(gtids));
}

/** `binlog` and 7 of `binlog.000007`. */
function nameParts(name: string): readonly [base: string, number: number] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, dot), Number(name.slice(dot + 1))];
}

function sorted(gtids: string): string {
  return gtids.split(',').sort().join();
}

/**
 * MariaDB: of a domain and a server, sequence numbers only grow. Where a domain was written by another server since, the
 * order is in the log alone: then the server decides when the dump begins, and what it refuses is the same verdict.
 */
function assessDomains(facts: ResumeFacts, position: MySqlPosition): ResumeVerdict<MySqlPosition> | null {
  const executed = sequencesOf(facts.executed);
  const purged = sequencesOf(facts.purged);
  for (const [source, done] of sequencesOf(String(position.gtids))) {
    const last = executed.get(source);
    if (last !== undefined && last < done) {
      return resync(
        'MYSQL_GTID_NOT_EXECUTED',
        `Transactions were published that this server does not have: ${source}-${last} is its last, not ${source}-${done}.`,
        `Connect to the server that has them. After a restore, or a failover that lost them: ${RESYNC}`,
      );
    }
    const gone = purged.get(source);
    if (gone !== undefined && gone > done) {
      return resync(
        'MYSQL_BINLOG_PURGED',
        `The server removed transactions that were not published: ${source}-${done + 1} to ${source}-${gone}.`,
        `Keep binlogs for longer (binlog_expire_logs_seconds, expire_logs_days) than the daemon may be away. ${RESYNC}`,
      );
    }
  }
  return null;
}

/** The last sequence number of each `domain-server` in a list of GTIDs. */
function sequencesOf(gtids: string): ReadonlyMap<string, number> {
  const sequences = new Map<string, number>();
  for (const [, source = '', sequence] of gtids.matchAll(/(\d+-\d+)-(\d+)/g)) {
    sequences.set(source, Math.max(sequences.get(source) ?? 0, Number(sequence)));
  }
  return sequences;
}

function assessFile(facts: ResumeFacts, position: MySqlPosition, identity: string): ResumeVerdict<MySqlPosition> {
  if (identity !== facts.identity) {
    return resync(
      'MYSQL_OTHER_SERVER',
      `The checkpoint was made on the server ${identity}; this one is ${facts.identity}, and there are no GTIDs to go by.`,
      `Connect to the old server, or turn GTIDs on before a failover. ${RESYNC}`,
    );
  }
  const file = facts.files.find(({ name }) => name === position.file);
  if (file === undefined) {
    return resync(
      'MYSQL_BINLOG_PURGED',
      `The server does not have the binlog ${position.file} any more.`,
      `Keep binlogs for longer (binlog_expire_logs_seconds, expire_logs_days) than the daemon may be away. ${RESYNC}`,
    );
  }
  if (file.bytes < position.pos) {
    return resync(
      'MYSQL_BINLOG_SHORTER',
      `The binlog ${position.file} has ${file.bytes} bytes, the checkpoint is at ${position.pos}.`,
      `The binlog was reset or the server restored. ${RESYNC}`,
    );
  }
  return { kind: 'resume', from: { ...position, gtids: null } };
}

function resync(code: string, reason: string, remedy: string): ResumeVerdict<MySqlPosition> {
  return { kind: 'resync-required', code, reason, remedy };
}
