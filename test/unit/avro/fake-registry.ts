import type { SchemaRegistry } from '../../../src/avro/schema-registry.ts';
import type { KnownSchemaIds } from '../../../src/core/known-schema-ids.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { RegistrySettings } from '../../../src/core/settings.ts';

export const REGISTRY_SETTINGS: RegistrySettings = {
  urls: ['http://registry.invalid'],
  auth: { kind: 'none' },
  tls: null,
  requestTimeoutMs: 1000,
  onIncompatible: 'fail',
  subjectNaming: 'topic_name',
};

/** A registry whose every question fails until a test gives the answer. */
export function fakeRegistry(answers: Partial<SchemaRegistry>): SchemaRegistry {
  const unexpected = (question: string) => async (): Promise<never> => {
    throw new Error(`unexpected question: ${question}`);
  };
  return {
    settings: REGISTRY_SETTINGS,
    lookUp: unexpected('lookUp'),
    checkCompatibility: unexpected('checkCompatibility'),
    latestSchema: async () => null,
    register: unexpected('register'),
    subjectCompatibility: unexpected('subjectCompatibility'),
    setSubjectCompatibility: unexpected('setSubjectCompatibility'),
    ...answers,
  };
}

export class MemoryKnownIds implements KnownSchemaIds {
  readonly ids = new Map<string, number>();

  get(key: string): number | undefined {
    return this.ids.get(key);
  }

  set(key: string, id: number): void {
    this.ids.set(key, id);
  }
}

export const SILENT_LOGGER: Logger = {
  child: () => SILENT_LOGGER,
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
