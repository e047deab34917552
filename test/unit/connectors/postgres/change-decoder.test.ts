import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PgChangeBatch } from '../../../../connectors/postgres/pg-change-batch.ts';
import { type PgPosition, pgPositions } from '../../../../connectors/postgres/positions.ts';
import { ChangeKind } from '../../../../src/core/change-batch.ts';
import { FatalError } from '../../../../src/core/errors.ts';
import { CELL_ABSENT, CELL_NULL, CELL_UNAVAILABLE, RowCells, type TableVersion } from '../../../../src/core/table.ts';
import { type DecodingOptions, decodeAll, type FakeTable, fakeCatalog, recordedMessages } from './fixture-decoding.ts';

const KV = 0x4bad;
// By the OIDs of the recording: kv, whole, by_index.
const TABLES: Record<number, FakeTable> = {
  [KV]: { columns: { id: { notNull: true }, v: {}, big: {}, m: {} }, primaryKey: ['id'] },
  19380: { columns: { id: { notNull: true }, v: { notNull: true }, big: {} }, primaryKey: ['id'] },
  19387: {
    columns: { id: { notNull: true }, code: { notNull: true }, v: {} },
    primaryKey: ['id'],
    identityIndex: ['code'],
  },
};

type Row = (string | number | null)[] | undefined;

function image(batch: PgChangeBatch, index: number, version: TableVersion, which: 'before' | 'after'): Row {
  const cells = new RowCells();
  version.locate(batch, index, which, cells);
  return version.columns.map((_, column) => {
    const start = cells.starts[column] as number;
    if (start === CELL_NULL) return null;
    if (start === CELL_UNAVAILABLE) return 'unavailable';
    if (start === CELL_ABSENT) return 'absent';
    const text = batch.bytes.toString('utf8', start, cells.ends[column]);
    return text.length > 100 ? text.length : text;
  });
}

interface Decoded {
  readonly lines: unknown[][];
  readonly resumeAt: PgPosition[];
}

async function decode(
  messages: Parameters<typeof decodeAll>[0],
  options: Partial<DecodingOptions> = {},
  perArena?: number,
): Promise<Decoded> {
  const lines: unknown[][] = [];
  const resumeAt: PgPosition[] = [];
  await decodeAll(
    messages,
    { catalog: fakeCatalog(TABLES), ...options },
    (batch) => {
      for (let index = 0; index < batch.count; index++) {
        const kind = Object.entries(ChangeKind).find(([, value]) => value === batch.kinds[index])?.[0];
        const version = batch.versions[index] ?? null;
        const detail = batch.details[index] ?? null;
        const lsn = `0/${batch.lsnLow[index]?.toString(16).toUpperCase()}`;
        if (version !== null) {
          const before = batch.hasBefore[index] === 1 ? image(batch, index, version, 'before') : null;
          const after = kind === 'delete' ? null : image(batch, index, version, 'after');
          lines.push([kind, version.id.name, before, after]);
        } else if (detail !== null && 'resumeAt' in detail) {
          resumeAt.push(detail.resumeAt);
          lines.push([kind, pgPositions.encode(detail.resumeAt).replace(/,\d{16}$/, '')]);
        } else if (detail !== null && 'tables' in detail) {
          lines.push([kind, detail.tables.map((table) => table.id.name)]);
        } else if (detail !== null && 'prefix' in detail) {
          const content = batch.bytes.toString('hex', detail.contentStart, detail.contentEnd);
          lines.push([kind, detail.prefix, detail.transactional, content, lsn]);
        } else if (detail !== null && 'id' in detail) {
          lines.push([kind, detail.id]);
        }
      }
    },
    perArena,
  );
  return { lines, resumeAt };
}

const EXPECTED = [
  ['begin', '891:59358864'],
  ['insert', 'kv', null, ['1', 'one', 3000, 'ok']],
  ['insert', 'kv', null, ['2', null, null, null]],
  ['commit', '0/389BEC0,0/389BEC0'],
  ['begin', '892:59359072'],
  ['update', 'kv', null, ['1', 'uno', 'unavailable', 'ok']],
  ['commit', '0/389BF90,0/389BF90'],
  ['begin', '893:59359288'],
  ['update', 'kv', ['2', 'absent', 'absent', 'absent'], ['3', null, null, null]],
  ['commit', '0/389C068,0/389C068'],
  ['begin', '894:59359400'],
  ['delete', 'kv', ['3', 'absent', 'absent', 'absent'], null],
  ['commit', '0/389C0D8,0/389C0D8'],
  ['begin', '895:59363048'],
  ['insert', 'whole', null, ['1', 'a', 3000]],
  ['commit', '0/389CF18,0/389CF18'],
  ['begin', '896:59366264'],
  ['update', 'whole', ['1', 'a', 3000], ['1', 'b', 3000]],
  ['commit', '0/389DBA8,0/389DBA8'],
  ['begin', '897:59369528'],
  ['delete', 'whole', ['1', 'b', 3000], null],
  ['commit', '0/389E868,0/389E868'],
  ['begin', '898:59370176'],
  ['insert', 'by_index', null, ['1', 'c1', 'x']],
  ['update', 'by_index', ['absent', 'c1', 'absent'], ['1', 'c2', 'x']],
  ['commit', '0/389EAF0,0/389EAF0'],
  ['begin', '899:59370288'],
  ['message', 'inside', true, Buffer.from('payload').toString('hex'), '0/389EB30'],
  ['commit', '0/389EB60,0/389EB60'],
  ['message', 'outside', false, '00ff', '0/389EBA0'],
  // Our own heartbeat: a place to resume from, and no message.
  ['heartbeat', '0/389EBF0,0/389EBA0'],
  ['begin', '901:59371256'],
  ['insert', 'kv', null, ['9', 'copied', null, 'sad']],
  ['commit', '0/389EF40,0/389EF40'],
  ['begin', '902:59377200'],
  ['truncate', ['kv', 'whole']],
  ['commit', '0/38A08D0,0/38A08D0'],
];

