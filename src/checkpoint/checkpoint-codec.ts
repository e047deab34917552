import type { Checkpoint } from '../core/checkpoint.ts';
import { isCount, isText, StoredJson } from './stored-json.ts';

/** Where a source's state keeps its checkpoint. */
export const CHECKPOINT_KEY = 'checkpoint';

const FIELDS = ['source', 'phase', 'serverIdentity', 'position', 'savedAtMs'];

export function encodeCheckpoint(checkpoint: Checkpoint): string {
  const { formatVersion, source, phase, serverIdentity, position, savedAtMs } = checkpoint;
  return JSON.stringify({ formatVersion, source, phase, serverIdentity, position, savedAtMs });
}

/** @throws FatalError for everything that `encodeCheckpoint` never gives, and for the checkpoint of another source. */
export function decodeCheckpoint(text: string, source: string): Checkpoint {
  const json = new StoredJson(text, `the checkpoint of source ${source}`, 1);
  json.only(FIELDS);
  const checkpoint: Checkpoint = {
    formatVersion: 1,
    source: json.text('source'),
    phase: json.field('phase', isPhase, 'initialising or streaming'),
    serverIdentity: json.text('serverIdentity'),
    position: json.field('position', isTextOrNull, 'text or null'),
    savedAtMs: json.field('savedAtMs', isCount, 'a time in milliseconds'),
  };
  if (checkpoint.source !== source) throw json.damaged(`it is the checkpoint of source ${checkpoint.source}`);
  if (checkpoint.phase === 'streaming' && checkpoint.position === null) throw json.damaged('it has no position');
  return checkpoint;
}

function isPhase(value: unknown): value is Checkpoint['phase'] {
  return value === 'initialising' || value === 'streaming';
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || isText(value);
}
