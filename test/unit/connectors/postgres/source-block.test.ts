import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PgChangeBatch } from '../../../../connectors/postgres/pg-change-batch.ts';
import { LSN_ZERO } from '../../../../connectors/postgres/protocol/lsn.ts';
import { PgSourceBlock } from '../../../../connectors/postgres/source-block.ts';
import { TransactionContext } from '../../../../connectors/postgres/transaction-context.ts';
import { ChangeKind } from '../../../../src/core/change-batch.ts';
import { ArenaPool } from '../../../../src/core/message-arena.ts';
import type { TableVersion } from '../../../../src/core/table.ts';
import type { ConstantFragment, ValueWriter } from '../../../../src/core/value-writer.ts';

/** Avro bytes of the calls that a source block makes, and the names of its fields. */
class PlainAvroWriter {
  readonly names: string[] = [];
  #parts: Buffer[] = [];
  #nested: Buffer[][] = [];

  get hex(): string {
    return Buffer.concat(this.#parts).toString('hex');
  }

  absent(nullBranch: number): void {
    this.#number(BigInt(nullBranch));
  }

  present(nullBranch: number): void {
    this.#number(BigInt(1 - nullBranch));
  }

  long(high: number, low: number): void {
    this.#number(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low)));
  }

  safeLong(value: number): void {
    this.#number(BigInt(value));
  }

  text(value: string): void {
    this.utf8(Buffer.from(value), 0, Buffer.byteLength(value));
  }

  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.#number(BigInt(end - start));
    this.#parts.push(Buffer.from(bytes.slice(start, end)));
  }

  beginStruct(): void {}

  endStruct(): void {}

  field(name: string): void {
    this.names.push(name);
  }

  constant(fragment: ConstantFragment, write: (out: ValueWriter) => void): void {
    if (fragment.length === 0) {
      this.#nested.push(this.#parts);
      this.#parts = [];
      write(this as unknown as ValueWriter);
      const bytes = Buffer.concat(this.#parts);
      fragment.keep(bytes, 0, bytes.length);
      this.#parts = this.#nested.pop() ?? [];
    }
    this.#parts.push(Buffer.from(fragment.bytes.subarray(0, fragment.length)));
  }

  #number(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    const bytes: number[] = [];
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    this.#parts.push(Buffer.from(bytes));
  }
}

function table(schema: string, name: string): TableVersion {
  return { id: { database: 'golden', schema, name }, fingerprint: '', columns: [], key: null, locate: () => undefined };
}

const batch = new PgChangeBatch(new ArenaPool(), () => undefined);
const blockAt = (block: PgSourceBlock, index: number, of: TableVersion | null): PlainAvroWriter => {
  const out = new PlainAvroWriter();
  block.write(out as unknown as ValueWriter, batch, index, of);
  return out;
};

// The source fields of the first two records that Debezium 3.7.0 wrote to a topic of logical messages.
const MESSAGE_SOURCE =
  '16332e372e302e46696e616c14706f737467726573716c1470675f64656661756c74d6d1c9abbf68000a66616c73650c676f6c64656e022e5b223632343939343634222c223632343939353532225d029e8ba6b7ecaeb00602b0e2c78190ffede931000002ee1802c0abcd3b000000';
const OUTSIDE_SOURCE =
  '16332e372e302e46696e616c14706f737467726573716c1470675f64656661756c74d6d1c9abbf68000a66616c73650c676f6c64656e022e5b223632343939363838222c223632343939363838225d029e8ba6b7ecaeb00602b0e2c78190ffede93100000002d0adcd3b000000';

test('a logical message has the bytes that Debezium wrote', () => {
  const block = new PgSourceBlock('pg_default', 'golden');
  const transaction = new TransactionContext(1591, 1795207804011215, { high: 0, low: 62499464 }, LSN_ZERO);
  const inside = batch.add(ChangeKind.message, null, null, transaction, 0, 62499552);
  assert.equal(blockAt(block, inside, null).hex, MESSAGE_SOURCE);
  const own = new TransactionContext(null, 1795207804011215, { high: 0, low: 62499688 }, LSN_ZERO);
  const outside = batch.add(ChangeKind.message, null, null, own, 0, 62499688);
  assert.equal(blockAt(block, outside, null).hex, OUTSIDE_SOURCE);
});

test('fields come in the order of the schema', () => {
  const block = new PgSourceBlock('p', 'd');
  const transaction = new TransactionContext(1, 1, null, LSN_ZERO);
  const index = batch.add(ChangeKind.insert, null, null, transaction, 0, 1);
  assert.deepEqual(
    blockAt(block, index, table('s', 't')).names,
    block.schema.fields.map((field) => field.name),
  );
});

test('what is remembered of one row is never used for another table, transaction or LSN', () => {
  const tables = [table('public', 'a'), table('public', 'b')];
  const rows: [TransactionContext, TableVersion, number][] = [];
  for (const xid of [7, 8]) {
    const transaction = new TransactionContext(xid, 1000 * xid, xid === 7 ? null : { high: 1, low: 0 }, LSN_ZERO);
    if (xid === 8) {
      transaction.origin = 'upstream';
      transaction.originLsn = { high: 0, low: 0xabcdef };
    }
    for (const at of [0, 1, 0, 1]) rows.push([transaction, tables[at]!, xid * 100 + at]);
  }
  const shared = new PgSourceBlock('p', 'd');
  for (const [transaction, of, lsn] of rows) {
    const index = batch.add(ChangeKind.insert, of, null, transaction, 0, lsn);
    const together = blockAt(shared, index, of).hex;
    const alone = new TransactionContext(
      transaction.xid,
      transaction.commitTimeUs,
      transaction.xid === 7 ? null : { high: 1, low: 0 },
      LSN_ZERO,
    );
    alone.origin = transaction.origin;
    alone.originLsn = transaction.originLsn;
    const fresh = batch.add(ChangeKind.insert, of, null, alone, 0, lsn);
    assert.equal(together, blockAt(new PgSourceBlock('p', 'd'), fresh, of).hex);
    assert.ok(Buffer.from(together, 'hex').includes(`${transaction.xid === 7 ? '[null' : '["4294967296"'},"${lsn}"]`));
  }
});
