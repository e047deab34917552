import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTimelineHistory } from '../../../../connectors/postgres/timeline-history.ts';

test('a timeline history tells where each timeline ended', () => {
  const text = '1\t0/3000060\tno recovery target specified\n# comment\n\n2\t16/B374D848\tbefore 2026-01-01\n';
  assert.deepEqual(
    [...parseTimelineHistory(text)],
    [
      [1, { high: 0, low: 0x3000060 }],
      [2, { high: 0x16, low: 0xb374d848 }],
    ],
  );
});
