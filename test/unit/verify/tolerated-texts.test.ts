import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toleratedTexts } from '../../../src/verify/tolerated-texts.ts';

test('zeros at the end of a fraction do not matter where the writer trims them, and nowhere else', () => {
  assert.equal(toleratedTexts(null).size, 0);
  const rewrite = toleratedTexts('debezium').get('io.debezium.time.ZonedTimestamp')!;
  for (const [text, expected] of [
    ['2026-01-02T03:04:05.120Z', '2026-01-02T03:04:05.12Z'],
    ['2026-01-02T03:04:05.000000Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.100+01:00', '2026-01-02T03:04:05.1+01:00'],
    ['2026-01-02T03:04:00Z', '2026-01-02T03:04:00Z'],
    ['2026-01-02T03:04:05.001Z', '2026-01-02T03:04:05.001Z'],
    ['infinity', 'infinity'],
  ] as const) {
    assert.equal(rewrite(text), expected);
  }
});
