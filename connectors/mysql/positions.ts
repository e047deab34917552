import type { PositionCodec } from '../../src/core/connector.ts';
import { FatalError } from '../../src/core/errors.ts';
import { type GtidProgress, parseGtidProgress } from './gtid-progress.ts';
import type { Dialect } from './mysql-type.ts';
import { ProtocolError } from './protocol/protocol-error.ts';

/**
 * A point between transactions from which the log can be read again. With GTIDs the set decides and file and position
 * only say where on this server it was; without them file and position are all there is.
 */
export interface MySqlPosition {
  /** Name of the binlog file; empty until the server names one. */
  readonly file: string;
  /** Bytes from the start of the file. */
  readonly pos: number;
  /** What was executed up to here: a MySQL GTID set or a MariaDB GTID position. Null where GTIDs are off. */
  readonly gtids: GtidProgress | null;
  /** Servers this source was followed on before this one: files of different servers do not compare. */
  readonly epoch: number;
}

/** Text form: `binlog.000012:4567`, then `;epoch` and `;GTIDs` where there are GTIDs: `binlog.000012:4567;0;uuid:1-77`. */
export function mysqlPositions(dialect: Dialect): PositionCodec<MySqlPosition> {
  return {
    encode: ({ file, pos, gtids, epoch }) => `${file}:${pos};${epoch}${gtids === null ? '' : `;${gtids}`}`,
    decode(text) {
      const [place = '', epoch = '', ...rest] = text.split(';');
      const [, file, pos] = /^(.*):(\d{1,16})$/.exec(place) ?? [];
      if (file === undefined || pos === undefined || !/^\d{1,9}$/.test(epoch) || rest.length > 1) throw malformed(text);
      try {
        const gtids = rest[0] === undefined ? null : parseGtidProgress(dialect, rest[0]);
        return { file, pos: Number(pos), gtids, epoch: Number(epoch) };
      } catch (error) {
        if (error instanceof ProtocolError) throw malformed(text);
        throw error;
      }
    },
    sortKey: ({ epoch, file, pos }) => logPointKey(epoch, file, pos),
  };
}

/** Text that sorts as the log does: files are numbered, and their numbers may outgrow their six digits. */
export function logPointKey(epoch: number, file: string, pos: number): string {
  const number = /\.(\d+)$/.exec(file)?.[1] ?? '0';
  return `${pad(epoch, 6)}.${number.padStart(12, '0')}.${pad(pos, 16)}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

function malformed(text: string): FatalError {
  return new FatalError(`"${text}" is not a position of a MySQL source.`, {
    code: 'MYSQL_POSITION_MALFORMED',
    remedy: 'Positions look like binlog.000012:4567;0; correct the checkpoint with `tailrace checkpoint set`.',
  });
}
