import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RegistryRefusal, RegistryUnreachableError } from '../../../src/avro/registry-errors.ts';
import { type RegistryWait, SchemaIds } from '../../../src/avro/schema-ids.ts';
import type { SchemaRegistry } from '../../../src/avro/schema-registry.ts';
import { ConfigurationError } from '../../../src/core/errors.ts';
import { IncompatibleSchemaError } from '../../../src/core/incompatible-schema-error.ts';
import type { RegistrySettings } from '../../../src/core/settings.ts';
import { fakeRegistry, MemoryKnownIds, REGISTRY_SETTINGS, SILENT_LOGGER } from './fake-registry.ts';

const { signal } = new AbortController();

function unreachable(): RegistryUnreachableError {
  return new RegistryUnreachableError('no answer', { code: 'REGISTRY_UNREACHABLE', remedy: '' });
}

function schemaIds(
  answers: Partial<SchemaRegistry>,
  options: { knownIds?: MemoryKnownIds; settings?: Partial<RegistrySettings> } = {},
) {
  const questions: string[] = [];
  const recorded = Object.fromEntries(
    Object.entries(answers).map(([name, answer]) => [
      name,
      (...given: string[]) => {
        questions.push([name, ...given.filter((value) => typeof value !== 'object' || value === null)].join(' '));
        return (answer as unknown as (...values: string[]) => unknown)(...given);
      },
    ]),
  );
  const waits: (RegistryWait | null)[] = [];
  const slept: number[] = [];
  const clock = {
    nowMs: () => 1_000_000,
    nowUs: () => 0,
    sleep: async (ms: number, stop: AbortSignal) => {
      stop.throwIfAborted();
      slept.push(ms);
    },
  };
  const ids = new SchemaIds({
    registry: fakeRegistry({ ...recorded, settings: { ...REGISTRY_SETTINGS, ...options.settings } }),
    knownIds: options.knownIds ?? new MemoryKnownIds(),
    logger: SILENT_LOGGER,
    clock,
    onRegistryWait: (wait) => waits.push(wait),
  });
  return { ids, questions, waits, slept };
}

