import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { scanCopyRow } from '../../../../../connectors/postgres/protocol/copy-row.ts';
import { CopyRowFramer } from '../../../../../connectors/postgres/protocol/copy-row-framer.ts';
import { ProtocolError } from '../../../../../connectors/postgres/protocol/protocol-error.ts';
import { anyText } from '../../../../support/any-text.ts';

/** As CopyAttributeOutText of Postgres writes it. */
function copyText(columns: readonly (string | null)[]): string {
  const letters: Readonly<Record<string, string>> = {
    '\b': 'b',
    '\f': 'f',
    '\n': 'n',
    '\r': 'r',
    '\t': 't',
    '\v': 'v',
    '\\': '\\',
  };
  const escaped = columns.map((value) =>
    value === null ? '\\N' : value.replace(/[\b\f\n\r\t\v\\]/g, (c) => `\\${letters[c]}`),
  );
  return `${escaped.join('\t')}\n`;
}

function scan(row: Buffer, columns: number, before = 3): (string | null)[] {
  const padding = Buffer.from('\\N\t'.slice(0, before));
  const bytes = Buffer.concat([padding, row, Buffer.from('x\t\\N\n')]);
  const starts = new Int32Array(columns + 2).fill(77);
  const ends = new Int32Array(columns + 2).fill(77);
  scanCopyRow(bytes, before, before + row.length, starts, ends, 1, columns);
  assert.deepEqual([starts[0], starts.at(-1), ends[0], ends.at(-1)], [77, 77, 77, 77]);
  return Array.from({ length: columns }, (_, i) =>
    starts[i + 1] === -1 ? null : bytes.toString('utf8', starts[i + 1], ends[i + 1]),
  );
}

const value = fc.option(
  fc.oneof(
    fc.string({ unit: fc.constantFrom('\\', 'N', '\t', '\n', '\r', '\b', '\f', '\v', 'n', 't', '.', '0', 'x', 'a') }),
    anyText().map((text) => text.replaceAll('\0', '')),
  ),
);

test('columns come out as they went in', () => {
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), (columns) => {
      assert.deepEqual(scan(Buffer.from(copyText(columns)), columns.length), columns);
    }),
    { numRuns: 2000 },
  );
  assert.deepEqual(scan(Buffer.from('\n'), 0), []);
});

test('a row with another number of columns, or without an end, is refused', () => {
  for (const [row, columns] of [
    ['a\tb\n', 1],
    ['a\tb\n', 3],
    ['a', 1],
    ['', 1],
    ['a\n', 0],
    ['\\Nx\n', 1],
    ['\\Nx\ta\n', 2],
  ] as const) {
    assert.throws(() => scan(Buffer.from(row), columns), ProtocolError, JSON.stringify(row));
  }
});

test('rows are found however the bytes are cut, and the rest is handed on as it came', () => {
  const message = (code: string, body: Buffer) => {
    const header = Buffer.alloc(5);
    header.write(code, 'latin1');
    header.writeUInt32BE(body.length + 4, 1);
    return Buffer.concat([header, body]);
  };
  const body = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
  const messages = fc.array(fc.tuple(fc.constantFrom('d', 'd', 'd', 'H', 'c', 'C', 'Z'), body), { maxLength: 20 });
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 50 }), (sent, cuts) => {
      const seen: [string, string][] = [];
      const framer = new CopyRowFramer({
        row: (bytes, start, end) => seen.push(['d', bytes.toString('hex', start, end)]),
        other: (bytes) => seen.push([bytes.toString('latin1', 0, 1), bytes.toString('hex', 5)]),
      });
      let rest = Buffer.concat(sent.map(([code, content]) => message(code, content)));
      for (const cut of cuts) {
        framer.push(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      }
      framer.push(rest);
      assert.deepEqual(
        seen,
        sent.map(([code, content]) => [code, content.toString('hex')]),
      );
    }),
  );
});
