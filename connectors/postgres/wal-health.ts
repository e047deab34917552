import type { SourceHealth } from '../../src/core/connector.ts';
import { formatLsn } from './protocol/lsn.ts';
import type { ServerFacts } from './server-facts.ts';
import type { SlotFacts } from './slot.ts';

/** What the status page and the metrics show of a slot. */
export function walHealth(slot: SlotFacts | null, server: ServerFacts, isBehind: boolean): SourceHealth {
  return {
    isBehind,
    retainedWalBytes: slot?.retainedBytes ?? null,
    facts: {
      server_version: server.version,
      is_standby: server.isStandby,
      slot_exists: slot !== null,
      slot_active_pid: slot?.activePid ?? null,
      wal_status: slot?.walStatus ?? null,
      safe_wal_bytes: slot?.safeWalBytes ?? null,
      invalidation: slot?.invalidation ?? null,
      confirmed_flush_lsn: slot?.confirmedFlush ? formatLsn(slot.confirmedFlush) : null,
      restart_lsn: slot?.restartLsn ? formatLsn(slot.restartLsn) : null,
    },
  };
}
