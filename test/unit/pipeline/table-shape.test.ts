import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { ColumnRules, SourceSettings } from '../../../src/core/settings.ts';
import type { Column, TableVersion } from '../../../src/core/table.ts';
import { StringCapture } from '../../../src/pipeline/string-capture.ts';
import { shapeTable } from '../../../src/pipeline/table-shape.ts';

const DEFAULT_TEXT = 'initial secret';

function column(name: string): Column {
  return {
    name,
    codec: {
      schema: { type: 'string' },
      write: (bytes, start, end, out) => {
        out.utf8(bytes, start, end);
        return true;
      },
      writeUnavailable: (out) => out.text('unavailable'),
      writeFallback: (out) => out.text(''),
    },
    nullable: false,
    default: { write: (out) => out.text(DEFAULT_TEXT) },
    sourceType: { typeName: 'TEXT', length: null, scale: null },
  };
}

function defaultsUnder(rules: Partial<ColumnRules>): Record<string, string | null> {
  const version = {
    id: { database: 'd', schema: 'public', name: 't' },
    columns: [column('secret'), column('open')],
    key: null,
  } as unknown as TableVersion;
  const columns = { exclude: [], mask: [], hash: [], truncate: [], propagateSourceType: [], ...rules };
  const shape = shapeTable(version, { columns, messageKeys: [] } as unknown as SourceSettings, 'topic');
  return Object.fromEntries(
    shape.value.map(({ column: shaped }) => {
      const capture = new StringCapture();
      shaped.default?.write(capture);
      return [shaped.name, capture.value];
    }),
  );
}

test('the default of a masked column is masked as its values are', () => {
  const match = /^public\.t\.secret$/;
  assert.deepEqual(defaultsUnder({ mask: [{ match, with: '***' }] }), { secret: '***', open: DEFAULT_TEXT });
  assert.deepEqual(defaultsUnder({ truncate: [{ match, length: 3 }] }), { secret: 'ini', open: DEFAULT_TEXT });
  const digest = createHash('sha256').update(`SALT${DEFAULT_TEXT}`).digest('hex');
  assert.deepEqual(defaultsUnder({ hash: [{ match, algorithm: 'sha256', salt: new Secret('SALT') }] }), {
    secret: digest,
    open: DEFAULT_TEXT,
  });
});

test('a column without default has none when it is masked', () => {
  const version = {
    id: { database: 'd', schema: 'public', name: 't' },
    columns: [{ ...column('secret'), default: null }],
    key: null,
  } as unknown as TableVersion;
  const columns = { exclude: [], mask: [{ match: /secret/, with: '*' }], hash: [], truncate: [] };
  const shape = shapeTable(version, { columns, messageKeys: [] } as unknown as SourceSettings, 'topic');
  assert.equal(shape.value[0]?.column.default, null);
});
