import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { DATA_TYPES } from '../../../../connectors/mysql/logged-type.ts';
import { MYSQL_TYPES_FILE, renderMysqlTypes } from '../../../../deploy/generate/mysql-types.ts';

it('TYPES.md is what the type table says', () => {
  const file = new URL(`../../../../${MYSQL_TYPES_FILE}`, import.meta.url);
  assert.equal(readFileSync(file, 'utf8'), renderMysqlTypes(), 'run: node deploy/generate/mysql-types.ts');
});

it('every type that the catalog knows is on the page', () => {
  const names = new Set([...renderMysqlTypes().matchAll(/^\| ([a-z]+)/gm)].map(([, name]) => name));
  const missing = DATA_TYPES.filter((name) => !names.has(name));
  // MySQL 8 calls a GEOMETRYCOLLECTION so.
  assert.deepEqual(missing, ['geomcollection']);
});
