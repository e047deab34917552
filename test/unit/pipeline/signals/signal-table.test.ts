import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChangeBatch, ChangeKind } from '../../../../src/core/change-batch.ts';
import { FatalError } from '../../../../src/core/errors.ts';
import {
  CELL_NULL,
  CELL_UNAVAILABLE,
  type Column,
  type RowCells,
  type TableVersion,
} from '../../../../src/core/table.ts';
import type { ValueWriter } from '../../../../src/core/value-writer.ts';
import { SignalTable } from '../../../../src/pipeline/signals/signal-table.ts';
import type { StreamWatch } from '../../../../src/pipeline/stream-watch.ts';

type Cell = string | null | typeof CELL_UNAVAILABLE;

function column(name: string, type: 'string' | 'int32' = 'string'): Column {
  const write = (bytes: Uint8Array, start: number, end: number, out: ValueWriter) => {
    if (bytes[start] === 0xff) throw new FatalError('broken', { code: 'BROKEN', remedy: 'None.' });
    if (type === 'int32') out.int(1);
    else out.utf8(bytes, start, end);
    return true;
  };
  return { name, codec: { schema: { type }, write }, nullable: true, default: null } as unknown as Column;
}

const COLUMNS = [column('id'), column('kind'), column('data')];

/** One change of a table, whose cells lie one behind the other. */
function change(kind: ChangeKind, cells: readonly Cell[], name = 'signals', columns = COLUMNS) {
  const texts = cells.map((cell) => (typeof cell === 'string' ? Buffer.from(cell, 'latin1') : Buffer.alloc(0)));
  const version = {
    id: { database: 'd', schema: 'ops', name },
    columns,
    locate(_batch: unknown, _index: number, _image: unknown, out: RowCells) {
      let at = 0;
      for (const [place, cell] of cells.entries()) {
        out.starts[place] = typeof cell === 'string' ? at : (cell ?? CELL_NULL);
        at += texts[place]!.length;
        out.ends[place] = at;
      }
    },
  } as unknown as TableVersion;
  const batch = { bytes: Buffer.concat(texts), kinds: Uint8Array.of(kind) } as unknown as ChangeBatch<number>;
  return { batch, version };
}

/** A table over a watch that takes what `takes` says and never rests. */
function tableOver(takes: boolean, seen: string[] = []) {
  const next: StreamWatch<number> = {
    began: () => void seen.push('began'),
    takes: () => {
      seen.push('takes');
      return takes;
    },
    truncated: (_batch, _index, tables) => {
      seen.push('truncated');
      return tables.slice(1);
    },
    altered: () => void seen.push('altered'),
    reached: () => {
      seen.push('reached');
      return false;
    },
  };
  return new SignalTable('ops.signals', next);
}

function read(...of: Parameters<typeof change>) {
  const table = tableOver(true);
  const { batch, version } = change(...of);
  table.takes(batch, 0, version);
  return table.take();
}

describe('SignalTable', () => {
  it('reads new rows by the place of their columns, and rests behind their transaction', () => {
    const table = tableOver(true);
    const { batch, version } = change(ChangeKind.insert, ['1', 'log', '{}']);
    assert.equal(table.reached(1), false);
    assert.equal(table.takes(batch, 0, version), true);
    assert.equal(table.takes(batch, 0, version), true);
    assert.equal(table.reached(2), true);
    const signal = { id: '1', type: 'log', data: '{}' };
    assert.deepEqual(table.take(), [signal, signal]);
    assert.deepEqual(table.take(), []);
    assert.equal(table.reached(3), false);
  });

  it('passes everything on to the watch behind it', () => {
    const seen: string[] = [];
    const table = tableOver(false, seen);
    const { batch, version } = change(ChangeKind.insert, ['1', 'log', '{}']);
    table.began(batch, 0);
    assert.equal(table.takes(batch, 0, version), false);
    assert.deepEqual(table.truncated(batch, 0, [version, version]), [version]);
    table.altered();
    table.reached(1);
    assert.deepEqual(seen, ['began', 'takes', 'truncated', 'altered', 'reached']);
    assert.equal(table.take().length, 1, 'a row that a snapshot has read is a signal still');
  });

  it('regards neither other tables nor updates and deletes', () => {
    assert.deepEqual(read(ChangeKind.insert, ['1', 'log', '{}'], 'signals2'), []);
    assert.deepEqual(read(ChangeKind.update, ['1', 'log', '{}']), []);
    assert.deepEqual(read(ChangeKind.delete, ['1', 'log', '{}']), []);
  });

  it('tells apart two tables whose rows come in turns', () => {
    const table = tableOver(true);
    const signals = change(ChangeKind.insert, ['1', 'log', '{}']);
    const others = change(ChangeKind.insert, ['1', 'log', '{}'], 'others');
    for (const { batch, version } of [signals, others, signals, others]) table.takes(batch, 0, version);
    assert.equal(table.take().length, 2);
  });

  it('takes missing data for none', () => {
    assert.deepEqual(read(ChangeKind.insert, ['1', 'pause-snapshot', null]), [
      { id: '1', type: 'pause-snapshot', data: '' },
    ]);
  });

  it('says why a row is no signal, without what is in it', () => {
    const fault = (...of: Parameters<typeof change>) => (read(...of)[0] as { fault: string }).fault;
    const row = ['secret', 'secret', 'secret'];
    assert.match(fault(ChangeKind.insert, [null, 'log', '{}']), /not text/);
    assert.match(fault(ChangeKind.insert, ['secret', null, '{}']), /not text/);
    assert.match(fault(ChangeKind.insert, ['secret', 'log', CELL_UNAVAILABLE]), /not text/);
    assert.match(fault(ChangeKind.insert, row, 'signals', [column('id', 'int32'), ...COLUMNS.slice(1)]), /not text/);
    assert.match(fault(ChangeKind.insert, row, 'signals', [...COLUMNS, column('more')]), /has 4 columns/);
    assert.match(fault(ChangeKind.insert, ['1', 'log', 'x'.repeat(65_537)]), /longer than/);
    assert.match(fault(ChangeKind.insert, ['1', 'log', '\xff']), /cannot be read \(BROKEN\)/);
  });
});
