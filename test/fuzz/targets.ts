import { binlogEvents } from './binlog-events.ts';
import { binlogPackets } from './binlog-packets.ts';
import { configuration } from './configuration.ts';
import { kafkaAnswers, kafkaFrames, kafkaLog } from './kafka-answers.ts';
import { copyStream, pgoutputMessages, pgoutputStream } from './pgoutput.ts';
import { registryAnswers } from './registry-answers.ts';
import type { FuzzTarget } from './target.ts';

/** Everything that reads what others wrote. Each is to be closed. */
export async function openTargets(): Promise<readonly FuzzTarget[]> {
  return [
    pgoutputMessages(),
    pgoutputStream(),
    copyStream(),
    binlogEvents(),
    binlogPackets(),
    kafkaAnswers(),
    kafkaFrames(),
    kafkaLog(),
    configuration(),
    await registryAnswers(),
  ];
}

/** How many of `cases` a target gets: its weight's share, at least one. */
export function shareOf(target: FuzzTarget, all: readonly FuzzTarget[], cases: number): number {
  const total = all.reduce((sum, { weight }) => sum + weight, 0);
  return Math.max(1, Math.ceil((cases * target.weight) / total));
}
