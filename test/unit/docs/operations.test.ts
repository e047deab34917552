import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** First words of the codes that an operator can see; other constants in capitals are the database's or Kafka's. */
const CODE =
  /'((?:BODY|CHECKPOINT|COLUMN|CONFIGURATION|CONFIRMATION|DAEMON|FIELD_NAME|HTTP_(?:ADDRESS|TLS)|KAFKA|KEY_COLUMN|MASK|MESSAGE_KEY|METRIC|MYSQL|PATTERN|POSTGRES|RECORD_TOO|REGISTRY|SCHEMA|SNAPSHOT|SOURCE|STATE|SUPERVISION|TAIL|VERIFY)_[A-Z0-9_]+|UNCLASSIFIED)'/g;
/** Names of Kafka's own codes, which the page has as a family. */
const KAFKA_NAMES = 'src/kafka/error-codes.ts';

test('every code in the source is a row of the runbook, with what happened and what to do, and no other is', () => {
  const inSource = new Set<string>();
  for (const file of globSync(['src/**/*.ts', 'connectors/**/*.ts'], { cwd: ROOT })) {
    if (file === KAFKA_NAMES) continue;
    for (const [, code] of readFileSync(`${ROOT}${file}`, 'utf8').matchAll(CODE)) inSource.add(code!);
  }
  assert.ok(inSource.size > 80, `only ${inSource.size} codes were found`);
  const rows = [...readFileSync(`${ROOT}docs/operations.md`, 'utf8').matchAll(/^\| `([A-Z_]+)` \| (.+) \| (.+) \|$/gm)];
  const documented = rows.map(([, code]) => code!);
  assert.deepEqual(documented.toSorted(), [...inSource].toSorted());
});
