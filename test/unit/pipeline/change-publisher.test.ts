import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ChangeBatch, ChangeKind } from '../../../src/core/change-batch.ts';
import { PoisonChangeError } from '../../../src/core/errors.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { Ticket } from '../../../src/core/ticket.ts';
import { AckTracker } from '../../../src/pipeline/ack-tracker.ts';
import { ChangePublisher, type ChangePublisherDependencies } from '../../../src/pipeline/change-publisher.ts';
import type { DeadLetters } from '../../../src/pipeline/dead-letters.ts';
import type { TablePlan } from '../../../src/pipeline/table-plan.ts';
import { TablePlans } from '../../../src/pipeline/table-plans.ts';

const TABLE = {} as TableVersion;
const poison = new PoisonChangeError('no', { code: 'RECORD_TOO_LARGE', remedy: 'None.' });

type Change = 'begin' | 'row' | 'poison' | { readonly commit: number };

/** Transactions with rows, some of them poison, numbered by their commits, cut into batches anywhere. */
const streams = fc
  .array(fc.array(fc.constantFrom<Change>('row', 'row', 'row', 'poison'), { maxLength: 5 }), { maxLength: 8 })
  .map((transactions) => transactions.flatMap((rows, index): Change[] => ['begin', ...rows, { commit: index + 1 }]))
  .chain((changes) =>
    fc
      .array(fc.nat(Math.max(changes.length, 1)), { maxLength: 6 })
      .map((cuts) => [0, ...cuts.sort((a, b) => a - b), changes.length])
      .map((edges) => edges.slice(1).map((end, i) => changes.slice(edges[i], end))),
  );

function batchOf(changes: readonly Change[]): ChangeBatch<number> {
  const kindOf = (change: Change) =>
    change === 'begin' ? ChangeKind.begin : typeof change === 'string' ? ChangeKind.insert : ChangeKind.commit;
  return {
    bytes: Buffer.alloc(0),
    count: changes.length,
    kinds: Uint8Array.from(changes, kindOf),
    versions: changes.map((change) => (change === 'row' || change === 'poison' ? TABLE : null)),
    details: changes.map((change) => {
      if (change === 'begin') return { id: 'tx', commitTimeUs: 1 };
      return typeof change === 'string' ? null : { resumeAt: change.commit, commitTimeUs: 1 };
    }),
    hasBefore: new Uint8Array(changes.length),
    receivedAtMs: 0,
    release: () => {},
  };
}

for (const onPoison of ['fail', 'dead_letter'] as const) {
  test(`under on_poison ${onPoison} a position is reached only when its transaction is whole and acknowledged`, async () => {
    await fc.assert(
      fc.asyncProperty(streams, fc.infiniteStream(fc.nat()), async (batches, picks) => {
        const reached: number[] = [];
        const held: { readonly ticket: Ticket; readonly transaction: number }[] = [];
        let changes: readonly Change[] = [];
        let transaction = 1;
        const hold = (ticket: Ticket) => {
          ticket.hold();
          held.push({ ticket, transaction });
        };
        const deadLetters = {
          prepare: async () => {},
          appendRow: (...parts: unknown[]) => hold(parts.at(-1) as Ticket),
        } as unknown as DeadLetters;
        const dependencies = {
          encoder: { output: { reset: () => {} } },
          settings: { onPoison, skippedOperations: new Set(), transactionMetadata: false, name: 'shop' },
          plans: new TablePlans({ plan: async () => ({ table: 'public.t' }) as unknown as TablePlan }, deadLetters),
          rows: {
            processedAtUs: 0,
            insert: (_batch: unknown, index: number, _plan: unknown, _orders: unknown, ticket: Ticket) => {
              if (changes[index] === 'poison') throw poison;
              hold(ticket);
            },
          },
          events: { begin: () => {}, end: () => (transaction += 1), heartbeat: () => {} },
          deadLetters,
          nowUs: () => 0,
        } as unknown as ChangePublisherDependencies;
        const publisher = new ChangePublisher<number>(dependencies);
        const tracker = new AckTracker<number>(({ resumeAt }) => {
          if (resumeAt === null) return;
          const open = held.filter((each) => each.transaction <= resumeAt);
          assert.equal(open.length, 0, `position ${resumeAt} was reached with ${open.length} records unacknowledged`);
          reached.push(resumeAt);
        });
        for (changes of batches) {
          const entry = tracker.open();
          try {
            await publisher.publish(batchOf(changes), 0, entry, new AbortController().signal);
          } catch (error) {
            assert.equal((error as PoisonChangeError).code, poison.code);
            break;
          } finally {
            entry.ticket.seal();
          }
        }
        while (held.length > 0) held.splice(picks.next().value % held.length, 1)[0]!.ticket.release();
        const all = batches.flat();
        const end = onPoison === 'fail' ? all.indexOf('poison') : -1;
        const whole = (end < 0 ? all : all.slice(0, end)).filter((change) => typeof change === 'object').length;
        assert.equal(reached.at(-1) ?? 0, whole);
      }),
    );
  });
}
