import { CHECKPOINT_KEY, encodeCheckpoint } from '../checkpoint/checkpoint-codec.ts';
import type { Checkpoint } from '../core/checkpoint.ts';
import { ConfigurationError, FatalError, ResyncRequiredError } from '../core/errors.ts';
import type { Settings } from '../core/settings.ts';
import { withOwnedSource } from './owned-state.ts';

/**
 * Lets the next start of a source go on at `position`. Refuses text that is no position, and a position that the source
 * could not go on from. What is stored beside it (topics, table versions) stays.
 * @returns the position as it is stored.
 */
export function setCheckpoint(settings: Settings, source: string, position: string): Promise<string> {
  return withOwnedSource(settings, source, async ({ configured, session: open, state: claim, signal }) => {
    const { positions } = configured.connector;
    const text = positions.encode(decode(positions, position, source));
    const session = await open();
    const checkpoint: Checkpoint = {
      formatVersion: 1,
      source,
      phase: 'streaming',
      serverIdentity: session.serverIdentity,
      position: text,
      savedAtMs: Date.now(),
    };
    const verdict = await session.assessResume(checkpoint);
    if (verdict.kind === 'resync-required') {
      throw new ResyncRequiredError(`the source cannot go on from ${text}: ${verdict.reason}`, {
        code: verdict.code,
        remedy: 'Nothing was changed. Name a position that the log of the server still has, or resync the source.',
        source,
        position: text,
      });
    }
    const state = await claim();
    await state.put(new Map([[CHECKPOINT_KEY, encodeCheckpoint(checkpoint)]]), signal);
    return text;
  });
}

/** A wrong position on a command line is no fault of what is stored. */
function decode<P>(positions: { decode(text: string): P }, text: string, source: string): P {
  try {
    return positions.decode(text);
  } catch (error) {
    if (!(error instanceof FatalError)) throw error;
    throw new ConfigurationError(error.message, {
      code: error.code,
      remedy: `tailrace checkpoint show ${source} prints the position that is stored, as an example.`,
      source,
      cause: error,
    });
  }
}
