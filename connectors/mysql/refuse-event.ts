import { FatalError, ResyncRequiredError } from '../../src/core/errors.ts';
import { EventType, eventFlags, IGNORABLE_FLAG } from './protocol/binlog-event.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { rowsTableId } from './protocol/rows-event.ts';
import type { TableCache } from './table-cache.ts';

/** Events that say nothing about rows. What belongs to statement-format DML is judged with its statement. */
const HARMLESS: ReadonlySet<number> = new Set([
  EventType.stop,
  EventType.intvar,
  EventType.rand,
  EventType.userVar,
  EventType.beginLoadQuery,
  EventType.appendBlock,
  EventType.deleteFile,
  EventType.ignorable,
  EventType.previousGtids,
  EventType.transactionContext,
  EventType.viewChange,
  EventType.mariadbBinlogCheckpoint,
  EventType.mariadbGtidList,
  EventType.mariadbStartEncryption,
]);

/**
 * Lets events pass that cannot carry rows. @param place for the error, `file:position`.
 * @throws where rows may be in the event, or are known to be missing
 */
export function refuseEvent(
  type: number,
  bytes: Buffer,
  start: number,
  end: number,
  tables: TableCache,
  place: string,
): void {
  if (HARMLESS.has(type)) return;
  if (type === EventType.incident) {
    throw new ResyncRequiredError(`The server reports at ${place} that changes are missing in its binlog.`, {
      code: 'MYSQL_INCIDENT',
      remedy: 'Find out what the server lost (its error log); run `tailrace resync` to take a new snapshot.',
      position: place,
    });
  }
  if (type === EventType.partialUpdateRows) {
    if (tables.get(rowsTableId(bytes, start, end))?.captured === false) return;
    throw new FatalError(`An update at ${place} has only parts of its JSON values.`, {
      code: 'MYSQL_PARTIAL_JSON',
      remedy: "Set binlog_row_value_options = '' on the server; run `tailrace resync` to take a new snapshot.",
      position: place,
    });
  }
  if ((eventFlags(bytes, start) & IGNORABLE_FLAG) !== 0) return;
  throw new ProtocolError(`the event type ${type} is not known`);
}
