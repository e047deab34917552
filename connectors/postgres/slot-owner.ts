import { TransientError } from '../../src/core/errors.ts';
import type { SlotFacts } from './slot.ts';

/**
 * A slot belongs to the walsender that streams from it. The server ends one that it has not heard of for
 * `wal_sender_timeout`, and from then on any process may have streamed from the slot and published what it got.
 * @throws TransientError where the slot is not that of the walsender `serverPid`.
 */
export function requireSlotOf(serverPid: number | null, slot: SlotFacts | null, name: string): void {
  if (serverPid !== null && slot?.activePid === serverPid) return;
  const now =
    slot === null ? 'it does not exist any more' : slot.activePid === null ? 'nobody does' : 'another process does';
  throw new TransientError(`This process stood still and no longer streams from the slot "${name}"; ${now}.`, {
    code: 'POSTGRES_SLOT_RELEASED',
    remedy: 'The source starts again from its checkpoint, and waits while another daemon runs it.',
  });
}