describe('SchemaIds', () => {
  it('writes nothing to a registry that has the schema, and asks once', async () => {
    const { ids, questions } = schemaIds({ lookUp: async () => 7 });
    assert.equal(await ids.idOf('s', '"int"', signal), 7);
    assert.equal(await ids.idOf('s', '"int"', signal), 7);
    assert.deepEqual(questions, ['lookUp s "int"']);
  });

  it('asks for compatibility before it registers, and makes the id durable before it gives it', async () => {
    const knownIds = new MemoryKnownIds();
    const { ids, questions } = schemaIds(
      {
        lookUp: async () => null,
        checkCompatibility: async () => ({ compatible: true, reasons: [] }),
        register: async () => 8,
      },
      { knownIds },
    );
    assert.equal(await ids.idOf('s', '"int"', signal), 8);
    assert.deepEqual(questions, ['lookUp s "int"', 'checkCompatibility s "int"', 'register s "int"']);
    assert.deepEqual([...knownIds.ids.values()], [8]);
  });

  it('takes a known id while the registry is unreachable, without waiting', async () => {
    const knownIds = new MemoryKnownIds();
    const first = schemaIds({ lookUp: async () => 9 }, { knownIds });
    await first.ids.idOf('s', '"int"', signal);
    await first.ids.idOf('s', '"long"', signal);
    const restarted = schemaIds({ lookUp: () => Promise.reject(unreachable()) }, { knownIds });
    assert.equal(await restarted.ids.idOf('s', '"int"', signal), 9);
    assert.equal(await restarted.ids.idOf('s', '"long"', signal), 9);
    assert.deepEqual(restarted.questions, ['lookUp s "int"']);
    assert.deepEqual(restarted.waits, []);
  });

  it('does not trust a known id that the registry denies', async () => {
    const knownIds = new MemoryKnownIds();
    await schemaIds({ lookUp: async () => 9 }, { knownIds }).ids.idOf('s', '"int"', signal);
    const emptied = schemaIds(
      {
        lookUp: async () => null,
        checkCompatibility: async () => ({ compatible: true, reasons: [] }),
        register: async () => 1,
      },
      { knownIds },
    );
    assert.equal(await emptied.ids.idOf('s', '"int"', signal), 1);
    assert.deepEqual([...knownIds.ids.values()], [1]);
  });

  it('does not take the id of one registry for that of another', async () => {
    const knownIds = new MemoryKnownIds();
    await schemaIds({ lookUp: async () => 9 }, { knownIds }).ids.idOf('s', '"int"', signal);
    let down = true;
    const other = schemaIds(
      { lookUp: () => (down ? Promise.reject(unreachable()) : Promise.resolve(2)) },
      { knownIds, settings: { urls: ['http://other.invalid'] } },
    );
    const id = other.ids.idOf('s', '"int"', signal);
    down = false;
    assert.equal(await id, 2);
  });

  it('waits for an unreachable registry with growing pauses, and says so', async () => {
    let attempts = 0;
    const { ids, waits, slept } = schemaIds({
      lookUp: async () => {
        attempts += 1;
        if (attempts < 12) throw unreachable();
        return 5;
      },
    });
    assert.equal(await ids.idOf('s', '"int"', signal), 5);
    assert.equal(slept.length, 11);
    slept.forEach((ms, i) => {
      assert.ok(ms >= 0 && ms <= Math.min(30_000, 200 * 2 ** (i + 1)), `${ms} after ${i + 1}`);
    });
    assert.deepEqual(
      waits.map((wait) => wait?.attempts ?? null),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, null],
    );
  });

  it('ends the wait when it is told to stop', async () => {
    const stop = new AbortController();
    const { ids } = schemaIds({
      lookUp: async () => {
        stop.abort(new Error('stopping'));
        throw unreachable();
      },
    });
    await assert.rejects(ids.idOf('s', '"int"', stop.signal), /stopping/);
  });

  for (const policy of ['fail', 'dead_letter'] as const) {
    it(`stops before the first record of an incompatible schema (${policy})`, async () => {
      const { ids, questions } = schemaIds(
        {
          lookUp: async () => null,
          checkCompatibility: async () => ({ compatible: false, reasons: ['b at /fields/1'] }),
        },
        { settings: { onIncompatible: policy } },
      );
      await assert.rejects(ids.idOf('s', '"int"', signal), (error: IncompatibleSchemaError) => {
        assert.ok(error instanceof IncompatibleSchemaError && error instanceof ConfigurationError);
        assert.equal(error.policy, policy);
        assert.equal(error.subject, 's');
        assert.match(error.message, /b at \/fields\/1/);
        assert.match(error.remedy, /on_incompatible/);
        return true;
      });
      assert.equal(questions.length, 2);
    });
  }

  it('takes the refusal of the registration itself for incompatible too', async () => {
    const { ids } = schemaIds({
      lookUp: async () => null,
      checkCompatibility: async () => ({ compatible: true, reasons: [] }),
      register: async () => {
        throw new RegistryRefusal(409, 409, 'version 1 of 3');
      },
    });
    await assert.rejects(ids.idOf('s', '"int"', signal), IncompatibleSchemaError);
  });

  for (const level of ['FULL', null]) {
    it(`registers anyway under NONE and restores ${level ?? 'the registry’s level'}`, async () => {
      const { ids, questions } = schemaIds(
        {
          lookUp: async () => null,
          checkCompatibility: async () => ({ compatible: false, reasons: [] }),
          subjectCompatibility: async () => level,
          setSubjectCompatibility: async () => {},
          register: async () => 3,
        },
        { settings: { onIncompatible: 'register_anyway' } },
      );
      assert.equal(await ids.idOf('s', '"int"', signal), 3);
      assert.deepEqual(questions.slice(2), [
        'subjectCompatibility s',
        'setSubjectCompatibility s NONE',
        'register s "int"',
        `setSubjectCompatibility s ${level ?? ''}`,
      ]);
    });
  }

  it('restores the level although the registration failed, and says what is left when that fails too', async () => {
    let broken = false;
    const { ids, questions } = schemaIds(
      {
        lookUp: async () => null,
        checkCompatibility: async () => ({ compatible: false, reasons: [] }),
        subjectCompatibility: async () => 'FULL',
        setSubjectCompatibility: async (_subject, level) => {
          if (broken && level === 'FULL') throw new RegistryRefusal(403, 403, 'forbidden');
        },
        register: async () => {
          throw new RegistryRefusal(422, 42201, 'invalid');
        },
      },
      { settings: { onIncompatible: 'register_anyway' } },
    );
    await assert.rejects(ids.idOf('s', '"int"', signal), ConfigurationError);
    assert.equal(questions.at(-1), 'setSubjectCompatibility s FULL');
    broken = true;
    await assert.rejects(ids.idOf('s', '"int"', signal), (error: ConfigurationError) => {
      assert.equal(error.code, 'SCHEMA_LEVEL_NOT_RESTORED');
      assert.match(error.remedy, /FULL/);
      return true;
    });
  });

  for (const status of [401, 403, 404, 422]) {
    it(`makes a configuration error of HTTP ${status}`, async () => {
      const { ids } = schemaIds({
        lookUp: async () => {
          throw new RegistryRefusal(status, status, 'no');
        },
      });
      await assert.rejects(ids.idOf('s', '"int"', signal), (error: ConfigurationError) => {
        assert.ok(error instanceof ConfigurationError && !(error instanceof IncompatibleSchemaError));
        assert.equal(error.code, 'REGISTRY_REFUSED');
        assert.ok(error.remedy.length > 10);
        return true;
      });
    });
  }
});
