import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SlotFacts } from '../../../../connectors/postgres/slot.ts';
import { requireSlotOf } from '../../../../connectors/postgres/slot-owner.ts';
import { TransientError } from '../../../../src/core/errors.ts';

const slot = (activePid: number | null) => ({ activePid }) as SlotFacts;

test('a slot is owned by the walsender that streams from it and by nobody else', () => {
  requireSlotOf(4711, slot(4711), 'shop');
  for (const [pid, facts] of [
    [4711, slot(4712)],
    [4711, slot(null)],
    [4711, null],
    [null, slot(null)],
  ] as const) {
    assert.throws(
      () => requireSlotOf(pid, facts, 'shop'),
      (error) => error instanceof TransientError && error.code === 'POSTGRES_SLOT_RELEASED',
    );
  }
});
