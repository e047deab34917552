import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { POSTGRES_TYPES_FILE, renderPostgresTypes } from '../../../../deploy/generate/postgres-types.ts';

it('TYPES.md is what the type table says', () => {
  const file = new URL(`../../../../${POSTGRES_TYPES_FILE}`, import.meta.url);
  assert.equal(readFileSync(file, 'utf8'), renderPostgresTypes(), 'run: node deploy/generate/postgres-types.ts');
});
