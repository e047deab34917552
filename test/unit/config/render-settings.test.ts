import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { renderSettings } from '../../../src/config/render-settings.ts';
import { Secret } from '../../../src/core/secret.ts';
import { parseText, VALID, withSource } from './parse-text.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', '..', 'deploy', 'config');

/** Settings as plain data that can be compared: patterns as text, secrets alike. */
function comparable(value: unknown): unknown {
  if (value instanceof RegExp) return value.source;
  if (value instanceof Set) return [...value];
  if (value instanceof Secret) return '[secret]';
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, comparable(item)]));
}

for (const [what, text] of [
  ['the least settings', VALID.replace(/url: postgres.*/, 'host: h\n    user: u\n    database: d')],
  ["a Debezium connector's", readFileSync(join(EXAMPLES, 'from-debezium.yaml'), 'utf8')],
  [
    'many settings',
    withSource(
      'columns: { mask: [{ match: "a/b\\\\.c", with: "" }], hash: [{ match: x, salt: s }], truncate: [{ match: y, length: 2 }] }',
      'heartbeat: { interval: 90s }',
      'status_interval: 1500ms',
      'slot: { name: a, failover: true }',
      'skipped_operations: []',
    ).replace(/url: postgres.*/, 'host: h\n    user: u\n    database: d\n    password: p'),
  ],
] as const) {
  it(`what is shown of ${what} is a configuration that means the same`, async () => {
    const settings = await parseText(text, { PG_PASSWORD: 'x' });
    const shown = renderSettings(settings);
    const again = await parseText(JSON.stringify(shown));
    // The rule for topics that no rule matches is shown, and added again.
    const { topics, ...kafka } = again.kafka;
    assert.deepEqual(comparable({ ...again, kafka: { ...kafka, topics: topics.slice(0, -1) } }), comparable(settings));
  });
}