for (const perArena of [1, 2, 3, 7, 1000]) {
  test(`recorded messages become changes, ${perArena} messages at a time`, async () => {
    assert.deepEqual((await decode(recordedMessages(), {}, perArena)).lines, EXPECTED);
  });
}

test('from every position that was given, exactly the rest follows, with the same positions', async () => {
  const { lines, resumeAt } = await decode(recordedMessages());
  const ends = lines.flatMap(([kind], index) => (kind === 'commit' || kind === 'heartbeat' ? [index] : []));
  assert.equal(ends.length, resumeAt.length);
  for (const [count, from] of resumeAt.entries()) {
    const rest = await decode(recordedMessages(), { from });
    assert.deepEqual(rest.lines, lines.slice((ends[count] as number) + 1), `from ${pgPositions.encode(from)}`);
    assert.deepEqual(rest.resumeAt, resumeAt.slice(count + 1));
  }
});

test('a keepalive is a place to resume from between transactions only, and only forward', async () => {
  const messages = recordedMessages();
  const inTransaction = { keepalive: '0/FFFFFFF' };
  const first = messages.slice(0, 6);
  const { lines } = await decode([
    { keepalive: '0/10' },
    ...first.slice(0, 3),
    inTransaction,
    ...first.slice(3),
    { keepalive: '0/389BEC0' },
    { keepalive: '0/389BEC8' },
  ]);
  assert.deepEqual(
    lines.filter(([kind]) => kind === 'heartbeat' || kind === 'commit'),
    [
      ['heartbeat', '0/10'],
      ['commit', '0/389BEC0,0/389BEC0'],
      // Keepalives in a row are one, the newest; a server never sends one that steps back.
      ['heartbeat', '0/389BEC8,0/389BEC0'],
    ],
  );
});

test('rows of tables outside of the configuration are stepped over without asking the catalog', async () => {
  const asked: number[] = [];
  const source = { tables: { include: [/^public\.kv$/], exclude: [] }, signals: { table: null, topic: null } };
  const { lines } = await decode(recordedMessages(), { catalog: fakeCatalog(TABLES, asked), source });
  assert.deepEqual(
    new Set(lines.map(([, name]) => name).filter((name) => name === 'whole' || name === 'by_index')),
    new Set(),
  );
  assert.deepEqual(lines.at(-2), ['truncate', ['kv']]);
  assert.deepEqual(new Set(asked), new Set([KV]));
});

test('keys: primary key; the index where old rows have nothing else', async () => {
  const keys = new Map<string, readonly string[] | undefined>();
  await decodeAll(recordedMessages(), { catalog: fakeCatalog(TABLES) }, (batch) => {
    for (const version of batch.versions) {
      if (version)
        keys.set(
          version.id.name,
          version.key?.map((index) => version.columns[index]?.name ?? ''),
        );
    }
  });
  assert.deepEqual(Object.fromEntries(keys), { kv: ['id'], whole: ['id'], by_index: ['code'] });
});

test('NULL in a column that the catalog calls NOT NULL gives a nullable version from that row on', async () => {
  const tables = { ...TABLES, [KV]: { columns: { id: { notNull: true }, v: { notNull: true }, big: {}, m: {} } } };
  const seen: [string | null | undefined | number, boolean | undefined][] = [];
  await decodeAll(recordedMessages().slice(0, 6), { catalog: fakeCatalog(tables) }, (batch) => {
    for (let index = 0; index < batch.count; index++) {
      const version = batch.versions[index] ?? null;
      if (version === null) continue;
      seen.push([image(batch, index, version, 'after')?.[1], version.columns[1]?.nullable]);
    }
  });
  assert.deepEqual(seen, [
    ['one', false],
    [null, true],
  ]);
});

test('an unknown message names its byte and LSN', async () => {
  const unknown = { lsn: '0/ABC', bytes: Buffer.from('53000000', 'hex') };
  await assert.rejects(decode([unknown]), (error: unknown) => {
    assert.ok(error instanceof FatalError);
    assert.equal(error.code, 'POSTGRES_PROTOCOL');
    assert.match(error.message, /0\/ABC.*0x53/);
    return true;
  });
});

test('a cut message is a FatalError, wherever it is cut', async () => {
  const messages = recordedMessages().slice(0, 12);
  for (const [index, message] of messages.entries()) {
    const step = Math.max(1, Math.floor(message.bytes.length / 40));
    for (let length = 0; length < message.bytes.length; length += step) {
      const cut = messages.with(index, { ...message, bytes: message.bytes.subarray(0, length) });
      await assert.rejects(decode(cut.slice(0, index + 1)), FatalError, `message ${index} cut at ${length}`);
    }
  }
});

test('a row outside of a transaction, or of a relation that was not announced, is a FatalError', async () => {
  const messages = recordedMessages();
  await assert.rejects(decode(messages.slice(2, 4)), FatalError);
  await assert.rejects(decode([messages[0]!, messages[3]!]), FatalError);
  await assert.rejects(decode([messages[0]!, messages[0]!]), FatalError);
});
