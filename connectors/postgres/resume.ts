import type { Checkpoint } from '../../src/core/checkpoint.ts';
import type { ResumeVerdict } from '../../src/core/connector.ts';
import { ConfigurationError } from '../../src/core/errors.ts';
import { type PgPosition, pgPositions } from './positions.ts';
import { compareLsn, formatLsn, type Lsn } from './protocol/lsn.ts';
import type { SlotFacts } from './slot.ts';

/** What the source is like at the moment of the verdict. */
export interface ResumeFacts {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Where each older timeline of the server's history ended, by its number. */
  readonly timelineEnds: ReadonlyMap<number, Lsn>;
  readonly database: string;
  readonly slotName: string;
  readonly slot: SlotFacts | null;
  /** Publications that are needed and do not exist. */
  readonly missingPublications: readonly string[];
}

const RESYNC = 'Run `tailrace resync` to take a new snapshot and a new position.';

/**
 * Decides whether a stream may go on from a checkpoint. Pure: everything it looks at is in its arguments.
 * @throws ConfigurationError where the slot is not one that this source could have made.
 */
export function assessResume(facts: ResumeFacts, checkpoint: Checkpoint | null): ResumeVerdict<PgPosition> {
  const { slot, slotName } = facts;
  if (slot !== null) requireOwnSlot(facts, slot);
  // What was begun and not finished is dropped and begun again, whatever became of it.
  if (checkpoint?.phase === 'initialising') return { kind: 'fresh' };
  if (checkpoint === null) {
    if (slot === null) return { kind: 'fresh' };
    return {
      kind: 'resync-required',
      code: 'POSTGRES_SLOT_WITHOUT_CHECKPOINT',
      reason: `The slot "${slotName}" exists but there is no checkpoint: what was published before is not known.`,
      remedy: `Restore the checkpoint topic or file, or import a position; else: ${RESYNC}`,
    };
  }
  if (checkpoint.position === null) return { kind: 'fresh' };
  const position = pgPositions.decode(checkpoint.position);
  const problem = assessServer(facts, checkpoint, position) ?? assessSlot(facts, position) ?? assessPublications(facts);
  if (problem !== null) return { kind: 'resync-required', ...problem };
  return { kind: 'resume', from: position };
}

interface Problem {
  readonly code: string;
  readonly reason: string;
  readonly remedy: string;
}

function assessServer(facts: ResumeFacts, checkpoint: Checkpoint, position: PgPosition): Problem | null {
  const [systemIdentifier, timelineText] = checkpoint.serverIdentity.split(':');
  const timeline = Number(timelineText);
  if (systemIdentifier !== facts.systemIdentifier) {
    return {
      code: 'POSTGRES_OTHER_SERVER',
      reason: `The checkpoint was made on the server ${systemIdentifier}; this one is ${facts.systemIdentifier}.`,
      remedy: `Connect to the old server (or a copy promoted from it). After an upgrade or a restore: ${RESYNC}`,
    };
  }
  if (timeline === facts.timeline) return null;
  const end = facts.timelineEnds.get(timeline);
  if (timeline < facts.timeline && end !== undefined && compareLsn(position.lsn, end) <= 0) return null;
  const fork = end === undefined ? '' : `, which it left at ${formatLsn(end)}`;
  return {
    code: 'POSTGRES_TIMELINE_DIVERGED',
    reason: `The checkpoint ${formatLsn(position.lsn)} lies on timeline ${timeline}; the server is on ${facts.timeline}${fork}.`,
    remedy: `Changes that were published do not exist on this server. Connect to the right one, or: ${RESYNC}`,
  };
}

function assessSlot(facts: ResumeFacts, position: PgPosition): Problem | null {
  const { slot, slotName } = facts;
  if (slot === null) {
    return {
      code: 'POSTGRES_SLOT_MISSING',
      reason: `The slot "${slotName}" does not exist any more; changes since ${formatLsn(position.lsn)} are lost.`,
      remedy: `Find out who dropped it (a failover without failover slots does). ${RESYNC}`,
    };
  }
  if (slot.walStatus === 'lost' || slot.invalidation !== null) {
    return {
      code: 'POSTGRES_SLOT_INVALIDATED',
      reason: `The server gave the slot "${slotName}" up (${slot.invalidation ?? 'its WAL was removed'}).`,
      remedy: `Raise max_slot_wal_keep_size or run the daemon without long breaks. ${RESYNC}`,
    };
  }
  if (slot.confirmedFlush === null || compareLsn(slot.confirmedFlush, position.lsn) > 0) {
    const confirmed = slot.confirmedFlush === null ? 'nothing' : formatLsn(slot.confirmedFlush);
    return {
      code: 'POSTGRES_SLOT_AHEAD',
      reason: `The slot "${slotName}" starts at ${confirmed}, the checkpoint is ${formatLsn(position.lsn)}.`,
      remedy: `The slot was recreated or moved by something else, and changes between are lost. ${RESYNC}`,
    };
  }
  return null;
}

function assessPublications(facts: ResumeFacts): Problem | null {
  if (facts.missingPublications.length === 0) return null;
  const names = facts.missingPublications.map((name) => `"${name}"`).join(', ');
  return {
    code: 'POSTGRES_PUBLICATION_MISSING',
    reason: `The publication ${names} does not exist any more; changes since it was dropped were not decoded.`,
    remedy: `Find out who dropped it. ${RESYNC}`,
  };
}

function requireOwnSlot(facts: ResumeFacts, slot: SlotFacts): void {
  const { slotName, database } = facts;
  if (slot.isLogical && slot.plugin === 'pgoutput' && slot.database === database) return;
  const kind = slot.isLogical ? `logical, ${slot.plugin}, database "${slot.database}"` : 'physical';
  throw new ConfigurationError(
    `The slot "${slotName}" is not ours (${kind}); it must be logical, pgoutput, database "${database}".`,
    { code: 'POSTGRES_SLOT_FOREIGN', remedy: 'Set slot.name to another name, or drop that slot if nothing uses it.' },
  );
}
